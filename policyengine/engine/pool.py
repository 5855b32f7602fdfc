"""Shards on several processes of this machine, results in the order of the shards."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from typing import Any

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.scan import Piece, Wanted, evaluate_piece
from policyengine.engine.world import World

_STATE: dict[str, Any] = {}
"""What every task of this worker process shares, set once by the initializer."""


def run_pool(
    evaluator: Evaluator, source: Any, world: World, wanted: Wanted, shards: Sequence[Any], jobs: int
) -> Iterator[Piece]:
    """Yield the piece of every shard, in order."""
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    state = {
        "pack": evaluator.pack,
        "now": evaluator.now,
        "settings": evaluator.settings,
        "source": source,
        "world": world,
        "wanted": wanted,
    }
    with context.Pool(min(jobs, len(shards)), initializer=_start, initargs=(state,)) as pool:
        yield from pool.imap(_evaluate, shards)


def _start(state: dict[str, Any]) -> None:
    _STATE.update(state)
    _STATE["evaluator"] = Evaluator(state["pack"], now=state["now"], settings=state["settings"])


def _evaluate(shard: Any) -> Piece:
    source = _STATE["source"]
    errors_before = len(source.errors)
    piece = evaluate_piece(_STATE["evaluator"], source.read_shard(shard), _STATE["world"], _STATE["wanted"])
    piece.source_errors += source.errors[errors_before:]
    return piece
