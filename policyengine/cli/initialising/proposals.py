"""Files that are written where there are none, and compared where there are."""

from __future__ import annotations

import difflib
import errno
from pathlib import Path
from typing import Final, Literal, NamedTuple

from policyengine.model.errors import InputError

MOST_LINES: Final = 60
"""Lines of a difference that are shown."""

State = Literal["new", "same", "other"]


class Proposal(NamedTuple):
    """A file: its path from the root, its text, and what it is for, in one line.

    ``compared``: a difference to what is there is worth showing; of a baseline, which others prune, it is not.
    """

    path: str
    text: str
    why: str
    compared: bool = True

    def state(self, root: Path) -> State:
        """Say whether the file is there, and the same. Raises InputError for one that cannot be read."""
        file = root / self.path
        try:
            there = file.read_bytes()
        except FileNotFoundError:
            return "new"
        except OSError as error:
            raise InputError(f"`{self.path}` cannot be read: {(error.strerror or 'error').lower()}") from None
        return "same" if there == self.text.encode() else "other"

    def write(self, root: Path) -> None:
        """Write the file, which must not be there. Raises InputError, also where somebody else has just made it."""
        file = root / self.path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8", newline="") as out:
                out.write(self.text)
        except OSError as error:
            reason = (
                "it is there already" if error.errno == errno.EEXIST else (error.strerror or "error").lower()
            )
            raise InputError(f"`{self.path}` cannot be written: {reason}", code="unwritable") from None

    def difference(self, root: Path) -> list[str]:
        """Return the lines of a unified difference from what is there to what would be written."""
        there = (root / self.path).read_bytes().decode("utf-8", "backslashreplace")
        lines = list(
            difflib.unified_diff(
                there.splitlines(),
                self.text.splitlines(),
                f"{self.path} (there)",
                "what init writes",
                lineterm="",
            )
        )
        more = len(lines) - MOST_LINES
        return lines if more <= 0 else [*lines[:MOST_LINES], f"… and {more:,} more lines"]
