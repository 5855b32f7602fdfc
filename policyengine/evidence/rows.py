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
_VECTORS: Final = 4096


class VerdictCounts:
    """Counts letters over rows; vectors repeat, so most rows cost one look-up."""

    def __init__(self) -> None:
        self._letters: Counter[str] = Counter()
        self._vectors: Counter[bytes] = Counter()

    def add(self, row: bytes) -> None:
        """Count a row. Raises ValueError for a line that does not end as a row does."""
        at = row.rfind(_MARK)
        vector = row[at + len(_MARK) : -len(_END)]
        if at < 0 or not row.endswith(_END) or vector.translate(None, _LETTERS):
            raise ValueError("it is no row: it does not end with its `verdicts`")
        self._vectors[vector] += 1
        if len(self._vectors) > _VECTORS:
            self._sum_up()

    def add_counts(self, counts: dict[str, int]) -> None:
        """Add what was counted elsewhere."""
        self._letters.update(counts)

    def counts(self) -> dict[str, int]:
        """Return how often each verdict stands, by letter, zeros included."""
        self._sum_up()
        return {letter: self._letters[letter] for letter in sorted(VERDICT_LETTERS)}

    def _sum_up(self) -> None:
        for vector, times in self._vectors.items():
            for letter in VERDICT_LETTERS:
                self._letters[letter] += times * vector.count(letter.encode())
        self._vectors.clear()
