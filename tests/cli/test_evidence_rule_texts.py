"""What people read of a rule in a bundle is what its verdicts were made by: the signer cannot show another text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

RULE = """id: {id}
title: Buckets keep versions
family: resilience
pillar: reliability
severity: medium
applies_to: AWS::S3::Bucket
why: An overwrite is final.
fix: Enable versioning.
require: {{field: VersioningConfiguration.Status, equals: {value}}}
message: "versioning is {{VersioningConfiguration.Status}}"
frameworks: {{}}
references: ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html"]
"""
BUCKET = {
    "type": "AWS::S3::Bucket", "id": "b", "account": "111122223333", "region": "eu-west-1", "tags": {},
    "properties": {"VersioningConfiguration": {"Status": "Suspended"}},
}  # fmt: skip
FAST = ("--without", "html", "--without", "xlsx", "--without", "oscal", "--without", "oscal-poam")
MINE = "my-versioning"


@pytest.fixture
def kept(run: Run, tmp_path: Path) -> Path:
    """A run with a rule of our own, which is lenient, and one of the pack."""
    (tmp_path / "own").mkdir()
    (tmp_path / f"own/{MINE}.yaml").write_text(RULE.format(id=MINE, value="Suspended"))
    (tmp_path / "s.ndjson").write_text(json.dumps(BUCKET) + "\n")
    run("evidence", "keygen", "key")
    asked = ("--rule", MINE, "--rule", "s3-default-encryption")
    done = run("scan", "s.ndjson", "--rules", "own", *asked, "-q", "-o", "kept")
    assert done.code == 0, done.err
    return tmp_path / "kept"


def replayed(run: Run) -> tuple[int, str]:
    done = run("evidence", "export", "kept", "--sign-key", "key", *FAST, "-o", "e.zip")
    assert done.code == 0, done.err
    assert run("evidence", "verify", "e.zip", "--key", "key.pub").code == 0
    found = run("evidence", "replay", "e.zip", "--key", "key.pub")
    return found.code, found.out


@pytest.mark.parametrize("disabled", ["", "disabled: {s3-default-encryption: not here}"])
def test_rules_of_ones_own_replay(run: Run, kept: Path, tmp_path: Path, disabled: str) -> None:
    (tmp_path / "own.yaml").write_text(disabled + "\n")
    asked = ("--rule", MINE, "--rule", "s3-default-encryption")
    assert run("scan", "s.ndjson", "--rules", "own", *asked, "--config", "own.yaml", "-o", "kept").code == 0
    code, out = replayed(run)
    assert (code, "rules" in out) == (0, False), out


def test_another_text_than_what_judged_is_found(run: Run, kept: Path) -> None:
    (kept / f"rules/{MINE}.yaml").write_text(RULE.format(id=MINE, value="Enabled"))
    code, out = replayed(run)
    assert code == 13 and "the same results root" not in out
    assert (
        f"WRONG rules: the rule `{MINE}` was judged by another rule than its text in the bundle says" in out
    )


def test_a_compiled_rule_that_was_changed_is_found(run: Run, kept: Path) -> None:
    """Also where it changes no verdict: reports show its severity."""
    pack = json.loads((kept / "rules.json").read_text())
    next(form for form in pack["rules"] if form["id"] == "s3-default-encryption")["severity"] = "low"
    (kept / "rules.json").write_text(json.dumps(pack))
    code, out = replayed(run)
    assert code == 13 and "WRONG rules: the rule `s3-default-encryption`" in out


def test_texts_that_are_missing_or_judged_nothing_are_found(run: Run, kept: Path) -> None:
    (kept / "rules/s3-default-encryption.yaml").unlink()
    (kept / "rules/made-up.yaml").write_text(RULE.format(id="made-up", value="Enabled"))
    code, out = replayed(run)
    assert code == 13 and "the bundle does not have its text" in out
    assert "the text of a rule `made-up` that nothing was judged by" in out
