"""Going on, taking back and sleeping: what somebody else did meanwhile is never overwritten, nothing is done twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.config.remediation import Freeze, Remediating
from policyengine.remediate import breaker
from policyengine.remediate.api import Call
from policyengine.remediate.images import between
from policyengine.store.actions import Action, Note, StoreError
from policyengine.store.sqlite_actions import SqliteActions
from tests.remediate.attacking import killed_in_call, recovered
from tests.remediate.fake_world import Killed, OneStep, TwoSteps, World, denied, uncertain
from tests.remediate.test_kernel import AUTO, kernel, planned, refusal, repaired


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteActions]:
    found = SqliteActions(tmp_path / "store" / "actions.db")
    yield found
    found.close()


@pytest.fixture
def world() -> World:
    return World(things={name: {"on": False, "name": name} for name in ("a", "b", "c")})


# going on after a kill


@pytest.mark.parametrize("why", ["switch", "freeze", "waived", "excluded", "pass", "unapproved"])
def test_what_may_not_be_begun_is_not_begun_by_going_on(store: Any, world: World, why: str) -> None:
    """The call had no effect, and by now something speaks against the change."""
    killed_in_call(store, world, effective=False)
    settings = AUTO
    if why == "switch":
        breaker.switch(store, off=True, who="oncall", why="stop", at="2026-11-21T12:00:00Z")
    if why == "freeze":
        settings = replace(AUTO, freezes=(Freeze("2020-01-01T00:00:00+00:00", "2030-01-01T00:00:00+00:00"),))
    if why == "waived":
        world.waivers["a"] = {"id": "W-1"}
    if why == "excluded":
        world.tags["a"] = {"policyengine:no-remediation": ""}
    if why == "pass":
        world.verdicts["a"] = "PASS"
    if why == "unapproved":
        settings = Remediating()
    action = recovered(store, world, settings)
    assert world.effects == []
    assert (action.state, action.code) == ("failed", "no_effect") and "as it was before" in action.reason


@pytest.mark.parametrize("verdict", ["UNKNOWN", "unreadable"])
def test_going_on_waits_where_nothing_is_known(store: Any, world: World, verdict: str) -> None:
    killed_in_call(store, world, effective=False)
    if verdict == "UNKNOWN":
        world.verdicts["a"] = "UNKNOWN"
    else:
        world.unreadable.add("a")
    assert recovered(store, world).state == "pre_image_saved"
    assert world.effects == []
    world.verdicts.clear()
    world.unreadable.clear()
    assert recovered(store, world).state == "verified"


def test_going_on_does_not_overwrite_what_somebody_changed_since(store: Any, world: World) -> None:
    """The call had its effect, the process ended, and a person went on by hand: nothing of theirs is undone."""
    killed_in_call(store, world, effective=True)
    world.things["a"] = {"on": True, "name": "by hand"}
    action = recovered(store, world)
    assert world.things["a"] == {"on": True, "name": "by hand"}
    assert (action.state, action.code) == ("failed", "conflict") and "somebody else" in action.reason


def test_a_call_nobody_answered_is_not_taken_back_over_somebody_elses_change(
    store: Any, world: World
) -> None:
    def lost(call: Call) -> None:
        world.on_call = None
        world.things["a"] = {"on": True, "name": "by hand"}
        raise uncertain(call)

    world.on_call = lost
    action = repaired(kernel(store, world))
    assert world.things["a"] == {"on": True, "name": "by hand"}
    assert (action.state, action.code) == ("failed", "conflict")


def test_an_undoing_that_was_killed_does_not_overwrite_either(store: Any, world: World) -> None:
    k = kernel(store, world, handler=TwoSteps())
    action = repaired(k)

    def end(call: Call) -> None:
        raise Killed

    world.on_call = end
    with contextlib.suppress(Killed):
        k.rollback(action.id, "dan")
    world.on_call = None
    assert store.get(action.id).undoing
    world.time += 400
    world.things["a"] = {"on": True, "name": "by hand"}
    after = recovered(store, world, handler=TwoSteps())
    assert world.things["a"] == {"on": True, "name": "by hand"}
    assert (after.state, after.code) == ("failed", "conflict")


def test_an_undoing_that_was_killed_is_ended_where_nobody_interfered(store: Any, world: World) -> None:
    k = kernel(store, world, handler=TwoSteps())
    action = repaired(k)
    calls: list[Call] = []

    def end(call: Call) -> None:
        calls.append(call)
        if len(calls) == 2:
            raise Killed

    world.on_call = end
    with contextlib.suppress(Killed):
        k.rollback(action.id, "dan")
    world.on_call = None
    world.time += 400
    assert recovered(store, world, handler=TwoSteps()).state == "rolled_back"
    assert world.things["a"] == {"on": False, "name": "a"}


@pytest.mark.parametrize(
    ("now", "before", "after", "can"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 1}, {"a": 2, "b": 2}, True),
        ({"a": 3, "b": 2}, {"a": 1, "b": 1}, {"a": 2, "b": 2}, False),
        ({"a": 1}, {"a": 1, "b": 1}, {"a": 2}, True),
        ({"a": 1, "c": 9}, {"a": 1, "b": 1}, {"a": 2}, False),
        ([1], [1, 2, 3], [1], True),
        ([1, 3], [1, 2, 3], [1], True),
        ([1, 4], [1, 2, 3], [1], False),
        ([2], [1, 2, 3], [1], False),
        ([{"x": 1}, {"x": 2}], [{"x": 1}, {"x": 1}], [{"x": 2}, {"x": 2}], True),
        ([{"x": 3}, {"x": 2}], [{"x": 1}, {"x": 1}], [{"x": 2}, {"x": 2}], False),
        ("other", "old", "new", False),
        (None, "old", None, True),
    ],
)
def test_what_can_be_seen_between_two_images(now: Any, before: Any, after: Any, can: bool) -> None:
    assert between(now, before, after) is can


FLAT = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), max_size=6)


@given(before=FLAT, after=FLAT, done=st.sets(st.sampled_from("abcdef")), foreign=st.sampled_from("abcdef"))
def test_some_of_the_calls_are_between_and_anybody_elses_are_not(
    before: dict[str, int], after: dict[str, int], done: set[str], foreign: str
) -> None:
    """Whichever calls of a change were made; and one member that is as in neither image is somebody else's."""
    now = {name: (after if name in done else before).get(name) for name in "abcdef"}
    there = {name: value for name, value in now.items() if value is not None}
    assert between(there, before, after)
    assert not between({**there, foreign: 9}, before, after)


