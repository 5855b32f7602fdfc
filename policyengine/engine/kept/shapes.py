"""What the results about a resource rest on, as resources of a type have it in common.

A shape says which rules rest on which dependencies; a state what the dependencies said of all they choose from. Both
are the same for nearly all resources of a type in an account and region, so they are looked at once for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from policyengine.engine.kept.digests import SIZE, UndigestedError
from policyengine.engine.kept.file import name_of
from policyengine.engine.kept.recording import Dependency, Recorder
from policyengine.model.resource import Resource

_ALONE: Final = frozenset({"r", "v"})
"""Kinds of dependencies that amount to something else for each resource."""


class Shape:
    """Dependencies in a fixed order, and the rules (by their places in the list) that rest on each set of them."""

    def __init__(
        self,
        dependencies: tuple[Dependency, ...],
        groups: list[tuple[frozenset[int], list[int]]],
        text: bytes,
    ) -> None:
        self.dependencies = dependencies
        self.groups = groups
        self.alone: Mapping[int, int] = {
            index: place
            for place, index in enumerate(i for i, d in enumerate(dependencies) if d[0] in _ALONE)
        }
        """Index of a dependency -> which of the digests of a resource is its."""
        self.text = text
        self.name = name_of(self.text)

    def rests(self) -> dict[int, frozenset[Dependency]]:
        """Return what each rule rests on."""
        found: dict[int, frozenset[Dependency]] = {}
        for on, members in self.groups:
            found.update(dict.fromkeys(members, frozenset(self.dependencies[i] for i in on)))
        return found

    def resting_on(self, gone: frozenset[int]) -> frozenset[int]:
        """Return the rules that rest on one of some dependencies."""
        return frozenset(m for on, members in self.groups if on & gone for m in members)


def shape_of(rests: Mapping[int, frozenset[Dependency]]) -> Shape:
    """Return the shape of results by what each rests on."""
    dependencies = tuple(sorted({d for each in rests.values() for d in each}))
    places = {dependency: index for index, dependency in enumerate(dependencies)}
    groups: dict[frozenset[int], list[int]] = {}
    for rule in sorted(rests):
        if rests[rule]:
            groups.setdefault(frozenset(places[d] for d in rests[rule]), []).append(rule)
    ordered = sorted(groups.items(), key=lambda group: group[1])
    written = [dependencies, [[sorted(on), members] for on, members in ordered]]
    return Shape(dependencies, ordered, json.dumps(written, separators=(",", ":")).encode())


def shape_in(text: bytes) -> Shape:
    """Return the shape of a text; raises ValueError, TypeError or LookupError for what nobody wrote."""
    dependencies, groups = json.loads(text.decode())
    found = Shape(tuple(map(tuple, dependencies)), [(frozenset(on), members) for on, members in groups], text)
    for on, _ in found.groups:
        for index in on:
            found.dependencies[index]
    return found


class State(NamedTuple):
    """What the dependencies of a shape say of all they choose from: None for one of which nobody can tell."""

    name: bytes
    text: bytes
    said: tuple[str | None, ...]


class Checks(NamedTuple):
    """``gone``: rules whose results do not hold, whatever the resource. ``asked``: dependencies of which each resource
    must be asked, with the rules that rest on them."""

    gone: frozenset[int]
    asked: list[tuple[list[int], list[int]]]


class States:
    """The states of shapes in the accounts and regions of one world, and how those of other runs differ."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._now: dict[tuple[bytes, str | None, str | None], State] = {}
        self._checks: dict[tuple[bytes, bytes, bytes], Checks] = {}

    def now(self, shape: Shape, resource: Resource) -> State:
        """Return the state of a shape for the resource the recorder is about."""
        key = (shape.name, resource.account, resource.region)
        known = self._now.get(key)
        if known is None:
            said = tuple(map(self._whole, shape.dependencies))
            text = json.dumps(said, separators=(",", ":")).encode()
            known = self._now[key] = State(name_of(text) if None not in said else b"", text, said)
        return known

    def _whole(self, dependency: Dependency) -> str | None:
        try:
            return self._recorder.whole(dependency)
        except UndigestedError:
            return None

    def checks(self, shape: Shape, before: bytes, text: bytes | None, now: State) -> Checks:
        """Return what is to be asked where something else is chosen from than in another state.

        ``text``: of that state; None where it is not known, which is as if all were another.
        """
        key = (shape.name, before, now.text)
        known = self._checks.get(key)
        if known is None:
            then = [] if text is None else json.loads(text.decode())
            then += [None] * (len(now.said) - len(then))
            changed = {i for i, said in enumerate(now.said) if said is None or said != then[i]}
            lost = {i for i in changed if now.said[i] is None or i not in shape.alone}
            asked = ((sorted(on & changed), members) for on, members in shape.groups if not on & lost)
            known = self._checks[key] = Checks(
                shape.resting_on(frozenset(lost)), [(on, members) for on, members in asked if on]
            )
        return known


def alone_of(body: bytes, shape: Shape, index: int) -> bytes | None:
    """Return what a row says a dependency amounted to for its resource; None for one that is as the table."""
    place = shape.alone.get(index)
    return None if place is None else body[place * SIZE : (place + 1) * SIZE]
