"""The trend: one bar a run, gaps drawn as gaps. Between two runs nothing is drawn, because nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from policyengine.reports.extras import TrendPoint

MAX_RUNS: Final = 60
WIDTH, HEIGHT = 960, 200
_MAX_SLOT: Final = 64.0
_TOP: Final = 16.0


class Piece(NamedTuple):
    """A rectangle; ``kind`` is fail, unknown or waived."""

    kind: str
    y: float
    height: float


class Bar(NamedTuple):
    """A run. ``hollow``: it was incomplete, so the bar is the least that fails."""

    x: float
    width: float
    pieces: Sequence[Piece]
    top: float
    point: TrendPoint
    number: int


class Gap(NamedTuple):
    """A stretch of which nothing is known."""

    x: float
    width: float


class Trend(NamedTuple):
    """The picture, in a box of ``WIDTH`` by ``HEIGHT``, and how many runs before it are left out."""

    bars: Sequence[Bar]
    gaps: Sequence[Gap]
    most: int
    lines: Sequence[tuple[float, int]]
    left_out: int
    width: float


def fails(point: TrendPoint) -> int:
    """Return the FAILs that nobody accepted."""
    return max(0, point.verdicts.get("FAIL", 0) - point.waived)


def _stack(point: TrendPoint) -> list[tuple[str, int]]:
    unknown = point.verdicts.get("UNKNOWN", 0)
    return [("fail", fails(point)), ("unknown", unknown), ("waived", point.waived)]


def trend(points: Sequence[TrendPoint]) -> Trend | None:
    """Return the picture, None where there is no history."""
    if not points:
        return None
    kept = points[-MAX_RUNS:]
    slots = len(kept) + sum(1 for at, point in enumerate(kept) if at and point.gap_before)
    slot = min(_MAX_SLOT, WIDTH / max(slots, 1))
    most = max(1, *(sum(number for _, number in _stack(point)) for point in kept))
    bars, gaps, at = [], [], 0
    for number, point in enumerate(kept):
        if number and point.gap_before:
            gaps.append(Gap(round(at * slot + slot * 0.1, 2), round(slot * 0.8, 2)))
            at += 1
        bars.append(_bar(point, at * slot, slot, most, len(points) - len(kept) + number + 1))
        at += 1
    steps = sorted({most, most // 2} - {0})
    lines = [(round(HEIGHT - step / most * (HEIGHT - _TOP), 2), step) for step in steps]
    return Trend(bars, gaps, most, lines, len(points) - len(kept), round(slots * slot, 2))


def _bar(point: TrendPoint, x: float, slot: float, most: int, number: int) -> Bar:
    pieces, y = [], float(HEIGHT)
    for kind, count in _stack(point):
        height = count / most * (HEIGHT - _TOP)
        y -= height
        if count:
            pieces.append(Piece(kind, round(y, 2), round(height, 2)))
    return Bar(round(x + slot * 0.15, 2), round(slot * 0.7, 2), pieces, round(y, 2), point, number)
