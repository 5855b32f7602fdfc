"""What is DynamoDB's own: sizes, conflicts, lost answers, throttling, the table itself."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.aws.failures import CallFailure
from policyengine.store import dynamo_table
from policyengine.store.actions import (
    APPLIED,
    FAILED,
    ActionStore,
    ConflictError,
    Count,
    NoSuchActionError,
    Note,
    StoreError,
    UnfitError,
)
from policyengine.store.chain import verify
from policyengine.store.dynamo_table import ACTIONS, MOST_BYTES, Cancelled, Table, number
from policyengine.store.open_actions import open_store
from tests.store.conftest import REGION, Tables
from tests.store.model import action, note


@pytest.fixture
def where(tables: Tables) -> str:
    return tables.new()


@pytest.fixture
def store(tables: Tables, where: str) -> ActionStore:
    return open_store(where, account=tables.account)


def everything(tables: Tables, where: str) -> list[dict[str, Any]]:
    pages = tables.client().get_paginator("scan").paginate(TableName=where[9:].partition("@")[0])
    return [item for page in pages for item in page["Items"]]


def test_an_action_that_is_too_large_is_refused_before_anything_is_written(
    tables: Tables, where: str, store: ActionStore
) -> None:
    with pytest.raises(UnfitError, match=r"the action act-1 has 2\d\d,\d{3} bytes.*nothing was written"):
        store.claim(action("act-1", plan={"a": "x" * 200_000}), note(), until=1.0, now=0.0)
    with pytest.raises(UnfitError, match="a note of the journal"):
        store.note(note(text="x" * MOST_BYTES))
    with pytest.raises(UnfitError, match="the flag"):
        store.write_flag("f", {"a": "x" * MOST_BYTES}, was=None)
    with pytest.raises(UnfitError, match="101 counters"):
        store.count([Count(str(n), 1, 1) for n in range(101)], now=0.0, seconds=1)
    assert everything(tables, where) == []


def test_there_is_room_for_what_was_done(store: ActionStore) -> None:
    """A pre-image may have half of an item: what a step answers is never what there is no room for."""
    was = store.claim(action("act-1", pre_image={"a": "x" * 190_000}), note(), until=1.0, now=0.0)
    with pytest.raises(UnfitError):
        store.save(was.moved(APPLIED, was.updated_at, post_image={"a": "x" * 190_000}), [])
    done = ({"step": "s", "state": "done"},)
    saved = store.save(was.moved(APPLIED, was.updated_at, post_image={"a": "x" * 190_000}, done=done), [])
    assert store.get("act-1") == saved
    with pytest.raises(UnfitError):
        store.save(saved.moved(FAILED, was.updated_at, reason="x" * 30_000), [])


def test_too_many_notes_at_once(tables: Tables, where: str, store: ActionStore) -> None:
    was = store.claim(action("act-1"), note(), until=1.0, now=0.0)
    with pytest.raises(UnfitError, match="at most 100"):
        store.save(was, [note() for _ in range(100)])
    assert store.get("act-1") == was and store.head()[0] == 1
    assert store.save(was, [note() for _ in range(90)]).version == 2
    assert verify(store.journal(), head=store.head()) is None


def each_write(store: ActionStore, round: int) -> None:
    """Every method that writes, once; what comes out must not depend on how often a request was sent."""
    id, now = f"act-{round}", float(round)
    got = store.claim(action(id, f"k{round}"), note(id), until=1.0, now=now)
    assert got.id == id
    lease = store.lease(got.resource, "me", seconds=10, now=now)
    assert lease is not None
    lease = store.renew(lease, seconds=20, now=now)
    assert store.save(got.moved(APPLIED, got.updated_at), [note(id, APPLIED)], lease, until=9.0).version == 2
    store.release(lease)
    assert store.count([Count(f"c{round}", 2, 3), Count(f"d{round}", 1, 3)], now=now, seconds=5) is None
    assert store.count([Count(f"c{round}", 1, 3)], now=now, seconds=5) is None
    assert store.count([Count(f"c{round}", 1, 3)], now=now, seconds=5) is not None
    assert store.write_flag(f"f{round}", {"a": 1}, was=None)
    assert store.write_flag(f"f{round}", {"a": 2}, was={"a": 1})
    assert store.note(note(id, "call")).kind == "call"
    assert verify(store.journal(), head=store.head()) is None
    assert len([e for e in store.journal() if e.action == id]) == 3


@pytest.mark.parametrize("fault", ["lost", "conflict", pytest.param("throttled", marks=pytest.mark.slow)])
def test_a_write_that_has_to_be_sent_again_is_done_once(
    tables: Tables, store: ActionStore, fault: str
) -> None:
    """Each of the nine writes in turn meets the fault: the answer is lost, or it is refused for the moment."""
    for at in range(10):
        tables.faults()
        store_at = at

        class Once:
            left = store_at

        original = Table._call

        def call(self: Table, operation: str, arguments: Any, **more: Any) -> Any:
            if operation in ("TransactWriteItems", "UpdateItem"):
                if Once.left == 0:
                    tables.faults(**{fault: 1})
                Once.left -= 1
            return original(self, operation, arguments, **more)  # noqa: B023

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Table, "_call", call)
            each_write(store, at)
    tables.faults()


@pytest.mark.parametrize(
    ("reasons", "passing"),
    [
        ("[None, ConditionalCheckFailed]", True), ("[TransactionConflict, None]", True), ("[ThrottlingError]", True),
        ("[None, ValidationError]", False), ("[ItemCollectionSizeLimitExceeded]", False), ("[None, AccessDenied", True),
    ],
)  # fmt: skip
def test_a_transaction_that_can_never_be_done_is_not_tried_again(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, reasons: str, passing: bool
) -> None:
    """moto has only the first reason. Stubbed, in the words of
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html."""

    def call(*given: Any) -> Any:
        text = f"Transaction cancelled, please refer cancellation reasons for specific reasons {reasons}"
        raise CallFailure("dynamodb:TransactWriteItems", "read_error", "TransactionCanceledException", text)

    monkeypatch.setattr(tables.account, "call", call)
    with pytest.raises(Cancelled if passing else StoreError):
        Table(tables.account, "t", REGION).transact([])


def test_many_conflicts_in_a_row(tables: Tables, store: ActionStore) -> None:
    tables.faults(conflict=6)
    assert store.note(note()).seq == 1
    assert verify(store.journal(), head=store.head()) is None


def test_what_stays_busy_is_given_up(
    tables: Tables, store: ActionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamo_table, "_PATIENCE", 0.3)
    tables.faults(conflict=10_000)
    try:
        with pytest.raises(
            StoreError, match=r"too busy for 0\.3 seconds, and nothing was written.*TransactionConflict"
        ):
            store.note(note())
    finally:
        tables.faults()
    assert store.head()[0] == 0


def test_a_table_that_is_not_there_or_of_another_version(
    tables: Tables, where: str, store: ActionStore
) -> None:
    missing = open_store(f"dynamodb:nobody@{REGION}", account=tables.account)
    for ask in (lambda: missing.get("a"), lambda: list(missing.journal()), lambda: missing.note(note())):
        with pytest.raises(StoreError, match="the table `nobody` in eu-west-1 does not exist"):
            ask()
    store.note(note())
    tables.client().update_item(
        TableName=where[9:].partition("@")[0], Key=dynamo_table.key("journal", "head"),
        UpdateExpression="SET #f = :f", ExpressionAttributeNames={"#f": "format"},
        ExpressionAttributeValues={":f": number(2)},
    )  # fmt: skip
    newer = open_store(where, account=tables.account)
    for ask in (
        lambda: newer.get("a"), lambda: list(newer.find()), lambda: newer.note(note()),
        lambda: newer.lease("r", "me", seconds=1, now=0.0), lambda: newer.read_flag("f"),
    ):  # fmt: skip
        with pytest.raises(StoreError, match="has version 2; expected 1"):
            ask()


def test_tampering_in_the_table_is_found(tables: Tables, where: str, store: ActionStore) -> None:
    for n in range(4):
        store.note(note(n=n))
    name = where[9:].partition("@")[0]
    place = dynamo_table.key("journal#000000", "000000000003")
    tables.client().update_item(
        TableName=name,
        Key=place,
        UpdateExpression="SET body = :b",
        ExpressionAttributeValues={":b": {"S": "{}"}},
    )
    problem = verify(store.journal(), head=store.head())
    assert problem is not None and (problem.seq, problem.kind) == (3, "changed")
    tables.client().delete_item(TableName=name, Key=place)
    problem = verify(store.journal(), head=store.head())
    assert problem is not None and (problem.seq, problem.kind) == (3, "gap")


def test_only_what_may_be_forgotten_has_a_time_to_live(
    tables: Tables, where: str, store: ActionStore
) -> None:
    each_write(store, 1)
    lives = {item["pk"]["S"].partition("#")[0] for item in everything(tables, where) if "ttl" in item}
    assert lives == {"count"}
    counters = [item for item in everything(tables, where) if "ttl" in item]
    assert all(int(item["ttl"]["N"]) >= float(item["until"]["N"]) + 86_000 for item in counters)


def test_the_declared_permissions_are_those_of_the_calls(tables: Tables, store: ActionStore) -> None:
    """A transaction is allowed by the actions of its parts
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html)."""
    asked: set[str] = set()
    original = Table._call

    def call(self: Table, operation: str, arguments: Any, **more: Any) -> Any:
        parts = {
            "Put": "PutItem",
            "Update": "UpdateItem",
            "Delete": "DeleteItem",
            "ConditionCheck": "ConditionCheckItem",
        }
        if operation == "TransactWriteItems":
            asked.update(parts[next(iter(part))] for part in arguments["TransactItems"])
        else:
            asked.add(operation)
        return original(self, operation, arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "_call", call)
        each_write(store, 2)
        was = store.get("act-2")
        store.save(was.moved(FAILED, was.updated_at), [])
        assert [a.id for a in store.find(states=(FAILED,))] == ["act-2"]
    assert {f"dynamodb:{name}" for name in asked} == set(ACTIONS)


def test_every_read_is_strongly_consistent(tables: Tables, store: ActionStore) -> None:
    seen: list[str] = []
    original = Table._call

    def call(self: Table, operation: str, arguments: Any, **more: Any) -> Any:
        if operation in ("GetItem", "Query"):
            assert arguments["ConsistentRead"] is True
            seen.append(operation)
        elif operation == "BatchGetItem":
            assert all(asked["ConsistentRead"] for asked in arguments["RequestItems"].values())
            seen.append(operation)
        return original(self, operation, arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Table, "_call", call)
        each_write(store, 3)
        for wanted in ({}, {"resource": action("x").resource}, {"states": (APPLIED,)}):
            assert [a.id for a in store.find(**wanted)] == ["act-3"]
    assert set(seen) == {"GetItem", "Query", "BatchGetItem"}


def test_keys_that_a_batch_leaves_out_are_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, tables: Tables
) -> None:
    """moto always answers everything; AWS stops at 16 MB
    (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html). Stubbed."""
    asked: list[int] = []

    def call(self: Table, operation: str, arguments: Any, *, table: bool = True) -> Any:
        keys = arguments["RequestItems"]["t"]["Keys"]
        asked.append(len(keys))
        done = 0 if len(asked) == 2 else 40  # once it does not answer anything
        left = {"t": {"Keys": keys[done:]}} if keys[done:] else {}
        return {"Responses": {"t": keys[:done]}, "UnprocessedKeys": left}

    monkeypatch.setattr(Table, "_call", call)
    wanted = [(f"p{n}", "s") for n in range(150)]
    found = Table(tables.account, "t", REGION).get_all(wanted)
    assert set(found) == set(wanted)
    assert max(asked) == 100


def test_more_than_a_page_of_a_query(tables: Tables, store: ActionStore) -> None:
    """A Query answers with at most 1 MB
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html)."""
    for n in range(7):
        new = action(f"act-{n}", f"k{n}", pre_image={"a": "x" * 190_000})
        store.claim(new, note(text="x" * 180_000), until=1.0, now=0.0)
    before = tables.log.made["123456789012", REGION, "dynamodb:Query"]
    assert [a.id for a in store.find(resource=new.resource)] == [f"act-{n}" for n in reversed(range(7))]
    assert tables.log.made["123456789012", REGION, "dynamodb:Query"] >= before + 2
    assert verify(store.journal(), head=store.head()) is None


def test_long_names_have_keys(store: ActionStore) -> None:
    """An ARN has up to 2,048 characters; a sort key 1,024 bytes."""
    resource = "123456789012/eu-west-1/AWS::X::Y/" + "ä" * 2048
    store.claim(action("act-1", "k" * 3000, resource=resource), note(), until=1.0, now=0.0)
    assert [a.resource for a in store.find(resource=resource)] == [resource]
    assert list(store.find(resource=resource[:-1])) == []
    assert store.lease(resource, "me", seconds=1, now=0.0) is not None
    assert store.lease(resource[:-1], "you", seconds=1, now=0.0) is not None
    assert store.claim(action("act-2", "k" * 3000), note(), until=1.0, now=0.0).id == "act-1"
    with pytest.raises(NoSuchActionError):
        store.get("x" * 5000)


def test_times_and_numbers_come_back_as_they_were(store: ActionStore) -> None:
    until = 1_800_000_000.1234567
    lease = store.lease("r", "me", seconds=0.0, now=until)
    assert lease is not None and lease.until == until
    with pytest.raises(ConflictError):
        store.renew(lease, seconds=1, now=until)
    with pytest.raises(UnfitError):
        store.lease("r", "me", seconds=float("inf"), now=0.0)
    entry = store.note(Note("2026-11-21T09:00:00Z", "a", "call", {"n": 1e300, "i": 10**30, "f": 0.1}))
    assert list(store.journal()) == [entry]
