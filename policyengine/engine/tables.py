"""Filling the side tables: account by account where the source allows it.

Whatever a relation or a predicate reaches lies in the account of the resource that asks, unless the
relation's scope is the organisation. So a source that can be read account by account needs, at any
time, the tables of one account and those of the few types that are asked for across accounts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from sys import intern
from typing import Any

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import prepare
from policyengine.engine.world import World
from policyengine.model.resource import Resource


class Tables:
    """The worlds of one source: whole, or one for each group of shards."""

    def __init__(self, evaluator: Evaluator, source: Any) -> None:
        self._source = source
        self._reached = evaluator.reached_types()
        self._across = evaluator.reached_types("organization")
        self._beyond: World | None = None

    def whole(self) -> World:
        """Return the world of everything."""
        world = World(self._source.coverage)
        self._fill(world, self._reached, None)
        return world

    def share(self) -> None:
        """Read what is asked for across accounts, which every group's world then sees."""
        if self._beyond is None:
            self._beyond = World(self._source.coverage)
            self._fill(self._beyond, self._across, None)

    def of_group(self, shards: Sequence[Any]) -> World:
        """Return the world of the account whose shards these are."""
        self.share()
        world = World(self._source.coverage, self._beyond)
        self._fill(world, self._reached - self._across, shards)
        return world

    def _fill(self, world: World, types: Collection[str], shards: Sequence[Any] | None) -> None:
        if not types:
            return
        source = self._source
        found: Iterable[Resource]
        if shards is not None:
            found = (r for shard in shards for r in source.scan_types(types, shard))
        elif hasattr(source, "scan_types"):
            found = source.scan_types(types)
        else:
            found = (r for r in source.resources() if r.type in types)
        for resource in found:
            resource.properties = _interned(resource.properties)
            resource.related = _interned(resource.related)
            resource.tags = _interned(resource.tags)
            prepare(resource)
            world.add(resource)
        world.cover(source.coverage)  # a source withdraws what it promised when a part of it is broken


def _interned(value: Any) -> Any:
    """Return the value with its strings shared: what is held would else repeat every key and ARN.

    Only plain containers are rebuilt; open ones, and what is not known, stay as they are.
    """
    kind = value.__class__
    if kind is str:
        return intern(value)
    if kind is dict:
        return {intern(key): _interned(inner) for key, inner in value.items()}
    if kind is list:
        return [_interned(inner) for inner in value]
    return value


def groups_of(source: Any) -> list[list[Any]]:
    """Return the shards of a source in order, grouped by account; none where it has no shards."""
    if hasattr(source, "groups"):
        found: list[list[Any]] = source.groups()
        return found
    return [list(source.shards())] if hasattr(source, "shards") else []
