"""Whom a change concerns: by what their verdicts rest on, looked up by what the changed resource is called and names.

A verdict rests on whole tables, on what relations reach and on narrow looks (``engine.kept.recording``). Each of these is
put under marks such that a change that may give it another content bears one of them. Who has none of the marks of a change need
not be asked, so the work follows the change and not the number of resources. What a narrow look says is compared by its digest:
it reads tables, and most changes of them are none to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from policyengine.engine.kept.digests import UndigestedError
from policyengine.engine.kept.narrows import NARROWS
from policyengine.engine.kept.recording import Dependency, Recorder, narrow_of, relation_of
from policyengine.engine.references import ACROSS, candidate_names, leaves, names_of, values_at
from policyengine.engine.world import INDIRECT
from policyengine.history.runs import Identity
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved

Mark = tuple[str, ...]
"""``("t", type, account)``: any resource of a type; ``("n", type, key, name, account)``: one of a name, or with the name at
``key``; ``("b", type, by, name, account)``: one that names it at ``by``, with ``?`` for the name where it may name any. The
account is "" for what is asked across accounts."""
_ALIAS: Final = "alias/"
"""See :mod:`policyengine.history.timeline.links`."""
_ANY: Final = "?"
_NAMED: Final = "net.named"


class _Watch(NamedTuple):
    """What one resource rests on: dependency -> rules."""

    resource: Resource
    rules: dict[Dependency, set[str]]


class Watching:
    """Resources with what their verdicts rest on. INVARIANT: whoever is noted is forgotten before it changes itself."""

    def __init__(self) -> None:
        self._watches: dict[Identity, _Watch] = {}
        self._by_mark: defaultdict[Mark, dict[tuple[Identity, Dependency], None]] = defaultdict(dict)
        self._said: dict[tuple[Any, ...], bytes | None] = {}
        """What narrow looks said when they were looked through last; those of a place are said once for all."""
        self._askers: defaultdict[tuple[Any, ...], set[Identity]] = defaultdict(set)
        self._keys: defaultdict[str, set[str]] = defaultdict(set)
        self._bys: defaultdict[str, set[str]] = defaultdict(set)

    # -- who rests on what --------------------------------------------------------------------------------

    def note(
        self,
        key: Identity,
        resource: Resource,
        rests: Mapping[str, Collection[Dependency]],
        recorder: Recorder,
    ) -> None:
        """Note what some rules about a resource rest on, instead of what they did before; ``recorder`` is at this resource."""
        watch = self._watches.get(key)
        if watch is None:
            watch = self._watches[key] = _Watch(resource, {})
        for dependency in [each for each, rules in watch.rules.items() if not rules.isdisjoint(rests)]:
            watch.rules[dependency] -= rests.keys()
        for rule, dependencies in rests.items():
            for dependency in dependencies:
                known = watch.rules.get(dependency)
                if known is None:
                    self._watch(key, resource, dependency, recorder)
                    watch.rules[dependency] = {rule}
                else:
                    known.add(rule)
        for dependency in [each for each, rules in watch.rules.items() if not rules]:
            del watch.rules[dependency]
            self._unwatch(key, resource, dependency)

    def forget(self, key: Identity) -> None:
        """Forget what a resource rests on."""
        watch = self._watches.pop(key, None)
        for dependency in watch.rules if watch is not None else ():
            assert watch is not None
            self._unwatch(key, watch.resource, dependency)

    def _watch(self, key: Identity, resource: Resource, dependency: Dependency, recorder: Recorder) -> None:
        if dependency[0] == "r":
            to, by, name = dependency[1], dependency[4], dependency[5]
            if by:
                self._bys[to].add(by)
            elif name:
                self._keys[to].add(name)
        for mark in _marks_of(dependency, resource):
            self._by_mark[mark][key, dependency] = None
        said = _said_as(dependency, key, resource)
        if said is not None:
            self._askers[said].add(key)
            if said not in self._said:
                self._said[said] = _says(recorder, dependency)

    def _unwatch(self, key: Identity, resource: Resource, dependency: Dependency) -> None:
        for mark in _marks_of(dependency, resource):
            among = self._by_mark[mark]
            among.pop((key, dependency), None)
            if not among:
                del self._by_mark[mark]
        said = _said_as(dependency, key, resource)
        if said is not None:
            self._askers[said].discard(key)
            if not self._askers[said]:
                del self._askers[said], self._said[said]

    # -- whom a change concerns ---------------------------------------------------------------------------

    def concerned(self, states: Iterable[Resource], recorder: Recorder) -> dict[Identity, set[str]]:
        """Return the rules by resource whose verdicts may be others after a change, which has been made: ``states`` are
        those before and after."""
        hits = dict.fromkeys(hit for mark in self._borne(states) for hit in self._by_mark.get(mark, ()))
        found: defaultdict[Identity, set[str]] = defaultdict(set)
        differs: dict[tuple[Any, ...], bool] = {}
        for key, dependency in hits:
            said = _said_as(dependency, key, self._watches[key].resource)
            if said is not None:
                if said not in differs:
                    differs[said] = self._says_otherwise(said, key, dependency, recorder)
                if not differs[said]:
                    continue
            found[key] |= self._watches[key].rules[dependency]
        return found

    def _says_otherwise(
        self, said: tuple[Any, ...], key: Identity, dependency: Dependency, recorder: Recorder
    ) -> bool:
        before = self._said[said]
        recorder.start(self._watches[key].resource)
        now = self._said[said] = _says(recorder, dependency)
        return now is None or now != before

    def _borne(self, states: Iterable[Resource]) -> dict[Mark, None]:
        """Return the marks that changed resources bear."""
        found: dict[Mark, None] = {}
        for state in states:
            for account in (state.account or "", ""):
                for mark in self._borne_in(state, account):
                    found[mark] = None
        return found

    def _borne_in(self, state: Resource, account: str) -> Iterator[Mark]:
        type_ = state.type
        yield ("t", type_, account)
        for name in names_of(state):
            yield ("n", type_, "", name, account)
        for key in self._keys.get(type_, ()):
            for value in leaves(state.properties, key.split(".")):
                if isinstance(value, str):
                    yield ("n", type_, key, value, account)
        for by in self._bys.get(type_, ()):
            for value in values_at(state, by.split(".")):
                if isinstance(value, str):
                    for name in candidate_names(value):
                        yield ("b", type_, by, name, account)
                elif isinstance(value, Unresolved):
                    yield ("b", type_, by, _ANY if value.target is None else value.target[0], account)


def _said_as(dependency: Dependency, key: Identity, resource: Resource) -> tuple[Any, ...] | None:
    """Return what the words of a narrow look are kept under; None where nothing is: it is found by its marks alone."""
    if dependency[0] != "v" or dependency[1] == _NAMED:
        return None
    of_place = narrow_of(dependency[1]).of_place
    return (dependency, resource.account, resource.region) if of_place else (dependency, key)


def _says(recorder: Recorder, dependency: Dependency) -> bytes | None:
    try:
        return recorder.alone(dependency)
    except UndigestedError:
        return None


def _marks_of(dependency: Dependency, resource: Resource) -> Iterator[Mark]:
    """Yield the marks of what one resource rests on."""
    kind, account = dependency[0], resource.account or ""
    if kind == "t":
        yield ("t", dependency[1], "" if dependency[2] == ACROSS else account)
    elif kind == "r":
        yield from _marks_of_relation(relation_of(dependency), resource)
    elif kind == "v" and dependency[1] == _NAMED:
        # the argument is a type and a name; without a name it is only asked whether there may be more of the type
        type_, _, name = dependency[2].removeprefix("=").partition(" ")
        if name:
            yield ("n", type_, "", name, account)
    elif kind == "v":
        for type_ in NARROWS[dependency[1]][1]:
            yield ("t", type_, account)


def _marks_of_relation(relation: Mapping[str, Any], resource: Resource) -> Iterator[Mark]:
    to, account = relation["to"], "" if relation["scope"] == ACROSS else resource.account or ""
    if relation["via"] is not None:
        for value in values_at(resource, relation["via"].split(".")):
            yield from _marks_of_name(to, relation["key"] or "", value, account)
    elif relation["by"] is not None:
        for name in (*names_of(resource), _ANY):
            yield ("b", to, relation["by"], name, account)
    else:
        yield ("t", to, account)


def _marks_of_name(to: str, key: str, value: Any, account: str) -> Iterator[Mark]:
    """Yield the marks of what a value may mean."""
    if isinstance(value, Unresolved):
        names: tuple[str, ...] = () if value.target is None else (value.target[0],)
    else:
        names = candidate_names(value) if isinstance(value, str) else ()
    for name in names:
        yield ("n", to, key, name, account)
        if to in INDIRECT:
            yield ("n", INDIRECT[to][0], "", name, account)
            if _ALIAS in name:
                yield ("t", to, account)


__all__ = ["Watching"]
