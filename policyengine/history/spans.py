"""Times from and to: half open, sorted, of one list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

Span = tuple[datetime, datetime]
"""From the first time to the second, which is not part of it."""


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the same times as spans that neither touch nor overlap, sorted."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif start < end:
            found.append((start, end))
    return found


def overlaps(spans: Iterable[Span], span: Span) -> bool:
    """Whether any of the spans has time in common with ``span``."""
    return any(start < span[1] and span[0] < end for start, end in spans)


def touching(spans: Iterable[Span], span: Span) -> list[Span]:
    """Return those that have time in common with ``span``, sorted."""
    return sorted(each for each in spans if overlaps((each,), span))


def covers(spans: Sequence[Span], span: Span) -> bool:
    """Whether all of ``span`` lies in the spans."""
    return any(start <= span[0] and span[1] <= end for start, end in union(spans))


def within(spans: Iterable[Span], span: Span) -> list[Span]:
    """Return what of the spans lies in ``span``."""
    cut = ((max(start, span[0]), min(end, span[1])) for start, end in spans)
    return [each for each in cut if each[0] < each[1]]


def seconds(spans: Iterable[Span]) -> float:
    """Return how long they last together; what overlaps counts once."""
    return sum((end - start).total_seconds() for start, end in union(spans))
