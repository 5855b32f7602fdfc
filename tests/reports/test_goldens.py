"""Whole reports, byte for byte. `UPDATE_GOLDENS=1 pytest tests/reports/test_goldens.py` rewrites them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from policyengine.reports.base import TerminalOptions
from policyengine.reports.table import REPORTS

from . import sample
from .helpers import render

GOLDENS = Path(__file__).parent / "golden"
TERMINALS = {
    "terminal": TerminalOptions(),
    "terminal-color-links": TerminalOptions(color=True, hyperlinks=True, width=80),
    "terminal-compact": TerminalOptions(compact=True),
    "terminal-narrow-ascii-waived": TerminalOptions(width=40, unicode=False, show_waived=True, limit=2),
}


def check(name: str, text: str) -> None:
    golden = GOLDENS / name
    data = text.encode("utf-8")
    if os.environ.get("UPDATE_GOLDENS"):
        GOLDENS.mkdir(exist_ok=True)
        golden.write_bytes(data)
    assert golden.read_bytes() == data


# `html` is mostly its style and its script, which change for reasons of their own: tests/reports/html looks at it
@pytest.mark.parametrize("fmt", [name for name in REPORTS if name not in ("terminal", "html")])
def test_format_is_as_recorded(fmt: str) -> None:
    extension = "txt" if REPORTS[fmt].binary else REPORTS[fmt].extension
    check(f"{fmt}.{extension}", render(fmt, run=sample.broken_run()))


@pytest.mark.parametrize("name", TERMINALS)
def test_terminal_is_as_recorded(name: str) -> None:
    check(f"{name}.txt", render("terminal", run=sample.broken_run(), terminal=TERMINALS[name]))


@pytest.mark.parametrize("fmt", REPORTS)
def test_two_reports_of_the_same_findings_have_the_same_bytes(fmt: str) -> None:
    assert render(fmt) == render(fmt)


@pytest.mark.parametrize("fmt", REPORTS)
def test_every_report_can_be_written_as_utf8(fmt: str) -> None:
    render(fmt, run=sample.broken_run()).encode("utf-8")


# a Well-Architected report counts resources; what they are is in the others
@pytest.mark.parametrize("fmt", [name for name in REPORTS if name not in ("terminal", "well-architected")])
def test_every_format_names_the_same_finding_ids(fmt: str) -> None:
    text = render(fmt, sample.findings(hostile=False))
    failed = [f for f in sample.findings(hostile=False) if f.verdict == "FAIL" and f.waiver is None]
    if fmt == "asff":  # a format of accounts: code has none
        failed = [f for f in failed if f.account is not None]
    assert failed
    assert all(finding.id in text for finding in failed)
