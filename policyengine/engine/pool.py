"""Shards on several processes of this machine, results in the order of the shards.

A task is one account where there are enough of them: its process fills the account's side tables
itself. Otherwise a task is one shard, and the tables of everything are filled before the processes
start, which inherit them.
"""

from __future__ import annotations

import gc
import multiprocessing
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Piece, Wanted, evaluate_piece, quota_of
from policyengine.engine.tables import Group, Tables

_STATE: dict[str, Any] = {}
"""What every task of this worker process shares, set once by the initializer."""


def run_pool(
    evaluator: Evaluator, source: Any, wanted: Wanted, groups: Sequence[Sequence[Any]], jobs: int
) -> Iterator[Piece]:
    """Yield the piece of every shard, in order.

    No more than ``jobs + 2`` tasks are under way or finished and not yet taken, so that a slow
    reader of the findings does not make them pile up.
    """
    tables = Tables(evaluator, source)
    by_group = len(groups) >= 2 * jobs
    evaluator.pause()
    state = {"evaluator": evaluator.again(), "source": source, "wanted": wanted, "tables": tables,
             "world": None, "folder": None}  # fmt: skip
    if hasattr(source, "prepare"):
        source.prepare()
    if by_group:
        tables.share()
        tasks = [list(group) for group in groups]
    else:
        state["world"] = tables.whole()
        tasks = [[shard] for group in groups for shard in group]
    gc.freeze()  # so that the processes' collectors leave the pages they share alone
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    free = threading.Semaphore(jobs + 2)

    def paced() -> Iterator[list[Any]]:
        for task in tasks:
            free.acquire()
            yield task

    with ExitStack() as stack:
        if wanted.render:
            state["folder"] = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="policyengine-")))
        processes = min(jobs, len(tasks))
        pool = stack.enter_context(context.Pool(processes, initializer=_start, initargs=(state,)))
        try:
            for pieces in pool.imap(_evaluate, paced()):
                yield from pieces
                free.release()
        finally:
            free.release(len(tasks))  # the pool cannot end while its feeder waits for a place


def _start(state: dict[str, Any]) -> None:
    _STATE.update(state)
    _STATE["evaluator"] = state["evaluator"].again()
    _STATE["quota"] = quota_of(state["wanted"])


def _evaluate(shards: Sequence[Any]) -> list[Piece]:
    source, evaluator, wanted = _STATE["source"], _STATE["evaluator"], _STATE["wanted"]
    errors_before = len(source.errors)
    world = _STATE["world"]
    group = _STATE["tables"].of_group(shards) if world is None else Group(source, shards, world, shared=True)
    pieces = [
        evaluate_piece(evaluator, resources, group.world, wanted, _STATE["quota"], _STATE["folder"])
        for resources in group.pieces()
    ]
    pieces[-1].source_errors += source.errors[errors_before:]
    evaluator.pause()
    return pieces
