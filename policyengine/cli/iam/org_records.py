"""The records of an organisation, from the resources of sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.cli.iam.values import known, place
from policyengine.iam.opaque import Opaque
from policyengine.iam.organization import Organization, read_organization
from policyengine.iam.organization_records import TYPES
from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.sources.base import Coverage, Source

__all__ = ["TYPES", "OrganizationReader"]

_POLICY = "AWS::Organizations::Policy"
_ORGANIZATION = "AWS::Organizations::Organization"
_CODE = frozenset({"template", "plan"})
_REFERENCES = ("ParentId", "ParentIds", "TargetIds")


class OrganizationReader:
    """Gathers the resources of an organisation; ``organization`` reads them when all sources are read."""

    def __init__(self) -> None:
        self._snapshots: list[tuple[Source, Resource]] = []
        self._code: list[tuple[Source, Resource]] = []

    def add(self, source: Source, resource: Resource) -> None:
        """Take a resource of one of ``TYPES``."""
        (self._code if source.kind in _CODE else self._snapshots).append((source, resource))

    def organization(self) -> Organization | None:
        """Return the organisation, None where no source shows one.

        What a snapshot shows is the organisation; code beside it only where no snapshot shows one. Call it
        after the sources are read: what they cover is certain only then.
        """
        if self._snapshots:
            records = [snapshot_record(resource) for _, resource in self._snapshots]
            return read_organization(records, complete=_complete(self._snapshots))
        if not self._code:
            return None
        files: dict[str, dict[str, Resource]] = {}
        for source, resource in self._code:
            files.setdefault(source.target, {})[resource.id] = resource
        records = [code_record(resource, files[source.target]) for source, resource in self._code]
        return read_organization(records, assume_full_access=True)


def _complete(found: list[tuple[Source, Resource]]) -> bool | None:
    """Say whether a coverage lists all policies of the organisation; None where no source says anything."""
    sources = {id(source): source for source, _ in found}.values()
    homes = {(r.account, r.region) for _, r in found if r.type == _ORGANIZATION}
    homes = homes or {(r.account, r.region) for _, r in found}
    if any(_covers(source.coverage, homes) for source in sources):
        return True
    # a file of lines says nothing of what was collected; a broken line may have been a policy
    silent = all(getattr(source, "manifest", None) is None and not source.errors for source in sources)
    return None if silent else False


def _covers(coverage: Coverage, homes: set[tuple[str | None, str | None]]) -> bool:
    return any(type_ in (_POLICY, "*") and (account, region) in homes for account, region, type_ in coverage)


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
    if resource.type == _POLICY and 1 + len(resource.variants) < 1 << len(resource.branch or {}):
        # the policy is not there in every combination of conditions
        properties["TargetIds"] = Opaque("a condition of the template decides")
    if resource.type == _ORGANIZATION and not isinstance(properties.get("RootId"), str):
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
            return _root_of(target.id) if target.type == _ORGANIZATION else target.id
    return known(value)


def _root_of(organization: str) -> str:
    """Return the id of a root that code only refers to."""
    return f"{organization}.RootId"
