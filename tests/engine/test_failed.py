"""An UNKNOWN about resources that were not listed names the call that failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.main import main
from policyengine.model.resource import Resource
from policyengine.sources.snapshot.writer import write_snapshot

ACCOUNT = "111122223333"
ANALYZER = "AWS::AccessAnalyzer::Analyzer"
DENIED = {
    "code": "access_denied", "message": "access-analyzer:ListAnalyzers: AccessDenied", "account": ACCOUNT,
    "region": "eu-west-1", "operation": "accessanalyzer:ListAnalyzers", "types": [ANALYZER],
}  # fmt: skip


def scan(folder: Path, capsys: pytest.CaptureFixture[str], *rules: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["scan", str(folder), *(part for rule in rules for part in ("--rule", rule))])
    assert ended.value.code == 4  # the collector failed
    return capsys.readouterr().out


def region(name: str) -> Resource:
    return Resource("PolicyEngine::Account::Region", name, ACCOUNT, name, {"RegionName": name})


def test_the_call_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    covered = frozenset({(ACCOUNT, "eu-west-1", "PolicyEngine::Account::Region")})
    write_snapshot(
        tmp_path / "s",
        [region("eu-west-1")],
        created="2026-11-21T09:00:00Z",
        coverage=covered,
        errors=[DENIED],
    )
    shown = scan(tmp_path / "s", capsys, "access-analyzer-on")
    assert "not determined access-analyzer-on" in shown
    assert "accessanalyzer:ListAnalyzers" in shown


def test_a_region_where_everything_failed_is_a_region_nobody_saw(tmp_path: Path, capsys: Any) -> None:
    """A rule about the whole account must not take the regions that were read for all there are."""
    account = Resource("AWS::::Account", ACCOUNT, ACCOUNT, "global", {"AccountId": ACCOUNT})
    covered = {(ACCOUNT, "global", "AWS::::Account"), (ACCOUNT, "eu-west-1", "AWS::CloudTrail::Trail")}
    failed = {
        **DENIED,
        "region": "us-east-1",
        "operation": "cloudtrail:DescribeTrails",
        "types": ["AWS::CloudTrail::Trail"],
    }
    write_snapshot(
        tmp_path / "s", [account], created="2026-11-21T09:00:00Z",
        coverage=frozenset({*covered, (ACCOUNT, "us-east-1", "")}), errors=[failed],
    )  # fmt: skip
    shown = scan(tmp_path / "s", capsys, "cloudtrail-multi-region-trail")
    assert "not determined cloudtrail-multi-region-trail" in shown
    assert "cloudtrail:DescribeTrails" in shown
