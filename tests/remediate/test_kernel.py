"""The state machine over a real store (SQLite) and a small world: each line of the contract is a test.

Contract: docs/decisions/0014-remediation.md. Incidents are named after the issues that report them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policyengine.config.remediation import Approving, Breaker, Freeze, Limits, Remediating, Window
from policyengine.remediate import breaker
from policyengine.remediate.api import Call, Refused
from policyengine.remediate.kernel import Kernel, Outcome
from policyengine.remediate.planning import Planner
from policyengine.remediate.ports import Subject
from policyengine.store.chain import verify
from policyengine.store.sqlite_actions import SqliteActions
from tests.remediate.fake_world import (
    ACCOUNT,
    REGION,
    RULE,
    TYPE,
    OneStep,
    TwoSteps,
    World,
    denied,
    remediation,
    throttled,
    uncertain,
)

AUTO = Remediating(automatic=frozenset({"thing_on"}))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteActions]:
    found = SqliteActions(tmp_path / "store" / "actions.db")
    yield found
    found.close()


@pytest.fixture
def world() -> World:
    return World(things={name: {"on": False, "name": name} for name in ("a", "b", "c")})


def kernel(
    store: Any, world: World, settings: Remediating = AUTO, handler: Any = None, **declared: Any
) -> Kernel:
    planner = Planner(
        observer=world, hands=world, remediations=remediation(handler, **declared),
        rules={RULE: ("thing_on", "sha256:rule")}, settings=settings,
    )  # fmt: skip
    return Kernel(store=store, planner=planner, waiter=world, owner="test")


def subject(name: str = "a") -> Subject:
    return Subject(RULE, TYPE, name, ACCOUNT, REGION)


def planned(k: Kernel, name: str = "a", run: str = "run-1") -> Any:
    outcome = k.plan(subject(name), requested_by="alice", run=run)
    assert outcome.action is not None, outcome.refusal
    return outcome.action


def refusal(outcome: Outcome) -> str:
    assert outcome.refusal is not None, outcome.action
    return outcome.refusal.code


def repaired(k: Kernel, name: str = "a", run: str = "run-1") -> Any:
    return k.apply([planned(k, name, run).id])[0].action


def test_planning_changes_nothing(store: Any, world: World) -> None:
    """certbot #5927: a dry run that changes things."""
    action = planned(kernel(store, world))
    assert world.effects == []
    assert action.plan["before"] == {"on": False, "name": "a"}
    assert action.plan["after"] == {"on": True, "name": "a"}
    assert [s["call"]["operation"] for s in action.plan["steps"]] == ["SetOn"]
    assert action.plan["steps"][0]["undo"][0]["arguments"] == {"Id": "a", "Value": False}


def test_a_fail_is_repaired_and_verified(store: Any, world: World) -> None:
    action = repaired(kernel(store, world))
    assert (action.state, world.things["a"]["on"]) == ("verified", True)
    assert action.pre_image == {"on": False, "name": "a"}
    assert verify(list(store.journal())) is None
    kinds = [entry.kind for entry in store.journal() if entry.action == action.id]
    assert kinds == ["approved", "locked", "pre_image_saved", "call", "answer", "applied", "verified"]


def test_twice_changes_nothing(store: Any, world: World) -> None:
    k = kernel(store, world)
    repaired(k)
    assert refusal(k.plan(subject(), requested_by="alice", run="run-2")) == "not_failing"
    assert len(world.effects) == 1


def test_the_same_request_is_one_action_however_often_it_comes(store: Any, world: World) -> None:
    """c7n #7064: an event Lambda that fires more than once does its action twice."""
    k = kernel(store, world)
    actions = {planned(k, run=f"run-{n}").id for n in range(10)}
    assert len(actions) == 1
    outcomes = [k.apply([next(iter(actions))])[0] for _ in range(10)]
    assert [o.action.state for o in outcomes if o.action] == ["verified"] * 10
    assert len(world.effects) == 1


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("UNKNOWN", "not_known"), ("PASS", "not_failing"), ("NOT_APPLICABLE", "not_failing")],
)
def test_only_fail_is_repaired(store: Any, world: World, verdict: str, code: str) -> None:
    world.verdicts["a"] = verdict
    assert refusal(kernel(store, world).plan(subject(), requested_by="alice", run="r")) == code
    assert world.effects == []


