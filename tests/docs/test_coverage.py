"""``docs/coverage.csv``: what other tools check, and which rule of ours decides it or why none does."""

from __future__ import annotations

import csv
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from policyengine.rules import schema as s
from policyengine.rules.data import data_root
from policyengine.rules.loader import compile_text
from policyengine.rules.pack import rule_files
from policyengine.testing.cases import run_case

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT.parent / "shared" / "data" / "peer-checks.csv"
FAMILIES = {"bedrock", "encryption", "iam", "logging", "network", "pipeline", "resilience", "tagging"}
BY_REASONING = ("bedrock", "iam", "pipeline")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


ROWS = rows(ROOT / "docs" / "coverage.csv")
RULE_FILES = {path.stem: path for path in rule_files(data_root().rules)}
RULES = set(RULE_FILES)
EXAMPLES: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "tests" / "docs" / "peer_examples.yaml").read_text(encoding="utf-8")
)
AROUND = [
    {"type": type_, "id": id_, "region": "global", "properties": properties}
    for type_, id_, properties in (
        ("AWS::::Account", "a", {"AccountId": "111122223333", "OrganizationId": "o-aaaaaaaaaa"}),
        ("AWS::Organizations::Account", "b", {"AccountId": "111122223333"}),
        ("AWS::Organizations::Organization", "o", {"ManagementAccountId": "111122223333"}),
    )
]


def test_every_named_rule_exists() -> None:
    named = {rule for row in ROWS for rule in row["rule"].split()}
    assert named - RULES == set()


def test_what_is_not_covered_says_why() -> None:
    silent = [(row["peer"], row["check"]) for row in ROWS if not row["rule"] and len(row["reason"]) < 10]
    assert silent == []


def test_no_check_stands_twice() -> None:
    counts = Counter((row["peer"], row["family"], row["check"]) for row in ROWS)
    assert [key for key, number in counts.items() if number > 1] == []


def test_at_least_sixty_percent_are_covered() -> None:
    covered = sum(bool(row["rule"]) for row in ROWS)
    assert covered / len(ROWS) >= 0.60


@pytest.mark.parametrize("family", BY_REASONING)
def test_seventy_percent_are_covered_where_policies_are_reasoned_about(family: str) -> None:
    covered = [bool(row["rule"]) for row in ROWS if row["family"] == family]
    assert sum(covered) / len(covered) >= 0.70


@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_what_a_check_fails_a_rule_fails(index: int) -> None:
    example = EXAMPLES[index]
    named = {rule for row in ROWS if row["check"] == example["check"] for rule in row["rule"].split()}
    verdicts = {rule: found for rule in sorted(named) if (found := verdict(rule, example)) is not None}
    assert "FAIL" in verdicts.values(), f"{example['check']}: {verdicts}"


@cache
def compiled(rule: str) -> dict[str, Any]:
    form, errors = compile_text(RULE_FILES[rule], RULE_FILES[rule].read_bytes())
    assert form is not None, errors
    return form


def verdict(rule: str, example: dict[str, Any]) -> str | None:
    """Return what a rule says of an example in an account of an organisation; None where it does not apply."""
    region = {"region": "global"} if example["type"].startswith("AWS::IAM::") else {}
    shown = {key: example[key] for key in ("type", "properties", "related") if key in example}
    resources = [{"id": "subject", **region, **shown}, *AROUND]
    case = s.Case.model_validate({"case": "of a peer", "resources": resources, "expect": "FAIL"})
    found = run_case(compiled(rule), case).finding
    return found.verdict if found is not None else None


@pytest.mark.skipif(
    not PEERS.is_file(), reason="the list of peers' checks lies beside the project and is not here"
)
def test_every_check_of_the_families_has_a_row() -> None:
    wanted = {(row["peer"], row["family"], row["check"]) for row in rows(PEERS) if row["family"] in FAMILIES}
    assert {(row["peer"], row["family"], row["check"]) for row in ROWS} == wanted
