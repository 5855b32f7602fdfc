"""Why a type was not listed somewhere: the call that failed, where the source says which."""

from __future__ import annotations

from collections.abc import Mapping

from policyengine.engine.references import ACROSS
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved

Failed = Mapping[tuple[str, str, str], Unresolved]
"""(account, region, type) -> the call that failed when resources of the type were listed there."""


def why_not(failed: Failed, type_: str, resource: Resource, scope: str) -> Unresolved | None:
    """Return the failed call that would have shown resources of a type in the scope of one resource."""
    if not failed:
        return None
    for place in (str(resource.region), "global"):
        near = failed.get((str(resource.account), place, type_))
        if near is not None:
            return near
    if scope == "account-region":
        return None
    for (account, _, listed), why in sorted(failed.items(), key=lambda item: item[0]):
        if listed == type_ and (scope == ACROSS or account == resource.account):
            return why
    return None
