"""Deny requests to a queue that do not come over TLS: one statement more in its policy, the rest as it was."""

from __future__ import annotations

import json
from typing import Final

from policyengine.iam.documents import parse_json, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.tls_only import NotProvedError, tls_only
from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

MOST_BYTES: Final = 8192
MOST_STATEMENTS: Final = 20
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html"""


def image(target: Target, read: Reader) -> Json:
    """Return the ARN of the queue and its policy, None without one, without the white space between its parts: whether
    SQS gives a policy back as it was spelled is documented nowhere."""
    asked = {"QueueUrl": target.id, "AttributeNames": ["QueueArn", "Policy"]}
    found = (read.call("sqs", "GetQueueAttributes", asked) or {}).get("Attributes") or {}
    return {"arn": found["QueueArn"], "policy": _compact(found.get("Policy"))}


def _compact(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return json.dumps(parse_json(text), separators=(",", ":"), ensure_ascii=False)
    except (PolicyError, RecursionError):
        return text  # planning refuses it


def plan(target: Target, image: Json) -> Proposal:
    """Append the Deny, proved to do what it should and nothing else.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html
    """
    before = image["policy"]
    try:
        found = tls_only(before, [image["arn"]], "sqs:*")
    except PolicyError as error:
        raise Refused(
            "unsupported", f"the queue policy cannot be read, so it is not touched: {error}"
        ) from None
    except NotProvedError as error:
        raise Refused("unsupported", str(error)) from None
    if found is None:
        return Proposal("requests without TLS are denied already", after=image)
    text, sid = found
    _fits(text)
    step = Step(
        "deny",
        _set(target, text),
        undo=(_set(target, before or ""),),
        why=f"adds the statement {sid}; all others of the policy stay as they are",
    )
    return Proposal("deny requests that do not come over TLS", (step,), after={**image, "policy": text})


def _fits(text: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    statements = len(read_policy(text, "resource").statements)
    if size > MOST_BYTES or statements > MOST_STATEMENTS:
        raise Refused(
            "unsupported",
            f"the policy would have {size} bytes and {statements} statements; SQS takes at most {MOST_BYTES} and "
            f"{MOST_STATEMENTS}",
        )


def _set(target: Target, text: str) -> Call:
    return Call("sqs", "SetQueueAttributes", {"QueueUrl": target.id, "Attributes": {"Policy": text}})