def test_incident_c7n_2824_what_cannot_be_read_is_not_absent(store: Any, world: World) -> None:
    k = kernel(store, world)
    world.unreadable.add("a")
    assert refusal(k.plan(subject(), requested_by="alice", run="r")) == "not_known"
    assert refusal(k.plan(subject("nobody"), requested_by="alice", run="r")) == "not_failing"
    world.unreadable.clear()
    action = planned(k)
    world.unreadable.add("a")
    assert refusal(k.apply([action.id])[0]) == "not_known"
    assert world.effects == []


def test_incident_c7n_4949_tags_that_cannot_be_read_exclude(store: Any, world: World) -> None:
    from policyengine.model.values import Unresolved

    world.tags["a"] = Unresolved("read_error", "s3:GetBucketTagging: InternalError")
    assert refusal(kernel(store, world).plan(subject(), requested_by="alice", run="r")) == "not_known"


def test_a_waived_finding_is_left_alone(store: Any, world: World) -> None:
    world.waivers["a"] = {"id": "W-1", "reason": "accepted until June"}
    outcome = kernel(store, world).plan(subject(), requested_by="alice", run="r")
    assert refusal(outcome) == "waived"
    assert "accepted until June" in str(outcome.refusal)


def test_an_exclusion_tag_is_respected_and_told(store: Any, world: World) -> None:
    world.tags["a"] = {"policyengine:no-remediation": "owner asked"}
    outcome = kernel(store, world).plan(subject(), requested_by="alice", run="r")
    assert refusal(outcome) == "excluded"
    entry = list(store.journal())[-1]
    assert (entry.kind, entry.body["code"]) == ("refused", "excluded")


def test_what_a_stack_owns_gets_a_patch_for_its_template(store: Any, world: World) -> None:
    """azul #4892: a fix that fights what deploys."""
    world.tags["a"] = {"aws:cloudformation:stack-name": "web", "aws:cloudformation:logical-id": "Bucket"}
    k = kernel(store, world)
    action = planned(k)
    assert action.plan["plan_only"] and action.plan["owner"]["stack"] == "web"
    assert "stack `web`, resource `Bucket`" in action.plan["advice"]
    assert refusal(k.apply([action.id])[0]) == "plan_only"
    assert world.effects == []
    told = kernel(store, world, replace(AUTO, owned_by_code="change"))
    world.things["a"]["name"] = "other"  # another image, another request
    assert repaired(told).state == "verified"


def test_incident_c7n_262_what_was_just_made_is_left_to_settle(store: Any, world: World) -> None:
    k = kernel(store, world)
    outcome = k.plan(subject(), requested_by="e", run="r", not_before=world.now() + 300)
    assert refusal(outcome) == "too_young"
    world.time += 301
    assert k.plan(subject(), requested_by="e", run="r", not_before=world.now() - 1).action is not None


# approvals


def test_nothing_runs_without_a_person_unless_the_settings_say_so(store: Any, world: World) -> None:
    k = kernel(store, world, Remediating())
    action = planned(k)
    assert (action.state, action.plan["approvals"]) == ("planned", 1)
    assert refusal(k.apply([action.id])[0]) == "not_approved"
    assert k.approve(action.id, "bob", action.plan_hash).state == "approved"
    assert k.apply([action.id])[0].action.state == "verified"  # type: ignore[union-attr]  # it was applied


@pytest.mark.parametrize("who", ["alice", " Alice ", "ALICE", ""])
def test_nobody_approves_their_own_request(store: Any, world: World, who: str) -> None:
    k = kernel(store, world, Remediating())
    action = planned(k)
    with pytest.raises(Refused, match="somebody else"):
        k.approve(action.id, who, action.plan_hash)


def test_two_people_are_two(store: Any, world: World) -> None:
    k = kernel(store, world, Remediating(), approvals=2)
    action = planned(k)
    assert k.approve(action.id, "bob", action.plan_hash).state == "planned"
    assert k.approve(action.id, "BOB", action.plan_hash).state == "planned"
    assert k.approve(action.id, "carol", action.plan_hash).state == "approved"


