"""Driving a target for a bounded time; failures are kept and tried first the next time."""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from .targets import Target

DATABASE = Path(__file__).resolve().parents[2] / ".hypothesis" / "fuzz"
BATCH = 200
SHRINKING = 30.0
"""Seconds to make a failing input smaller."""


class Found(Exception):
    """A failing input, as small as it could be made."""

    def __init__(self, target: str, value: Any, trace: str) -> None:
        super().__init__(target)
        self.target = target
        self.value = value
        self.trace = trace

    def __str__(self) -> str:
        return f"{self.target} fails on\n    {self.value!r}\n{self.trace}"


def drive(target: Target, seconds: float, *, keep: bool = True) -> int:
    """Run a target until the time is over and return how many inputs it took; raises Found."""
    end = time.monotonic() + seconds
    state: dict[str, Any] = {"count": 0, "failed": None, "value": None, "trace": ""}
    database: ExampleDatabase | None = DirectoryBasedExampleDatabase(DATABASE / target.name) if keep else None

    @settings(
        max_examples=BATCH,
        database=database,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.reuse, Phase.generate, Phase.shrink],
        print_blob=False,
    )
    @given(target.strategy)
    def run(value: Any) -> None:
        now = time.monotonic()
        if state["count"] and now > end and (state["failed"] is None or now > state["failed"] + SHRINKING):
            return  # time is over: what is left of the batch costs nothing, but one input is always taken
        state["count"] += 1
        try:
            target.check(value)
        except Exception:
            state["failed"] = state["failed"] or now
            state["value"], state["trace"] = value, traceback.format_exc()
            raise

    while time.monotonic() < end:
        try:
            run()
        except BaseException as error:
            if state["failed"] is None or isinstance(error, KeyboardInterrupt):
                raise
            raise Found(target.name, state["value"], state["trace"]) from None
    return int(state["count"])
