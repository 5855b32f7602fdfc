"""docs/frameworks.md and docs/well-architected.md name every status, kind, change and key there is, and none else."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from policyengine.cli.frameworkinfo import framework_infos
from policyengine.model.reasons import FAIL
from policyengine.reports import control_pages, well_architected_compare
from policyengine.reports import frameworks as framework_pages
from policyengine.reports.base import Context, RuleInfo, RunInfo
from policyengine.reports.controls import STATUSES, ControlTally
from policyengine.reports.extras import Extras, RemainsWith
from policyengine.reports.json_report import run_json
from policyengine.reports.well_architected import document, write_document
from policyengine.reports.well_architected_risks import MEANS_WORDS, RiskTally, effort
from policyengine.rules.remains import KINDS

DOCS = Path(__file__).resolve().parents[2] / "docs"
FRAMEWORKS = (DOCS / "frameworks.md").read_text(encoding="utf-8")
RISKS = (DOCS / "well-architected.md").read_text(encoding="utf-8")
RULE = RuleInfo(
    "r", "t", "iam", "security", "high", "why", "fix",
    frameworks={"well-architected-security": [("SEC05-BP01", "part")]},
)  # fmt: skip


def well_architected() -> dict[str, Any]:
    tally = RiskTally({"r": RULE})
    tally.count("r", "high", FAIL, "111122223333")
    run = run_json(RunInfo("i", "t", "t", "1", "t", "d", 1))
    made = document(run, tally.results(), {"r": RULE}, Extras(frameworks=framework_infos()))
    out = io.StringIO()
    write_document(out, made)
    assert json.loads(out.getvalue()) == made
    return made


def results() -> dict[str, Any]:
    info = framework_infos()["well-architected-security"]
    tally = ControlTally({info.id: info}, Context(rules={"r": RULE}).rules)
    return control_pages.results_json(info, tally.results(), {})


def keys(value: Any) -> set[str]:
    """Names of members at any depth that are names of ours: no verdicts, no ids of rules."""
    if isinstance(value, dict):
        return {k for k in value if k.isidentifier() and not k.isupper()} | {
            k for v in value.values() for k in keys(v)
        }
    return {k for item in value for k in keys(item)} if isinstance(value, list) else set()


def words(text: str) -> set[str]:
    return {word for quoted in re.findall(r"`([^`\n]+(?:\n[^`\n]+)?)`", text) for word in quoted.split()}


# what the sentences around the tables say without quotes, or what stands in the contract's run
RUN = {
    "scope",
    "targets",
    "accounts",
    "regions",
    "digest",
    "rules",
    "schema",
    "control",
    "decides",
    "rule",
    "id",
}


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (RISKS, well_architected()),
        (RISKS, well_architected_compare.compare(well_architected(), well_architected())),
        (FRAMEWORKS + RISKS, results()),
        (
            FRAMEWORKS,
            framework_pages.framework_json(
                framework_infos()["soc2"], framework_pages.coverage(framework_infos()["soc2"], {})
            ),
        ),
    ],
    ids=["well-architected", "comparison", "results", "framework"],
)
def test_every_key_is_documented(text: str, made: dict[str, Any]) -> None:
    levels = {"high", "medium", "low", "whole", "part", "none", "not_judged", "title", "version", "controls"}
    assert keys(made) - words(text) - RUN - levels == set()


def test_every_status_change_and_kind_is_documented() -> None:
    table = re.findall(r"^\| `([a-z_]+)` \|", FRAMEWORKS, re.MULTILINE)
    assert set(table) == {*STATUSES, *KINDS}
    assert set(KINDS) == set(get_args(RemainsWith))
    changes = re.findall(
        r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", RISKS[RISKS.index("## Milestones") :], re.MULTILINE
    )
    named = {name for row in changes for name in re.findall(r"`([a-z_]+)`", row)}
    assert set(well_architected_compare.CHANGE_WORDS) <= named
    assert set(MEANS_WORDS) <= words(RISKS)


def test_the_order_of_statuses_is_that_of_the_table() -> None:
    table = [s for s in re.findall(r"^\| `([a-z_]+)` \|", FRAMEWORKS, re.MULTILINE) if s in STATUSES]
    assert table == [
        "not_decided", "failed", "unknown", "accepted", "not_tested", "satisfied", "no_failure_found",
    ]  # fmt: skip


def test_the_examples_of_effort_are_true() -> None:
    lines = re.findall(
        r"^\| ([\d,]+) changes (by hand )?in ([\d,]+) accounts? ?(.*?)\| (\d+) \((\w+)\) \|",
        RISKS,
        re.MULTILINE,
    )
    assert len(lines) == 3
    for changes, by_hand, accounts, _how, points, level in lines:
        found = effort(
            "hand" if by_hand else "automatic", int(changes.replace(",", "")), int(accounts.replace(",", ""))
        )
        assert (found.points, found.level) == (int(points), level)
