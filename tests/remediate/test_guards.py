"""Guards that were tried to get around: time, settings, people and limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policyengine.config.remediation import Freeze, Limits, Remediating, Window
from policyengine.remediate import breaker
from policyengine.remediate.api import Call, Refused
from policyengine.store.actions import UnfitError
from policyengine.store.sqlite_actions import SqliteActions
from tests.remediate.attacking import NOW, killed_in_call, recovered
from tests.remediate.fake_world import OneStep, World, denied
from tests.remediate.test_kernel import AUTO, kernel, planned, refusal, repaired, subject


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteActions]:
    found = SqliteActions(tmp_path / "store" / "actions.db")
    yield found
    found.close()


@pytest.fixture
def world() -> World:
    return World(things={name: {"on": False, "name": name} for name in ("a", "b", "c")})


# a run that takes long


@pytest.mark.parametrize("what", ["window", "freeze", "approval", "switch"])
def test_what_ends_in_the_middle_of_a_run_ends_the_run(store: Any, world: World, what: str) -> None:
    """Each change takes twenty minutes."""
    slow = World(things=world.things, time=1_795_262_400.0)  # Saturday 12:00 UTC
    release = store.release

    def late(lease: Any) -> None:
        release(lease)
        slow.time += 1200

    store.release = late
    settings = replace(AUTO, waves=())
    if what == "window":
        settings = replace(settings, windows=(Window((5,), "11:00", "12:10"),))
    if what == "freeze":
        settings = replace(
            settings, freezes=(Freeze("2026-11-21T12:10:00+00:00", "2026-12-01T00:00:00+00:00"),)
        )
    if what == "approval":
        settings = replace(settings, plan_hours=1, automatic=frozenset())
    k = kernel(store, slow, settings)
    ids = [planned(k, name).id for name in ("a", "b")]
    if what == "approval":
        for id in ids:
            k.approve(id, "bob", store.get(id).plan_hash)
        slow.time += 3000
    if what == "switch":
        slow.after_call = lambda call: breaker.switch(
            store, off=True, who="o", why="w", at="2026-11-21T12:00:00Z"
        )
    outcomes = k.apply(ids)
    assert outcomes[0].action and outcomes[0].action.state == "verified"
    assert refusal(outcomes[1]) in ("outside_window", "not_approved", "breaker_open")
    assert [id for id, _, _ in slow.effects] == ["a"]


def test_a_lock_is_opened_whatever_the_handler_does(store: Any, world: World) -> None:
    class Turns(OneStep):
        wild = False

        def plan(self, target: Any, image: Any) -> Any:
            proposal = super().plan(target, image)
            step = proposal.steps[0]
            wrong = step._replace(call=Call("iam", "DeleteUser", {"UserName": "x"}))
            return proposal._replace(steps=(wrong,)) if self.wild else proposal

    handler = Turns()
    k = kernel(store, world, handler=handler)
    action = planned(k)
    handler.wild = True
    assert refusal(k.apply([action.id])[0]) == "not_known"
    assert store.get(action.id).state == "refused" and world.effects == []
    world.things["a"]["name"] = "other"
    assert refusal(k.plan(subject(), requested_by="alice", run="r")) == "not_known", "nor does a plan crash"


# settings that change


@pytest.mark.parametrize(
    "changed",
    [Remediating(), replace(AUTO, owned_by_code="change", automatic=frozenset())],
    ids=["nothing", "owned"],
)
def test_what_is_no_longer_automatic_does_not_run(store: Any, world: World, changed: Remediating) -> None:
    """It was let run without a person; before it did, the settings changed."""
    action = planned(kernel(store, world))
    assert action.state == "approved"
    assert refusal(kernel(store, world, changed).apply([action.id])[0]) == "drifted"
    assert world.effects == []


def test_another_version_of_the_handler_is_another_change(store: Any, world: World) -> None:
    action = planned(kernel(store, world))
    assert refusal(kernel(store, world, version=2).apply([action.id])[0]) == "drifted"
    assert world.effects == []


def test_a_zone_that_is_not_known_here_is_a_closed_window(store: Any, world: World) -> None:
    k = kernel(
        store,
        world,
        replace(AUTO, windows=(Window((0, 1, 2, 3, 4, 5, 6), "00:00", "23:59", "Mars/Olympus"),)),
    )
    outcome = k.apply([planned(k).id])[0]
    assert refusal(outcome) == "outside_window" and "Mars/Olympus" in str(outcome.refusal)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-29T00:59:59+00:00", False),  # 01:59:59 before the clocks go from 02:00 to 03:00
        ("2026-03-29T01:00:00+00:00", False),  # 03:00: 02:00 to 03:00 does not exist on this day
        ("2026-10-25T00:00:00+00:00", True),  # 02:00, for the first time
        ("2026-10-25T01:30:00+00:00", True),  # 02:30, for the second time
        ("2026-10-25T02:00:00+00:00", False),  # 03:00
    ],
)
def test_windows_where_the_clocks_change(store: Any, world: World, at: str, is_open: bool) -> None:
    from datetime import datetime

    world.time = datetime.fromisoformat(at).timestamp()
    window = Window((0, 1, 2, 3, 4, 5, 6), "02:00", "03:00", "Europe/Berlin")
    k = kernel(store, world, replace(AUTO, windows=(window,)))
    outcome = k.apply([planned(k).id])[0]
    assert (outcome.refusal is None) is is_open


@pytest.mark.parametrize(("after", "is_open"), [(-1, True), (0, False), (59, False), (60, True)])
def test_a_freeze_begins_and_ends_on_the_second(store: Any, world: World, after: int, is_open: bool) -> None:
    freeze = Freeze("2026-11-21T12:00:00+00:00", "2026-11-21T13:01:00+01:00")
    world.time = 1_795_262_400.0 + after
    k = kernel(store, world, replace(AUTO, freezes=(freeze,)))
    assert (k.apply([planned(k).id])[0].refusal is None) is is_open


# people


@pytest.mark.parametrize(
    "who",
    [
        "ａｌｉｃｅ",
        "al\u200bice",
        "alice\u00a0",
        "\ufeffalice",
        "ALICE",
        "\u202ealice",
        "alic\u0435",
        "\u0430lice",
        "ali\u00adce",
    ],
)
def test_no_spelling_of_a_name_makes_another_person(store: Any, world: World, who: str) -> None:
    k = kernel(store, world, Remediating())
    action = planned(k)
    with pytest.raises(Refused) as refused:
        k.approve(action.id, who, action.plan_hash)
    assert refused.value.code == "not_approved"
    assert store.get(action.id).state == "planned"


@pytest.mark.parametrize("second", ["ｂｏｂ", " bob ", "BOB", "bob\t"])
def test_two_spellings_are_one_person(store: Any, world: World, second: str) -> None:
    k = kernel(store, world, Remediating(), approvals=2)
    action = planned(k)
    k.approve(action.id, "bob", action.plan_hash)
    k.approve(action.id, second, action.plan_hash)
    assert refusal(k.apply([action.id])[0]) == "not_approved"


def test_an_approval_of_another_plan_is_none(store: Any, world: World) -> None:
    """An approval that was copied from one action to another approves nothing."""
    k = kernel(store, world, Remediating())
    one, other = planned(k, "a"), planned(k, "b")
    approved = k.approve(one.id, "bob", one.plan_hash)
    store.save(replace(other, approvals=approved.approvals, state="approved"), [])
    assert refusal(k.apply([other.id])[0]) == "not_approved"
    assert world.effects == []


# limits


def test_the_limit_of_a_run_is_not_evaded_by_planning_in_two(store: Any, world: World) -> None:
    world.things = {f"t{n:02}": {"on": False, "name": "x"} for n in range(12)}
    k = kernel(store, world)
    ids = [planned(k, name, run=f"run-{n % 2}").id for n, name in enumerate(world.things)]
    assert {refusal(o) for o in k.apply(ids)} == {"limit"}
    assert world.effects == []


def test_a_population_of_none_lets_one_through(store: Any, world: World) -> None:
    world.population = 0
    k = kernel(store, world)
    outcomes = k.apply([planned(k, name, f"run-{name}").id for name in ("a", "b")])
    assert {refusal(o) for o in outcomes} == {"limit"}
    assert repaired(k, "c", "run-c").state == "verified"


def test_limits_that_cannot_be_kept_refuse(store: Any, world: World) -> None:
    def too_many(*_: Any, **__: Any) -> None:
        raise UnfitError("150 counters cannot be added to at once, at most 100 can; nothing was written")

    store.count = too_many
    k = kernel(store, world)
    assert refusal(k.apply([planned(k).id])[0]) == "limit"
    assert world.effects == []


def test_the_same_action_named_twice_is_changed_once(store: Any, world: World) -> None:
    k = kernel(store, world, replace(AUTO, limits=Limits(run=10)))
    id = planned(k).id
    outcomes = k.apply([id, id])
    assert [o.refusal.code if o.refusal else None for o in outcomes] == [None, "busy"]
    assert len(world.effects) == 1


# the breaker


def test_only_one_goes_first_where_two_try(store: Any, world: World) -> None:
    assert store.write_flag("breaker", {"state": "open", "since": NOW - 7200, "why": "3 failed"}, was=None)
    k, other = kernel(store, world), kernel(store, world)
    other.owner = "another"
    ids = [planned(k, name, f"run-{name}").id for name in ("a", "b")]
    seen: list[str] = []

    def meanwhile(call: Call) -> None:
        world.on_call = None
        seen.append(refusal(other.apply([ids[1]])[0]))

    world.on_call = meanwhile
    assert k.apply([ids[0]])[0].action.state == "verified"  # type: ignore[union-attr]  # it was applied
    assert seen == ["breaker_open"]
    assert other.apply([ids[1]])[0].refusal is None, "the first closed it"


def test_the_one_that_goes_first_closes_nothing_when_it_is_refused(store: Any, world: World) -> None:
    store.write_flag("breaker", {"state": "open", "since": NOW - 7200, "why": "3 failed"}, was=None)
    k = kernel(store, world)
    ids = [planned(k, name, f"run-{name}").id for name in ("a", "b")]
    world.verdicts["a"] = "PASS"
    assert refusal(k.apply([ids[0]])[0]) == "not_failing"
    assert refusal(k.apply([ids[1]])[0]) == "breaker_open"
    world.time += 1900
    assert k.apply([ids[1]])[0].refusal is None, "after its pause the next one may try"


def test_one_that_was_killed_going_first_closes_it_when_gone_on_with(store: Any, world: World) -> None:
    store.write_flag("breaker", {"state": "open", "since": NOW - 7200, "why": "3 failed"}, was=None)
    killed_in_call(store, world, effective=True)
    assert recovered(store, world).state == "verified"
    assert store.read_flag("breaker")["state"] == "closed"


@pytest.mark.parametrize("skew", [-86_400.0, 86_400.0])
def test_a_breaker_opened_by_a_wrong_clock_stops_rather_than_lets_through(
    store: Any, world: World, skew: float
) -> None:
    """A day ahead it stays open for longer; a day behind its pause is over, and one goes first all the same."""
    store.write_flag("breaker", {"state": "open", "since": NOW + skew, "why": "3 failed"}, was=None)
    outcome = kernel(store, world).apply([planned(kernel(store, world)).id])[0]
    assert (outcome.refusal is None) is (skew < 0)
    assert store.read_flag("breaker")["state"] == ("closed" if skew < 0 else "open")


def test_failures_count_also_where_the_breaker_was_closed_by_a_clock_ahead(store: Any, world: World) -> None:
    """ "Failures before it was closed are forgiven": with a time in the future all would be."""
    world.things = {f"t{n}": {"on": False, "name": "x"} for n in range(4)}
    store.write_flag("breaker", {"state": "closed", "since": NOW + 86_400, "why": "verified"}, was=None)
    k = kernel(store, world)

    def fail(call: Call) -> None:
        raise denied(call)

    world.on_call = fail
    for n in range(3):
        assert repaired(k, f"t{n}", f"run-{n}").state == "failed"
    assert refusal(k.apply([planned(k, "t3", "run-3").id])[0]) == "breaker_open"
