"""The records of an organisation, from the resources of sources."""

from __future__ import annotations

from policyengine.iam.organization import Organization, read_organization
from policyengine.iam.organization_records import TYPES
from policyengine.model.resource import Resource
from policyengine.rules.iam.records import ORGANIZATION, POLICY, code_record, snapshot_record
from policyengine.sources.base import Coverage, Source

__all__ = ["TYPES", "OrganizationReader"]

_CODE = frozenset({"template", "plan"})


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
    homes = {(r.account, r.region) for _, r in found if r.type == ORGANIZATION}
    homes = homes or {(r.account, r.region) for _, r in found}
    if any(_covers(source.coverage, homes) for source in sources):
        return True
    # a file of lines says nothing of what was collected; a broken line may have been a policy
    silent = all(getattr(source, "manifest", None) is None and not source.errors for source in sources)
    return None if silent else False


def _covers(coverage: Coverage, homes: set[tuple[str | None, str | None]]) -> bool:
    return any(type_ in (POLICY, "*") and (account, region) in homes for account, region, type_ in coverage)
