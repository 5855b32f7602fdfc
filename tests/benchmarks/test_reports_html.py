"""Both pages that the figures compare have every finding, on a few."""

from __future__ import annotations

from pathlib import Path

from benchmarks import reports_html
from benchmarks.html_data import Organisation
from tests.reports.html.reading import Page


def test_both_pages_hold_the_same_findings(tmp_path: Path) -> None:
    ours, plain = tmp_path / "ours.html", tmp_path / "plain.html"
    reports_html.write("ours", str(ours), 400)
    reports_html.write("plain", str(plain), 400)
    expected = [(f.rule, f.arn, f.verdict) for f in Organisation(400).findings()]
    found = Page(ours.read_text(encoding="utf-8")).findings()
    verdicts = {"accepted": "FAIL", "N/A": "NOT_APPLICABLE"}
    assert [
        (row["rule"], row["arn"], verdicts.get(row["status"], row["status"])) for row in found
    ] == expected
    assert len(expected) > 300
    text = plain.read_text(encoding="utf-8")
    assert text.count("<tr>") == 1 + len(expected)
    assert all(arn in text for _, arn, _ in expected)


def test_findings_are_the_same_each_time() -> None:
    made = Organisation(300)
    assert list(made.findings()) == list(made.findings()) == list(Organisation(300).findings())
