"""``policyengine explain``: a rule as a page, or why a finding is what it is."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from policyengine.cli.options import rules_option
from policyengine.cli.pages import rule_page
from policyengine.model.errors import InputError, UsageError

_FINDING_ID = re.compile(r"[0-9a-f]{4,32}")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", metavar="RULE|FINDING-ID")
@click.option(
    "--run",
    "run",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="run directory, findings.json or ndjson report that has the finding",
)
@rules_option(name="folders")
@click.option(
    "--in",
    "targets",
    multiple=True,
    metavar="TARGET",
    help="what the run looked at, if it is no longer where it was",
)
def explain(name: str, run: Path | None, folders: Sequence[Path], targets: Sequence[str]) -> None:
    """Explain a rule, or a finding of an earlier run.

    A finding id may be shortened as long as it is unique; without --run, `findings.json` of the
    current folder and of `demo-out/` are tried. A finding with a request as its proof is walked through
    every layer of policies that the run's targets show.
    """
    looks_like_finding = _FINDING_ID.fullmatch(name) is not None
    page = finding_page(name, run, folders, targets) if looks_like_finding else rule_page(name, folders)
    click.echo(page)


def finding_page(
    finding_id: str, run: Path | None, folders: Sequence[Path], targets: Sequence[str] = ()
) -> str:
    """Return the page of a finding; ``targets``: what it was found in, if not where the run says.

    Raises InputError when the run has no such finding or several begin like that.
    """
    from policyengine.cli.outputs import terminal_look
    from policyengine.cli.ruleinfo import rule_info
    from policyengine.reports.explain import explain_finding
    from policyengine.rules.packs import load_packs
    from policyengine.store.rundir import read_findings

    path = run or next(
        (p for p in (Path("findings.json"), Path("demo-out/findings.json")) if p.is_file()), None
    )
    if path is None:
        raise UsageError(
            "which run? give it with `--run`: a run directory, findings.json or an ndjson report"
        )
    found = {str(f.get("id")): f for f in read_findings(path) if str(f.get("id")).startswith(finding_id)}
    if not found:
        raise InputError(f"`{path}` has no finding `{finding_id}`")
    if len(found) > 1:
        raise InputError(f"{len(found)} findings begin with `{finding_id}`; give more of the id")
    finding = next(iter(found.values()))
    if path.is_dir() and not finding.get("evidence"):
        finding = _judged_again(path, finding)
    form = load_packs(folders).rule(str(finding.get("rule")))
    try:
        layers = _layers(finding.get("witness"), path, targets)
        return explain_finding(finding, rule_info(form) if form else None, terminal_look(sys.stdout), layers)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        message = f"`{path}`: finding `{finding_id}` is not of the form `policyengine/findings/v1`"
        raise InputError(message) from error


def _judged_again(run: Path, finding: dict[str, Any]) -> dict[str, Any]:
    """Return the finding of a kept run with what it rests on: of what passes, a run keeps only that it does."""
    from policyengine.cli.replaying import again
    from policyengine.engine.only import Only

    judged = again(run)
    about = finding["resource"]
    identity = (about["account"] or "", about["region"] or "", about["type"], about["id"])
    judged.scan.sources = [
        Only(source, {identity}, {about["type"]}) if finding["location"] is None else source
        for source in judged.sources
    ]
    made = (f.to_json() for f in judged.scan_findings(finding["verdict"]) if f.id == finding["id"])
    return {**next(made, finding), "location": finding["location"]}


def _layers(witness: Any, run: Path, targets: Sequence[str]) -> list[str]:
    """Return the walk of a request through the layers of the targets, or why there is none."""
    if not isinstance(witness, dict):
        return []
    from policyengine.cli.iam.layers import walk
    from policyengine.cli.iam.world import read_world
    from policyengine.iam.search import Witness
    from policyengine.store.rundir import RunReader, read_run

    kept = [str(place) for place in RunReader(run).inputs()] if run.is_dir() else []
    recorded = [] if kept else read_run(run).get("scope", {}).get("targets", [])
    wanted = list(targets) or kept or [t for t in recorded if isinstance(t, str)]
    gone = [t for t in wanted if not Path(t).exists()]
    if gone or not wanted:
        if all(t.startswith("live ") for t in gone) and gone:
            return [
                "not shown: what is read live is not kept; `policyengine snapshot` keeps it, name that with `--in`"
            ]
        names = ", ".join(f"`{t}`" for t in gone) or "what the run looked at"
        return [f"not shown: {names} is not here; name it with `--in`"]
    context = {k: v if isinstance(v, str) else tuple(v) for k, v in witness["context"].items()}
    request = Witness(witness["principal"], witness["action"], witness["resource"], context)
    return walk(request, read_world(wanted))
