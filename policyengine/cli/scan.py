"""``policyengine scan``: targets in, reports out, an exit code that tells the truth."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_INCOMPLETE, EXIT_OK, EXIT_UNKNOWN, EXIT_USAGE

_PATH = click.Path(path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FMT[=FILE]",
    help="terminal, json, ndjson, sarif, junit, github, gitlab, markdown, csv; may repeat",
)
@click.option(
    "-o",
    "--output",
    type=_PATH,
    metavar="DIR",
    help="write a run directory that later commands take as a target",
)
@click.option("--compact", is_flag=True, help="one line per finding")
@click.option("--limit", type=int, metavar="N", help="findings shown per rule on the terminal; 0 shows all")
@click.option("-q", "--quiet", is_flag=True, help="no terminal report; the exit code says it")
@click.option(
    "--rules", "rule_folders", multiple=True, type=_PATH, metavar="DIR", help="add a folder of rules"
)
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="only this rule; may repeat")
@click.option(
    "--family", "families", multiple=True, metavar="NAME", help="only rules of this family; may repeat"
)
@click.option(
    "--config",
    type=_PATH,
    metavar="FILE",
    help="policyengine.yaml to use instead of the nearest above the target",
)
@click.option("--parameters", multiple=True, metavar="FILE|KEY=VALUE", help="CloudFormation parameter values")
@click.option(
    "--stack-tag",
    "stack_tags",
    multiple=True,
    metavar="KEY=VALUE",
    help="a tag the stack is deployed with; may repeat",
)
@click.option(
    "--terraform-source", type=_PATH, metavar="DIR", help="configuration of the plan, for line numbers"
)
@click.option("--account", metavar="ID", help="bind code to an account")
@click.option("--region", metavar="NAME", help="bind code to a region")
@click.option("--ou", "ous", multiple=True, metavar="ID", help="bind code to OUs, nearest first; may repeat")
@click.option(
    "--as-of", metavar="TIME", help="the clock of the run (RFC 3339); same input and time, same bytes"
)
@click.option(
    "--fail-on",
    type=click.Choice(["low", "medium", "high", "critical", "never"]),
    default="low",
    show_default=True,
    help="exit 1 on a FAIL at or above this severity",
)
@click.option("--strict", is_flag=True, help="exit 3 when a verdict is UNKNOWN")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="processes for large snapshots",
)
def scan(targets: Sequence[str], **options: Any) -> int:
    """Evaluate rules on templates, plans and snapshots.

    TARGET is a file or a folder; each file is recognised by its content. `-` reads standard input.
    """
    from policyengine.cli.run import prepare_run

    run = prepare_run(targets, options)
    return exit_code(run.write(sys.stdout), fail_on=options["fail_on"], strict=options["strict"])


def exit_code(result: Any, *, fail_on: str, strict: bool) -> int:
    """Return the exit code of DESIGN section 6, by precedence 4, 2, 1, 3, 0."""
    if result.incomplete:
        return EXIT_INCOMPLETE
    if result.input_errors:
        return EXIT_USAGE
    if result.failed_at(fail_on):
        return EXIT_FAIL
    return EXIT_UNKNOWN if strict and result.unknown else EXIT_OK
