"""What the verifier reads of rows: their verdicts, counted without parsing a million lines.

A row is canonical JSON whose last member is ``verdicts`` (names sort, and it is the last of them), a string of the letters
``P``, ``F``, ``U``, ``N`` and ``-`` (a rule that was not asked).
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from policyengine.evidence.manifest import VERDICT_LETTERS

_MARK: Final = b',"verdicts":"'
_END: Final = b'"}'
_LETTERS: Final = f"{VERDICT_LETTERS}-".encode()
_KEPT: Final = 4096


class VerdictCounts:
    """Counts letters over rows; vectors repeat, so most rows cost one look-up."""

    def __init__(self) -> None:
        self._letters: Counter[str] = Counter()
        self._ends: dict[bytes, int] = {}  # how rows end, each checked once

    def add(self, row: bytes) -> None:
        """Count a row. Raises ValueError for a line that does not end as a row does."""
        end = row[row.rfind(_MARK) :]
        try:
            self._ends[end] += 1
        except KeyError:
            if end != _MARK + _vector(end) + _END or _vector(end).translate(None, _LETTERS):
                raise ValueError("it is no row: it does not end with its `verdicts`") from None
            if len(self._ends) == _KEPT:
                self._sum_up()
            self._ends[end] = 1

    def add_counts(self, counts: dict[str, int]) -> None:
        """Add what was counted elsewhere."""
        self._letters.update(counts)

    def counts(self) -> dict[str, int]:
        """Return how often each verdict stands, by letter, zeros included."""
        self._sum_up()
        return {letter: self._letters[letter] for letter in sorted(VERDICT_LETTERS)}

    def _sum_up(self) -> None:
        for end, times in self._ends.items():
            for letter in VERDICT_LETTERS:
                self._letters[letter] += times * _vector(end).count(letter.encode())
        self._ends.clear()


def _vector(end: bytes) -> bytes:
    return end[len(_MARK) : -len(_END)]