def test_an_approval_runs_out(store: Any, world: World) -> None:
    k = kernel(store, world, Remediating(approving=Approving(hours=1), plan_hours=48))
    action = planned(k)
    k.approve(action.id, "bob", action.plan_hash)
    world.time += 3601
    assert refusal(k.apply([action.id])[0]) == "not_approved"


def test_production_asks_for_a_person_also_where_it_is_automatic(store: Any, world: World) -> None:
    world.tags["a"] = {"Environment": "Production"}
    assert planned(kernel(store, world)).plan["approvals"] == 1


def test_what_destroys_asks_for_two(store: Any, world: World) -> None:
    assert planned(kernel(store, world, AUTO, destructive=True)).plan["approvals"] == 2


def test_a_plan_that_was_changed_by_hand_is_refused(store: Any, world: World) -> None:
    k = kernel(store, world)
    action = planned(k)
    forged = {**action.plan, "steps": [{**action.plan["steps"][0], "call": {
        "service": "s3", "operation": "SetOn", "region": "", "arguments": {"Id": "b", "Value": True}}}]}  # fmt: skip
    store.save(replace(action, plan=forged), [])
    assert refusal(k.apply([action.id])[0]) == "altered"
    assert world.effects == []


def test_the_hash_of_another_plan_is_refused(store: Any, world: World) -> None:
    k = kernel(store, world, Remediating())
    one, other = planned(k, "a"), planned(k, "b")
    with pytest.raises(Refused, match="changed after it was made"):
        k.approve(one.id, "bob", other.plan_hash)


def test_a_resource_that_changed_since_is_refused(store: Any, world: World) -> None:
    k = kernel(store, world)
    action = planned(k)
    world.things["a"]["name"] = "renamed by somebody"
    outcome = k.apply([action.id])[0]
    assert refusal(outcome) == "drifted"
    assert "before" in str(outcome.refusal) and world.effects == []
    assert store.get(action.id).state == "refused"
    assert planned(k).id != action.id, "a refused action frees its key"


def test_a_plan_expires(store: Any, world: World) -> None:
    k = kernel(store, world)
    action = planned(k)
    world.time += 25 * 3600
    assert refusal(k.apply([action.id])[0]) == "busy"
    assert store.get(action.id).state == "expired"
    assert world.effects == []


# limits


def test_incident_c7n_3641_limits_are_on_without_being_asked_for(store: Any, world: World) -> None:
    world.things = {f"t{n}": {"on": False, "name": "x"} for n in range(11)}
    k = kernel(store, world)
    outcomes = k.apply([planned(k, name).id for name in world.things])
    assert {refusal(o) for o in outcomes} == {"limit"}
    assert world.effects == []


def test_incident_c7n_4997_a_limit_fails_whole(store: Any, world: World) -> None:
    """Ten are allowed, eleven are asked for: none is changed, and the ten can be changed afterwards."""
    world.things = {f"t{n:02}": {"on": False, "name": "x"} for n in range(11)}
    k = kernel(store, world)
    ids = [planned(k, name).id for name in world.things]
    k.apply(ids)
    assert world.effects == []
    assert {o.action.state for o in k.apply(ids[:10]) if o.action} == {"verified"}
    assert refusal(k.apply(ids[10:])[0]) == "limit", "the eleventh belongs to the same run"


def test_five_percent_of_a_type_in_an_account(store: Any, world: World) -> None:
    world.population = 40
    k = kernel(store, world)
    ids = [planned(k, name, run=f"run-{name}").id for name in ("a", "b", "c")]
    assert {refusal(o) for o in k.apply(ids)} == {"limit"}
    assert [o.refusal for o in k.apply(ids[:2])] == [None, None]


def test_one_may_always_be_changed(store: Any, world: World) -> None:
    world.population = 3
    k = kernel(store, world)
    assert repaired(k, "a").state == "verified"
    assert refusal(k.apply([planned(k, "b", "run-2").id])[0]) == "limit"


