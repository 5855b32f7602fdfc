"""A bound on the processor time of one input, which also ends what would never end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LIMIT = 10.0
"""Seconds of processor time one input may take; the seeds take a few hundredths."""


class TookTooLong(Exception):
    """An input took longer than it may; the trace shows where it was then."""


@contextmanager
def timed(seconds: float = LIMIT) -> Iterator[None]:
    """Raise TookTooLong inside the block once it has used its time (in the main thread only)."""

    def ring(_signal: int, _frame: Any) -> None:
        raise TookTooLong(f"took more than {seconds} s")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
