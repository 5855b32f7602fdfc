"""The pages of ``explain``."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings

from policyengine.model.reasons import REASONS, UNKNOWN
from policyengine.reports.base import TerminalOptions
from policyengine.reports.explain import ExampleInfo, ParameterInfo, RulePage, explain_finding, explain_rule
from policyengine.reports.remedies import REMEDIES, remedy

from . import sample
from .helpers import render
from .test_hostile import findings, rules

PAGE = RulePage(
    info=sample.RULES["rds-backup-retention"],
    applies_to=["AWS::RDS::DBInstance"],
    requires=["BackupRetentionPeriod is at least $days"],
    when=["all of", "  SourceDBInstanceIdentifier is absent"],
    parameters=[ParameterInfo("days", "integer", 7, 14, "how many days")],
    examples=[
        ExampleInfo("the AWS default is 1", "FAIL", "aws_default", "BackupRetentionPeriod: 1\nEngine: x")
    ],
    remediation="rds_backup_retention",
    file="rules/rds/rds-backup-retention.yaml",
)


def named(verdict: str, reason: str):
    return next(f for f in sample.findings(hostile=False) if (f.verdict, f.reason) == (verdict, reason))


def test_rule_page_has_everything_in_reading_order() -> None:
    text = explain_rule(PAGE)
    parts = [
        "rds-backup-retention medium", "keep automated backups", "AWS::RDS::DBInstance", "Why", "With one day",
        "How to fix", "Looks only at", "Requires", "at least $days",
        "days (integer): 14 (the rule's default is 7); how many days",
        "Controls", "aws-fsbp: RDS.11", "Examples, and what tells them apart", "the AWS default is 1 (aws_default)", "Engine: x",
    ]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_finding_page_shows_place_evidence_branch_and_default() -> None:
    text = explain_finding(named("FAIL", "aws_default"), sample.RULES["rds-backup-retention"])
    assert "which is     AWS default" in text
    assert "`BackupRetentionPeriod`: at least 7" in text
    branch = next(f for f in sample.findings(hostile=False) if f.branch)
    text = explain_finding(branch)
    assert "place        infra/stack.yaml:22:30" in text
    assert "- IsProd is false" in text


def test_waiver_is_shown_as_a_fail_that_somebody_accepted() -> None:
    waived = next(f for f in sample.findings(hostile=False) if f.waiver)
    text = explain_finding(waived)
    assert "Accepted by a waiver (still a FAIL)" in text
    assert "expires      2026-12-31" in text


def test_unknown_says_what_would_decide_it() -> None:
    text = explain_finding(named("UNKNOWN", "access_denied"))
    assert "UNKNOWN (not determined)" in text
    assert "s3:GetBucketTagging denied" in text
    assert "Allow the collector the call that was denied" in text


def test_stored_finding_reads_like_the_live_one() -> None:
    rule = sample.RULES["tags-mandatory"]
    live = named("UNKNOWN", "access_denied")
    stored = json.loads(render("json", [live]))["findings"][0]
    assert explain_finding(stored, rule) == explain_finding(live, rule)


@pytest.mark.parametrize("code", [code for code, (verdicts, _text) in REASONS.items() if UNKNOWN in verdicts])
def test_every_reason_not_to_know_has_a_remedy(code: str) -> None:
    assert remedy(code)


def test_remedies_name_only_reasons_of_the_table() -> None:
    assert set(REMEDIES) <= set(REASONS)


@settings(max_examples=40, deadline=None)
@given(findings(), rules())
def test_pages_print_no_control_characters(found, known) -> None:
    rule = known["tags-mandatory"]
    page = RulePage(
        rule,
        [found.resource_type],
        [found.message],
        examples=[ExampleInfo(found.message, "PASS", None, found.message)],
    )
    for text in (
        explain_finding(found, rule),
        explain_rule(page),
        explain_finding(found, rule, TerminalOptions(width=40)),
    ):
        assert all(line.isprintable() for line in text.split("\n"))
