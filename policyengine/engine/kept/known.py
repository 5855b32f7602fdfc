"""What is known of one resource in a run: results that still hold, and those that were found anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, TypeVar

from policyengine.engine.kept.digests import SIZE
from policyengine.engine.kept.file import Row
from policyengine.engine.kept.recording import Dependency, Recorder
from policyengine.engine.kept.shapes import Shape, alone_of
from policyengine.engine.kept.told import Told
from policyengine.model.reasons import VERDICT_OF

T = TypeVar("T")
NONE: Final = "-"
SPOILT: Final = (ValueError, TypeError, LookupError, AttributeError)
"""What reading a row that nobody wrote may raise."""
_KNOWN: Final = "".join((NONE, *VERDICT_OF)).encode()


class Known:
    """The results about a resource: by the index of the rule a letter, what it rests on, the finding."""

    __slots__ = (
        "_kept",
        "_order",
        "_rests",
        "_row",
        "_shape",
        "_told",
        "changed",
        "letters",
        "moved",
        "whole",
    )

    def __init__(self, number: int) -> None:
        self.letters: list[str] | str = [NONE] * number
        self.whole = False
        """Whether all results hold: then ``letters`` is a text."""
        self.moved = False
        """Whether they hold although what they rest on chooses from something else."""
        self.changed = False
        self._rests: dict[int, frozenset[Dependency]] | None = {}
        self._told: dict[int, Told] | None = {}
        self._row: Row | None = None
        self._shape: Shape | None = None
        self._order: Mapping[int, int] | None = None
        self._kept: frozenset[int] = frozenset()
        """The rules of the row whose results were taken over, by its own indexes."""

    def take(
        self, row: Row, shape: Shape, order: Mapping[int, int] | None, gone: frozenset[int], moved: bool
    ) -> None:
        """Take over what holds of a row, ``gone`` being the rules whose does not.

        ``order``: which rule of now each of the row's is; None: the same. Raises what ``SPOILT`` names for a row
        that nobody wrote.
        """
        written = row.body[SIZE * len(shape.alone) :]
        if written.translate(None, _KNOWN) or (order is None and len(written) != len(self.letters)):
            raise ValueError("letters")
        letters = written.decode()
        self._row, self._shape, self._order, self.moved = row, shape, order, moved
        self._told = self._rests = None
        self.whole = order is None and not gone and NONE not in letters
        if self.whole:
            self.letters = letters
            return
        own = [NONE] * len(self.letters)
        kept = set()
        for index, letter in enumerate(letters):
            place = index if order is None else order.get(index)
            if place is not None and index not in gone and letter != NONE:
                own[place] = letter
                kept.add(index)
        self.letters, self._kept = own, frozenset(kept)

    def is_kept(self, index: int) -> bool:
        """Whether the result of a rule of the row was taken over."""
        return self.whole or index in self._kept

    def note(self, index: int, letter: str) -> None:
        """Note the verdict of a rule, which is another than the row says."""
        if self.whole:
            self._kept = frozenset(range(len(self.letters)))
            self.letters, self.whole = list(self.letters), False
        assert isinstance(self.letters, list)  # what is whole is made a list above
        self.letters[index] = letter
        self.changed = True

    @property
    def rests(self) -> dict[int, frozenset[Dependency]]:
        """What each result rests on."""
        if self._rests is None:
            assert self._shape is not None  # of a row that was taken over
            self._rests = self._moved_to(self._shape.rests())
        return self._rests

    @property
    def told(self) -> dict[int, Told]:
        """The findings that were written down, by index; read when the first is asked for."""
        if self._told is None:
            assert self._row is not None  # see rests
            try:
                text = self._row.told
                found = {int(index): one for index, one in json.loads(text.decode()).items()} if text else {}
            except SPOILT:
                found = {}
            self._told = self._moved_to(found)
        return self._told

    def _moved_to(self, found: Mapping[int, T]) -> dict[int, T]:
        order = self._order
        kept = {index: one for index, one in found.items() if self.is_kept(index)}
        return kept if order is None else {order[index]: one for index, one in kept.items()}

    def teach(self, recorder: Recorder) -> None:
        """Let the recorder know what the dependencies of results that hold amount to for the resource."""
        row, shape = self._row, self._shape
        if row is None or shape is None:
            return
        for on, members in shape.groups:
            if any(map(self.is_kept, members)):
                for index in on:
                    alone = alone_of(row.body, shape, index)
                    recorder.know(shape.dependencies[index], alone or b"")
