"""The organisation of a subject, read once for all its accounts."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.predicates.api import Subject

if TYPE_CHECKING:  # most sources show no organisation: what reads one is loaded when there is one
    from policyengine.iam.covering import Coverage
    from policyengine.iam.organization import Organization
    from policyengine.iam.request_set import RequestSet

TYPES: Final = tuple(
    f"AWS::Organizations::{name}" for name in ("Organization", "OrganizationalUnit", "Account", "Policy")
)
_MOST: Final = 4
_MOST_QUESTIONS: Final = 512


@dataclass(slots=True)
class Members:
    """An organisation with what was asked about it. INVARIANT: ``asked`` holds the question of each key."""

    organization: Organization
    resources: list[Resource]
    asked: dict[int, tuple[RequestSet, dict[str, Coverage]]] = field(default_factory=dict)

    def covered(self, requests: RequestSet) -> dict[str, Coverage]:
        """Return what holds for each member account, decided once for the same set."""
        from policyengine.iam.covering import coverage

        known = self.asked.get(id(requests))
        if known is None:
            if len(self.asked) >= _MOST_QUESTIONS:
                self.asked.clear()
            found = {c.account: c for c in coverage(self.organization, requests)}
            known = self.asked[id(requests)] = (requests, found)
        return known[1]


_KEPT: Final[OrderedDict[Any, Members]] = OrderedDict()


def members_of(subject: Subject) -> Members | Unresolved | None:
    """Return the organisation around a subject, None where there surely is none.

    Unresolved where the source shows none and might not have looked.
    """
    tables = [subject.organization(type_) for type_ in TYPES]
    missing = next((t for t in tables if isinstance(t, Unresolved)), None)
    if missing is not None:
        return missing
    found = [t for t in tables if isinstance(t, list)]
    if not any(found):
        return next((t.more for t in found if isinstance(t, OpenList)), None)
    open_ = isinstance(found[-1], OpenList)
    key = (open_, *((len(t), id(t[0]), id(t[-1])) if t else () for t in found))
    known = _KEPT.get(key)
    if known is None:
        resources = [resource for table in found for resource in table]
        known = _KEPT[key] = Members(_read(resources, complete=not open_), resources)
        if len(_KEPT) > _MOST:
            _KEPT.popitem(last=False)
    return known


def _read(resources: list[Resource], *, complete: bool) -> Organization:
    """``complete``: the source promised all policies; absence needs coverage (decision 4)."""
    from policyengine.iam.organization import read_organization
    from policyengine.rules.iam.records import code_record, snapshot_record

    if any(resource.file is not None for resource in resources):
        beside = {resource.id: resource for resource in resources}
        return read_organization([code_record(r, beside) for r in resources], assume_full_access=True)
    return read_organization([snapshot_record(r) for r in resources], complete=complete)
