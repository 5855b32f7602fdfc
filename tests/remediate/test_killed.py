"""A process that ends at any point: exhaustively at every write and every call, and for real with SIGKILL.

What must hold afterwards, once somebody has gone on: every change ended; each has had at most one effect per key; no
effect came before its pre-image was saved; the journal's chain is whole; the resource is as planned or as before.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policyengine.remediate.kernel import Kernel
from policyengine.remediate.planning import Planner
from policyengine.remediate.ports import Subject
from policyengine.store.actions import ENDED
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
    remediation,
)
from tests.remediate.test_kernel import AUTO

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = {"one": OneStep, "two": TwoSteps}
CHANGING = ("claim", "save", "lease", "renew", "release", "count", "note", "write_flag")


class Mortal:
    """A store or a world whose process ends at the n-th of its operations, before or after it takes effect."""

    def __init__(self, inner: Any, names: tuple[str, ...], fate: Fate) -> None:
        self._inner, self._names, self._fate = inner, names, fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._names:
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fate.meet("before")
            answer = found(*args, **kwargs)
            self._fate.meet("after")
            return answer

        return call


class Fate:
    """Counts operations; ``at`` is when the end comes, None for never."""

    def __init__(self, at: int | None = None) -> None:
        self.at, self.seen = at, 0

    def meet(self, _when: str) -> None:
        self.seen += 1
        if self.at is not None and self.seen >= self.at:  # the dead do nothing more, not even in `finally`
            raise Killed


def kernel(store: Any, world: Any, handler: Any, owner: str) -> Kernel:
    planner = Planner(
        observer=world, hands=world, remediations=remediation(handler), rules={RULE: ("thing_on", "sha256:rule")},
        settings=AUTO,
    )  # fmt: skip
    return Kernel(store=store, planner=planner, waiter=world, owner=owner)


def repair(k: Kernel, name: str) -> Any:
    outcome = k.plan(Subject(RULE, TYPE, name, ACCOUNT, REGION), requested_by="event", run=f"run-{name}")
    if outcome.action is not None and outcome.action.state == "approved":
        outcome = k.apply([outcome.action.id])[0]
    return outcome


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteActions]:
    found = SqliteActions(tmp_path / "store" / "actions.db")
    yield found
    found.close()


def attempt(store: Any, world: World, handler: Any, fate: Fate) -> None:
    mortal = kernel(Mortal(store, CHANGING, fate), Mortal(world, ("make",), fate), handler, "first")
    with contextlib.suppress(Killed):
        repair(mortal, "a")


def checked(store: SqliteActions, world: World, before: dict[str, Any], after: dict[str, Any]) -> None:
    actions = list(store.find())
    assert all(action.state in ENDED for action in actions), [(a.state, a.reason) for a in actions]
    assert verify(list(store.journal())) is None
    assert world.things["a"] in (before, after)
    forward = [effect for effect in world.effects if effect[2] in (True, "repaired")]
    verified = [action for action in actions if action.state == "verified"]
    assert len(verified) <= 1
    assert len(forward) == len(set(forward)) or len(actions) > 1, (
        f"one change had two effects: {world.effects}"
    )
    entries = list(store.journal())
    for action in actions:
        kinds = [entry.kind for entry in entries if entry.action == action.id]
        if "call" in kinds:
            assert kinds.index("pre_image_saved") < kinds.index("call"), (
                "no call before its pre-image is saved"
            )
    if world.things["a"] == after:
        assert verified


@pytest.mark.parametrize("handler", sorted(HANDLERS))
def test_killed_at_every_step(tmp_path: Path, handler: str) -> None:
    made = HANDLERS[handler]()
    whole = Fate()
    first = SqliteActions(tmp_path / "whole" / "actions.db")
    attempt(first, World(things={"a": {"on": False, "name": "a"}}), made, whole)
    first.close()
    assert whole.seen > 20
    for at in range(1, whole.seen + 1):
        store = SqliteActions(tmp_path / str(at) / "actions.db")
        world = World(things={"a": {"on": False, "name": "a"}})
        before = dict(world.things["a"])
        after = {"on": True, "name": "repaired" if handler == "two" else "a"}
        attempt(store, world, made, Fate(at))
        world.time += 1000  # the lease of whoever was killed runs out
        second = kernel(store, world, made, "second")
        second.recover()
        repair(second, "a")  # the event comes again
        second.recover()
        repair(second, "a")
        checked(store, world, before, after)
        assert world.things["a"] == after or [a.state for a in store.find()] != ["verified"]
        store.close()


@pytest.mark.parametrize("handler", sorted(HANDLERS))
def test_killed_again_while_going_on(tmp_path: Path, handler: str) -> None:
    """The one that goes on is killed too, at each of its steps."""
    made = HANDLERS[handler]()
    chance = random.Random(7)
    for number in range(25):
        store = SqliteActions(tmp_path / str(number) / "actions.db")
        world = World(things={"a": {"on": False, "name": "a"}})
        before, after = dict(world.things["a"]), {"on": True, "name": "repaired" if handler == "two" else "a"}
        attempt(store, world, made, Fate(chance.randrange(8, 45)))
        for life in range(3):
            world.time += 1000
            fate = Fate(chance.randrange(1, 30))
            mortal = kernel(
                Mortal(store, CHANGING, fate), Mortal(world, ("make",), fate), made, f"life-{life}"
            )
            try:
                mortal.recover()
                repair(mortal, "a")
            except Killed:
                continue
        world.time += 1000
        last = kernel(store, world, made, "last")
        last.recover()
        repair(last, "a")
        last.recover()
        checked(store, world, before, after)
        store.close()


# for real


def run_child(folder: Path) -> None:
    """Repair what is in ``folder``; run in a process of its own."""
    store = SqliteActions(folder / "store" / "actions.db")
    world = FileWorld(folder)
    k = kernel(store, world, TwoSteps(), f"pid-{os.getpid()}")
    k.recover()
    for name in sorted(world.things):
        repair(k, name)
    k.recover()


class FileWorld(World):
    """A world in a file, so that effects outlive the process that made them. Its calls take time."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._file = folder / "world.json"
        form = json.loads(self._file.read_bytes())
        self.things, self.effects = form["things"], [tuple(e) for e in form["effects"]]
        self.time = form["time"]

    def make(self, *args: Any) -> Any:
        time.sleep(0.002)
        made = super().make(*args)
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps({"things": self.things, "effects": self.effects, "time": self.time}))
        temporary.replace(self._file)
        time.sleep(0.002)
        return made


@pytest.mark.slow
def test_killed_for_real(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    for number in range(25):
        folder = tmp_path / str(number)
        folder.mkdir()
        form = {"things": {"a": {"on": False, "name": "a"}}, "effects": [], "time": 1_795_000_000.0}
        (folder / "world.json").write_text(json.dumps(form))
        code = f"from pathlib import Path; from tests.remediate.test_killed import run_child; run_child(Path({str(folder)!r}))"
        kills = 0
        for _life in range(4):
            child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
            try:
                child.wait(timeout=0.6 + chance.random() * 0.8)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                child.wait()
                kills += 1
            form = json.loads((folder / "world.json").read_bytes())
            form["time"] += 1000
            (folder / "world.json").write_text(json.dumps(form))
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        store = SqliteActions(folder / "store" / "actions.db")
        checked(store, FileWorld(folder), {"on": False, "name": "a"}, {"on": True, "name": "repaired"})
        store.close()
