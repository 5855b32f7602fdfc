"""Calls to models in CloudTrail records: by whom, from which account and region, to which model, how often, with what end.

What a trail logs by default are management events; most calls of agents are data events
(https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html,
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, Final

from policyengine.shadow_ai.counting import LIMIT, Counted
from policyengine.shadow_ai.problems import Problems
from policyengine.shadow_ai.reading import MAX_TRAIL, READ_ERRORS, read_problem, values
from policyengine.shadow_ai.records import BadRecordError, Moments

_BEDROCK: Final = ("InvokeModel", "Converse", "InvokeAgent", "InvokeInlineAgent", "InvokeFlow", "InvokeDataAutomation",
    "StartAsyncInvoke", "Retrieve", "GenerateQuery", "OptimizePrompt", "Rerank", "RenderPrompt", "ApplyGuardrail",
    "CreateModelInvocationJob", "StartFlowExecution", "CountTokens")  # fmt: skip
CALLS: Final[Mapping[str, tuple[str, ...]]] = {
    "bedrock.amazonaws.com": _BEDROCK,
    "bedrock-runtime.amazonaws.com": _BEDROCK,
    "bedrock-agent-runtime.amazonaws.com": _BEDROCK,
    "bedrock-agentcore.amazonaws.com": (
        "Invoke", "StartCodeInterpreterSession", "StartBrowserSession", "RetrieveMemoryRecords"
    ),
    "sagemaker.amazonaws.com": ("InvokeEndpoint",),
    "runtime.sagemaker.amazonaws.com": ("InvokeEndpoint",),
    "qbusiness.amazonaws.com": ("Chat", "SearchRelevantContent"),
    "q.amazonaws.com": ("",),
    "codewhisperer.amazonaws.com": ("",),
}  # fmt: skip
"""Event source -> how the names of events begin that use a model: operations of botocore's service models. All events of
Amazon Q Developer (https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-codewhisperer.html) are its use."""
NOT_BY_DEFAULT: Final = (
    "CloudTrail logs InvokeModel, InvokeModelWithResponseStream, Converse and ConverseStream as management events. Calls of "
    "agents, flows, knowledge bases, guardrails, AgentCore, Amazon Q Business and of Amazon Q Developer in editors are data "
    "events, which no trail logs unless it is told to, and InvokeEndpoint of SageMaker is not monitored: none in the report "
    "does not mean that there were none."
)
"""https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html,
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html,
https://repost.aws/knowledge-center/log-amazonq-developer-events and, for InvokeEndpoint,
https://docs.aws.amazon.com/sagemaker/latest/dg/logging-using-cloudtrail.html."""
_DENIED: Final = ("accessdenied", "unauthorized", "client.unauthorizedoperation", "forbidden")
_LONG: Final = 256


class Calls:
    """Counts calls. Keys: event source, event, account, region, principal, session, model; sums: made, denied, failed."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.problems = Problems()
        self.records = 0
        self.found = Counted(7, 3, limit)
        self.days = Counted(8, 1, limit)
        self._moments = Moments()

    def read(self, stream: BinaryIO, name: str) -> None:
        """Count the calls of a file: `{"Records": […]}` as CloudTrail delivers it, or one record a line."""
        wrong = self.problems.of(name)
        try:
            for line, value in values(stream, wrong, MAX_TRAIL):
                if isinstance(value, dict) and "digestStartTime" in value:
                    continue  # a digest file, which lies beside the logs
                listed = value.get("Records") if isinstance(value, dict) else value
                for record in listed if isinstance(listed, list) else (value,):
                    try:
                        self._add(record)
                    except BadRecordError as problem:
                        wrong(line, str(problem).replace("query_timestamp", "eventTime"))
        except READ_ERRORS as problem:
            self.problems.add_error(read_problem(problem, name))

    def _add(self, record: Any) -> None:
        if not isinstance(record, dict) or not isinstance(record.get("eventSource"), str):
            raise BadRecordError("is no record of CloudTrail: it has no `eventSource`")
        event = record.get("eventName")
        if not isinstance(event, str):
            raise BadRecordError("is no record of CloudTrail: it has no `eventName`")
        self.records += 1
        if not event.startswith(CALLS.get(record["eventSource"], ("\0",))):
            return
        moment = self._moments(record.get("eventTime"))
        code = record.get("errorCode")
        denied = isinstance(code, str) and code.lower().startswith(_DENIED)
        numbers = (int(not code), int(denied), int(bool(code) and not denied))
        principal, session = _who(record.get("userIdentity"))
        account = record.get("recipientAccountId")
        key = (
            _short(record["eventSource"]), _short(event), _short(account), _short(record.get("awsRegion")), principal,
            session, _model(record),
        )  # fmt: skip
        self.found.add(key, numbers, moment, moment)
        self.days.add((*key, moment[:10]), (1,), moment, moment)

    def close(self) -> None:
        """Let go of what is on disk."""
        self.found.close()
        self.days.close()


def _short(value: Any) -> str:
    """Return a text that can be stored: names of models and sessions are what callers make them."""
    text = value if isinstance(value, str) else ""
    return text[:_LONG].encode("utf-8", "replace").decode()


def _who(identity: Any) -> tuple[str, str]:
    """Return the role or user, and the name of the session, which with IAM Identity Center is the person's."""
    if not isinstance(identity, dict):
        return "", ""
    session = identity.get("sessionContext")
    issuer = session.get("sessionIssuer") if isinstance(session, dict) else None
    arn = identity.get("arn")
    if isinstance(issuer, dict) and isinstance(issuer.get("arn"), str) and isinstance(arn, str):
        return _short(issuer["arn"]), _short(arn.rpartition("/")[2])
    return _short(arn or identity.get("invokedBy") or identity.get("principalId")), ""


def _model(record: Mapping[str, Any]) -> str:
    asked = record.get("requestParameters")
    if not isinstance(asked, dict):
        return ""
    for name in ("modelId", "endpointName", "agentRuntimeArn", "agentId", "applicationId", "flowIdentifier",
                 "knowledgeBaseId"):  # fmt: skip
        if isinstance(asked.get(name), str):
            return _short(asked[name])
    return ""