# rolling back


def test_a_rollback_of_what_somebody_meddled_with_is_refused(store: Any, world: World) -> None:
    """The change ended in a conflict; taking it back by name would overwrite the other's change."""
    world.after_call = lambda call: world.things["a"].update(name="meddled")
    k = kernel(store, world, handler=TwoSteps())
    action = repaired(k)
    world.after_call = None
    assert (action.state, action.code) == ("failed", "conflict")
    there = dict(world.things["a"])
    assert refusal(k.rollback(action.id, "dan")) == "drifted"
    assert world.things["a"] == there


def test_a_rollback_is_not_rolled_back(store: Any, world: World) -> None:
    k = kernel(store, world)
    action = repaired(k)
    k.rollback(action.id, "dan")
    assert refusal(k.rollback(action.id, "dan")) == "unsupported"
    assert world.things["a"]["on"] is False


def test_what_a_person_took_back_is_not_repaired_again_by_itself(store: Any, world: World) -> None:
    """azul #4892 from the other side: the repair broke something, a person took it back, the next event comes."""
    settings = replace(AUTO, repeat_seconds=60)
    k = kernel(store, world, settings)
    first = repaired(k)
    k.rollback(first.id, "dan")
    world.time += 3700
    again = planned(k, run="event-2")
    assert (again.state, again.plan["approvals"]) == ("planned", 1)
    assert first.id in again.plan["concerns"][-1] and "dan" in again.plan["concerns"][-1]
    assert refusal(k.apply([again.id])[0]) == "not_approved"
    k.approve(again.id, "bob", again.plan_hash)
    assert k.apply([again.id])[0].action.state == "verified"  # type: ignore[union-attr]  # it was applied


def test_what_failed_is_not_tried_again_by_itself(store: Any, world: World) -> None:
    def fail(call: Call) -> None:
        raise denied(call)

    k = kernel(store, world, replace(AUTO, repeat_seconds=60))
    world.on_call = fail
    assert repaired(k).state == "failed"
    world.on_call = None
    world.time += 3700
    assert planned(k, run="event-2").state == "planned"


# leases and pauses


def test_a_holder_that_was_paused_before_its_call_does_not_make_it(store: Any, world: World) -> None:
    """It wrote that the call begins, slept for longer than its lease, and somebody else has changed the resource since."""
    k = kernel(store, world)
    action = planned(k)
    save = store.save

    def sleeps(changed: Action, notes: Any, lease: Any = None, **more: Any) -> Action:
        kept: list[Note] = list(notes)
        saved: Action = save(changed, kept, lease, **more)
        if kept and kept[0].kind == "call":
            store.save = save
            world.time += 200
            after = recovered(store, world)
            assert after.state == "verified"
            other = kernel(store, world)
            other.owner = "person"
            assert other.rollback(after.id, "dan").action.state == "rolled_back"  # type: ignore[union-attr]  # it was
        return saved

    store.save = sleeps
    outcome = k.apply([action.id])[0]
    assert world.effects == [("a", "on", True), ("a", "on", False)], "the one that slept has changed nothing"
    assert refusal(outcome) == "busy"


