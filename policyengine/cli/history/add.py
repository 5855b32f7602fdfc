"""``policyengine history add``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.history.options import db_option

_LATE = 3600
"""Seconds between data and judgement from which on a person is told."""


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 the runs are in the history; 2 one is no run, is older than the newest, or was changed: those before "
    "it were added.",
)
@click.argument(
    "runs", nargs=-1, required=True, metavar="RUN...", type=click.Path(path_type=Path, exists=True)
)
@db_option
def add(runs: Sequence[Path], db: Path) -> int:
    """Add runs to the history, in the order of their times; a run that is there already stays as it is.

    RUN is a run directory (`scan -o DIR`); a report with its run (`--format json`, `ndjson`) does too, but holds no rules, so
    that nothing is said of controls.
    """
    from policyengine.cli.outputs import note, say
    from policyengine.history.adding import add_run
    from policyengine.history.database import open_history
    from policyengine.history.moments import seconds_between
    from policyengine.history.runs import RunRead

    opened = [RunRead(path) for path in runs]
    read = sorted((run.at, run.id, run.path) for run in opened)
    for run in opened:
        if abs(seconds_between(run.at, run.judged)) > _LATE:
            note(
                f"{run.path}: its data is of {run.at}, and that is the time of its findings; it was judged as of {run.judged}, "
                "which is what rules that look at the clock saw"
            )
    connection = open_history(db, create=True)
    try:
        for _, _, path in read:
            added = add_run(connection, path, db)
            counts = added.counts
            what = (
                f"{added.resources:,} resources, {counts['F']:,} fail, {counts['U']:,} unknown, {counts.get('new', 0):,} new, "
                f"{counts.get('reopened', 0):,} of them re-opened, {counts.get('fixed', 0):,} fixed"
                if added.fresh
                else "is there already"
            )
            say(f"{added.at} {added.run}: {what}")
    finally:
        connection.close()
    return EXIT_OK
