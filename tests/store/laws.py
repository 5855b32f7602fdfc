"""The laws of a store, as a machine that does the same with a store and with the model and compares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from policyengine.store.actions import STATES, ActionStore, ConflictError, Count, Lease, NoSuchActionError
from policyengine.store.chain import verify
from tests.store.model import Model, action, note

KEYS = st.sampled_from(["k1", "k2", "k3"])
RESOURCES = st.sampled_from(["1/r/T/a", "1/r/T/ab", "1/r/T/a/b", "2/r/T/" + "x" * 1500])
RULES = st.sampled_from(["one", "two"])
OWNERS = st.sampled_from(["p", "q"])
NAMES = st.sampled_from(["run/1", "hour/2026-11-21T09", "share/1"])
# times are spelled in every way that is ISO 8601: texts that sort otherwise than times
TIMES = st.sampled_from(
    [
        "2026-11-21T09:00:00+00:00", "2026-11-21T09:00:00.500000+00:00", "2026-11-21T09:00:01Z",
        "2026-11-21T10:00:00+02:00", "2026-11-21T09:00:00Z",
    ]
)  # fmt: skip
SECONDS = st.sampled_from([0.0, 0.1, 30.0, 3600.5])
COUNTS = st.lists(st.builds(Count, NAMES, st.integers(0, 3), st.integers(0, 6)), max_size=4)
VALUES = st.sampled_from([{"off": True}, {"off": False, "who": "ü"}, {"n": [1, 2.5, None]}, {}])
TEXTS = st.text(st.characters(exclude_categories=()), max_size=5)


def outcome(what: Callable[[], Any]) -> Any:
    """What a call gives or raises."""
    try:
        return what()
    except (ConflictError, NoSuchActionError) as problem:
        return type(problem)


class Laws(RuleBasedStateMachine):
    """Subclasses make the store."""

    def make(self) -> ActionStore:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.store = self.make()
        self.model = Model()
        self.now = 1_800_000_000.25
        self.made = 0
        self.seen: list[Any] = []
        self.leases: list[Lease] = []

    def both(self, name: str, *given: Any, **named: Any) -> Any:
        mine = outcome(lambda: getattr(self.model, name)(*given, **named))
        its = outcome(lambda: getattr(self.store, name)(*given, **named))
        assert its == mine, name
        return its

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(
        key=KEYS, resource=RESOURCES, name=RULES, at=TIMES, seconds=SECONDS, again=st.booleans(), text=TEXTS
    )
    def claim(
        self, key: str, resource: str, name: str, at: str, seconds: float, again: bool, text: str
    ) -> None:
        self.made += 0 if again else 1
        new = action(
            f"act-{self.made}", f"{key}/{resource}", resource=resource, rule=name, updated_at=at, reason=text
        )
        got = self.both("claim", new, note(new.id, text=text), until=self.now + seconds, now=self.now)
        if not isinstance(got, type):
            self.seen.append(got)

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), state=st.sampled_from(STATES), at=TIMES, until=st.none() | SECONDS)
    def save(self, data: st.DataObject, state: str, at: str, until: float | None) -> None:
        read = data.draw(st.sampled_from(self.seen))  # any version that was ever read
        lease = data.draw(st.none() | st.sampled_from(self.leases)) if self.leases else None
        new = read.moved(state, at, pre_image={"tags": {"a": "\ud800"}}, attempts=read.attempts + 1)
        notes = [note(new.id, state), note(new.id, "call", args=[1, {"b": None}])]
        after = None if until is None else self.now + until
        got = self.both("save", new, notes, lease, until=after)
        if not isinstance(got, type):
            self.seen.append(got)

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        self.both("get", data.draw(st.sampled_from(self.seen)).id)
        self.both("get", "act-nobody")

    @rule(
        states=st.sets(st.sampled_from(STATES), max_size=6), resource=st.just("") | RESOURCES,
        name=st.just("") | RULES, since=st.just("") | TIMES,
    )  # fmt: skip
    def find(self, states: set[str], resource: str, name: str, since: str) -> None:
        named = {"states": states, "resource": resource, "rule": name, "since": since}
        assert list(self.store.find(**named)) == self.model.find(**named)

    @rule(resource=RESOURCES, owner=OWNERS, seconds=SECONDS)
    def lease(self, resource: str, owner: str, seconds: float) -> None:
        got = self.both("lease", resource, owner, seconds=seconds, now=self.now)
        if got is not None:
            assert all(got.fence > each.fence for each in self.leases if each.resource == resource)
            self.leases.append(got)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), seconds=SECONDS)
    def renew(self, data: st.DataObject, seconds: float) -> None:
        self.both("renew", data.draw(st.sampled_from(self.leases)), seconds=seconds, now=self.now)

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self.both("release", data.draw(st.sampled_from(self.leases)))

    @rule(counts=COUNTS, seconds=SECONDS)
    def count(self, counts: list[Count], seconds: float) -> None:
        self.both("count", counts, now=self.now, seconds=seconds)

    @rule(name=st.sampled_from(["breaker", "switch"]), value=VALUES, was=st.none() | VALUES)
    def flag(self, name: str, value: dict[str, Any], was: dict[str, Any] | None) -> None:
        self.both("write_flag", name, value, was=was)
        self.both("read_flag", name)

    @rule(text=TEXTS, after=st.integers(0, 5))
    def note(self, text: str, after: int) -> None:
        self.model.notes.append(note("x", "note", text=text))
        entry = self.store.note(self.model.notes[-1])
        assert entry.seq == len(self.model.notes)
        assert [e.seq for e in self.store.journal(after)] == list(range(after + 1, entry.seq + 1))

    @invariant()
    def the_journal_is_whole(self) -> None:
        entries = list(self.store.journal())
        assert [(e.at, e.action, e.kind, e.body) for e in entries] == [
            (n.at, n.action, n.kind, n.body) for n in self.model.notes
        ]
        assert verify(entries, head=self.store.head()) is None