def test_going_on_while_somebody_applies_leaves_it_alone(store: Any, world: World) -> None:
    k = kernel(store, world)
    action = planned(k)
    seen: list[Any] = []

    def meanwhile(call: Call) -> None:
        other = kernel(store, world)
        other.owner = "recovery"
        seen.extend(other.recover())

    world.on_call = meanwhile
    assert k.apply([action.id])[0].action.state == "verified"  # type: ignore[union-attr]  # it was applied
    assert [refusal(o) for o in seen] == ["busy"]
    assert len(world.effects) == 1


def test_a_clock_that_jumps_back_gives_nobody_two_leases(store: Any, world: World) -> None:
    k = kernel(store, world)
    action = planned(k)

    def jump(call: Call) -> None:
        world.on_call = None
        world.time -= 3600

    world.on_call = jump
    assert k.apply([action.id])[0].action.state == "verified"  # type: ignore[union-attr]  # it was applied
    assert len(world.effects) == 1


# no time left


def test_what_is_taken_back_without_time_to_look_is_looked_at_later(store: Any, world: World) -> None:
    """It is not said to have failed between two states only because the function had to end."""
    k = kernel(store, world)
    action = repaired(k)
    shown = {"stale": True}

    class Stale(OneStep):
        def image(self, target: Any, read: Any) -> Any:
            image = super().image(target, read)
            return {**image, "on": True} if shown["stale"] else image

    world.on_wait = lambda seconds: False
    k = kernel(store, world, handler=Stale())
    outcome = k.rollback(action.id, "dan")
    assert outcome.action and outcome.action.state == "applied" and outcome.action.undoing
    shown["stale"], world.on_wait = False, None
    world.time += 400
    assert recovered(store, world, handler=Stale()).state == "rolled_back"


def test_verifying_ends_however_often_it_is_gone_on_with(store: Any, world: World) -> None:
    """A function that has less time than a change may take to show: each starts anew, and one of them is the last."""
    world.verdicts["a"] = "FAIL"
    world.on_wait = lambda seconds: False
    k = kernel(store, world, verify_seconds=1800)
    action = planned(k)
    assert k.apply([action.id])[0].action.state == "applied"  # type: ignore[union-attr]  # it was applied
    for _ in range(5):
        world.time += 900
        left = [60.0]

        def little(seconds: float, left: list[float] = left) -> bool:
            left[0] -= seconds
            return left[0] >= 0

        world.on_wait = little
        k.recover()
    assert store.get(action.id).state == "rolled_back"


def test_a_lease_that_cannot_be_given_back_hides_nothing(store: Any, world: World) -> None:
    def gone(lease: Any) -> None:
        raise StoreError("the table cannot be read or written")

    store.release = gone
    assert repaired(kernel(store, world)).state == "verified"


@pytest.mark.parametrize("how", ["rollback", "recover"])
def test_a_plan_that_was_changed_in_the_store_is_neither_gone_on_with_nor_taken_back(
    store: Any, world: World, how: str
) -> None:
    k = kernel(store, world)
    action = killed_in_call(store, world, effective=False) if how == "recover" else repaired(k)
    step = action.plan["steps"][0]
    other = {**step["call"], "arguments": {"Id": "b", "Value": True}}
    action = store.get(action.id)
    store.save(replace(action, plan={**action.plan, "steps": [{**step, "call": other, "undo": [other]}]}), [])
    effects = list(world.effects)
    k.owner = "another"
    outcome = k.rollback(action.id, "dan") if how == "rollback" else k.recover()[0]
    assert refusal(outcome) == "altered"
    assert world.effects == effects


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, SystemExit])
def test_who_is_interrupted_in_a_call_keeps_the_lease(
    store: Any, world: World, stopped: type[BaseException]
) -> None:
    """The call is on its way: whoever went on at once would read what was before, and make it a second time."""

    def interrupted(call: Call) -> None:
        world.on_call = None
        raise stopped

    world.on_call = interrupted
    k = kernel(store, world)
    action = planned(k)
    with pytest.raises(stopped):
        k.apply([action.id])
    other = kernel(store, world)
    other.owner = "another"
    assert [refusal(o) for o in other.recover()] == ["busy"]
    world.effect(Call("s3", "SetOn", {"Id": "a", "Value": True}))  # it arrives
    world.time += 400
    assert [o.action.state for o in other.recover() if o.action] == ["verified"]
    assert len(world.effects) == 1
