"""Making what is known unknown, and unknown known again.

A *hole* is a place in a tree of values where :class:`Unresolved` may stand. Filling holes with what
other test cases have at the same place gives values that AWS allows there.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved

HOLE = Unresolved("unresolved_reference", "a hole of this test")
CERTAIN = Unresolved("unresolved_reference", "a hole of this test", present=True)


class Place(NamedTuple):
    """A place in one resource of several: ``side`` is ``properties``, ``tags`` or ``related``."""

    index: int
    side: str
    path: Path

    @property
    def kind(self) -> tuple[str, ...]:
        """The place without list indices: what stands there is comparable."""
        return (self.side, *("[]" if isinstance(step, int) else step for step in self.path))


def places(resources: list[Resource], skip: frozenset[str]) -> Iterator[Place]:
    """Yield every place that holds a value, of containers and of what they hold.

    Properties named in ``skip`` are left out: they say again what ``tags`` says.
    """
    for index, resource in enumerate(resources):
        for side in ("properties", "tags", "related"):
            tree = getattr(resource, side)
            if not isinstance(tree, dict):
                continue
            for path in _paths(tree, ()):
                if side != "properties" or path[0] not in skip:
                    yield Place(index, side, path)


def _paths(value: Any, at: Path) -> Iterator[Path]:
    items: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for step, inner in items:
        yield (*at, step)
        yield from _paths(inner, (*at, step))


def value_at(resources: list[Resource], place: Place) -> Any:
    """Return what stands at a place."""
    value: Any = getattr(resources[place.index], place.side)
    for step in place.path:
        value = value[step]
    return value


def with_value(resources: list[Resource], place: Place, value: Any) -> list[Resource]:
    """Return copies with another value at a place; ABSENT removes it."""
    changed = [copy_of(r) for r in resources]
    tree: Any = getattr(changed[place.index], place.side)
    for step in place.path[:-1]:
        tree = tree[step]
    if value is ABSENT:
        del tree[place.path[-1]]
    else:
        tree[place.path[-1]] = copy.deepcopy(value)
    return changed


def copy_of(resource: Resource) -> Resource:
    """Return a copy whose trees can be changed."""
    made = copy.copy(resource)
    made.properties = copy.deepcopy(resource.properties)
    made.tags = copy.deepcopy(resource.tags)
    made.related = copy.deepcopy(resource.related)
    return made


def opened(value: Any) -> list[Any]:
    """Return containers of which only a part is known: all there is, the beginning, nothing."""
    if type(value) is list:
        return [OpenList(value[:length], HOLE) for length in {len(value), 1, 0}]
    if type(value) is dict:
        first = dict(list(value.items())[:1])
        return [OpenDict(part, HOLE) for part in (value, first, {})]
    return []
