"""A process that uses a store beside others: ``python -m tests.store.worker WHERE NAME DOES ROUNDS``.

It opens the store, says ``ready``, waits for a line, does ``ROUNDS`` times what it is asked for, and says what came of each
as a line of JSON at once: what was said was done.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from policyengine.store.actions import APPLIED, LOCKED, PLANNED, VERIFIED, ActionStore, ConflictError, Count
from policyengine.store.open_actions import open_store
from tests.store.model import action, note


def claim(store: ActionStore, name: str, n: int) -> Any:
    """Everybody wants the same keys."""
    return store.claim(action(f"act-{name}-{n}", f"k{n}"), note(f"act-{name}-{n}"), until=1e9, now=0.0).id


def lease(store: ActionStore, name: str, n: int) -> Any:
    """Everybody wants the same resources, which nobody gives back."""
    got = store.lease(f"r{n}", name, seconds=1e6, now=0.0)
    return None if got is None else got.fence


def turns(store: ActionStore, name: str, n: int) -> Any:
    """Everybody takes and gives back one lease, and says its fence."""
    while (got := store.lease("turns", name, seconds=1e6, now=0.0)) is None:
        pass
    store.release(got)
    return got.fence


def count(store: ActionStore, name: str, n: int) -> Any:
    """Two counters, of which the second is full first."""
    full = store.count([Count("wide", 1, 1000), Count("narrow", 1, 10)], now=0.0, seconds=1e6)
    return None if full is None else full.name


def append(store: ActionStore, name: str, n: int) -> Any:
    return store.note(note(name, n=n)).seq


def add(store: ActionStore, name: str, n: int) -> Any:
    """Everybody adds to one action, over the version that was read."""
    while True:
        was = store.get("act-shared")
        try:
            return store.save(was.moved(LOCKED, was.updated_at, attempts=was.attempts + 1), [note()]).version
        except ConflictError:
            continue


def flag(store: ActionStore, name: str, n: int) -> Any:
    """Everybody wants to be the canary of a round."""
    return store.write_flag("breaker", {"round": n, "who": name}, was=store.read_flag("breaker")) or None


def live(store: ActionStore, name: str, n: int) -> Any:
    """The life of an action; the kind of each note is the state, and its body the version, that it was written with."""
    id = f"act-{name}-{n}"
    new = action(id, f"k-{name}-{n}", resource=f"1/r/T/{name}-{n}", pre_image={"policy": "x" * 5000})
    was = store.claim(new, note(id, PLANNED, version=1), until=1e9, now=0.0)
    say([id, 1])
    held = store.lease(new.resource, name, seconds=1e6, now=0.0)
    for state in (LOCKED, APPLIED, VERIFIED):
        moved = was.moved(state, was.updated_at, done=({"step": state},))
        was = store.save(moved, [note(id, state, version=was.version + 1)], held)
        say([id, was.version])
    assert held is not None
    store.release(held)
    store.count([Count("lives", 1, 10**9)], now=0.0, seconds=1e6)
    return [id, was.version]


def say(what: Any) -> None:
    print(json.dumps(what), flush=True)


def killed_before(store: Any, statement: int) -> None:
    """This process ends itself before the database has done the statement of this number."""
    left: Iterator[int] = iter(range(statement))

    def kill(_sql: str) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    store._connection.set_trace_callback(kill)


DOES: dict[str, Callable[[ActionStore, str, int], Any]] = {
    "claim": claim, "lease": lease, "turns": turns, "count": count, "append": append, "add": add, "flag": flag,
    "live": live,
}  # fmt: skip


def main(where: str, name: str, does: str, rounds: str, statement: str = "") -> None:
    store = open_store(where)
    store.read_flag("warm")
    say("ready")
    sys.stdin.readline()
    if statement:
        killed_before(store, int(statement))
    for n in range(int(rounds)):
        say(DOES[does](store, name, n))


if __name__ == "__main__":
    main(*sys.argv[1:])
