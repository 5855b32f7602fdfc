"""``policyengine history controls``: observations of controls, and time only where it is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.history.options import (
    as_of_option,
    clock_text,
    db_option,
    every_option,
    format_option,
    period_options,
    print_csv,
    print_gaps,
    print_json,
    table,
)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0; 2 no history, or no timeline.",
)
@db_option
@click.option("--framework", metavar="ID", help="only the controls of this framework")
@period_options
@every_option
@as_of_option
@click.option(
    "--timeline", "timelines", multiple=True, type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
    help="what `history replay --format json` wrote: shows what held between runs; may repeat",
)  # fmt: skip
@format_option("terminal", "json", "csv")
def controls(
    db: Path,
    framework: str | None,
    start: str | None,
    end: str | None,
    every: str,
    timelines: Sequence[Path],
    as_of: str | None,
    form: str,
) -> int:
    """Show for each control in how many runs of the period it was seen to hold.

    Two runs in which it held are two observations and say nothing of the time between. With --timeline the time is counted
    in which AWS Config's history, and CloudTrail, show that nothing of it changed.
    """
    from policyengine.history.moments import duration
    from policyengine.history.period import coming, control_rows, gaps_rows

    expected = duration(every)
    now = clock_text(as_of)
    rows = list(control_rows(db, start, end, expected, now=now, framework=framework, timelines=timelines))
    gaps = list(gaps_rows(db, start, end, expected, now))
    later = coming(db, start, end, now)
    if form == "json":
        print_json(
            {"schema": "policyengine/control-period/v1", "controls": rows, "gaps": gaps, "not_yet": later}
        )
    elif form == "csv":
        print_csv(rows)
    else:
        _terminal(rows)
        print_gaps(gaps, later)
    return EXIT_OK


def _terminal(rows: list[dict[str, Any]]) -> None:
    if not rows:
        print("no rule of these runs speaks of a control, or there is no run in the period")
    else:
        table(
            ("framework", "control", "decided in", "held", "failed", "unknown", "partial", "not tested", "known to last",
             "to n/a"),
            [
                (row["framework"], row["control"], row["decides"], f"{row['held']}/{row['runs']}", row["failed"],
                 row["unknown"], row["partial"], row["not_tested"], _lasting(row), row["failed_then_not_applicable"])
                for row in rows
            ],
        )  # fmt: skip
        if rows[0]["continuous_seconds"] == "":
            print(
                "held: runs that saw it hold, of all; nothing is known of the time between them (--timeline FILE)"
            )


def _lasting(row: dict[str, Any]) -> str:
    from policyengine.history.moments import in_words

    if row["continuous_seconds"] == "":
        return "not known"
    # rounded down: nearly all of a period is not all of it
    tenths = row["continuous_seconds"] * 1000 // row["period_seconds"] if row["period_seconds"] else 0
    return f"{in_words(row['continuous_seconds'])} ({tenths / 10:.1f}%)"
