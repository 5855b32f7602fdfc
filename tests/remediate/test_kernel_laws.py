"""Requests, approvals, kills, faults, other people's changes and time, in any order: what must hold at every moment.

The laws of the contract: no mutating call without a saved image; at most one effective mutation for a key; no limit
exceeded in any 60 minutes; what is not known never changes anything; nothing stays under way once somebody has gone on with
it; the journal's chain is whole.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from policyengine.config.remediation import Breaker, Limits, Remediating
from policyengine.remediate.api import Call, Refused
from policyengine.remediate.kernel import Kernel
from policyengine.remediate.planning import Planner
from policyengine.remediate.ports import Made, Subject
from policyengine.store.actions import UNDER_WAY, ConflictError
from policyengine.store.chain import verify
from policyengine.store.sqlite_actions import SqliteActions
from tests.remediate.fake_world import (
    ACCOUNT,
    REGION,
    RULE,
    TYPE,
    Killed,
    OneStep,
    TwoSteps,
    World,
    denied,
    remediation,
    throttled,
    uncertain,
)
from tests.remediate.test_killed import CHANGING, Fate, Mortal

HOURLY = 4
NAMES = ("a", "b", "c", "d", "e", "f")
SETTINGS = Remediating(
    automatic=frozenset({"thing_on"}), limits=Limits(run=3, share=1.0, hour=HOURLY), repeat_seconds=600, flaps=3,
    breaker=Breaker(failures=4, pause=600),
)  # fmt: skip
FAULTS = ("none", "none", "denied", "throttled", "lost before", "lost after")


class Watched(World):
    """A world that notes when something was turned on, and under which verdict."""

    def __init__(self) -> None:
        super().__init__(things={name: {"on": False, "name": name} for name in NAMES})
        self.turned: list[tuple[float, str]] = []
        self.fault = "none"
        self.wrong: list[str] = []

    def make(self, handler: str, call: Call, account: str, region: str) -> Made:
        fault, self.fault = self.fault, "none"
        if fault == "denied":
            raise denied(call)
        if fault == "throttled":
            raise throttled(call)
        if fault == "lost before":
            raise uncertain(call)
        made = super().make(handler, call, account, region)
        if fault == "lost after":
            raise uncertain(call)
        return made

    def effect(self, call: Call) -> None:
        id, value = call.arguments["Id"], call.arguments["Value"]
        before = self.things[id]["on"]
        if id in self.unreadable or self.verdicts.get(id) == "UNKNOWN":
            self.wrong.append(f"{id} was changed while nobody knew how it is")
        super().effect(call)
        if call.operation == "SetOn" and value is True and not before:
            self.turned.append((self.time, id))


class Remediating_(RuleBasedStateMachine):
    """One store, one world, any number of processes, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="kernel-laws-"))
        self.store = SqliteActions(self.folder / "store" / "actions.db")
        self.world = Watched()
        self.run = 0
        self.life = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @initialize(two=st.booleans())
    def choose(self, two: bool) -> None:
        self.handler: Any = TwoSteps() if two else OneStep()

    def kernel(self, fate: Fate | None = None) -> Kernel:
        store: Any = self.store if fate is None else Mortal(self.store, CHANGING, fate)
        hands: Any = self.world if fate is None else Mortal(self.world, ("make",), fate)
        planner = Planner(
            observer=self.world, hands=hands, remediations=remediation(self.handler),
            rules={RULE: ("thing_on", "sha256:rule")}, settings=SETTINGS,
        )  # fmt: skip
        self.life += 1
        return Kernel(store=store, planner=planner, waiter=self.world, owner=f"life-{self.life}")

    @rule(
        names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4),
        repeat=st.integers(1, 3),
        fault=st.sampled_from(FAULTS),
        dies=st.one_of(st.none(), st.integers(1, 40)),
    )
    def an_event(self, names: list[str], repeat: int, fault: str, dies: int | None) -> None:
        """A batch of events, each delivered some times; the process may die in the middle."""
        self.run += 1
        self.world.fault = fault
        kernel = self.kernel(Fate(dies) if dies is not None else None)
        with contextlib.suppress(Killed, ConflictError):
            for name in names * repeat:
                subject = Subject(RULE, TYPE, name, ACCOUNT, REGION)
                outcome = kernel.plan(subject, requested_by="event", run=f"run-{self.run}")
                if outcome.action is not None and outcome.action.state == "approved":
                    kernel.apply([outcome.action.id])
        self.world.fault = "none"

    @rule(names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    def a_person(self, names: list[str]) -> None:
        """A run of several at once."""
        self.run += 1
        kernel = self.kernel()
        outcomes = [
            kernel.plan(Subject(RULE, TYPE, name, ACCOUNT, REGION), requested_by="ann", run=f"run-{self.run}")
            for name in names
        ]
        for action in (o.action for o in outcomes if o.action is not None):
            with contextlib.suppress(
                Refused
            ):  # what failed or was taken back before asks for a second person
                kernel.approve(action.id, "bea", action.plan_hash)
        kernel.apply([o.action.id for o in outcomes if o.action is not None])

    @rule(seconds=st.sampled_from([1, 60, 200, 700, 2000, 3700, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.world.time += seconds

    @rule(name=st.sampled_from(NAMES))
    def somebody_puts_it_back(self, name: str) -> None:
        self.world.things[name]["on"] = False

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from(["x", "y"]))
    def somebody_changes_it(self, name: str, text: str) -> None:
        self.world.things[name]["name"] = text

    @rule(name=st.sampled_from(NAMES), how=st.sampled_from(["readable", "unreadable", "UNKNOWN"]))
    def knowledge_changes(self, name: str, how: str) -> None:
        self.world.unreadable.discard(name)
        self.world.verdicts.pop(name, None)
        if how == "unreadable":
            self.world.unreadable.add(name)
        elif how == "UNKNOWN":
            self.world.verdicts[name] = how

    @rule(data=st.data())
    @precondition(lambda self: any(True for _ in self.store.find()))
    def somebody_rolls_back(self, data: st.DataObject) -> None:
        ids = sorted(action.id for action in self.store.find())
        with contextlib.suppress(Refused):
            self.kernel().rollback(data.draw(st.sampled_from(ids)), "dan")

    @rule()
    def somebody_goes_on(self) -> None:
        """After the leases of the dead have run out nothing stays under way, but for what cannot be read."""
        self.world.time += 1000
        self.kernel().recover()
        for action in self.store.find(states=UNDER_WAY):
            name = action.plan["resource"]["id"]
            assert name in self.world.unreadable or self.world.verdicts.get(name) == "UNKNOWN", action.reason

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        times = sorted(at for at, _ in self.world.turned)
        for first in times:
            assert sum(first <= at < first + 3600 for at in times) <= HOURLY

    @invariant()
    def nothing_unknown_was_changed(self) -> None:
        assert self.world.wrong == []

    @invariant()
    def one_key_has_one_effect(self) -> None:
        """Turned on at most once for each action that was let go on, and never by one that was not."""
        per_thing = Counter(name for _, name in self.world.turned)
        actions = Counter(
            action.plan["resource"]["id"] for action in self.store.find() if action.pre_image is not None
        )
        for name, times in per_thing.items():
            assert times <= actions[name], f"{name} was turned on {times} times by {actions[name]} actions"

    @invariant()
    def the_journal_is_whole_and_calls_come_after_images(self) -> None:
        entries = list(self.store.journal())
        assert verify(entries) is None
        saved: set[str] = set()
        for entry in entries:
            if entry.kind == "pre_image_saved":
                saved.add(entry.action)
            if entry.kind == "call":
                assert entry.action in saved


TestKernelLaws = Remediating_.TestCase
TestKernelLaws.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
