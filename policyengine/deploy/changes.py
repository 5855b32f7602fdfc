"""What deploying a template would change, beside what is deployed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from policyengine.aws.account import Account
from policyengine.aws.failures import CallFailure
from policyengine.model.errors import InputError

Json = dict[str, Any]


class Change(NamedTuple):
    """One resource: ``added``, ``removed`` or ``changed``, and where it differs (dotted paths)."""

    kind: str
    id: str
    type: str
    paths: tuple[str, ...] = ()


def deployed(account: Account, stack: str, region: str) -> tuple[Json, Json]:
    """Return the template and the parameters of a stack; empty ones where there is no such stack.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html. Raises InputError.
    """
    try:
        answer = account.call("cloudformation", "DescribeStacks", {"StackName": stack}, region)
        body = account.call("cloudformation", "GetTemplate", {"StackName": stack}, region)["TemplateBody"]
    except CallFailure as failure:
        if failure.error == "ValidationError" and "does not exist" in failure.text:
            return {}, {}
        raise InputError(
            f"the stack `{stack}` in {region} cannot be read: {failure}", code="call_failed"
        ) from None
    given = answer["Stacks"][0].get("Parameters") or ()
    parameters = {each["ParameterKey"]: each.get("ParameterValue") for each in given}
    return (json.loads(body) if isinstance(body, str) else dict(body)), parameters


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what differs between the resources of two templates, by logical id."""
    before: Mapping[str, Any] = old.get("Resources") or {}
    after: Mapping[str, Any] = new.get("Resources") or {}
    for id in sorted({*before, *after}):
        if id not in before:
            yield Change("added", id, after[id]["Type"])
        elif id not in after:
            yield Change("removed", id, before[id]["Type"])
        elif before[id] != after[id]:
            yield Change("changed", id, after[id]["Type"], tuple(sorted(_paths(before[id], after[id]))))


def _paths(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                yield from _paths(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    else:
        yield path
