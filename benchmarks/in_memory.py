"""Our side of the in-memory figure: one timed pass in a process of its own.

``python -m benchmarks.in_memory COUNT WHAT`` prints ``{"evaluations", "findings", "cpu"}``; WHAT is a
key of :data:`PASSES`. Making the resources is not timed, for nobody: the figure is about engines.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import hand_written
from benchmarks.memory_data import Record, records
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Piece, Wanted, stream_piece
from policyengine.engine.world import World
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, UNKNOWN, VERDICTS
from policyengine.model.resource import Resource
from policyengine.rules.packs import load_packs

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Path(__file__).resolve().parent / "rules"

Job = Callable[[], int]
"""Does the pass and returns how many findings it made; they are handed on one by one, not kept."""


def ours(verdicts: frozenset[str]) -> Callable[[list[Record]], Job]:
    """Return the preparation of a pass of our engine that builds the findings of some verdicts."""

    def prepare(data: list[Record]) -> Job:
        resources = [_resource(record) for record in data]
        evaluator = Evaluator(load_packs([RULES], bundled=False), now=NOW)
        wanted = Wanted(verdicts)
        return lambda: sum(1 for _ in stream_piece(evaluator, resources, World(), wanted, Piece()))

    return prepare


def failures(count: int) -> list[Finding]:
    """Return our findings about what fails."""
    evaluator = Evaluator(load_packs([RULES], bundled=False), now=NOW)
    resources = [_resource(record) for record in records(count)]
    return list(stream_piece(evaluator, resources, World(), Wanted(frozenset((FAIL,))), Piece()))


def _resource(r: Record) -> Resource:
    return Resource(r["type"], r["id"], r["account"], r["region"], r["properties"], tags=r["tags"])


def by_hand(*, passing: bool) -> Callable[[list[Record]], Job]:
    """Return the preparation of a pass of the three functions."""

    def prepare(data: list[Record]) -> Job:
        return lambda: sum(1 for _ in hand_written.evaluate(data, passing=passing))

    return prepare


PASSES: dict[str, Callable[[list[Record]], Job]] = {
    "verdicts": ours(frozenset()),
    "failures": ours(frozenset((FAIL, UNKNOWN))),
    "all": ours(frozenset(VERDICTS)),
    "hand-failures": by_hand(passing=False),
    "hand-all": by_hand(passing=True),
}


def measure(count: int, what: str) -> dict[str, float]:
    """Return evaluations, findings and CPU seconds of one pass over ``count`` resources."""
    job = PASSES[what](list(records(count)))
    gc.collect()
    gc.disable()  # the peers do the same: what is measured is the engine
    try:
        start = time.process_time()
        findings = job()
        return {"evaluations": 2 * count, "findings": findings, "cpu": time.process_time() - start}
    finally:
        gc.enable()


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2])))
