"""Places in files, as a person counts them: lines and columns start at 1."""

from __future__ import annotations

from typing import NamedTuple


class Location(NamedTuple):
    """A place in a file; ``end_column`` is exclusive, all numbers are 1-based."""

    file: str
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n is not None)]
        return ":".join(parts)
