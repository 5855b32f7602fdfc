"""A Subject that remembers what each rule read of other resources, and of the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from policyengine.engine.kept.digests import Tables, UndigestedError, digest_of, text_of
from policyengine.engine.kept.narrows import NARROWS
from policyengine.engine.references import ACROSS
from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.rules.predicates.api import Narrow, Subject

LOCAL: Final = "account-region"

Dependency = tuple[str, ...]
"""What was read: ``("t", type, scope)`` a table, ``("r", to, scope, via, by, key, many)`` what a relation reaches,
``("n",)`` the clock, ``("v", name, argument)`` a narrow look (the argument with ``=`` in front if there is one)."""

CLOCK: Final[Dependency] = ("n",)
_KEYS: Final = ("to", "scope", "via", "by", "key")


def relation_of(dependency: Dependency) -> dict[str, Any]:
    """Return the form of the relation of a dependency."""
    found: dict[str, Any] = {key: value or None for key, value in zip(_KEYS, dependency[1:], strict=False)}
    return {**found, "many": dependency[6] == "many"}


def _as_dependency(relation: Mapping[str, Any]) -> Dependency:
    many = "many" if relation["many"] else "one"
    return ("r", *(relation[key] or "" for key in _KEYS), many)


class Recorder:
    """Gives the Subject of a world, and what was read through it since :meth:`begin`.

    INVARIANT: whatever a rule gets to know of the world it gets through the Subject, or from an answer about the
    same resource that another rule asked for; then it depends on what that one had read.
    """

    def __init__(self, world: World, now: datetime) -> None:
        self._world = world
        self._current: set[Dependency] = set()
        self._alone: dict[Dependency, bytes] = {}
        self._found: dict[Dependency, Any] = {}
        """What relations of the resource have reached: asked once for all its rules."""
        self._now = now
        self.subject = self._made()
        self._plain = plain_subject(world, now, self.subject)
        self.renew()

    def renew(self) -> None:
        """Let go of what the world says: it has changed."""
        self.tables = Tables(self._world)
        self._of_place: dict[tuple[Dependency, str | None, str | None], bytes] = {}
        self._behind: dict[tuple[str, str | None, str | None], str] = {}
        """What the narrow looks of an account and region choose from."""

    def set_clock(self, now: datetime) -> None:
        """Judge what begins from here on at another time."""
        self._now = self._plain.now = now

    def start(self, resource: Resource) -> None:
        """Point the Subject at another resource."""
        self.subject.resource = self._plain.resource = resource
        self.subject.answers = Answers(self)
        self._plain.answers = {}
        self._alone = {}
        self._found = {}

    def begin(self, relations: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin with a rule."""
        self.subject.relations = self._plain.relations = relations
        self._current = set()

    @property
    def current(self) -> frozenset[Dependency]:
        """What the rule has read so far."""
        return frozenset(self._current)

    def inherit(self, dependencies: frozenset[Dependency]) -> None:
        """The rule got an answer that rests on these."""
        self._current |= dependencies

    def check(self, dependency: Dependency) -> None:
        """Raise UndigestedError for a dependency of which nobody can tell later whether it is the same."""
        self.whole(dependency)
        self.alone(dependency)

    def know(self, dependency: Dependency, alone: bytes) -> None:
        """Take what a dependency amounts to for the resource from a result that was found to hold."""
        self._alone[dependency] = alone

    def whole(self, dependency: Dependency) -> str:
        """Return the digest of all that a dependency chooses from; resources share it. Raises UndigestedError."""
        kind, resource = dependency[0], self.subject.resource
        if kind == "t":
            return self.tables.of(dependency[1], dependency[2], resource)
        if kind == "r":
            return self.tables.behind(relation_of(dependency), resource)
        if kind == "n":
            return self._now.isoformat()
        place = (dependency[1], resource.account, resource.region)
        known = self._behind.get(place)
        if known is None:
            reads = NARROWS[dependency[1]][1]
            each = "".join(self.tables.of(type_, LOCAL, resource) for type_ in reads)
            known = self._behind[place] = text_of(each)
        return known

    def alone(self, dependency: Dependency) -> bytes:
        """Return the digest of what a dependency amounts to for the resource; empty where it is as the table.

        Where :meth:`whole` says the same in another run this does too. Raises UndigestedError.
        """
        known = self._alone.get(dependency)
        if known is None:
            known = self._alone[dependency] = self._amounts_to(dependency)
        return known

    def _amounts_to(self, dependency: Dependency) -> bytes:
        kind = dependency[0]
        if kind == "r":
            found = self._found.get(dependency)
            if found is None:
                found = self._world.related(relation_of(dependency), self.subject.resource)
            return digest_of(found)
        if kind == "v":
            return self._seen(dependency)
        return b""

    def _seen(self, dependency: Dependency) -> bytes:
        narrow, argument, resource = narrow_of(dependency[1]), dependency[2], self.subject.resource
        place = (dependency, resource.account, resource.region)
        known = self._of_place.get(place)
        if known is None:
            known = digest_of(narrow.seen(self._plain, argument[1:] if argument else None))
            if narrow.of_place:
                self._of_place[place] = known
        return known

    def look(self, narrow: Narrow, argument: str | None) -> Any:
        """Find something in tables without depending on the whole of them."""
        self._current.add(("v", narrow.name, "" if argument is None else f"={argument}"))
        return narrow.find(self._plain, argument)

    def read_clock(self) -> datetime:
        """Return the time of the run."""
        self._current.add(CLOCK)
        return self._now

    def _made(self) -> Subject:
        world, recorder = self._world, self

        def related(alias: str) -> Any:
            relation = subject.relations[alias]
            dependency = _as_dependency(relation)
            recorder._current.add(dependency)
            found = recorder._found.get(dependency)
            if found is None:
                found = recorder._found[dependency] = world.related(relation, subject.resource)
            return found

        def table(scope: str) -> Callable[[str], Any]:
            def read(type_: str) -> Any:
                recorder._current.add(("t", type_, scope))
                return world.table(type_, subject.resource, scope)

            return read

        first = Resource("", "", None, None, {})
        subject = _recording(recorder)(first, self._now, related, table(LOCAL), organization=table(ACROSS))
        return subject


