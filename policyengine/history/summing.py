"""What a report shows of a history beside the trend: how long repairs took, and what two milestones differ in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

from policyengine.history.controls import EVERY
from policyengine.history.milestones import BECAME, compare_sides, count_moves, side
from policyengine.history.moments import in_words, seconds_between
from policyengine.history.period import opened, points_of
from policyengine.history.reading import History, Life, RunRow, numbers_between
from policyengine.model.reasons import SEVERITIES
from policyengine.reports.extras import Milestones, Repairs

_ORDER: Final = (*reversed(SEVERITIES), "unknown")


def history_extras(
    db: Path, start: str | None = None, end: str | None = None, every: timedelta = EVERY
) -> dict[str, Any]:
    """Return ``trend``, ``repairs`` and ``milestones`` of :class:`~policyengine.reports.extras.Extras` for a period.

    Raises InputError for a file that is no history, UsageError for a period that is none.
    """
    with opened(db) as history:
        runs = numbers_between(history.runs, start, end)
        return {
            "trend": points_of(history, runs, every),
            "repairs": _repairs(history, runs),
            "milestones": _milestones(history, runs),
        }


class _Severity:
    """Findings of one severity."""

    def __init__(self) -> None:
        self.fixed: list[int] = []
        self.open: list[int] = []
        self.reopened = 0


def _repairs(history: History, runs: Sequence[RunRow]) -> list[Repairs]:
    """A row for each severity. A repair is an episode of failing that a run of the period saw pass."""
    if not runs:
        return []
    found: dict[str, _Severity] = {}
    for life in history.lives():
        _take(history, life, runs, found)
    return [
        Repairs(
            severity, len(of.fixed), in_words(median(of.fixed)) if of.fixed else None,
            in_words(max(of.fixed)) if of.fixed else None, len(of.open),
            in_words(max(of.open)) if of.open else None, of.reopened,
        )
        for severity in _ORDER
        if (of := found.get(severity)) is not None and (of.fixed or of.open)
    ]  # fmt: skip


def _take(history: History, life: Life, runs: Sequence[RunRow], found: dict[str, _Severity]) -> None:
    first, last = runs[0].number, runs[-1].number
    about = history.pack(history.run(life.episodes[-1].last).pack).get(life.rule, {})
    of = found.setdefault(str(about.get("severity") or "unknown"), _Severity())
    at = [run.at for run in history.runs]
    for number, episode in enumerate(life.episodes):
        begun = at[episode.begins - 1]
        if episode.ended == "fixed" and episode.ends is not None and first <= episode.ends <= last:
            of.fixed.append(seconds_between(begun, at[episode.ends - 1]))
        if episode.begins <= last and (episode.ends is None or episode.ends > last):
            of.open.append(seconds_between(begun, at[last - 1]))
        of.reopened += bool(number) and first <= episode.begins <= last


def _milestones(history: History, runs: Sequence[RunRow]) -> Milestones | None:
    """The last two milestones of the period; of a single one and the last run. None where there are no two runs."""
    numbers = {run.number for run in runs}
    named = sorted((number, name) for name, number in history.milestones.items() if number in numbers)
    if not named:
        return None
    pair = named[-2:] if len(named) > 1 else [*named, (runs[-1].number, "the last run")]
    (one, before), (other, after) = pair
    if one == other:
        return None
    ids = {run.number: run.id for run in runs}
    sides = (side(history, ids[one]), side(history, ids[other]))
    counts, _ = count_moves(compare_sides(*sides), 0)
    rows = []
    for severity in _ORDER:
        row = Counter({became: counts["severity"][f"{severity}:{became}"] for became in BECAME})
        if row.total():
            rows.append((severity, [row[became] for became in BECAME]))
    words = [became.replace("_", " ") for became in BECAME]
    return Milestones(before, sides[0].at, after, sides[1].at, words, rows)
