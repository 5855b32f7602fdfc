"""Conformance data of the predicates about what a role must stay able to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.needed import table as needed

from .conformance import cases, check

PREDICATES: dict[str, Predicate] = {p.name: p for p in needed.PREDICATES}
CASES = [(name, case) for name in PREDICATES for case in cases(name)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}: {c['case']}" for n, c in CASES])
def test_conformance(name: str, case: dict[str, Any]) -> None:
    check(PREDICATES[name], case)


@pytest.mark.parametrize("name", PREDICATES)
def test_every_predicate_is_documented_and_shown_in_all_three_truths(name: str) -> None:
    page = (ROOT / "docs" / "predicates" / "needed.md").read_text(encoding="utf-8")
    assert f"## `{name}`" in page
    assert PREDICATES[name].summary in page
    assert {case["expect"] for n, case in CASES if n == name} >= {"TRUE", "FALSE", "UNKNOWN"}
