"""Ways to a wrong change through what a resource says of itself, and through a store that fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.remediate import breaker
from policyengine.remediate.api import Call
from policyengine.remediate.guards import created
from policyengine.remediate.ports import Observation, Subject
from policyengine.store.actions import Action, ConflictError, StoreError, UnfitError
from policyengine.store.sqlite_actions import SqliteActions
from tests.remediate.attacking import recovered
from tests.remediate.fake_world import ACCOUNT, REGION, World
from tests.remediate.test_kernel import AUTO, kernel, planned, refusal, repaired, subject


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteActions]:
    found = SqliteActions(tmp_path / "store" / "actions.db")
    yield found
    found.close()


@pytest.fixture
def world() -> World:
    return World(things={name: {"on": False, "name": name} for name in ("a", "b", "c")})


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
