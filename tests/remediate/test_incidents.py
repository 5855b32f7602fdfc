"""What went wrong elsewhere, and was not a test of its own by name yet. The others stand beside what they are about:
``grep -rn "def test_incident" tests remediations``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policyengine.config.remediation import Limits, Remediating
from policyengine.remediate.api import Call
from policyengine.store.actions import ConflictError, Note
from policyengine.store.chain import verify
from policyengine.store.sqlite_actions import SqliteActions
from tests.remediate.fake_world import TwoSteps, World, denied
from tests.remediate.test_kernel import AUTO, kernel, planned, refusal, repaired, subject


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteActions]:
    found = SqliteActions(tmp_path / "store" / "actions.db")
    yield found
    found.close()


@pytest.fixture
def world() -> World:
    return World(things={name: {"on": False, "name": name} for name in ("a", "b", "c")})


def test_incident_certbot_5927_a_dry_run_makes_no_call(store: Any, world: World) -> None:
    """Updaters ran under --dry-run. Here planning has no hands: every way through it, also those that are refused."""

    def never(call: Call) -> None:
        raise AssertionError(f"planning called {call.name}")

    world.on_call = never
    k = kernel(store, world, handler=TwoSteps())
    for name in ("a", "b", "nobody"):
        for _ in range(2):
            k.plan(subject(name), requested_by="alice", run="r")
    world.unreadable.add("c")
    k.plan(subject("c"), requested_by="alice", run="r")
    assert world.effects == []


def test_incident_c7n_7064_an_event_that_comes_twice_changes_once(store: Any, world: World) -> None:
    """The function fired more than once and did its action twice: before, while and after it is done."""
    k, other = kernel(store, world), kernel(store, world)
    other.owner = "another function"
    answers: list[str] = []

    def again(call: Call) -> None:
        world.on_call = None
        outcome = other.plan(subject(), requested_by="event", run="second")
        assert outcome.action is not None
        answers.append(refusal(other.apply([outcome.action.id])[0]))

    world.on_call = again
    first = planned(k, run="first")
    assert planned(other, run="before").id == first.id
    assert k.apply([first.id])[0].action.state == "verified"  # type: ignore[union-attr]  # it was applied
    assert answers == ["busy"]
    assert refusal(other.plan(subject(), requested_by="event", run="after")) == "not_failing"
    assert world.effects == [("a", "on", True)]


def test_incident_c7n_7201_what_was_removed_is_on_record(store: Any, world: World) -> None:
    """Rules were removed and nothing said which: the image before, and each call that would put it back, are kept."""
    world.things["a"]["name"] = "what was there"
    action = store.get(repaired(kernel(store, world, handler=TwoSteps())).id)
    assert action.pre_image == {"on": False, "name": "what was there"}
    undo = [call["arguments"]["Value"] for step in action.plan["steps"] for call in step["undo"]]
    assert undo == ["what was there", False]
    calls = [entry for entry in store.journal() if entry.action == action.id and entry.kind == "answer"]
    assert [entry.body["request_id"] for entry in calls] == ["req-1", "req-2"]
    saved = next(entry for entry in store.journal() if entry.kind == "pre_image_saved")
    assert saved.body["pre_image"].startswith("sha256:")


def test_incident_aws_config_rules_56_a_repair_does_not_hide_that_it_failed(store: Any, world: World) -> None:
    """ "You won't see that your resource was ever NON_COMPLIANT": the finding, since when and what became of it are kept."""
    action = store.get(repaired(kernel(store, world)).id)
    assert (action.plan["rule"], action.plan["finding"], action.plan["message"]) == (
        "thing-on",
        "f-a",
        "it is off",
    )
    kinds = [entry.kind for entry in store.journal() if entry.action == action.id]
    assert kinds[0] == "approved" and kinds[-1] == "verified"
    assert verify(list(store.journal())) is None


def test_incident_asr_3_1_3_a_status_is_not_overwritten_by_who_comes_late(store: Any, world: World) -> None:
    """Two wrote the status of one finding, and the last won: here the one that read an older state is refused."""
    k = kernel(store, world)
    early = planned(k)
    k.apply([early.id])
    late = early.moved("failed", early.updated_at, reason="written by one that was late")
    with pytest.raises(ConflictError):
        store.save(late, [Note(early.updated_at, early.id, "failed")])
    assert store.get(early.id).state == "verified"
    assert [entry.kind for entry in store.journal()][-1] == "verified"


def test_incident_modernisation_platform_129_nothing_is_changed_that_nobody_agreed_to(
    store: Any, world: World
) -> None:
    """Automatic repair was dropped: "risk of impacting the application is too high". Out of the box a person agrees, and in
    production also where it was made automatic."""
    assert planned(kernel(store, world, Remediating()), "a").state == "planned"
    world.tags["b"] = {"Environment": "prod"}
    asked = planned(kernel(store, world), "b")
    assert (asked.state, asked.plan["approvals"]) == ("planned", 1)
    assert refusal(kernel(store, world).apply([asked.id])[0]) == "not_approved"
    assert world.effects == []


def test_incident_s3_2017_a_slip_of_the_hand_removes_nothing(store: Any, world: World) -> None:
    """A playbook's argument took too many servers away: what asks for too much changes nothing, and so does trying
    again, and again in parts of the same run."""
    world.things = {f"t{n:02}": {"on": False, "name": "x"} for n in range(30)}
    k = kernel(store, world, replace(AUTO, limits=Limits(share=1.0)))
    ids = [planned(k, name).id for name in world.things]
    for _ in range(3):
        assert {refusal(o) for o in k.apply(ids)} == {"limit"}
    assert world.effects == []
    for start in range(0, 30, 10):
        k.apply(ids[start : start + 10])
    assert len(world.effects) == 10


def test_incident_dynamodb_2025_a_delayed_plan_does_not_undo_a_newer_one(store: Any, world: World) -> None:
    """An enactor that was delayed applied an old plan over a newer one. Its plan is of how the resource was."""
    k = kernel(store, world, handler=TwoSteps())
    delayed = planned(k)
    world.things["a"] = {"on": False, "name": "newer"}  # somebody's newer plan
    newer = repaired(k, run="newer")
    assert newer.state == "verified"
    there = dict(world.things["a"])
    assert refusal(k.apply([delayed.id])[0]) in ("not_failing", "drifted")
    world.things["a"]["on"] = False
    late = k.apply([delayed.id])[0]
    assert late.refusal is not None and world.things["a"] == {**there, "on": False}


def test_incident_data_browser_2964_a_repair_that_breaks_a_site_is_one_command_to_take_back(
    store: Any, world: World
) -> None:
    """Public access was blocked under a site and put back by hand. Here it is one rollback, and it stays taken back."""
    k = kernel(store, world, replace(AUTO, repeat_seconds=60), handler=TwoSteps())
    before = dict(world.things["a"])
    action = repaired(k)
    assert k.rollback(action.id, "oncall").action.state == "rolled_back"  # type: ignore[union-attr]  # it was there
    assert world.things["a"] == before
    world.time += 3700
    again = planned(k, run="next event")
    assert again.state == "planned" and "oncall" in again.plan["concerns"][-1]


def test_incident_c7n_7555_a_failure_in_one_account_leaves_the_others_actions_as_they_were(
    store: Any, world: World
) -> None:
    """The first wave fails: those that wait are not used up, and can be applied when it is mended."""
    k = kernel(store, world)
    ids = [planned(k, name).id for name in ("a", "b", "c")]

    def fail(call: Call) -> None:
        raise denied(call)

    world.on_call = fail
    assert [o.action.state for o in k.apply(ids) if o.action] == ["failed", "approved", "approved"]
    world.on_call = None
    assert [o.action.state for o in k.apply(ids[1:]) if o.action] == ["verified", "verified"]
