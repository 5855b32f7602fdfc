"""What the contract says in so many words, on both stores; the laws hold it in general."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from policyengine.store import dynamo_actions, sqlite_actions
from policyengine.store.actions import (
    ENDED,
    EXPIRED,
    FAILED,
    PLANNED,
    REFUSED,
    ROLLED_BACK,
    STATES,
    VERIFIED,
    ActionStore,
    ConflictError,
    Count,
    NoSuchActionError,
    UnfitError,
)
from policyengine.store.chain import START, verify
from tests.store.model import action, note


def claim(
    store: ActionStore, id: str, key: str = "k", *, until: float = 100.0, now: float = 0.0, **more: object
):
    return store.claim(action(id, key, **more), note(id, PLANNED), until=until, now=now)


def move(store: ActionStore, id: str, state: str, **more: object):
    was = store.get(id)
    return store.save(was.moved(state, was.updated_at), [note(id, state)], **more)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("now", [99.5, 100.0])
def test_who_holds_a_key(store: ActionStore, state: str, now: float) -> None:
    claim(store, "act-1")
    move(store, "act-1", state)
    freed = state in (REFUSED, EXPIRED) or (state in ENDED and now >= 100.0)
    assert claim(store, "act-2", now=now, until=200.0).id == ("act-2" if freed else "act-1")
    assert [e.kind for e in store.journal()] == [PLANNED, state, *([PLANNED] if freed else [])]


def test_a_key_may_be_held_longer_from_the_end_on(store: ActionStore) -> None:
    """An approval took longer than the hour: what was changed a moment ago is not changed again."""
    claim(store, "act-1", until=100.0)
    move(store, "act-1", VERIFIED, until=500.0)
    assert claim(store, "act-2", now=499.0).id == "act-1"
    assert claim(store, "act-2", now=500.0, until=900.0).id == "act-2"
    move(store, "act-1", ROLLED_BACK, until=5000.0)  # the key is another's by now
    move(store, "act-2", VERIFIED)
    assert claim(store, "act-3", now=900.0).id == "act-3"


def test_two_that_read_the_same_version(store: ActionStore) -> None:
    old = claim(store, "act-1")
    assert move(store, "act-1", FAILED).version == 2
    with pytest.raises(ConflictError, match="at version 2, not 1"):
        store.save(old.moved(VERIFIED, old.updated_at), [note("act-1", VERIFIED)])
    with pytest.raises(ConflictError, match="at version 2, not 5"):  # as after a copy was put back
        store.save(action("act-1", version=5), [note("act-1")])
    assert store.get("act-1").state == FAILED
    assert store.head()[0] == 2, "no line of what was not written"


def test_an_action_that_nobody_made(store: ActionStore) -> None:
    with pytest.raises(NoSuchActionError, match="no action `act-9`"):
        store.get("act-9")
    with pytest.raises(NoSuchActionError):
        store.save(action("act-9", version=1), [])
    claim(store, "act-1")
    for other in ({"resource": "other"}, {"rule": "other"}):
        with pytest.raises(NoSuchActionError):
            store.save(action("act-1", version=1, **other), [])
    assert store.get("act-1").version == 1


def test_a_paused_holder_of_a_lease_writes_nothing(store: ActionStore) -> None:
    """Section 3.3, 6 of the contract: it wakes up after its lease has run out and another has taken it."""
    was = claim(store, "act-1")
    mine = store.lease(was.resource, "me", seconds=30, now=0.0)
    assert mine is not None and store.lease(was.resource, "you", seconds=30, now=29.9) is None
    yours = store.lease(was.resource, "you", seconds=30, now=30.0)
    assert yours is not None and yours.fence > mine.fence
    with pytest.raises(ConflictError, match="not held any more"):
        store.save(was.moved(FAILED, was.updated_at), [note("act-1")], mine)
    with pytest.raises(ConflictError):
        store.renew(mine, seconds=30, now=1.0)
    store.release(mine)  # is not its to give back
    assert store.lease(was.resource, "me", seconds=30, now=59.0) is None
    assert store.save(was.moved(FAILED, was.updated_at), [note("act-1")], yours).version == 2


def test_a_fence_grows_also_after_a_release(store: ActionStore) -> None:
    fences = []
    for owner in ("a", "b", "b", "a"):
        lease = store.lease("r", owner, seconds=10, now=0.0)
        assert lease is not None
        fences.append(lease.fence)
        store.release(lease)
        with pytest.raises(ConflictError):
            store.renew(lease, seconds=10, now=0.0)
    assert fences == sorted(set(fences))


def test_a_lease_that_was_given_back_writes_nothing(store: ActionStore) -> None:
    was = claim(store, "act-1")
    lease = store.lease(was.resource, "me", seconds=10, now=0.0)
    assert lease is not None
    store.release(lease)
    with pytest.raises(ConflictError, match="given back"):
        store.save(was.moved(FAILED, was.updated_at), [note("act-1")], lease)
    assert store.get("act-1") == was and store.head()[0] == 1


def test_the_lease_of_another_resource_protects_nothing(store: ActionStore) -> None:
    was = claim(store, "act-1")
    lease = store.lease(f"{was.resource}2", "me", seconds=10, now=0.0)
    with pytest.raises(ConflictError, match="the lease is of"):
        store.save(was.moved(FAILED, was.updated_at), [note("act-1")], lease)
    assert store.get("act-1") == was and store.head()[0] == 1


def test_counters_are_added_to_together_or_not(store: ActionStore) -> None:
    hour, run = Count("hour", 2, 5), Count("run", 2, 3)
    assert store.count([hour, run], now=0.0, seconds=10) is None
    assert store.count([hour, run], now=1.0, seconds=10) == run
    assert store.count([hour._replace(amount=3)], now=2.0, seconds=10) is None, (
        "2 and 3: nothing else was added"
    )
    assert store.count([hour._replace(amount=1)], now=11.9, seconds=10) is not None
    assert store.count([hour._replace(amount=5)], now=12.0, seconds=10) is None, "forgotten"


def test_time_is_never_taken_from_a_counter(store: ActionStore) -> None:
    assert store.count([Count("a", 1, 3)], now=0.0, seconds=100) is None
    assert store.count([Count("a", 1, 3)], now=1.0, seconds=1) is None
    assert store.count([Count("a", 2, 3)], now=99.0, seconds=1) is not None


def test_one_counter_named_twice(store: ActionStore) -> None:
    twice = [Count("a", 2, 3), Count("b", 1, 9), Count("a", 2, 3)]
    assert store.count(twice, now=0.0, seconds=10) == twice[2]
    assert store.count([Count("a", 1, 3), Count("a", 2, 3)], now=0.0, seconds=10) is None
    assert store.count([Count("a", 1, 3)], now=0.0, seconds=10) == Count("a", 1, 3)


def test_flags_are_replaced_only_where_they_are_what_was_read(store: ActionStore) -> None:
    assert store.read_flag("breaker") is None
    assert store.write_flag("breaker", {"state": "open"}, was={"state": "closed"}) is False
    assert store.write_flag("breaker", {"state": "open"}, was=None) is True
    assert store.write_flag("breaker", {"state": "half"}, was=None) is False
    assert store.write_flag("breaker", {"state": "half"}, was={"state": "open"}) is True
    assert store.read_flag("breaker") == {"state": "half"}


def test_what_changes_is_found_in_order(store: ActionStore) -> None:
    ats = ["2026-11-21T10:00:00+02:00", "2026-11-21T08:30:00Z", "2026-11-21T08:30:00.000001+00:00"]
    for n, at in enumerate(ats):
        claim(store, f"act-{n}", f"k{n}", updated_at=at, resource=f"1/r/T/{n}")
    assert [a.id for a in store.find()] == ["act-2", "act-1", "act-0"]
    assert [a.id for a in store.find(since="2026-11-21T08:30:00+00:00")] == ["act-2", "act-1"]
    move(store, "act-1", VERIFIED)
    assert [a.id for a in store.find(states=(PLANNED,))] == ["act-2", "act-0"]
    assert [a.id for a in store.find(states=(VERIFIED, PLANNED), since="2026-11-21T08:30:00Z")] == [
        "act-2",
        "act-1",
    ]
    assert [a.id for a in store.find(resource="1/r/T/1")] == ["act-1"]
    assert [a.id for a in store.find(resource="1/r/T/1", states=(PLANNED,))] == []
    for id in ("act-8", "act-9", "act-7"):  # of one time: by id, not as they were written
        claim(store, id, id, rule="other")
    for wanted in ({}, {"states": (PLANNED,)}, {"resource": action("x").resource}):
        assert [a.id for a in store.find(rule="other", **wanted)] == ["act-9", "act-8", "act-7"]
    with pytest.raises(UnfitError, match="since"):
        list(store.find(since="yesterday"))


def test_more_than_a_page_is_found(store: ActionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are made small: a server that copies its table for each write is slow."""
    monkeypatch.setattr(sqlite_actions, "_PAGE", 7)
    monkeypatch.setattr(dynamo_actions, "MOST_ITEMS", 7)
    for n in range(22):
        claim(store, f"act-{n:03}", f"k{n}")
    ids = [f"act-{n:03}" for n in reversed(range(22))]
    assert [a.id for a in store.find()] == ids
    assert [a.id for a in store.find(states=(PLANNED,))] == ids
    assert [a.id for a in store.find(resource=action("x").resource)] == ids
    assert [e.seq for e in store.journal()] == list(range(1, 23))
    assert [e.seq for e in store.journal(20)] == [21, 22]


def test_an_empty_store(store: ActionStore) -> None:
    assert store.head() == START and list(store.journal()) == [] and list(store.find()) == []
    assert store.count([], now=0.0, seconds=1) is None


def test_another_opening_sees_the_same(
    store: ActionStore, where: str, opened: Callable[[str], ActionStore]
) -> None:
    made = claim(store, "act-1", pre_image={"policy": "x\u2028\x00é😀", "n": 0.1 + 0.2, "big": 10**25})
    move(store, "act-1", VERIFIED)
    again = opened(where)
    assert again.get("act-1").pre_image == made.pre_image
    assert again.head() == store.head() and verify(again.journal(), head=again.head()) is None


def test_many_threads_of_one_store(store: ActionStore) -> None:
    with ThreadPoolExecutor(4) as pool:
        seqs = list(pool.map(lambda n: store.note(note(n=n)).seq, range(24)))
    assert sorted(seqs) == list(range(1, 25))
    assert verify(store.journal(), head=store.head()) is None
