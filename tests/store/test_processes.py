"""Real processes that want the same at the same time, and processes that are killed in the middle."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from policyengine.store.actions import ActionStore, Count
from policyengine.store.chain import verify
from policyengine.store.sqlite_actions import SqliteActions
from tests.store.model import action, note

WORKERS = 3


@contextmanager
def worker(*given: object) -> Iterator[subprocess.Popen[str]]:
    """A process that stands ready, and is gone afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.worker", *map(str, given)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None and json.loads(process.stdout.readline()) == "ready"
        yield process
    finally:
        process.kill()
        process.communicate()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def race(where: str, does: str, rounds: int) -> list[list[Any]]:
    """What each of some processes says that do the same at once."""
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(where, f"p{n}", does, rounds)) for n in range(WORKERS)]
        for process in workers:
            go(process)
        said = [[json.loads(line) for line in p.communicate(timeout=300)[0].splitlines()] for p in workers]
        assert [p.returncode for p in workers] == [0] * WORKERS
    assert [len(each) for each in said] == [rounds] * WORKERS
    return said


def whole(store: ActionStore) -> None:
    entries = list(store.journal())
    assert verify(entries, head=store.head()) is None
    assert store.head()[0] == len(entries)


ROUNDS = {"sqlite": 40, "dynamodb": 8}


@pytest.fixture
def rounds(where: str) -> int:
    return ROUNDS["dynamodb" if where.startswith("dynamodb:") else "sqlite"]


@pytest.mark.slow
def test_one_of_many_claims_a_key(store: ActionStore, where: str, rounds: int) -> None:
    said = race(where, "claim", rounds)
    for n, holders in enumerate(zip(*said, strict=True)):
        assert len(set(holders)) == 1 and holders[0].endswith(f"-{n}")
    assert len(list(store.find())) == rounds == store.head()[0]
    whole(store)


@pytest.mark.slow
def test_one_of_many_takes_a_lease(store: ActionStore, where: str, rounds: int) -> None:
    for fences in zip(*race(where, "lease", rounds), strict=True):
        assert sorted(fences, key=str) == [1, None, None]


@pytest.mark.slow
def test_no_fence_is_given_twice(store: ActionStore, where: str, rounds: int) -> None:
    said = race(where, "turns", rounds)
    assert all(fences == sorted(fences) for fences in said)
    assert sorted(f for fences in said for f in fences) == list(range(1, WORKERS * rounds + 1))


@pytest.mark.slow
def test_a_limit_is_not_passed_by_many(store: ActionStore, where: str, rounds: int) -> None:
    said = Counter(full for each in race(where, "count", rounds) for full in each)
    assert said == {None: 10, "narrow": WORKERS * rounds - 10}
    assert store.count([Count("wide", 990, 1000)], now=0.0, seconds=1.0) is None, "no more than 10 were added"
    assert store.count([Count("wide", 1, 1000)], now=0.0, seconds=1.0) is not None, "and no less"


@pytest.mark.slow
def test_the_chain_of_many(store: ActionStore, where: str, rounds: int) -> None:
    said = race(where, "append", rounds)
    assert all(seqs == sorted(seqs) for seqs in said)
    assert sorted(seq for seqs in said for seq in seqs) == list(range(1, WORKERS * rounds + 1))
    whole(store)


@pytest.mark.slow
def test_no_write_of_many_is_lost(store: ActionStore, where: str, rounds: int) -> None:
    store.claim(action("act-shared"), note(), until=1.0, now=0.0)
    said = race(where, "add", rounds)
    assert sorted(v for each in said for v in each) == list(range(2, WORKERS * rounds + 2))
    assert store.get("act-shared").attempts == WORKERS * rounds
    whole(store)


@pytest.mark.slow
def test_one_of_many_replaces_a_flag(store: ActionStore, where: str, rounds: int) -> None:
    """Each flag that was replaced was what its writer had read: the last one written stands."""
    said = race(where, "flag", rounds)
    assert 1 <= sum(1 for each in said for done in each if done) <= WORKERS * rounds
    last = store.read_flag("breaker")
    assert last is not None and said[int(last["who"][1])][last["round"]] is True


# -- killed ---------------------------------------------------------------------------------------------------


def check(store: ActionStore, said: list[list[Any]]) -> int:
    """The state and the version of each action are those of its last note, and all that was said is there."""
    versions: dict[str, list[int]] = defaultdict(list)
    states: dict[str, str] = {}
    entries = list(store.journal())
    assert verify(entries, head=store.head()) is None
    for entry in entries:
        versions[entry.action].append(entry.body["version"])
        states[entry.action] = entry.kind
    found = {a.id: a for a in store.find()}
    assert found.keys() == versions.keys()
    for id, each in found.items():
        assert versions[id] == list(range(1, each.version + 1))
        assert each.state == states[id]
        assert store.get(id) == each
        assert [a.id for a in store.find(resource=each.resource)] == [id]
        assert store.claim(action("act-again", each.key), note(), until=1.0, now=0.0).id == id
    for id, version in said:
        assert found[id].version >= version, "what was acknowledged is there"
    return len(entries)


def life_and_death(where: str, name: str, seconds: float) -> list[list[Any]]:
    """Let a process write and kill it; return what it said was written."""
    with worker(where, name, "live", 10_000) as process:
        go(process)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        lines = process.communicate()[0].splitlines(keepends=True)
    assert process.returncode == -signal.SIGKILL
    return [json.loads(line) for line in lines if line.endswith("\n")]


@pytest.mark.slow
def test_a_killed_writer_leaves_a_whole_store(
    where: str, opened: Callable[[str], ActionStore], tables: Any
) -> None:
    dice = random.Random(20261121)
    file = not where.startswith("dynamodb:")
    written = 0
    for kills in range(4 if file else 10):
        place = f"{where}.{kills}" if file else tables.new()
        said: list[list[Any]] = []
        for n in range(10 if file else 3):
            said += life_and_death(place, f"{kills}x{n}", dice.uniform(0.0, 0.12 if file else 0.5))
            store = opened(place)
            written += check(store, said)
    assert written > 100


@pytest.mark.slow
def test_a_file_whose_writer_is_killed_before_each_statement(tmp_path: Path) -> None:
    """Every statement of the life of one action: none of them leaves half of a write."""
    ends: list[int] = []
    for statement in range(60):
        path = tmp_path / f"{statement}.db"
        SqliteActions(path).close()
        with worker(path, "p", "live", 1, statement) as process:
            go(process)
            lines = process.communicate()[0].splitlines()
        store = SqliteActions(path)
        ends.append(check(store, [json.loads(line) for line in lines]))
        store.close()
        if process.returncode == 0:
            break
    assert process.returncode == 0, "it was killed before each of its statements, and at last not at all"
    assert ends == sorted(ends) and set(ends) == {0, 1, 2, 3, 4} and len(ends) > 20
