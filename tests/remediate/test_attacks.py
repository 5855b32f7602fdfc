"""Ways to a wrong change that were tried on the kernel: each is a test of what has to happen instead."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.config.remediation import Freeze, Limits, Remediating, Window
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.remediate import breaker
from policyengine.remediate.api import Call, Refused
from policyengine.remediate.guards import created
from policyengine.remediate.images import between
from policyengine.remediate.ports import Observation, Subject
from policyengine.store.actions import Action, ConflictError, Note, StoreError, UnfitError
from policyengine.store.sqlite_actions import SqliteActions
from tests.remediate.fake_world import ACCOUNT, REGION, Killed, OneStep, TwoSteps, World, denied, uncertain
from tests.remediate.test_kernel import AUTO, kernel, planned, refusal, repaired, subject

NOW = World().time


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteActions]:
    found = SqliteActions(tmp_path / "store" / "actions.db")
    yield found
    found.close()


@pytest.fixture
def world() -> World:
    return World(things={name: {"on": False, "name": name} for name in ("a", "b", "c")})


def killed_in_call(
    store: Any, world: World, *, effective: bool, handler: Any = None, operation: str = "SetOn"
) -> Action:
    """A change whose process ends in a call, with or without its effect; its lease has run out since."""

    def end(call: Call) -> None:
        if call.operation == operation:
            if effective:
                world.effect(call)
            raise Killed

    action = planned(kernel(store, world, handler=handler))
    world.on_call = end
    with contextlib.suppress(Killed):
        kernel(store, world, handler=handler).apply([action.id])
    store.lease(action.resource, "test", seconds=180, now=world.time)  # the dead give nothing back
    world.on_call = None
    world.time += 400
    found: Action = store.get(action.id)
    assert found.state == "pre_image_saved"
    return found


def recovered(store: Any, world: World, settings: Remediating = AUTO, handler: Any = None) -> Action:
    k = kernel(store, world, settings, handler)
    k.owner = "another"
    return next(o.action for o in k.recover() if o.action is not None)


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


# what a resource is and says of itself


class Dated(World):
    """Things were made at a time."""

    made = "2026-01-01T00:00:00+00:00"

    def observe(self, subject: Subject) -> Observation:
        seen = super().observe(subject)
        if seen.resource is None:
            return seen
        found = Resource(
            "AWS::SQS::Queue", seen.resource.id, seen.resource.account, seen.resource.region,
            {"CreatedTimestamp": self.made}, arn=seen.resource.arn, tags=seen.resource.tags,
        )  # fmt: skip
        return seen._replace(resource=found)


def test_one_of_the_same_name_that_was_made_anew_is_another(store: Any, world: World) -> None:
    dated = Dated(things=world.things)
    k = kernel(store, dated, types=["AWS::S3::Bucket", "AWS::SQS::Queue"])
    action = planned(k)
    dated.made = "2026-06-01T00:00:00+00:00"
    assert refusal(k.apply([action.id])[0]) == "drifted"
    assert dated.effects == []


def test_a_bucket_whose_policy_was_edited_is_not_made_anew() -> None:
    """S3's date of creation is not one (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html)."""
    bucket = Resource("AWS::S3::Bucket", "b", ACCOUNT, REGION, {"CreationDate": "2026-01-01T00:00:00+00:00"})
    queue = Resource("AWS::SQS::Queue", "q", ACCOUNT, REGION, {"CreatedTimestamp": "2026-01-01T00:00:00Z"})
    assert (created(bucket), created(queue)) == (None, "2026-01-01T00:00:00Z")


def test_nothing_is_taken_back_of_one_that_was_made_anew(store: Any, world: World) -> None:
    dated = Dated(things=world.things)
    k = kernel(store, dated, types=["AWS::S3::Bucket", "AWS::SQS::Queue"])
    action = repaired(k)
    dated.made = "2026-06-01T00:00:00+00:00"
    outcome = k.rollback(action.id, "dan")
    assert refusal(outcome) == "drifted" and "made anew" in str(outcome.refusal)
    assert dated.things["a"]["on"] is True