def plain_subject(world: World, now: datetime, of: Subject) -> Subject:
    """Return a Subject of the same world that records nothing."""
    subject = Subject(
        of.resource,
        now,
        lambda alias: world.related(subject.relations[alias], subject.resource),
        lambda type_: world.table(type_, subject.resource),
        organization=lambda type_: world.table(type_, subject.resource, ACROSS),
    )
    return subject


@cache
def narrow_of(name: str) -> Narrow:
    """Return the narrow look of a name of the table."""
    from importlib import import_module

    module, variable = NARROWS[name][0]
    found: Narrow = getattr(import_module(module), variable)
    return found


def _recording(recorder: Recorder) -> type[Subject]:
    """Return the class of Subjects that record; one for each recorder, so that they are made as any other."""

    class Recording(Subject):
        """See :class:`Recorder`."""

        __slots__ = ()

        @property
        def now(self) -> datetime:
            """The clock, which the rule then depends on."""
            return recorder.read_clock()

        @now.setter
        def now(self, _value: datetime) -> None:
            """The recorder has it."""

        def about(self, resource: Resource, where: Any = None) -> Subject:
            """See :meth:`Subject.about`."""
            return Recording(
                resource, recorder._now, self.related, self.tables, where, self.relations,
                organization=self.organization,
            )  # fmt: skip

        def look(self, narrow: Narrow, argument: str | None = None) -> Any:
            """See :meth:`Subject.look`; on behalf of another resource the whole tables are read."""
            if self.resource is not recorder.subject.resource:
                return narrow.find(self, argument)
            return recorder.look(narrow, argument)

    return Recording


class Answers(dict[Any, Any]):
    """The answers about one resource; who gets one depends on what it rests on."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._rest: dict[Any, frozenset[Dependency]] = {}

    def __setitem__(self, key: Any, value: Any) -> None:
        """What the rule read before it is said to be part of it: too much, and never too little."""
        self._rest[key] = self._recorder.current
        super().__setitem__(key, value)

    def __getitem__(self, key: Any) -> Any:
        self._recorder.inherit(self._rest.get(key, frozenset()))
        return super().__getitem__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the answer of a key."""
        found = super().get(key, default)
        if found is not default:
            self._recorder.inherit(self._rest[key])
        return found


__all__ = ["Dependency", "Recorder", "UndigestedError"]
