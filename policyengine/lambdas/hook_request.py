"""What CloudFormation asks of a Lambda Hook, read with suspicion.

https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html: resource
operations (of CloudFormation and of Cloud Control API) come with the properties, stack and change set operations with the
address of an object in S3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

Json = dict[str, Any]
STACK: Final = "STACK"
CHANGE_SET: Final = "CHANGE_SET"
RESOURCE: Final = "RESOURCE"
DELETE: Final = "DELETE_PRE_PROVISION"
LONGEST: Final = 4096
LONGEST_CLOUD_CONTROL: Final = 1024
"""Characters of a message before they are cut off: in CloudFormation, and in Cloud Control API."""
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_TYPE: Final = re.compile(r"[A-Za-z0-9]{2,64}(?:::[A-Za-z0-9_@-]{1,64}){1,3}")
_STACK_ARN: Final = re.compile(
    r"arn:(aws[a-z-]*):cloudformation:([a-z0-9-]{3,40}):([0-9]{12}):.{1,1000}", re.DOTALL
)


class HookError(Exception):
    """A request that is not what CloudFormation sends, or a payload that cannot be judged; the text says why."""


class HookRequest(NamedTuple):
    """``kind`` is RESOURCE, STACK or CHANGE_SET; ``type`` and ``properties`` are of a resource, ``payload`` is the
    address of the object of the others. ``stack``: it is part of a stack, whose tags and other resources the request does
    not hold."""

    token: str
    kind: str
    action: str
    name: str
    account: str
    region: str | None
    stack: bool
    type: str
    properties: Json
    payload: str

    @property
    def longest(self) -> int:
        """Characters that a message may have."""
        return LONGEST if self.stack or self.kind != RESOURCE else LONGEST_CLOUD_CONTROL


def token_of(event: Any) -> str:
    """Return what every answer has to repeat; AWS's page spells it two ways."""
    found = _mapping(event)
    token = found.get("clientRequestToken") or found.get("clientRequesttoken") or ""
    return token if isinstance(token, str) else ""


def read_request(event: Any, region: str | None = None) -> HookRequest:
    """Read an event. ``region`` is the function's own, where the event names none. Raises HookError."""
    top = _mapping(event)
    data = _mapping(top.get("requestData"))
    name, target = data.get("targetLogicalId"), data.get("targetName")
    if not isinstance(name, str) or not isinstance(target, str) or not 0 < len(name) <= 2048:
        raise HookError(
            "this is no request of a CloudFormation Hook: no requestData with targetName and targetLogicalId"
        )
    account = top.get("awsAccountId")
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        raise HookError("this is no request of a CloudFormation Hook: awsAccountId is no account id")
    stack = top.get("stackId") or top.get("stackID") or ""
    arn = _STACK_ARN.fullmatch(stack) if isinstance(stack, str) else None
    kind = target if target in (STACK, CHANGE_SET) else RESOURCE
    action = top.get("actionInvocationPoint")
    request = HookRequest(
        token_of(event), kind, action if isinstance(action, str) else "", name, account, arn[2] if arn else region,
        bool(stack), "", {}, "",
    )  # fmt: skip
    return _resource(request, target, data) if kind == RESOURCE else _payload(request, data)


def _resource(request: HookRequest, type: str, data: Mapping[str, Any]) -> HookRequest:
    if not _TYPE.fullmatch(type):
        raise HookError("targetName is neither a resource type, nor STACK, nor CHANGE_SET")
    properties = _mapping(data.get("targetModel")).get("resourceProperties")
    if request.action != DELETE and not isinstance(properties, Mapping):
        raise HookError(f"the request about {type} holds no targetModel.resourceProperties")
    return request._replace(type=type, properties=dict(properties) if isinstance(properties, Mapping) else {})


def _payload(request: HookRequest, data: Mapping[str, Any]) -> HookRequest:
    payload = data.get("payload")
    if request.action != DELETE and not isinstance(payload, str):
        raise HookError(f"the request about a {request.kind} holds no payload")
    return request._replace(payload=payload if isinstance(payload, str) else "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