def test_no_sixty_minutes_hold_more_than_the_hourly_limit(store: Any, world: World) -> None:
    world.things = {f"t{n}": {"on": False, "name": "x"} for n in range(6)}
    k = kernel(store, world, replace(AUTO, limits=Limits(hour=2)))
    world.time = 1_795_003_100.0 - 1_795_003_100.0 % 3600 + 3590  # ten seconds before a full hour
    done = []
    for name in world.things:
        outcome = k.apply([planned(k, name, f"run-{name}").id])[0]
        done.append(outcome.refusal is None)
        world.time += 10
    assert sum(done) == 2


def test_a_run_may_not_go_through_many_accounts(store: Any, world: World) -> None:
    k = kernel(store, world, replace(AUTO, limits=Limits(accounts=0)))
    assert refusal(k.apply([planned(k).id])[0]) == "limit"


# windows


def test_no_change_outside_of_the_windows(store: Any, world: World) -> None:
    world.time = 1_795_262_400.0  # Saturday 2026-11-21 12:00 UTC
    weekdays = Window(days=(0, 1, 2, 3, 4), start="09:00", end="17:00", zone="Europe/Berlin")
    k = kernel(store, world, replace(AUTO, windows=(weekdays,)))
    action = planned(k)
    assert refusal(k.apply([action.id])[0]) == "outside_window"
    assert store.get(action.id).state == "approved", "a window is a matter of time, not an end"


def test_a_window_over_midnight_belongs_to_the_day_it_began(store: Any, world: World) -> None:
    night = Window(days=(5,), start="23:00", end="02:00", zone="UTC")
    k = kernel(store, world, replace(AUTO, windows=(night,), plan_hours=48))
    world.time = 1_795_262_400.0 + 13 * 3600  # Sunday 01:00
    assert repaired(k).state == "verified"


def test_what_may_interrupt_service_needs_a_window(store: Any, world: World) -> None:
    k = kernel(store, world, AUTO, window=True)
    outcome = k.apply([planned(k).id])[0]
    assert refusal(outcome) == "outside_window" and "none is declared" in str(outcome.refusal)


def test_a_freeze_stops_everything(store: Any, world: World) -> None:
    freeze = Freeze("2026-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00", "year end")
    k = kernel(store, world, replace(AUTO, freezes=(freeze,)))
    outcome = k.apply([planned(k).id])[0]
    assert refusal(outcome) == "outside_window" and "year end" in str(outcome.refusal)


# failing


def test_a_call_that_aws_refuses_leaves_the_resource_as_it_was(store: Any, world: World) -> None:
    def fail(call: Call) -> None:
        if call.operation == "SetOn":
            raise denied(call)

    world.on_call = fail
    k = kernel(store, world, handler=TwoSteps())
    action = repaired(k)
    assert (
        action.state == "failed" and "as it was before" in action.reason and "AccessDenied" in action.reason
    )
    assert world.things["a"] == {"on": False, "name": "a"}
    assert {each["step"]: each["state"] for each in action.done} == {"set name": "undone", "set on": "failed"}


def test_a_failed_undo_says_exactly_where_it_stopped(store: Any, world: World) -> None:
    def fail(call: Call) -> None:
        if call.operation == "SetOn" or call.arguments["Value"] == "a":
            raise denied(call)

    world.on_call = fail
    action = repaired(kernel(store, world, handler=TwoSteps()))
    assert (action.state, action.code) == ("failed", "stands_between")
    assert "set name done" in action.reason and "`name` differ" in action.reason


@pytest.mark.parametrize("effective", [True, False])
def test_a_call_nobody_answered_is_not_repeated_blindly(store: Any, world: World, effective: bool) -> None:
    def lose(call: Call) -> None:
        world.on_call = None
        if effective:
            world.effect(call)
        raise uncertain(call)

    world.on_call = lose
    action = repaired(kernel(store, world))
    assert action.state == ("verified" if effective else "failed")
    assert world.things["a"]["on"] is effective
    assert len(world.effects) == (1 if effective else 0)


def test_a_throttled_call_is_made_again(store: Any, world: World) -> None:
    tries: list[str] = []

    def slow(call: Call) -> None:
        tries.append(call.operation)
        if len(tries) < 3:
            raise throttled(call)

    world.on_call = slow
    assert repaired(kernel(store, world)).state == "verified"
    assert len(world.effects) == 1


