"""``policyengine frameworks``: which controls rules decide wholly, in part or not at all, and what remains."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from policyengine.cli.options import rules_option

if TYPE_CHECKING:
    from policyengine.reports.base import RuleInfo
    from policyengine.reports.controls import ControlResult
    from policyengine.reports.extras import FrameworkInfo
    from policyengine.reports.frameworks import ControlCoverage
    from policyengine.store.rundir import RunReader

    _Found = TypeVar("_Found", ControlCoverage, ControlResult)

_FOLDERS = rules_option(name="folders")
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["terminal", "json", "csv"]), default="terminal", show_default=True
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def frameworks() -> None:
    """Say what rules decide of compliance frameworks, and what remains."""


@frameworks.command("list")
@_FOLDERS
@_FORMAT
def list_frameworks(folders: Sequence[Path], form: str) -> None:
    """List the frameworks with how many controls rules decide."""
    from policyengine.cli.frameworkinfo import framework_infos
    from policyengine.reports.frameworks import SCHEMA, coverage, csv_text, framework_json, list_page

    rules = _rules(folders)
    every = [(framework, coverage(framework, rules)) for framework in framework_infos().values()]
    if form == "json":
        _print_json({"schema": SCHEMA, "frameworks": [framework_json(*pair) for pair in every]})
    elif form == "csv":
        _print_csv(csv_text([control for _, controls in every for control in controls]))
    else:
        for line in list_page(every):
            click.echo(line)


@frameworks.command()
@click.argument("framework")
@click.argument("control", required=False)
@click.option(
    "--run",
    "run",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="say what this run found (a run directory of `scan -o DIR`)",
)
@_FOLDERS
@_FORMAT
def show(framework: str, control: str | None, run: Path | None, folders: Sequence[Path], form: str) -> None:
    """Say of every control of FRAMEWORK, or of one, what rules decide and what remains.

    \b
      policyengine frameworks show soc2
      policyengine frameworks show soc2 CC6.1
      policyengine frameworks show soc2 --run run/
    """
    from policyengine.cli.frameworkinfo import framework_infos
    from policyengine.model.errors import UsageError
    from policyengine.rules.names import unknown

    known = framework_infos()
    if framework not in known:
        raise UsageError(unknown("framework", framework, known))
    rules = _rules(folders)
    if run is None:
        _show_rules(known[framework], control, rules, form)
    else:
        _show_run(known[framework], control, rules, form, run)


def _show_rules(info: FrameworkInfo, control: str | None, rules: Mapping[str, RuleInfo], form: str) -> None:
    from policyengine.cli.outputs import terminal_look
    from policyengine.reports import frameworks as pages

    controls = pages.coverage(info, rules)
    if control is not None:
        controls = [_control(info.id, controls, control)]
    if form == "json":
        _print_json({"schema": pages.SCHEMA, "frameworks": [pages.framework_json(info, controls)]})
    elif form == "csv":
        _print_csv(pages.csv_text(controls))
    else:
        look = terminal_look(sys.stdout)
        page = (
            pages.framework_page(info, controls, look)
            if control is None
            else pages.control_page(info, controls[0], _titles(rules), look)
        )
        for line in page:
            click.echo(line)


def _show_run(
    info: FrameworkInfo, control: str | None, rules: Mapping[str, RuleInfo], form: str, path: Path
) -> None:
    from policyengine.cli.outputs import terminal_look
    from policyengine.reports import control_pages as pages
    from policyengine.store.rundir import RunReader

    reader = RunReader(path)
    results = _results(info, rules, reader)
    if control is not None:
        results = [_control(info.id, results, control)]
    if form == "json":
        _print_json(pages.results_json(info, results, reader.run))
    elif form == "csv":
        _print_csv(pages.results_csv(info, results))
    else:
        look = terminal_look(sys.stdout)
        page = (
            pages.results_page(info, results, reader.run, look)
            if control is None
            else pages.result_page(info, results[0], _titles(rules), look)
        )
        for line in page:
            click.echo(line)


def _results(info: FrameworkInfo, rules: Mapping[str, RuleInfo], reader: RunReader) -> list[ControlResult]:
    """Return what a run says of each control; ``rules`` are all of the pack, also those that were not asked."""
    from policyengine.cli.reportextras import rules_asked
    from policyengine.model.errors import InputError
    from policyengine.reports.controls import ControlTally
    from policyengine.reports.tally import is_accepted

    asked = rules_asked(reader)
    tally = ControlTally({info.id: info}, {**rules, **asked}, asked=asked)
    try:
        for row in reader.rows():
            waived = [detail["rule"] for detail in row.details if is_accepted(detail.get("waiver"))]
            tally.add_row(reader.rules_of.get(row.type, ()), row.verdicts, waived)
        undecidable = reader.run.get("undecidable", ())
        return tally.results(complete=reader.run.get("complete") is True, undecidable=undecidable)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"`{reader.path}` has rows that its rules do not explain; it is damaged") from error


def _titles(rules: Mapping[str, RuleInfo]) -> dict[str, str]:
    return {rule: found.title for rule, found in rules.items()}


def _control(framework: str, controls: Sequence[_Found], name: str) -> _Found:
    from policyengine.model.errors import UsageError
    from policyengine.rules.data import data_root
    from policyengine.rules.frameworks import load_frameworks

    for control in controls:
        if control.control == name:
            return control
    close = load_frameworks(data_root().frameworks)[framework].suggest(name)
    hint = (
        f"did you mean {' or '.join(f'`{c}`' for c in close)}?" if close else "`frameworks show` lists them"
    )
    raise UsageError(f"`{framework}` has no control `{name}`; {hint}")


def _rules(folders: Sequence[Path]) -> Mapping[str, RuleInfo]:
    from policyengine.cli.ruleinfo import rule_info
    from policyengine.rules.packs import load_packs

    return {form["id"]: rule_info(form) for form in load_packs(folders).rules}


def _print_json(value: Any) -> None:
    import json

    click.echo(json.dumps(value, indent=1))


def _print_csv(text: str) -> None:
    sys.stdout.write(text)
