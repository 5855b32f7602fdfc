"""``policyengine report``: a kept run in any format, without judging it again where nothing asks for that."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.options import jobs_option
from policyengine.cli.outputs import open_reports, terminal_options
from policyengine.cli.run import parse_formats
from policyengine.model.errors import InputError
from policyengine.model.finding import Finding
from policyengine.model.reasons import VERDICTS
from policyengine.reports.base import Context, RunInfo, write_reports
from policyengine.reports.table import REPORTS

_PATH = click.Path(path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("run", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--format", "formats", multiple=True, metavar="FMT[=FILE]", help="as of `scan`; may repeat, all but one with a file"
)  # fmt: skip
@click.option(
    "--history", "history_file", type=_PATH, metavar="FILE", help="show the trend that this history holds"
)
@click.option("--shadow-ai", type=_PATH, metavar="FILE", help="show what `shadow-ai --format json` found")
@click.option("--compact", is_flag=True, help="on the terminal one line per finding")
@click.option(
    "--limit", type=click.IntRange(min=0), metavar="N", help="on the terminal N findings per rule; 0: all"
)
@click.option(
    "--show-waived", is_flag=True, help="on the terminal also list the failures that a waiver accepts"
)
@jobs_option("processes for what is judged again")
def report(run: Path, **options: Any) -> int:
    """Write reports of RUN, a folder that `scan -o DIR` wrote.

    Formats that say what passes and why (json, ndjson, csv, oscal-full, …) judge the run's own resources again, with its own
    rules and clock; all others take what was kept.

    \b
      policyengine report run/ --format html=report.html --format xlsx=report.xlsx
    """
    formats = parse_formats({**options, "quiet": False})
    from policyengine.cli.kept_report import kept_context, run_info
    from policyengine.store.rundir import RunReader

    reader = RunReader(run)
    names = [name for name, _ in formats]
    context = kept_context(reader, names)
    context = replace(
        context, terminal=terminal_options(options, sys.stdout), extras=_extras(context, options)
    )
    info = run_info(reader)
    _write(formats, context, info, _findings(reader, names, options["jobs"]))
    return EXIT_OK


def _write(
    formats: Sequence[tuple[str, Path | None]], context: Context, info: RunInfo, found: Iterator[Finding]
) -> None:
    with ExitStack() as stack:
        reports = open_reports(formats, sys.stdout, context, stack)
        begun = replace(  # what a scan knows before its first finding
            info, accounts=(), regions=(), complete=True, errors=(), skipped={}, notes=(), unknown_types={},
            undecidable=(), resources=None, verdicts=None, waivers=(), baseline=None,
        )  # fmt: skip
        write_reports(found, reports, begun, lambda: info)


def _findings(reader: Any, names: Sequence[str], jobs: int) -> Iterator[Finding]:
    if not any(REPORTS[name].passes for name in names):
        found: Iterator[Finding] = reader.findings()
        return found
    from policyengine.cli.replaying import again

    return map(_told, reader.findings(), again(reader.path, jobs=jobs).findings(frozenset(VERDICTS)))


def _told(kept: Finding, judged: Finding) -> Finding:
    """What was kept is what the run said; of what passes it kept the place, which lines of code do not say."""
    if (kept.id, kept.verdict) != (judged.id, judged.verdict):
        raise InputError(
            f"judged again, `{judged.rule}` on `{judged.resource_id}` is {judged.verdict}; the run says {kept.verdict} for "
            f"`{kept.rule}` on `{kept.resource_id}`: it is damaged, or of another version"
        )
    return kept if kept.evidence else judged._replace(location=kept.location)


def _extras(context: Context, options: dict[str, Any]) -> Any:
    extras = context.extras
    if options["history_file"] is not None:
        from policyengine.history.summing import history_extras

        extras = replace(extras, **history_extras(options["history_file"]))
    if options["shadow_ai"] is not None:
        from policyengine.cli.shadow_document import read_shadow_ai

        extras = replace(extras, shadow_ai=read_shadow_ai(options["shadow_ai"]))
    return extras
