"""Calls to models in CloudTrail: by whom, where, which model; what was denied is counted apart."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest

from policyengine.shadow_ai.calls import CALLS, Calls
from policyengine.shadow_ai.document import Given, document
from tests.shadow_ai.helpers import tally_of

ROLE = "arn:aws:iam::111122223333:role/app"


def event(**fields: Any) -> dict[str, Any]:
    """The record of https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html, shortened."""
    return {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/app/alice",
            "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}},
        },
        "eventTime": "2023-10-11T21:58:59Z",
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "InvokeModel",
        "awsRegion": "us-west-2",
        "requestParameters": {"modelId": "anthropic.claude-v2"},
        "recipientAccountId": "111122223333",
        **fields,
    }


def calls_of(data: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    calls = Calls()
    calls.read(io.BytesIO(data), "trail")
    found = document(tally_of(b""), Given(calls=calls))
    return found["bedrock"], found["errors"], found["coverage"]["trail_records"]


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"Records": [event()]}).encode(),
        gzip.compress(json.dumps({"Records": [event()]}).encode()),
        json.dumps([event()]).encode(),
        json.dumps(event()).encode() + b"\n",
    ],
)
def test_forms(data: bytes) -> None:
    (call,), errors, records = calls_of(data)
    assert errors == [] and records == 1
    assert call == {
        "service": "bedrock", "event": "InvokeModel", "account": "111122223333", "region": "us-west-2",
        "principal": ROLE, "session": "alice", "model": "anthropic.claude-v2", "calls": 1, "denied": 0, "failed": 0,
        "first": "2023-10-11T21:58:59Z", "last": "2023-10-11T21:58:59Z", "by_day": {"2023-10-11": 1},
    }  # fmt: skip


def counted(*records: Any) -> list[tuple[Any, ...]]:
    found, errors, _ = calls_of(json.dumps({"Records": records}).encode())
    assert errors == []
    return [(c["event"], c["calls"], c["denied"], c["failed"]) for c in found]


def test_denied_and_failed_calls_are_none() -> None:
    records = [
        event(),
        event(errorCode="AccessDenied"),
        event(errorCode="AccessDeniedException"),
        event(errorCode="ThrottlingException"),
    ]
    assert counted(*records) == [("InvokeModel", 1, 2, 1)]


@pytest.mark.parametrize(
    ("source", "name", "counts"),
    [
        ("bedrock.amazonaws.com", "ConverseStream", True),
        ("bedrock.amazonaws.com", "InvokeAgent", True),
        ("bedrock.amazonaws.com", "RetrieveAndGenerate", True),
        ("bedrock.amazonaws.com", "ListFoundationModels", False),
        ("bedrock.amazonaws.com", "PutModelInvocationLoggingConfiguration", False),
        ("bedrock-agentcore.amazonaws.com", "InvokeAgentRuntime", True),
        ("bedrock-agentcore.amazonaws.com", "ListSessions", False),
        ("sagemaker.amazonaws.com", "InvokeEndpointAsync", True),
        ("sagemaker.amazonaws.com", "CreateEndpoint", False),
        ("qbusiness.amazonaws.com", "ChatSync", True),
        ("codewhisperer.amazonaws.com", "GenerateRecommendations", True),
        ("s3.amazonaws.com", "InvokeModel", False),
        ("notbedrock.amazonaws.com", "InvokeModel", False),
    ],
)
def test_which_events_use_a_model(source: str, name: str, counts: bool) -> None:
    assert bool(counted(event(eventSource=source, eventName=name))) is counts


def test_names_of_events_are_operations_of_botocore() -> None:
    import botocore.session

    loader = botocore.session.Session().get_component("data_loader")
    operations = {
        name
        for service in ("bedrock", "bedrock-runtime", "bedrock-agent-runtime", "bedrock-agentcore",
                        "bedrock-data-automation-runtime", "sagemaker-runtime", "qbusiness")
        for name in loader.load_service_model(service, "service-2")["operations"]
    }  # fmt: skip
    # an event without an operation: a prompt of Prompt management that InvokeModel renders
    # (https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html)
    operations.add("RenderPrompt")
    for starts in CALLS.values():
        for start in starts:
            assert any(name.startswith(start) for name in operations), start


def test_hostile_records() -> None:
    records = [
        event(), 7, None, {}, {"eventSource": 7}, event(eventName=None), event(eventTime="never"),
        event(userIdentity=[]), event(userIdentity={"arn": 7}), event(requestParameters=[1]),
        event(requestParameters={"modelId": {"a": 1}}), event(requestParameters={"modelId": "m" * 10_000}),
        event(requestParameters={"modelId": "\ud800</script>"}), event(awsRegion={}),
    ]  # fmt: skip
    found, errors, _ = calls_of(json.dumps({"Records": records}).encode())
    assert len(errors) == 6
    assert sum(call["calls"] for call in found) == 8
    assert max(len(call["model"] or "") for call in found) == 256


def test_digests_beside_the_logs_are_no_records() -> None:
    # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    digest = {"awsAccountId": "111122223333", "digestStartTime": "2015-08-17T14:01:31Z", "logFiles": []}
    assert calls_of(json.dumps(digest).encode()) == ([], [], 0)
