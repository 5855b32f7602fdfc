"""Filling the side tables: account by account where the source allows it.

Whatever a relation or a predicate reaches lies in the account of the resource that asks, unless the
relation's scope is the organisation. So a source that can be read account by account needs, at any
time, the tables of one account and what is asked for across accounts: of most types only the
resources that some other resource names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from sys import intern
from typing import Any, Final

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import prepare
from policyengine.engine.references import candidate_names, names_of, values_at
from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved

MOST_HELD: Final = 10_000
"""Resources of an account that are read once and held; an account with more is read twice."""


class Group:
    """The shards of one account (or of a source whose accounts nobody tells apart) with their tables.

    ``held`` has the resources of each shard where they were read already. The world of a group is given
    up after its last piece, unless it is ``shared`` with other groups.
    """

    def __init__(
        self,
        source: Any,
        shards: Sequence[Any],
        world: World,
        held: Sequence[Iterable[Resource]] | None = None,
        *,
        shared: bool = False,
    ) -> None:
        self.world = world
        self._own_world = not shared
        self._source = source
        self._shards = shards
        self._held = held

    def pieces(self) -> Iterator[Iterable[Resource]]:
        """Yield the resources of each shard, in order."""
        if self._held is not None:
            yield from self._held
        else:
            for shard in self._shards:
                yield self._source.read_shard(shard)
        self._held = ()
        if self._own_world:
            self.world.release()


class Tables:
    """The worlds of one source: whole, or one for each group of shards."""

    def __init__(self, evaluator: Evaluator, source: Any) -> None:
        self._source = source
        self._reach = evaluator.reach
        self._beyond: World | None = None
        self._all: list[list[Resource]] | None = None
        """All resources by shard, where there are few enough to be read once for everything."""

    def whole(self) -> World:
        """Return the world of everything."""
        source, reach = self._source, self._reach
        if hasattr(source, "scan_types"):
            world = self._new_world()
            found = source.scan_types(reach.local) if reach.local else ()
        else:  # reading it again costs more than holding what few resources it has
            world = World(source.coverage, failed=getattr(source, "failed", None))
            types = reach.local | reach.whole | reach.named.keys()
            found = (r for r in source.resources() if r.type in types) if types else ()
        self._fill(world, map(_ready, found))
        return world

    def share(self) -> None:
        """Read what is asked for across accounts, which every group's world then sees."""
        if self._beyond is None:
            beyond = World(self._source.coverage, across=True, failed=getattr(self._source, "failed", None))
            self._fill(beyond, self._across())
            self._beyond = beyond

    def of_group(self, shards: Sequence[Any]) -> Group:
        """Return the shards of one account with its world."""
        source, types = self._source, self._reach.local
        if types and _small(source, shards):
            held = [list(source.read_shard(shard)) for shard in shards]
            if self._beyond is None and len(groups_of(source)) == 1:
                self._all = held
            world = self._new_world()
            self._all = None
            self._fill(world, (_prepared(r) for piece in held for r in piece if r.type in types))
            return Group(source, shards, world, held)
        world = self._new_world()
        if not types:
            return Group(source, shards, world)
        self._fill(world, (_ready(r) for shard in shards for r in source.scan_types(types, shard)))
        return Group(source, shards, world)

    def _new_world(self) -> World:
        self.share()
        return World(self._source.coverage, self._beyond, failed=getattr(self._source, "failed", None))

    def _fill(self, world: World, found: Iterable[Resource]) -> None:
        for resource in found:
            world.add(resource)
        world.cover(self._source.coverage)  # a source withdraws what it promised when a part of it is broken

    def _scan(self, types: frozenset[str]) -> Iterable[Resource]:
        if self._all is None:
            found: Iterable[Resource] = self._source.scan_types(types)
            return found
        return (resource for shard in self._all for resource in shard if resource.type in types)

    def _across(self) -> Iterator[Resource]:
        """Yield the types of which everything is asked for and, of the others, what some resource names."""
        scan, whole = self._scan, self._reach.whole
        paths: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for type_, asking in self._reach.named.items():
            for asker, via in asking:
                paths[asker].add((type_, via))
        wanted: dict[str, set[str]] = defaultdict(set)
        first = frozenset(whole | paths.keys())
        for resource in scan(first) if first else ():
            held = _ready(resource) if resource.type in whole else _prepared(resource)
            for type_, via in paths.get(resource.type, ()):
                wanted[type_].update(_names_in(held, via))
            if resource.type in whole:
                yield held
        second = frozenset(type_ for type_, names in wanted.items() if names)
        for resource in scan(second) if second else ():
            if any(_is_named(branch, wanted[branch.type]) for branch in (resource, *resource.variants)):
                yield _ready(resource)


def _small(source: Any, shards: Sequence[Any]) -> bool:
    """Whether the shards are known to hold few enough resources to be kept while they are judged."""
    count = getattr(source, "count", None)
    if count is None:
        return False
    numbers = [count(shard) for shard in shards]
    return None not in numbers and sum(numbers) <= MOST_HELD


def _names_in(resource: Resource, via: str) -> Iterator[str]:
    for branch in (resource, *resource.variants):
        for value in values_at(branch, via.split(".")):
            if isinstance(value, str):
                yield from candidate_names(value)
            elif isinstance(value, Unresolved) and value.target is not None:
                yield value.target[0]


def _is_named(resource: Resource, wanted: Collection[str]) -> bool:
    return any(name in wanted for name in names_of(resource))


def _prepared(resource: Resource) -> Resource:
    prepare(resource)
    return resource


def _ready(resource: Resource) -> Resource:
    """Return the resource as a table keeps it."""
    resource.properties = _interned(resource.properties)
    resource.related = _interned(resource.related)
    resource.tags = _interned(resource.tags)
    return _prepared(resource)


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


def grouped(tables: Tables, source: Any) -> Iterator[Group]:
    """Yield the parts of a source that have tables of their own, in order."""
    groups = groups_of(source)
    if not groups:
        yield Group(source, (), tables.whole(), [source.resources()])
    for shards in groups:
        yield tables.of_group(shards)