def test_tags_that_cannot_be_read_refuse_also_without_exclusion_tags(store: Any, world: World) -> None:
    """c7n #4949: one of them may say that a stack owns it."""
    world.tags["a"] = Unresolved("read_error", "s3:GetBucketTagging: InternalError")
    k = kernel(store, world, replace(AUTO, exclusion_tags=()))
    assert refusal(k.plan(subject(), requested_by="alice", run="r")) == "not_known"


def test_a_stack_whose_name_cannot_be_read_owns_it_all_the_same(store: Any, world: World) -> None:
    world.tags["a"] = {"aws:cloudformation:stack-name": Unresolved("read_error", "")}
    assert planned(kernel(store, world)).plan["plan_only"]


@pytest.mark.parametrize("tag", ["PolicyEngine:No-Remediation", "POLICYENGINE:NO-REMEDIATION"])
def test_an_exclusion_tag_excludes_however_it_is_written(store: Any, world: World, tag: str) -> None:
    world.tags["a"] = {tag: "please"}
    assert refusal(kernel(store, world).plan(subject(), requested_by="alice", run="r")) == "excluded"


def test_more_of_the_type_by_now_is_no_other_change(store: Any, world: World) -> None:
    k = kernel(store, world)
    action = planned(k)
    world.population += 1
    assert k.apply([action.id])[0].action.state == "verified"  # type: ignore[union-attr]  # it was applied


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


# the store


def test_a_store_that_is_gone_after_the_call_loses_nothing(store: Any, world: World) -> None:
    save = store.save

    def gone(*_: Any, **__: Any) -> Action:
        raise StoreError("the table cannot be read or written")

    def cut(call: Call) -> None:
        store.save = gone

    world.after_call = cut
    k = kernel(store, world)
    action = planned(k)
    with pytest.raises(StoreError):
        k.apply([action.id])
    store.save, world.after_call = save, None
    world.time += 400
    assert recovered(store, world).state == "verified"
    assert len(world.effects) == 1


def test_one_action_that_cannot_be_kept_does_not_keep_others_from_going_on(store: Any, world: World) -> None:
    k = kernel(store, world)
    ids = [planned(k, name).id for name in ("a", "b")]
    for id in ids:
        store.save(store.get(id).moved("locked", store.get(id).updated_at), [])
    save = store.save

    def unfit(action: Action, *given: Any, **more: Any) -> Action:
        if action.id == ids[0]:
            raise UnfitError("too large")
        return save(action, *given, **more)  # type: ignore[no-any-return]  # the store's own

    store.save = unfit
    outcomes = {o.action.id: o for o in k.recover() if o.action is not None}
    assert refusal(outcomes[ids[0]]) == "unsupported"
    assert outcomes[ids[1]].action.state == "approved"  # type: ignore[union-attr]  # there is one


def test_somebody_who_moves_an_action_that_is_refused_ends_no_run(store: Any, world: World) -> None:
    """Between reading and writing the refusal another process wrote: the rest of the run goes on."""
    k = kernel(store, world, replace(AUTO, waves=()))
    ids = [planned(k, name).id for name in ("a", "b")]
    world.verdicts["a"] = "PASS"
    save = store.save

    def quicker(action: Action, notes: Any, *given: Any, **more: Any) -> Action:
        if action.state == "refused":
            raise ConflictError("changed by somebody else")
        return save(action, notes, *given, **more)  # type: ignore[no-any-return]  # the store's own

    store.save = quicker
    outcomes = k.apply(ids)
    assert refusal(outcomes[0]) == "not_failing"
    assert outcomes[1].action and outcomes[1].action.state == "verified"


def test_a_switch_that_is_not_written_is_an_error(store: Any) -> None:
    store.write_flag = lambda *_, **__: False
    with pytest.raises(StoreError, match="not switched off"):
        breaker.switch(store, off=True, who="oncall", why="stop", at="2026-11-21T12:00:00Z")


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
