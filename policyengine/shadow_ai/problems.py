"""What could not be read, in the order it was met: the first ones in words, all of them counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from policyengine.model.errors import PolicyEngineError

Wrong = Callable[[int, str], None]
"""Told the line and what is wrong with it."""
SHOWN: Final = 100
MAX_BROKEN: Final = 100_000
"""A file with more broken lines is no log, and each costs time."""
_LONG: Final = 300


class GiveUpError(Exception):
    """A file that is no log: it unpacks to far more than one does, or has hardly a line that is whole."""


class Problems:
    """Mistakes with file and line; ``count`` has all, ``shown`` the first hundred."""

    def __init__(self) -> None:
        self.count = 0
        self.shown: list[dict[str, Any]] = []

    def add(self, file: str, line: int | None, message: str) -> None:
        """Take notice of a mistake."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append({"file": file, "line": line, "message": message[:_LONG]})

    def of(self, file: str) -> Wrong:
        """Return what takes notice of broken lines of a file; it raises GiveUpError when they are too many."""
        broken = 0

        def wrong(line: int, message: str) -> None:
            nonlocal broken
            broken += 1
            if broken > MAX_BROKEN:
                raise GiveUpError(f"has more than {MAX_BROKEN:,} broken lines")
            self.add(file, line, message)

        return wrong

    def add_error(self, error: PolicyEngineError) -> None:
        """Take notice of a file that could not be read."""
        place = error.location
        self.add(place.file if place else "", place.line if place else None, error.message)

    @property
    def left_out(self) -> int:
        """How many are counted and not shown."""
        return self.count - len(self.shown)
