"""``policyengine well-architected`` from outside: over run directories, reports and milestones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policyengine.cli.reportextras import rules_asked
from policyengine.store.rundir import RunReader
from tests.cli.conftest import BUCKET, Run

AS_OF = ["--as-of", "2026-01-01T00:00:00Z", "-q"]
FIXED = {
    **BUCKET,
    "properties": {
        **BUCKET["properties"],  # type: ignore[dict-item]  # BUCKET is a plain dict of mixed values
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True,
        },
    },
}  # fmt: skip


@pytest.fixture
def runs(run: Run, tmp_path: Path) -> Path:
    """Two run directories: ``before`` with a bucket that lacks everything, ``after`` with one thing repaired."""
    for name, resource in (("before", BUCKET), ("after", FIXED)):
        (tmp_path / f"{name}.ndjson").write_text(json.dumps(resource) + "\n")
        done = run("scan", f"{name}.ndjson", "-o", name, "--format", f"json={name}.json", *AS_OF)
        assert done.code in (0, 1), done.err
    return tmp_path


def test_the_page_and_the_document(run: Run, runs: Path) -> None:
    page = run("well-architected", "before")
    assert page.code == 0
    assert "sustainability           not assessed" in page.out
    assert "s3-bucket-public-access-block" in page.out
    document = json.loads(run("well-architected", "before", "--format", "json").out)
    assert document["schema"] == "policyengine/well-architected/v1"
    assert [a["account"] for a in document["accounts"]] == ["111122223333"]
    summary = json.loads((runs / "before.json").read_text())["summary"]
    for verdict in ("PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"):
        assert sum(r["verdicts"][verdict] for r in document["rules"]) == summary[verdict]
    assert [item["rank"] for item in document["plan"]] == list(range(1, len(document["plan"]) + 1))
    step = next(item for item in document["plan"] if item["rule"] == "s3-bucket-public-access-block")
    assert step["effort"]["means"] == "automatic"  # remediations/ says how it runs
    assert len(document["best_practices"]) == 57


def test_a_report_of_findings_says_the_same_of_risks(run: Run, runs: Path) -> None:
    by_run = json.loads(run("well-architected", "before", "--format", "json").out)
    by_report = json.loads(run("well-architected", "before.json", "--format", "json").out)
    assert by_report == by_run


def test_a_stream_that_was_cut_off_is_incomplete(run: Run, runs: Path) -> None:
    run("scan", "before.ndjson", "--format", "ndjson=whole.ndjson", *AS_OF)
    whole = run("well-architected", "whole.ndjson", "--format", "json")
    assert json.loads(whole.out) == json.loads(run("well-architected", "before", "--format", "json").out)
    lines = (runs / "whole.ndjson").read_text().splitlines(keepends=True)
    (runs / "cut.ndjson").write_text("".join(lines[:-1]))
    assert "INCOMPLETE RUN" in run("well-architected", "cut.ndjson").out


def test_a_milestone_can_be_compared(run: Run, runs: Path) -> None:
    (runs / "milestone.json").write_bytes(run("well-architected", "before", "--format", "json").raw)
    for earlier in ("before", "milestone.json", "before.json"):
        found = json.loads(run("well-architected", "after", "--compare", earlier, "--format", "json").out)
        changes = {rule["rule"]: rule["change"] for rule in found["rules"]}
        assert changes["s3-bucket-public-access-block"] == "resolved"
        assert "new" not in changes.values()
    page = run("well-architected", "after", "--compare", "milestone.json").out
    assert "s3-bucket-public-access-block: passes now (1 to 0)" in page


def test_a_rule_that_was_not_asked_again_is_not_resolved(run: Run, runs: Path) -> None:
    run("scan", "after.ndjson", "-o", "narrow", "--rule", "s3-versioning", *AS_OF)
    found = json.loads(run("well-architected", "narrow", "--compare", "before", "--format", "json").out)
    changes = {rule["rule"]: rule["change"] for rule in found["rules"]}
    assert changes.pop("s3-versioning") == "same"
    assert set(changes.values()) == {"not_asked"}
    assert "the rules are not the same" in found["caveats"] or found["changes"]["not_asked"] > 5


def test_the_format_of_a_scan_and_the_command_agree(run: Run, runs: Path) -> None:
    run("scan", "before.ndjson", "--format", "well-architected=wa.json", *AS_OF)
    by_scan = json.loads((runs / "wa.json").read_text())
    by_command = json.loads(run("well-architected", "before", "--format", "json").out)
    assert {k: by_scan[k] for k in ("pillars", "accounts", "rules", "totals")} == {
        k: by_command[k] for k in ("pillars", "accounts", "rules", "totals")
    }


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"schema":"policyengine/well-architected/v1"}', "\x00" * 100]
)
def test_what_is_no_run_is_told(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    done = run("well-architected", "x.json")
    assert done.code == 2
    assert "x.json" in done.err


def test_severities_and_disabled_rules_are_those_of_the_run(run: Run, runs: Path) -> None:
    (runs / "policyengine.yaml").write_text(
        "severities: {s3-bucket-public-access-block: low}\ndisabled: {s3-versioning: the storage team sees to it}\n"
    )
    run("scan", "before.ndjson", "-o", "own", "--config", "policyengine.yaml", *AS_OF)
    document = json.loads(run("well-architected", "own", "--format", "json").out)
    found = {rule["rule"]: rule for rule in document["rules"]}
    assert "s3-versioning" not in found
    assert found["s3-bucket-public-access-block"]["risk"] == "low"
    asked = rules_asked(RunReader(runs / "own"))
    assert "s3-versioning" not in asked
    assert "s3-default-encryption" in asked
    assert asked["s3-bucket-public-access-block"].severity == "low"


@pytest.mark.parametrize("damage", ["rules_of", "rules.json"])
def test_a_damaged_run_is_told(run: Run, runs: Path, damage: str) -> None:
    if damage == "rules_of":
        about = json.loads((runs / "before" / "run.json").read_text())
        about["rules_of"]["AWS::S3::Bucket"].pop()
        (runs / "before" / "run.json").write_text(json.dumps(about))
    else:
        pack = json.loads((runs / "before" / "rules.json").read_text())
        pack["rules"] = [rule for rule in pack["rules"] if rule["id"] != "s3-versioning"]
        (runs / "before" / "rules.json").write_text(json.dumps(pack))
    done = run("well-architected", "before")
    assert done.code == 2
    assert "`before` has rows that its rules do not explain" in done.err


def test_same_input_same_bytes(run: Run, runs: Path) -> None:
    first = run("well-architected", "before", "--format", "json", env={"PYTHONHASHSEED": "1"})
    other = run(
        "well-architected",
        "before",
        "--format",
        "json",
        env={"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    )
    assert first.raw == other.raw
