"""Encrypt a queue with the keys of SQS itself (SSE-SQS): every sender and receiver goes on without a permission more."""

from __future__ import annotations

from typing import Final

from policyengine.iam.documents import read_policy
from policyengine.iam.domains import one_caller
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import No, Unknown, grants
from policyengine.iam.request_set import read_request_set
from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

_NOT_SENT: Final = (
    "aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceArn",
    "aws:SourceAccount", "aws:SourceOwner", "aws:SourceOrgID", "aws:SourceOrgPaths",
)  # fmt: skip
"""What a request without a signature does not carry:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
_UNSIGNED: Final = {"action": ["sqs:*"], "context": {key: {"or_absent": True} for key in _NOT_SENT}}


def image(target: Target, read: Reader) -> Json:
    """Return how the queue is encrypted, and the text of its policy."""
    asked = {"QueueUrl": target.id, "AttributeNames": ["All"]}
    found = (read.call("sqs", "GetQueueAttributes", asked) or {}).get("Attributes") or {}
    return {
        "sse": found.get("SqsManagedSseEnabled") == "true",
        "key": found.get("KmsMasterKeyId") or None,
        "policy": found.get("Policy") or None,
    }


def plan(target: Target, image: Json) -> Proposal:
    """Turn SSE-SQS on.

    Requests without a signature are rejected from then on, and so are those over plain HTTP:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html
    """
    if image["sse"] or image["key"]:
        return Proposal("the queue is encrypted already", after=image)
    step = Step(
        "encrypt",
        _set(target, "true"),
        undo=(_set(target, "false"),),
        why="messages that wait now stay as they are; whoever may send and receive still may",
    )
    return Proposal(
        "encrypt the queue with SSE-SQS",
        (step,),
        after={**image, "sse": True},
        concerns=_concerns(image["policy"]),
    )


def _set(target: Target, value: str) -> Call:
    return Call(
        "sqs",
        "SetQueueAttributes",
        {"QueueUrl": target.id, "Attributes": {"SqsManagedSseEnabled": value}},
    )


def _concerns(policy: str | None) -> tuple[str, ...]:
    if policy is None:
        return ()
    try:
        document = read_policy(policy, "resource")
    except PolicyError as error:
        raise Refused("unsupported", f"the queue policy cannot be read: {error}") from None
    found = grants([document], read_request_set(_UNSIGNED), one_caller("*"))
    if isinstance(found, No):
        return ()
    if isinstance(found, Unknown):
        return (f"whether somebody asks without a signature is not decided: {', '.join(found.why)}",)
    action = found.witness.action
    return (f"the policy lets everybody do {action} without a signature; such requests are rejected then",)
