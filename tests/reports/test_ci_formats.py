"""GitHub annotations, GitLab Code Quality, JUnit, Markdown and CSV: what each shows and leaves out."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest

from policyengine.model.finding import Evidence
from policyengine.reports.csv_report import cell

from . import sample
from .helpers import render
from .test_terminal import failures


def test_github_annotates_at_most_ten_of_each_kind_and_says_so() -> None:
    text = render("github", failures(25))
    assert text.count("::notice ") == 10
    assert "15 more notice not annotated, because GitHub displays 10 of each kind" in text.replace(
        "notices", "notice"
    )


def test_github_kinds_follow_severity() -> None:
    lines = render("github", sample.findings(hostile=False)).splitlines()
    assert [line.split(" ")[0] for line in lines[:-1]] == [
        "::error", "::error", "::warning", "::warning", "::notice", "::notice", "::notice",
    ]  # fmt: skip
    assert "file=infra/stack.yaml,line=17,endLine=17,col=63,title=ec2-ssh-not-open (critical)" in lines[0]


def test_github_puts_run_errors_first() -> None:
    first = render("github", failures(30, "ec2-ssh-not-open"), sample.broken_run()).splitlines()
    assert first[0].startswith("::error title=run incomplete::snap.ndjson:12:3: line 12")
    assert sum(line.startswith("::error ") for line in first) == 10


def test_gitlab_severities_paths_and_lines() -> None:
    issues = {
        issue["fingerprint"]: issue for issue in json.loads(render("gitlab", sample.findings(hostile=False)))
    }
    by_rule = {(i["check_name"], i["location"]["path"]): i for i in issues.values()}
    ssh = by_rule["ec2-ssh-not-open", "infra/stack.yaml"]
    assert (ssh["severity"], ssh["location"]["lines"]["begin"]) == ("blocker", 17)
    orders = by_rule["rds-backup-retention", "aws/111122223333/eu-west-1/AWS.RDS.DBInstance/orders"]
    assert (orders["severity"], orders["location"]["lines"]["begin"]) == ("major", 1)
    assert by_rule["tags-mandatory", "infra/stack.yaml"]["severity"] == "info"
    assert len(issues) == 7


def test_gitlab_report_without_findings_is_an_empty_array() -> None:
    assert json.loads(render("gitlab", [])) == []


def test_junit_outcomes() -> None:
    root = ET.fromstring(render("junit", sample.findings(hostile=False), sample.broken_run()))
    outcome = {
        case.find("./properties/property").get("value"): [
            child.tag for child in case if child.tag != "properties"
        ]
        for case in root.iter("testcase")
        if case.find("./properties/property") is not None
    }
    for finding in sample.findings(hostile=False):
        expected = {"PASS": [], "UNKNOWN": ["error"], "NOT_APPLICABLE": ["skipped"]}.get(
            finding.verdict, ["skipped"] if finding.waiver else ["failure"]
        )
        assert outcome[finding.id] == expected
    suites = [suite.get("name") for suite in root]
    assert suites == ["infra/stack.yaml", "111122223333/eu-west-1", "111122223333/us-east-1", "run"]
    assert [case.find("error").get("type") for case in root[-1]] == ["input_error", "access_denied"]


def test_markdown_counts_folds_and_advises() -> None:
    text = render("markdown", sample.findings(hostile=False), sample.broken_run())
    assert "| 5 | 2 | 1 | 1 | 1 |" in text
    assert text.count("<details>") == text.count("</details>") == 6, "the last is what is waived"
    assert "**Fix:** Remove the rule and use Session Manager" in text
    assert "**The run is incomplete (2 errors)" in text


def test_markdown_stops_before_a_comment_is_refused() -> None:
    text = render("markdown", failures(5_000))
    assert len(text) < 65_536
    shown = text.count("<sub>")
    assert f"{5_000 - shown:,} more findings left out" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\\tx"),
        ("\rx", "'\\rx"),
        ("\nx", "'\nx"),
        ("＝1", "'＝1"),
        ("a;=1", "a;'=1"),
        ('a;"=1', "a;\"'=1"),
        ("a=b-c@d", "a=b-c@d"),
        ("a\nb", "a\nb"),
        (None, ""),
    ],
)
def test_csv_cells_are_never_formulas(text: str | None, expected: str) -> None:
    assert cell(text) == expected


def test_csv_is_rfc_4180() -> None:
    text = render("csv", sample.findings(hostile=False))
    assert text.endswith("\r\n")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    first = next(row for row in rows if row["rule"] == "rds-backup-retention" and row["file"])
    assert (first["line"], first["column"], first["branch"]) == ("22", "30", "IsProd=false")
    assert (first["observed"], first["expected"], first["frameworks"]) == (
        "1",
        "at least 7",
        "aws-fsbp RDS.11",
    )


def test_csv_keeps_evidence_line_by_line() -> None:
    evidence = [Evidence(("A",), 1, "x", "missing"), Evidence(("B",), None, "y", "missing")]
    found = sample.make(
        "tags-mandatory", sample.in_account("T", "i"), "FAIL", "missing", "m", evidence=evidence
    )
    row = next(csv.DictReader(io.StringIO(render("csv", [found]), newline="")))
    assert (row["path"], row["observed"], row["expected"]) == ("/A\n/B", "1\nnothing", "x\ny")
