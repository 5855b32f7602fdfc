"""Why a verdict changed, where a run keeps no evidence of what passed: from the resources that it judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from policyengine.engine.piece import prepare
from policyengine.history.compare import NOT_AT_HAND, Change, short
from policyengine.history.runs import Identity, identity_of
from policyengine.history.timeline.values import values_between, values_of
from policyengine.model.finding import Evidence
from policyengine.model.resource import Resource, path_of

Lookup = Callable[[Identity], Resource | None]
"""Finds a resource of a run; asked in the order of runs. None where it is not at hand."""


def with_reasons(changes: Iterable[Change], before: Lookup, after: Lookup) -> Iterator[Change]:
    """Yield the changes, those without values with the values that changed."""
    last: Identity | None = None
    sides: tuple[Resource | None, Resource | None] = (None, None)
    for change in changes:
        if change.why != NOT_AT_HAND:
            yield change
            continue
        identity = identity_of(change.finding)
        if identity != last:
            last, sides = identity, (before(identity), after(identity))
        yield change._replace(why=_why(change, *sides))


def _why(change: Change, was: Resource | None, now: Resource | None) -> str:
    if was is None or now is None:
        return NOT_AT_HAND
    prepare(was)
    prepare(now)
    told = change.before if change.kind == "fixed" or change.kind == "not_applicable" else change.finding
    evidence = [_evidence(item) for item in (told or {}).get("evidence", ())]
    values = values_between(was, now, evidence) or values_of(was, now)
    if values:
        texts = [f"{each.path} was {short(each.was)}, is {short(each.now)}" for each in values]
        return "the resource changed: " + "; ".join(texts[:3]) + ("; …" if len(texts) > 3 else "")
    return "the same resource: what it is compared with changed (the clock, parameters, other resources)"


def _evidence(item: Any) -> Evidence:
    return Evidence(path_of(item["path"]), item["observed"], "", "")
