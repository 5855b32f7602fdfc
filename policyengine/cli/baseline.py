"""``policyengine baseline``: the failures a project begins with, so that only new ones fail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from policyengine.cli.outputs import say
from policyengine.cli.waivers.common import (
    Failing,
    Json,
    as_text,
    complain,
    failures,
    is_run,
    options,
    scan_of,
)
from policyengine.cli.waivers.writing import write_whole
from policyengine.model.errors import UsageError
from policyengine.reports.text import plural

if TYPE_CHECKING:
    from policyengine.config.waivers import Baseline, BaselineEntry

_DONE: Final = ("PASS", "NOT_APPLICABLE")
_PATH: Final = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def baseline() -> None:
    """Begin with what fails today as debt: it is shown everywhere, and only what is not in it fails.

    \b
      policyengine baseline write snapshot/ -o baseline.json
      policyengine scan snapshot/ --baseline baseline.json
      policyengine baseline write snapshot/ -o baseline.json --prune
    """


@baseline.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 written; 2 the target cannot be read: nothing was written.",
)
@click.argument("target", type=click.Path(path_type=Path, exists=True), metavar="TARGET|RUN")
@options
@click.option("-o", "--output", "file", type=_PATH, required=True, metavar="FILE")
@click.option("--prune", is_flag=True, help="only take out what is fixed; nothing is added")
@click.option(
    "--gone",
    is_flag=True,
    help="with --prune also what was not met: its resource is gone, or was not looked at",
)
@click.option("--rule", "rules", multiple=True, metavar="ID", help="only failures of this rule; may repeat")
def write(target: Path, file: Path, *, prune: bool, gone: bool, rules: tuple[str, ...], **given: Any) -> int:
    """Write the failures of TARGET or RUN that no waiver accepts, each pinned to the values it was found with."""
    if prune:
        return _prune(target, file, gone=gone, given=given)
    if gone or (file.exists() and not _is_baseline(file)):
        why = (
            "--gone goes with --prune" if gone else f"`{file}` exists and is no baseline; choose another name"
        )
        raise UsageError(why)
    from policyengine.config.baseline import write_baseline

    kept: dict[str, BaselineEntry] = {}
    for found in failures(target, given, rules):
        if (found.finding.waiver or {}).get("kind") != "waiver":
            entry = entry_of(found)
            kept[entry.id] = entry
    write_whole(file, write_baseline(_time_of(target, given), list(kept.values())).encode())
    say(
        f"wrote {plural(len(kept), 'failure')} to {file}: they are debt, and `scan --baseline {file}` fails on others only"
    )
    return 0


def _is_baseline(file: Path) -> bool:
    from policyengine.config.baseline import SCHEMA

    with file.open("rb") as stream:
        return SCHEMA.encode() in stream.read(100)


def entry_of(found: Failing) -> BaselineEntry:
    """Return a failure as a baseline holds it."""
    from policyengine.config.waivers import BaselineEntry
    from policyengine.engine.pinning import digest_of_pin

    finding = found.finding
    return BaselineEntry(finding.id, finding.rule, finding.identity, digest_of_pin(found.pin))


def _time_of(target: Path, given: Json) -> str:
    if not is_run(target) or given["as_of"] is not None:
        return as_text(given["as_of"])
    from policyengine.store.rundir import read_run

    return str(read_run(target).get("as_of") or as_text(None))


def _prune(target: Path, file: Path, *, gone: bool, given: Json) -> int:
    from policyengine.config.baseline import read_baseline, write_baseline

    try:
        before = read_baseline(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(f"`{file}` cannot be read: {(error.strerror or 'error').lower()}") from None
    states = _states(target, file, before, given)
    kept = [
        each
        for each in before.entries
        if states.get(each.id) not in _DONE and not (gone and each.id not in states)
    ]
    write_whole(file, write_baseline(before.written, kept).encode())
    removed, unseen = len(before.entries) - len(kept), sum(each.id not in states for each in kept)
    say(
        f"removed {plural(removed, 'entry', 'entries')} of {len(before.entries):,}; {len(kept):,} are left in {file}"
    )
    if unseen:
        say(
            f"note: {unseen:,} were not met: their resources are gone, or were not looked at; --gone removes them, too"
        )
    return 0


def _states(target: Path, file: Path, before: Baseline, given: Json) -> dict[str, str]:
    """Return what became of the entries that were met: a verdict, or how they still fail. Raises PolicyEngineError."""
    if is_run(target):
        from policyengine.store.rundir import read_findings

        ids = {each.id for each in before.entries}
        return {found["id"]: found["verdict"] for found in read_findings(target) if found["id"] in ids}
    run = scan_of(target, given, baseline=file)
    for _ in run.scan.findings():
        pass
    complain(run)
    return run.scan.counts.accepted.entries
