"""Which resources a resource sees: the scopes of relations, and the branches of templates."""

from __future__ import annotations

from collections.abc import Mapping

from policyengine.engine.references import ACROSS
from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved

Place = tuple[str | None, str | None] | None
"""File or account, see :func:`place_of`; None where everything is one place."""


def place_of(resource: Resource) -> Place:
    """Return what no scope below the organisation crosses: the file of code, the account of anything else."""
    return (resource.file, None) if resource.file is not None else (None, resource.account)


def in_scope(candidate: Resource, resource: Resource, scope: str) -> bool:
    """Whether a candidate lies in the scope of a resource; code sees its own file only."""
    if candidate.file != resource.file:
        return False
    if resource.file is not None or scope == ACROSS:
        return True
    if candidate.account != resource.account:
        return False
    return (
        scope != "account-region"
        or candidate.region in (resource.region, "global")
        or resource.region == "global"
    )


def same(first: Resource, second: Resource) -> bool:
    """Whether two branches of a resource say the same; they were told apart for another resource's sake."""
    return first is second or (
        first.properties == second.properties
        and first.tags == second.tags
        and first.related == second.related
    )


def agree(first: Mapping[str, bool] | None, second: Mapping[str, bool] | None) -> bool:
    """Whether two branches can hold together."""
    if not first or not second:
        return True
    return all(second.get(name, value) == value for name, value in first.items())


def in_branch(found: list[Resource], resource: Resource) -> list[Resource]:
    """Keep the branches that agree with the resource's own; two of one resource are a doubt."""
    if all(r.branch is None for r in found):
        return found
    alike: dict[object, list[Resource]] = {}
    for one in found:
        if agree(one.branch, resource.branch):
            alike.setdefault(one.identity, []).append(one)
    certain = [copies[0] for copies in alike.values() if all(same(copies[0], c) for c in copies)]
    if len(certain) == len(alike):
        return certain
    doubt = Unresolved("too_many_branches", "the related resource differs between branches")
    return OpenList(certain, doubt)
