"""A unified diff that ``git apply`` and ``patch`` take."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

_NO_END = "\\ No newline at end of file\n"


def unified(old: str, new: str, file: str) -> str:
    """Return the difference of two texts of one file; empty where there is none.

    Lines end at line feeds only, as ``patch`` has it; a carriage return is part of its line.
    """
    made = difflib.unified_diff(lines_of(old), lines_of(new), f"a/{file}", f"b/{file}", n=3)
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in made)


def lines_of(text: str) -> Sequence[str]:
    """Return the lines of a text with their line feeds."""
    parts = text.split("\n")
    return [*(f"{part}\n" for part in parts[:-1]), *([parts[-1]] if parts[-1] else [])]