def test_a_fix_that_does_not_hold_is_taken_back(store: Any, world: World) -> None:
    world.verdicts["a"] = "FAIL"
    action = repaired(kernel(store, world))
    assert (action.state, action.code) == ("rolled_back", "not_held")
    assert world.things["a"]["on"] is False


def test_a_fix_that_cannot_be_taken_back_is_left_and_told(store: Any, world: World) -> None:
    world.verdicts["a"] = "FAIL"
    action = repaired(kernel(store, world, AUTO, reversible="no"))
    assert action.state == "failed" and world.things["a"]["on"] is True


def test_what_cannot_be_verified_is_not_called_repaired(store: Any, world: World) -> None:
    world.after_call = lambda call: world.unreadable.add("a")
    action = repaired(kernel(store, world))
    assert (action.state, action.code) == ("failed", "unverified")


def test_somebody_elses_change_meanwhile_is_not_taken_back(store: Any, world: World) -> None:
    def meddle(call: Call) -> None:
        world.things["a"]["name"] = "meddled"

    world.after_call = meddle
    action = repaired(kernel(store, world))
    assert (action.state, action.code) == ("failed", "conflict")
    assert world.things["a"] == {"on": True, "name": "meddled"}


def test_an_eventually_consistent_answer_is_waited_for(store: Any, world: World) -> None:
    world.verdicts["a"] = "FAIL"
    looks: list[float] = []

    def later(seconds: float) -> bool:
        looks.append(seconds)
        if len(looks) == 3:
            del world.verdicts["a"]
        return True

    world.on_wait = later
    assert repaired(kernel(store, world)).state == "verified"


# rolling back


def test_rollback_restores_the_image(store: Any, world: World) -> None:
    k = kernel(store, world, handler=TwoSteps())
    action = repaired(k)
    assert world.things["a"] == {"on": True, "name": "repaired"}
    outcome = k.rollback(action.id, "dave")
    assert outcome.action and outcome.action.state == "rolled_back"
    assert world.things["a"] == {"on": False, "name": "a"}
    assert verify(list(store.journal())) is None


def test_rollback_never_overwrites_what_was_changed_since(store: Any, world: World) -> None:
    k = kernel(store, world)
    action = repaired(k)
    world.things["a"]["name"] = "changed since"
    outcome = k.rollback(action.id, "dave")
    assert refusal(outcome) == "drifted" and "`name` differ" in str(outcome.refusal)
    assert world.things["a"]["on"] is True


def test_there_is_no_rollback_of_a_plan(store: Any, world: World) -> None:
    k = kernel(store, world)
    assert refusal(k.rollback(planned(k).id, "dave")) == "unsupported"


# stopping


def test_the_kill_switch_stops_everybody(store: Any, world: World) -> None:
    k = kernel(store, world)
    breaker.switch(store, off=True, who="oncall", why="incident 12", at="2026-11-21T12:00:00Z")
    action = planned(k)
    outcome = k.apply([action.id])[0]
    assert refusal(outcome) == "breaker_open" and "incident 12" in str(outcome.refusal)
    breaker.switch(store, off=False, who="oncall", why="over", at="2026-11-21T13:00:00Z")
    assert k.apply([action.id])[0].refusal is None


def test_the_breaker_opens_after_three_failures_and_closes_with_a_canary(store: Any, world: World) -> None:
    world.things = {f"t{n}": {"on": False, "name": "x"} for n in range(8)}
    k = kernel(store, world, replace(AUTO, limits=Limits(hour=100)))

    def fail(call: Call) -> None:
        raise denied(call)

    world.on_call = fail
    for n in range(3):
        assert repaired(k, f"t{n}", f"run-{n}").state == "failed"
    world.on_call = None
    assert refusal(k.apply([planned(k, "t3", "run-3").id])[0]) == "breaker_open"
    world.time += Breaker().pause + 1
    assert repaired(k, "t4", "run-4").state == "verified", "one goes first"
    assert repaired(k, "t5", "run-5").state == "verified", "and the breaker is closed"


