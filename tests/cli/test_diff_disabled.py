"""A rule that is disabled between two runs: nobody asked, and nothing is gone or fixed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

RULES = ("--rule", "s3-versioning", "--rule", "s3-default-encryption")
BUCKET = {
    "type": "AWS::S3::Bucket", "id": "b", "account": "111122223333", "region": "eu-west-1", "tags": {},
    "properties": {"VersioningConfiguration": {"Status": "Suspended"}},
}  # fmt: skip
TEMPLATE = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Resources": {"B": {"Type": BUCKET["type"], "Properties": BUCKET["properties"]}},
}


@pytest.mark.parametrize(
    ("name", "text"), [("s.ndjson", json.dumps(BUCKET) + "\n"), ("t.json", json.dumps(TEMPLATE))]
)
def test_what_is_disabled_is_no_longer_asked(run: Run, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "off.yaml").write_text("disabled: {s3-versioning: not here}\n")
    assert run("scan", name, *RULES, "-q", "-o", "before").code == 1
    assert run("scan", name, *RULES, "-q", "-o", "after", "--config", "off.yaml").code == 0
    told = run("diff", "before", "after").out
    assert "no longer asked: s3-versioning, of which 1 failed" in told
    assert "gone" not in told and "fixed" not in told
    back = run("diff", "after", "before").out
    assert "the rule is new" in back and "not in the earlier run" not in back
