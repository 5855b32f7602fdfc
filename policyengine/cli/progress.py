"""A line on standard error while a long run goes on; nothing when nobody is looking."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TextIO

QUIET_FOR = 1.0
"""Seconds before anything is shown: short runs stay silent."""


class Progress:
    """Counts resources done; used as a context manager."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self.stream = stream
        self.active = not quiet and stream.isatty()
        self.started = time.monotonic()
        self.shown = 0.0

    def __enter__(self) -> Progress:
        return self

    def update(self, resources: int) -> None:
        """Show how many resources are done, at most ten times a second."""
        now = time.monotonic()
        if not self.active or now - self.started < QUIET_FOR or now - self.shown < 0.1:
            return
        self.shown = now
        rate = resources / (now - self.started)
        self.stream.write(f"\r\x1b[2Kevaluated {resources:,} resources ({rate:,.0f}/s)")
        self.stream.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.shown:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()
