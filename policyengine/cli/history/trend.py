"""``policyengine history trend``: the runs, side by side."""

from __future__ import annotations

from pathlib import Path

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
    context_settings={"help_option_names": ["-h", "--help"]}, epilog="Exit codes: 0; 2 no history."
)
@db_option
@period_options
@every_option
@as_of_option
@format_option("terminal", "json", "csv")
def trend(db: Path, start: str | None, end: str | None, every: str, as_of: str | None, form: str) -> int:
    """Show each run with its verdicts, what became new, fixed and re-opened, and the gaps between runs.

    New is what fails and was not known to fail before; of it re-opened what had failed before and had ended.
    """
    from policyengine.history.moments import duration
    from policyengine.history.period import coming, gaps_rows, runs_rows

    expected = duration(every)
    runs = list(runs_rows(db, start, end))
    now = clock_text(as_of)
    gaps = list(gaps_rows(db, start, end, expected, now))
    later = coming(db, start, end, now)
    if form == "json":
        print_json({"schema": "policyengine/trend/v1", "runs": runs, "gaps": gaps, "not_yet": later})
        return EXIT_OK
    if form == "csv":
        print_csv(runs)
        return EXIT_OK
    late = {gap["run_after"]: gap for gap in gaps}
    columns = ("resources", "pass", "fail", "unknown", "not_looked_at", "waived", "new", "reopened", "fixed", "gone",
               "failed_then_not_applicable")  # fmt: skip
    table(
        ("at", "run", "", *(name.replace("_", " ") for name in columns)),
        [
            (
                run["at"],
                run["run"][:8],
                _mark(run["complete"], run["run"] in late),
                *(run[name] for name in columns),
            )
            for run in runs
        ],
    )
    print_gaps(gaps, later)
    return EXIT_OK


def _mark(complete: bool, late: bool) -> str:
    marks = [word for word, there in (("partial", not complete), ("after a gap", late)) if there]
    return ", ".join(marks)
