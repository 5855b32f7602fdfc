"""``docs/coverage.csv``: what other tools check, and which rule of ours decides it or why none does."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from policyengine.rules.data import data_root
from policyengine.rules.pack import rule_files

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT.parent / "shared" / "data" / "peer-checks.csv"
FAMILIES = {"network", "encryption", "tagging", "logging", "resilience"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


ROWS = rows(ROOT / "docs" / "coverage.csv")
RULES = {path.stem for path in rule_files(data_root().rules)}


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


@pytest.mark.skipif(
    not PEERS.is_file(), reason="the list of peers' checks lies beside the project and is not here"
)
def test_every_check_of_the_families_has_a_row() -> None:
    wanted = {(row["peer"], row["family"], row["check"]) for row in rows(PEERS) if row["family"] in FAMILIES}
    assert {(row["peer"], row["family"], row["check"]) for row in ROWS} == wanted
