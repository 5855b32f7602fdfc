"""Which values changed a verdict: what the rule read, in the resource as it was and as it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from policyengine.catalog.secret_names import secret_names
from policyengine.engine.secrets import hide
from policyengine.history.timeline.records import Value
from policyengine.model.canonical_json import canonical, digest
from policyengine.model.finding import PROPOSAL, Evidence, plain
from policyengine.model.resource import Path, Resource, json_pointer
from policyengine.model.values import ABSENT, OpenDict, Unresolved

MOST: Final = 20
"""Values told of one change."""
LONGEST: Final = 4096
"""Bytes of a value; a longer one is told by its digest."""


def values_between(before: Resource, after: Resource, evidence: Sequence[Evidence]) -> list[Value]:
    """Return the values at the places of the evidence that differ; secret ones as that they are secret."""
    names = secret_names((before.type, after.type))
    found: dict[str, Value] = {}
    for each in evidence:
        if not each.path or each.path[-1] == PROPOSAL:
            continue
        was, now = value_at(before, each.path), value_at(after, each.path)
        if was is not now and was != now:
            path = json_pointer(each.path)
            found[path] = Value(path, _shown(each.path, was, names), _shown(each.path, now, names))
    if not found:
        tops = {each.path[0] for each in evidence if each.path}
        for steps, was, now in _differences(before, after, tops):
            path = json_pointer(steps)
            found[path] = Value(path, _shown(steps, was, names), _shown(steps, now, names))
    return list(found.values())[:MOST]


def values_of(before: Resource, after: Resource) -> list[Value]:
    """Return everything that differs, without what both do not know."""
    names = secret_names((before.type, after.type))
    found = _differences(before, after, {*before.properties, *after.properties, "tags", "related"})
    return [Value(json_pointer(path), _shown(path, was, names), _shown(path, now, names))
            for path, was, now in islice(found, MOST)]  # fmt: skip


def _differences(
    before: Resource, after: Resource, tops: Collection[str | int]
) -> Iterator[tuple[Path, Any, Any]]:
    """Yield what differs of the properties that the rule looked at: the place it names may be the same as before, and what
    stands beside it another (the port beside an address)."""
    sides = [{**each.properties, "tags": each.tags, "related": each.related} for each in (before, after)]
    for name in sorted(map(str, tops)):
        yield from islice(_unlike((name,), *(side.get(name, ABSENT) for side in sides)), MOST)


def _unlike(path: Path, was: Any, now: Any) -> Iterator[tuple[Path, Any, Any]]:
    if was == now:
        return
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys(), key=str):
            yield from _unlike((*path, key), was.get(key, ABSENT), now.get(key, ABSENT))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for at, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from _unlike((*path, at), one, other)
    else:
        yield path, was, now


def value_at(resource: Resource, path: Path) -> Any:
    """Return the value at a path of a resource: ABSENT where there is none, Unresolved where nobody knows."""
    first, *rest = path
    value: Any = {"tags": resource.tags, "related": resource.related}.get(str(first), ABSENT)
    steps: Sequence[str | int] = rest
    if value is ABSENT or value is None:
        value, steps = resource.properties, path
    for step in steps:
        if isinstance(value, Unresolved):
            return value
        value = _below(value, step)
        if value is ABSENT:
            return ABSENT
    return value


def _below(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        more = value.more if isinstance(value, OpenDict) else ABSENT
        return value.get(step, more)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return ABSENT


def _shown(path: Path, value: Any, names: frozenset[str]) -> Any:
    shown = plain(hide(path, value, names))
    return {"digest": digest(shown)} if len(canonical(shown)) > LONGEST else shown
