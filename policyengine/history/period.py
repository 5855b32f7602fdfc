"""What an evidence bundle and the reports say of a period: rows of tables, and the points of a trend.

A cell is a text, a number or a boolean; times are RFC 3339. Numbers that nobody knows are empty texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from policyengine.history.continuity import Continuity
from policyengine.history.controls import EVERY, SEEN, controls_of, gaps_of, not_yet
from policyengine.history.database import open_history
from policyengine.history.moments import seconds_between
from policyengine.history.reading import History, RunRow, numbers_between
from policyengine.model.reasons import LETTERS
from policyengine.reports.extras import TrendPoint

Cells = dict[str, Any]


@contextmanager
def opened(db: Path) -> Iterator[History]:
    """Open a file of history for reading. Raises InputError for what is none."""
    connection = open_history(db)
    try:
        yield History(connection)
    finally:
        connection.close()


def trend_points(
    db: Path, start: str | None = None, end: str | None = None, every: timedelta = EVERY
) -> list[TrendPoint]:
    """Return a point for each run of a period, the oldest first."""
    with opened(db) as history:
        return points_of(history, numbers_between(history.runs, start, end), every)


def points_of(history: History, runs: Sequence[RunRow], every: timedelta = EVERY) -> list[TrendPoint]:
    """Return a point for each of these runs."""
    late = {gap.before for gap in gaps_of(runs, None, None, every)}
    names = {number: name for name, number in reversed(history.milestones.items())}
    return [
        TrendPoint(
            at=run.at, run=run.id, complete=run.complete,
            verdicts={verdict: run.counts[letter] for verdict, letter in LETTERS.items()},
            waived=run.counts["waived"], new=_against(run, "new"), fixed=_against(run, "fixed"),
            reopened=_against(run, "reopened"), gap_before=run.id in late, milestone=names.get(run.number),
        )
        for run in runs
    ]  # fmt: skip


def _against(run: RunRow, what: str) -> int | None:
    """The first run of all has none before it."""
    return None if run.number == 1 else run.counts.get(what, 0)


def runs_rows(db: Path, start: str | None, end: str | None) -> Iterator[Cells]:
    """Yield a row for each run of the period (``runs.csv``)."""
    with opened(db) as history:
        for run in numbers_between(history.runs, start, end):
            counts = run.counts
            yield {
                "run": run.id, "at": run.at, "complete": run.complete, "errors": run.about["errors"],
                "engine": run.about["engine"], "resources": run.resources,
                **{verdict.lower(): counts[letter] for verdict, letter in LETTERS.items()},
                "not_looked_at": counts["?"], "waived": counts["waived"],
                **{what: "" if run.number == 1 else counts.get(what, 0)
                   for what in ("new", "reopened", "fixed", "gone")},
                "failed_then_not_applicable": "" if run.number == 1 else counts.get("to_na", 0),
                "accounts": " ".join(run.about["accounts"]), "regions": " ".join(run.about["regions"]),
            }  # fmt: skip


def gaps_rows(
    db: Path, start: str | None, end: str | None, every: timedelta = EVERY, now: str | None = None
) -> Iterator[Cells]:
    """Yield a row for each time longer than ``every`` in which no run was, the ends of the period included (``gaps.csv``);
    what lies after ``now`` has not been yet, and is none."""
    with opened(db) as history:
        for gap in gaps_of(numbers_between(history.runs, start, end), start, end, every, now):
            yield {
                "from": gap.start, "to": gap.end, "hours": round(gap.seconds / 3600, 2),
                "expected_every_hours": round(every.total_seconds() / 3600, 2),
                "run_before": gap.after or "", "run_after": gap.before or "",
            }  # fmt: skip


def coming(db: Path, start: str | None, end: str | None, now: str) -> Cells | None:
    """Return what of a period lies in the future, ``from`` and ``to``; None where nothing does."""
    with opened(db) as history:
        found = not_yet(numbers_between(history.runs, start, end), start, end, now)
    return None if found is None else {"from": found[0], "to": found[1]}


def control_rows(
    db: Path,
    start: str | None,
    end: str | None,
    every: timedelta = EVERY,
    *,
    now: str | None = None,
    framework: str | None = None,
    timelines: Iterable[Path] = (),
) -> Iterator[Cells]:
    """Yield a row for each control that a rule of the period speaks of (``control_summary.csv``).

    ``continuous_seconds`` is empty where no timeline was given: then nothing is known of the time between runs.
    """
    files = list(timelines)
    with opened(db) as history:
        runs = numbers_between(history.runs, start, end)
        continuity = Continuity(files) if files else None
        gaps = gaps_of(runs, start, end, every, now)
        first, last = start or (runs[0].at if runs else ""), end or (runs[-1].at if runs else "")
        for control in controls_of(history, runs, continuity, framework):
            yield {
                "framework": control.framework, "control": control.control, "rules": " ".join(control.rules),
                "decides": control.decides,
                "from": first, "to": last, "period_seconds": seconds_between(first, last),
                "runs": len(runs), **{how: control.count(how) for how in SEEN},
                "seconds_between_held": control.between,
                "continuous_seconds": "" if continuity is None else control.continuous,
                "gaps": len(gaps), "gap_seconds": sum(gap.seconds for gap in gaps),
                "failed_then_not_applicable": control.regressions,
            }  # fmt: skip
