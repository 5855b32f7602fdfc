"""What goes into the page's columns comes out of them, whatever names hold."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.finding import Finding
from policyengine.reports.base import Context
from policyengine.reports.html import columns
from policyengine.reports.html.columns import Numbers, Texts, Words
from policyengine.reports.html.details import MESSAGE_LIMIT, Names, shown

from .. import sample
from ..helpers import render
from ..test_hostile import findings
from .reading import Page

SEVERITIES = ("critical", "high", "medium", "low")
STATUS = {"PASS": "PASS", "FAIL": "FAIL", "UNKNOWN": "UNKNOWN", "NOT_APPLICABLE": "N/A"}


def page_of(**parts: columns.Packed) -> Page:
    text = "".join(
        f'<script id="d-{name}">{"".join(packed.base64())}</script>' for name, packed in parts.items()
    )
    return Page(text)


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_numbers_come_back(values: list[int]) -> None:
    column = Numbers()
    for value in values:
        column.add(value)
    assert page_of(n=column).numbers("n") == values


@given(st.lists(st.sampled_from(["", "a", "ä", "b", "c", "\x01 d"])), st.integers(0, 3))
def test_words_come_back_also_when_what_is_known_was_forgotten(values: list[str], room: int) -> None:
    before, columns._KNOWN_CHARS = columns._KNOWN_CHARS, room
    try:
        words = Words()
        for value in values:
            words.add(value)
        page = page_of(**{"w-lines": words.lines, "w-uses": words.uses})
    finally:
        columns._KNOWN_CHARS = before
    assert page.words("w") == values


def test_a_column_larger_than_its_buffers_is_one_stream() -> None:
    column = Texts()
    lines = [f"line {number * 7919 % 100_003}" for number in range(60_000)]
    for line in lines:
        column.add(line)
    pieces = list(column.base64())
    assert len(pieces) > 1
    assert all("=" not in piece for piece in pieces[:-1])
    assert Page(f'<script id="d-t">{"".join(pieces)}</script>').lines("t") == lines


@given(st.text(), st.text(), st.text(), st.text(), st.text())
def test_marks_stand_for_names_and_nothing_else(
    arn: str, name: str, account: str, region: str, text: str
) -> None:
    names = Names(*(shown(part) for part in (arn, name, account, region)))
    text = shown(" ".join([text, arn, name, account, region, text]), 10_000)
    marked = names.marked(text)
    for mark, plain in zip("\x01\x02\x03\x04", names, strict=True):
        marked = marked.replace(mark, plain)
    assert marked == text


def said(finding: Finding) -> dict[str, object]:
    return {
        "id": shown(finding.id), "rule": finding.rule, "name": shown(finding.resource_id), "type": shown(finding.resource_type),
        "account": shown(finding.account), "region": shown(finding.region), "arn": shown(finding.arn),
        "severity": SEVERITIES.index(finding.severity), "reason": finding.reason,
        "status": "accepted" if finding.verdict == "FAIL" and finding.waiver is not None else STATUS[finding.verdict],
        "construct": shown(finding.construct_path),
    }  # fmt: skip


def check(found: list[Finding]) -> None:
    rows = Page(render("html", found)).findings()
    for row, finding in zip(rows, found, strict=True):
        expected = said(finding)
        assert {key: row[key] for key in expected} == expected
        if finding.verdict in ("FAIL", "UNKNOWN"):
            assert row["message"] == shown(finding.message, MESSAGE_LIMIT)
            place = finding.location
            assert row["place"] == (
                ("", 0, 0) if place is None else (shown(place.file), place.line or 0, place.column or 0)
            )
            assert len(row["detail"].get("e", ())) == len(finding.evidence)
        else:
            assert "message" not in row


def test_every_finding_of_the_sample_comes_back() -> None:
    check(sample.findings())


@settings(max_examples=15, deadline=None)
@given(st.lists(findings(), max_size=5))
def test_every_finding_comes_back_whatever_it_holds(found: list[Finding]) -> None:
    check(found)


def test_an_id_that_does_not_follow_from_what_is_shown_is_kept() -> None:
    finding = sample.findings(hostile=False)[0]._replace(id="f" * 32)
    page = Page(render("html", [finding]))
    assert page.lines("id") == ["0 " + "f" * 32]
    assert page.findings()[0]["id"] == "f" * 32


def test_ids_of_plain_names_take_no_room() -> None:
    assert Page(render("html", sample.findings(hostile=False))).lines("id") == []


def test_details_have_frame_evidence_witness_waiver_and_branch() -> None:
    rows = {row["id"]: row for row in Page(render("html")).findings()}
    by_rule = {f.id: f for f in sample.findings(hostile=False)}
    of = {(f.rule, f.resource_id): rows[i] for i, f in by_rule.items()}
    encrypted = of["s3-kms-encryption", "Logs"]["detail"]
    assert any("AES256" in text for _, text, _ in encrypted["f"])
    assert [line[2] for line in encrypted["f"]] == [False, True]
    assert encrypted["e"] == [
        ["/BucketEncryption/ServerSideEncryptionConfiguration/0/SSEAlgorithm", "AES256", "aws:kms"]
    ]
    assert of["rds-backup-retention", "Database"]["detail"]["b"] == [["IsProd", False]]
    waived = of["ec2-ssh-not-open", "sg-0a1"]
    assert waived["status"] == "accepted"
    assert waived["detail"]["v"]["expires"] == "2026-12-31"
    assert of["rds-backup-retention", "orders"]["detail"]["e"] == [
        ["/BackupRetentionPeriod", "1 (AWS default)", "at least 7"]
    ]


def test_secrets_in_source_lines_are_masked() -> None:
    place = sample.Location("infra/stack.yaml", 21, 7, 21, 42)
    finding = sample.make(
        "rds-backup-retention", sample.in_file("AWS::RDS::DBInstance", "Database", place), "FAIL", "value_mismatch", "no",
        evidence=[sample._ports()],
    )  # fmt: skip
    text = render("html", [finding])
    assert "hunter2" not in text
    assert Page(text).findings()[0]["detail"]["f"][0][1].strip() == "MasterUserPassword: ***"


def test_memory_of_the_report_does_not_hold_the_findings() -> None:
    """Columns keep what came out of the compressor, and the page a few of the worst."""
    from policyengine.reports.html.report import HtmlReport

    report = HtmlReport(io.StringIO(), Context(rules=sample.RULES))
    ports = [sample._ports()]
    for number in range(3_000):
        resource = sample.in_account("AWS::EC2::SecurityGroup", f"sg-{number:05}")
        report.add(
            sample.make(
                "ec2-ssh-not-open", resource, "FAIL", "open_to_internet", "port 22 is open", evidence=ports
            )
        )
    assert len(report._counts.failed) == 60
    assert sum(len(packed._made) + len(packed._pending) for packed in report._data.numbers.values()) < 30_000
