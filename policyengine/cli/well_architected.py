"""``policyengine well-architected``: risks by pillar, the plan, and what has changed since a milestone."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from policyengine.reports.base import RuleInfo
    from policyengine.reports.extras import Extras
    from policyengine.reports.well_architected_risks import RiskReport

_PATH = click.Path(path_type=Path, exists=True)


@click.command(
    "well-architected",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 whatever the verdicts are; 2 no run.",
)
@click.argument("run", type=_PATH)
@click.option(
    "--compare",
    "earlier",
    type=_PATH,
    metavar="RUN|FILE",
    help="an earlier run, or its document (a milestone)",
)
@click.option(
    "--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True
)
@click.option("--all", "every", is_flag=True, help="on the terminal all accounts, practices and steps")
def well_architected(run: Path, earlier: Path | None, form: str, every: bool) -> None:
    """Say what RUN found as risks by pillar of the Well-Architected Framework, and in which order to repair it.

    RUN is a run directory (`scan -o DIR`), findings.json, an ndjson report, or a document of this command.

    \b
      policyengine well-architected run/
      policyengine well-architected run/ --format json > milestone.json
      policyengine well-architected run/ --compare milestone.json
    """
    from policyengine.cli.outputs import terminal_look
    from policyengine.reports.well_architected import write_document
    from policyengine.reports.well_architected_compare import compare
    from policyengine.reports.well_architected_page import comparison_page, page

    found = document_of(run)
    shown = found if earlier is None else compare(document_of(earlier), found)
    if form == "json":
        write_document(sys.stdout, shown)
        return
    look = terminal_look(sys.stdout)
    for line in page(shown, look, every=every) if earlier is None else comparison_page(shown, look):
        click.echo(line)


def document_of(path: Path) -> dict[str, Any]:
    """Return the document of a run, or the one that a file holds. Raises InputError where it is neither."""
    from policyengine.cli.reportextras import known_extras
    from policyengine.reports.well_architected import document

    kept = _kept(path)
    if kept is not None:
        return kept
    run = _run(path)
    extras = known_extras()
    rules = _rules(path)
    return document(run, _risks(path, rules, extras), rules, extras)


def _run(path: Path) -> dict[str, Any]:
    """Return the final run object; a stream that was cut off is incomplete, whatever its first line says."""
    from policyengine.model.errors import InputError
    from policyengine.store.rundir import read_run

    run = read_run(path)
    if not run:
        raise InputError(f"`{path}` is no run: expected a run directory, findings.json or an ndjson report")
    if run.get("schema") != "policyengine/findings-stream/v1":
        return run
    last = ""
    with path.open(encoding="utf-8") as file:
        for line in file:
            last = line
    try:
        end = json.loads(last)["end"]["run"]
    except (ValueError, KeyError, TypeError, RecursionError):
        end = None
    return end if isinstance(end, dict) else {**run, "complete": False}


def _risks(path: Path, rules: Mapping[str, RuleInfo], extras: Extras) -> RiskReport:
    """Return the risks of a run: of a directory by its rows, which takes a tenth of the time."""
    from policyengine.model.errors import InputError
    from policyengine.reports.well_architected_risks import RiskTally
    from policyengine.store.rundir import RunReader, read_findings

    tally = RiskTally(rules, extras.remediations)
    if path.is_dir():
        reader = RunReader(path)
        try:
            for row in reader.rows():
                rules_of = reader.rules_of.get(row.type, ())
                tally.add_row(row.account, rules_of, row.verdicts, row.details, reader.facts)
            return tally.results()
        except (KeyError, ValueError) as error:
            raise InputError(f"`{path}` has rows that its rules do not explain; it is damaged") from error
    for finding in read_findings(path):
        tally.count(
            finding["rule"], finding["severity"], finding["verdict"], finding["resource"]["account"],
            waived=finding.get("waiver") is not None, cause=finding.get("cause"),
            remediation=finding.get("remediation"),
        )  # fmt: skip
    return tally.results()


def _kept(path: Path) -> dict[str, Any] | None:
    """Return the document that a file holds; None for a run."""
    from policyengine.reports.well_architected import SCHEMA
    from policyengine.reports.well_architected_compare import checked

    if path.is_dir():
        return None
    with path.open("rb") as file:
        if SCHEMA.encode() not in file.read(200):
            return None
        file.seek(0)
        try:
            value = json.load(file)
        except (ValueError, RecursionError):
            value = None
    return checked(value, str(path))


def _rules(path: Path) -> dict[str, RuleInfo]:
    """Return the rules that the run asked, by its own copy of them; else those that come with this program."""
    from policyengine.cli.reportextras import rules_asked
    from policyengine.cli.ruleinfo import rule_info
    from policyengine.rules.packs import load_packs
    from policyengine.store.rundir import RunReader

    if path.is_dir():
        return rules_asked(RunReader(path))
    return {form["id"]: rule_info(form) for form in load_packs().rules}
