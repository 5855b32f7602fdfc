"""Findings that a waiver accepts are folded into a count, and listed with ``--show-waived``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from policyengine.cli.main import main
from policyengine.engine.scan import Scan
from policyengine.model.finding import Finding
from tests.cli.conftest import BUCKET

WAIVER = {
    "owner": "payments",
    "approver": "ciso",
    "reason": "old\x1b[31m\n::error::x",
    "expires": "2026-12-31",
}


@pytest.fixture
def accepted(snapshot: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a target with two buckets, of which a waiver accepts every FAIL of the first."""
    snapshot.write_text("".join(json.dumps({**BUCKET, "id": name}) + "\n" for name in ("logs", "other")))
    original = Scan.findings

    def findings(self: Scan) -> Iterator[Finding]:
        for finding in original(self):
            accepts = finding.verdict == "FAIL" and finding.resource_id == "logs"
            yield finding._replace(waiver=WAIVER) if accepts else finding

    monkeypatch.setattr(Scan, "findings", findings)
    return str(snapshot)


def scan(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    with pytest.raises(SystemExit):
        main(["scan", *args, "--rule", "s3-versioning", "--rule", "tags-mandatory"])
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_waived_findings_are_counted_and_the_flag_is_named(
    accepted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = " ".join(scan(capsys, accepted).split())
    assert "[resilience] 1 resource " in text and "[tagging] 1 resource " in text, "those that are left to do"
    assert "2 waived" in text and "waived: `--show-waived` lists them" in text
    assert "2 failed" in text, "the failures of the other bucket"
    assert "logs" not in text and "payments" not in text


@pytest.mark.parametrize("look", [[], ["--compact"], ["--limit", "0"]], ids=str)
def test_the_flag_lists_them_with_their_waiver(
    accepted: str, capsys: pytest.CaptureFixture[str], look: list[str]
) -> None:
    text = scan(capsys, accepted, "--show-waived", *look)
    lines = text.split("\n")
    listed = [line for line in lines if "logs" in line]
    assert len(listed) == 2 and all("s3-versioning" in line or "tags-mandatory" in line for line in listed)
    flowing = " ".join(text.split())
    assert flowing.count("expires 2026-12-31, owner payments, approver ciso, reason old") == 2
    assert "2 waived" in flowing and "--show-waived" not in text
    assert all(line.isprintable() and not line.lstrip().startswith("::") for line in lines)
    if look != ["--compact"]:
        assert "accepted by a waiver, still failing: 2 findings" in flowing


def test_many_waived_findings_are_shown_in_part(capsys: pytest.CaptureFixture[str]) -> None:
    from policyengine.reports.base import TerminalOptions
    from tests.reports import sample
    from tests.reports.helpers import render

    found = [
        sample.make(
            "tags-mandatory", sample.in_account("AWS::S3::Bucket", f"b{n:04}"), "FAIL", "tag_missing", "no owner",
            waiver=WAIVER, evidence=[sample._ports()],
        )
        for n in range(2_000)
    ]  # fmt: skip
    text = render("terminal", found, terminal=TerminalOptions(show_waived=True))
    assert "still failing: 2,000 findings" in text
    assert text.count("= waiver:") < 2_000 and "`--limit 0` shows all" in text
    whole = render("terminal", found, terminal=TerminalOptions(show_waived=True, limit=0))
    assert whole.count("= waiver:") == 2_000
