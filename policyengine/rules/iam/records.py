"""Resources of an organisation as the records that ``iam.organization`` reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.iam.opaque import Opaque
from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.iam.values import known, place

POLICY: Final = "AWS::Organizations::Policy"
ORGANIZATION: Final = "AWS::Organizations::Organization"
_REFERENCES: Final = ("ParentId", "ParentIds", "TargetIds")


def snapshot_record(resource: Resource) -> dict[str, Any]:
    """Return the record of a resource of a snapshot."""
    return _record(resource, {key: known(value) for key, value in resource.properties.items()})


def _record(resource: Resource, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": resource.type,
        "id": resource.id,
        "account": resource.account,
        "properties": properties,
        "place": place(resource),
    }


def code_record(resource: Resource, beside: Mapping[str, Resource]) -> dict[str, Any]:
    """Return the record of a resource in code: references name the resources ``beside`` it, by their ids."""
    properties = {key: _property(key, value, beside) for key, value in resource.properties.items()}
    for branch in resource.variants:
        for key in {*properties, *branch.properties}:
            if branch.properties.get(key) != resource.properties.get(key):
                properties[key] = Opaque("it differs between the branches of the template")
    if resource.type == POLICY and 1 + len(resource.variants) < 1 << len(resource.branch or {}):
        # the policy is not there in every combination of conditions
        properties["TargetIds"] = Opaque("a condition of the template decides")
    if resource.type == ORGANIZATION and not isinstance(properties.get("RootId"), str):
        properties["RootId"] = _root_of(resource.id)
    if isinstance(properties.get("Id"), Opaque):
        del properties["Id"]
    return _record(resource, properties)


def _property(key: str, value: Any, beside: Mapping[str, Resource]) -> Any:
    if key not in _REFERENCES:
        return known(value)
    if isinstance(value, list):
        found = [_property(key, item, beside) for item in value]
        return [*found, known(value.more)] if isinstance(value, OpenList) else found
    if isinstance(value, Unresolved) and value.target is not None and value.parts is None:
        target = beside.get(value.target[0])
        if target is not None:
            return _root_of(target.id) if target.type == ORGANIZATION else target.id
    return known(value)


def _root_of(organization: str) -> str:
    """Return the id of a root that code only refers to."""
    return f"{organization}.RootId"
