"""Every predicate against its conformance data: answered so, shown in every truth, described on its page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policyengine.rules.predicates.table import PREDICATES

from .conformance import cases, check

PAGES = Path(__file__).resolve().parents[2] / "docs" / "predicates"
ELSEWHERE = ("kms", "lifecycle", "logs", "net", "parameter", "recovery", "tags", "time")
"""Namespaces with data in a form of their own."""
NAMES = ["net.spans_zones", *(n for n in sorted(PREDICATES) if n.split(".")[0] not in ELSEWHERE)]
CASES = [(name, case) for name in NAMES for case in cases(name)]


@cache
def page_of(name: str) -> str:
    return (PAGES / f"{name.partition('.')[0]}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}: {c['case']}" for n, c in CASES])
def test_conformance(name: str, case: dict[str, Any]) -> None:
    check(PREDICATES[name], case)


@pytest.mark.parametrize("name", NAMES)
def test_every_predicate_is_described_with_its_arguments(name: str) -> None:
    page = page_of(name)
    assert f"## `{name}`" in page
    assert PREDICATES[name].summary in page
    assert [argument for argument in PREDICATES[name].args if f"`{argument}`" not in page] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_predicate_is_shown_in_all_three_truths(name: str) -> None:
    assert {case["expect"] for n, case in CASES if n == name} == {"TRUE", "FALSE", "UNKNOWN"}
