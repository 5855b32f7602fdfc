"""``policyengine history``: runs over time, and what AWS Config's history says of the time between them."""

from __future__ import annotations

from typing import Final

import click

from policyengine.cli.lazy import LazyGroup

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "add": ("policyengine.cli.history.add:add", "Add runs to the history."),
    "show": (
        "policyengine.cli.history.show:show",
        "Show findings: first and last seen, time to fix, re-opened.",
    ),
    "trend": (
        "policyengine.cli.history.trend:trend",
        "Show the runs: verdicts, new, fixed, re-opened, gaps.",
    ),
    "controls": (
        "policyengine.cli.history.controls:controls",
        "Show how often, and how long, controls were seen to hold.",
    ),
    "replay": (
        "policyengine.cli.history.replay:replay",
        "Run today's rules over the history of AWS Config: since when to when, and by whom.",
    ),
}


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def history() -> None:
    """Keep what became of findings from run to run, in one file.

    \b
      policyengine scan --live -o runs/2026-11-21
      policyengine history add runs/2026-11-21
      policyengine history show --status open
      policyengine history controls --framework soc2 --from 2026-01-01 --to 2026-06-30
      policyengine history replay config-bucket/AWSLogs/ --trail cloudtrail/
    """
