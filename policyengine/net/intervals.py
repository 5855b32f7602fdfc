"""Sets of integers as sorted, disjoint, non-adjacent closed intervals: exact and small."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Interval = tuple[int, int]


class IntervalSet:
    """An immutable set of integers.

    INVARIANT: ``intervals`` is sorted, each (low, high) has low <= high, and there is a gap of at
    least one integer between neighbours; so equal sets have equal intervals.
    """

    __slots__ = ("intervals",)

    intervals: tuple[Interval, ...]

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        """Take intervals in any order, overlapping or not; empty ones (low > high) are dropped."""
        merged: list[Interval] = []
        for low, high in sorted(intervals):
            if low > high:
                continue
            if merged and low <= merged[-1][1] + 1:
                if high > merged[-1][1]:
                    merged[-1] = (merged[-1][0], high)
            else:
                merged.append((low, high))
        self.intervals = tuple(merged)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntervalSet) and self.intervals == other.intervals

    def __hash__(self) -> int:
        return hash(self.intervals)

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __contains__(self, value: int) -> bool:
        return any(low <= value <= high for low, high in self.intervals)

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.intervals)

    def __repr__(self) -> str:
        return f"IntervalSet({list(self.intervals)!r})"

    @property
    def size(self) -> int:
        """How many integers are in the set."""
        return sum(high - low + 1 for low, high in self.intervals)

    @property
    def longest(self) -> int:
        """The length of the longest run of consecutive integers; 0 for the empty set."""
        return max((high - low + 1 for low, high in self.intervals), default=0)

    def __or__(self, other: IntervalSet) -> IntervalSet:
        if not self.intervals:
            return other
        return IntervalSet(self.intervals + other.intervals) if other.intervals else self

    def __and__(self, other: IntervalSet) -> IntervalSet:
        found: list[Interval] = []
        mine, theirs = self.intervals, other.intervals
        # most sets that meet are "everything", a part of it, or nothing
        if not mine or (len(theirs) == 1 and theirs[0][0] <= mine[0][0] and mine[-1][1] <= theirs[0][1]):
            return self
        if not theirs or (len(mine) == 1 and mine[0][0] <= theirs[0][0] and theirs[-1][1] <= mine[0][1]):
            return other
        i = j = 0
        while i < len(mine) and j < len(theirs):
            low, high = max(mine[i][0], theirs[j][0]), min(mine[i][1], theirs[j][1])
            if low <= high:
                found.append((low, high))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        # sorted and apart already: between two pieces lies a gap of one of the operands
        return _normal(tuple(found))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        found: list[Interval] = []
        cuts = other.intervals
        j = 0
        for low, high in self.intervals:
            while j and cuts[j - 1][1] >= low:
                j -= 1  # a cut may reach into the next interval as well
            while j < len(cuts) and cuts[j][1] < low:
                j += 1
            while j < len(cuts) and cuts[j][0] <= high:
                if cuts[j][0] > low:
                    found.append((low, cuts[j][0] - 1))
                low = cuts[j][1] + 1
                j += 1
            if low <= high:
                found.append((low, high))
        return IntervalSet(found)

    def __le__(self, other: IntervalSet) -> bool:
        return not (self - other)


def _normal(intervals: tuple[Interval, ...]) -> IntervalSet:
    """Return the set of intervals that fulfil the invariant."""
    made = IntervalSet.__new__(IntervalSet)
    made.intervals = intervals
    return made


EMPTY = IntervalSet()
