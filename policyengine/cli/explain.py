"""``policyengine explain``: a rule as a page, or why a finding is what it is."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from policyengine.model.errors import InputError, UsageError

_FINDING_ID = re.compile(r"[0-9a-f]{6,32}")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", metavar="RULE|FINDING-ID")
@click.option(
    "--run",
    "run",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="run directory, findings.json or ndjson report that has the finding",
)
@click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="add a folder of rules",
)
def explain(name: str, run: Path | None, folders: Sequence[Path]) -> None:
    """Explain a rule, or a finding of an earlier run.

    A finding id may be shortened as long as it is unique; without --run, `findings.json` of the
    current folder and of `demo-out/` are tried.
    """
    looks_like_finding = _FINDING_ID.fullmatch(name) is not None
    click.echo(
        finding_page(name, run, folders)
        if looks_like_finding or run is not None
        else rule_page(name, folders)
    )


def rule_page(rule_id: str, folders: Sequence[Path]) -> str:
    """Return the page of a rule; raises UsageError with the nearest id for an unknown one."""
    from policyengine.cli.outputs import terminal_look
    from policyengine.cli.ruleinfo import rule_info
    from policyengine.cli.rules import known_rule
    from policyengine.engine.words import in_words
    from policyengine.reports.explain import ParameterInfo, RulePage, explain_rule
    from policyengine.rules.pack import load_packs

    form = known_rule(load_packs(folders).rules, rule_id)
    variant = form["variants"][0]
    page = RulePage(
        info=rule_info(form),
        applies_to=form["applies_to"],
        requires=in_words(variant["require"]),
        when=in_words(variant["when"]) if variant["when"] else (),
        parameters=[
            ParameterInfo(name, p["type"], p["default"], p["default"], p.get("description", ""))
            for name, p in form["parameters"].items()
        ],
        examples=_examples(form, folders),
        remediation=form["remediation"],
        file=form["source"],
    )
    return explain_rule(page, terminal_look(sys.stdout))


def _examples(form: dict[str, Any], folders: Sequence[Path]) -> list[Any]:
    """Return some of the rule's own test cases, one per verdict first."""
    from policyengine.documents import load
    from policyengine.reports.explain import ExampleInfo
    from policyengine.rules.data import data_root

    name = form["source"].removesuffix(".yaml") + ".test.yaml"
    path = next((p for folder in (data_root().rules, *folders) if (p := folder / name).is_file()), None)
    if path is None:
        return []
    cases = [
        c for c in load(path.read_bytes(), name=name, syntax="yaml", style="strict").value if "case" in c
    ]
    firsts = list({c["expect"]: c for c in reversed(cases)}.values())
    order = {"PASS": 0, "FAIL": 1, "UNKNOWN": 2, "NOT_APPLICABLE": 3}
    return [
        ExampleInfo(c["case"], c["expect"], c.get("reason"), _flow(c.get("resource", c.get("resources"))))
        for c in sorted(firsts, key=lambda c: order[c["expect"]])
    ]


def _flow(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return text.strip()


def finding_page(finding_id: str, run: Path | None, folders: Sequence[Path]) -> str:
    """Return the page of a finding.

    Raises InputError when the run has no such finding or several begin like that.
    """
    from policyengine.cli.outputs import terminal_look
    from policyengine.cli.ruleinfo import rule_info
    from policyengine.reports.explain import explain_finding
    from policyengine.rules.pack import load_packs
    from policyengine.store.rundir import read_findings

    path = run or next(
        (p for p in (Path("findings.json"), Path("demo-out/findings.json")) if p.is_file()), None
    )
    if path is None:
        raise UsageError(
            "which run? give it with `--run`: a run directory, findings.json or an ndjson report"
        )
    found = {f["id"]: f for f in read_findings(path) if f["id"].startswith(finding_id)}
    if not found:
        raise InputError(f"`{path}` has no finding `{finding_id}`")
    if len(found) > 1:
        raise InputError(f"{len(found)} findings begin with `{finding_id}`; give more of the id")
    finding = next(iter(found.values()))
    form = load_packs(folders).rule(finding["rule"])
    return explain_finding(finding, rule_info(form) if form else None, terminal_look(sys.stdout))