def test_incident_azul_4892_what_does_not_stay_repaired_stops(store: Any, world: World) -> None:
    k = kernel(store, world, replace(AUTO, repeat_seconds=60))
    for n in range(2):
        assert repaired(k, run=f"run-{n}").state == "verified"
        world.time += 3600
        world.things["a"]["on"] = False  # somebody puts it back
    outcome = k.plan(subject(), requested_by="alice", run="run-3")
    assert refusal(outcome) == "flapping" and "2 times" in str(outcome.refusal)


def test_a_wave_that_fails_stops_the_next(store: Any, world: World) -> None:
    world.things = {f"t{n}": {"on": False, "name": "x"} for n in range(6)}
    k = kernel(store, world)
    ids = [planned(k, name).id for name in world.things]

    def fail(call: Call) -> None:
        raise denied(call)

    world.on_call = fail
    outcomes = k.apply(ids)
    assert [o.action.state for o in outcomes if o.action] == ["failed"] + ["approved"] * 5


def test_incident_c7n_7555_one_that_is_protected_does_not_stop_the_others_of_its_wave(
    store: Any, world: World
) -> None:
    world.things = {f"t{n}": {"on": False, "name": "x"} for n in range(4)}
    k = kernel(store, world, replace(AUTO, waves=()))

    def protect(call: Call) -> None:
        if call.arguments["Id"] == "t1":
            raise denied(call)

    world.on_call = protect
    outcomes = k.apply([planned(k, name).id for name in world.things])
    assert [o.action.state for o in outcomes if o.action] == ["verified", "failed", "verified", "verified"]


def test_incident_cloudconformity_78_two_changes_of_one_resource_do_not_meet(
    store: Any, world: World
) -> None:
    k = kernel(store, world)
    action = planned(k)
    assert store.lease(action.resource, "somebody else", seconds=60, now=world.now())
    assert refusal(k.apply([action.id])[0]) == "busy"
    world.time += 61
    assert k.apply([action.id])[0].action.state == "verified"  # type: ignore[union-attr]  # it was applied


def test_a_handler_that_crashes_changes_nothing_and_quotes_nothing(store: Any, world: World) -> None:
    class Broken(OneStep):
        def plan(self, target: Any, image: Any) -> Any:
            raise KeyError("the secret it was reading")

    outcome = kernel(store, world, handler=Broken()).plan(subject(), requested_by="alice", run="r")
    assert refusal(outcome) == "not_known"
    assert "KeyError" in str(outcome.refusal) and "secret" not in str(outcome.refusal)


def test_unknown_rules_and_types_are_refused(store: Any, world: World) -> None:
    k = kernel(store, world)
    for wrong in (subject()._replace(rule="no-such-rule"), subject()._replace(type="AWS::EC2::Volume")):
        assert refusal(k.plan(wrong, requested_by="alice", run="r")) == "unknown_target"


def test_what_is_switched_off_uses_up_no_limit(store: Any, world: World) -> None:
    k = kernel(store, world, replace(AUTO, limits=Limits(hour=1)))
    action = planned(k)
    breaker.switch(store, off=True, who="oncall", why="incident", at="2026-11-21T12:00:00Z")
    assert refusal(k.apply([action.id])[0]) == "breaker_open"
    breaker.switch(store, off=False, who="oncall", why="over", at="2026-11-21T13:00:00Z")
    assert k.apply([action.id])[0].refusal is None


def test_a_run_that_a_limit_refused_is_in_the_journal(store: Any, world: World) -> None:
    k = kernel(store, world, replace(AUTO, limits=Limits(run=1)))
    ids = [planned(k, name).id for name in ("a", "b")]
    k.apply(ids)
    told = {entry.action for entry in store.journal() if entry.body.get("code") == "limit"}
    assert told == set(ids)


def test_one_that_has_drifted_does_not_stop_the_waves_after_it(store: Any, world: World) -> None:
    world.things = {f"t{n}": {"on": False, "name": "x"} for n in range(4)}
    k = kernel(store, world)
    ids = [planned(k, name).id for name in world.things]
    world.things["t0"]["name"] = "changed since"
    outcomes = k.apply(ids, by="ann")
    assert [o.action.state for o in outcomes if o.action] == ["refused"] + ["verified"] * 3
    assert any(
        entry.kind == "locked" and "let go by ann" in entry.body.get("reason", "")
        for entry in store.journal()
    )
