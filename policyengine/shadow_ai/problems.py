"""What could not be read, in the order it was met: the first ones in words, all of them counted."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.errors import PolicyEngineError

SHOWN: Final = 100
_LONG: Final = 300


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

    def add_error(self, error: PolicyEngineError) -> None:
        """Take notice of a file that could not be read."""
        place = error.location
        self.add(place.file if place else "", place.line if place else None, error.message)

    @property
    def left_out(self) -> int:
        """How many are counted and not shown."""
        return self.count - len(self.shown)
