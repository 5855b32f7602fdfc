"""`--format ocsf`: every line is a Compliance Finding of OCSF 1.6.0 by the schema, whatever the text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.finding import Evidence, Finding
from policyengine.reports.base import RuleInfo
from policyengine.reports.jsontext import cleaned_text

from . import sample
from .helpers import render
from .test_hostile import findings, rules

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).parent / "data/ocsf-1.6.0-compliance_finding.schema.json"


@cache
def schema() -> Any:
    return jsonschema_rs.validator_for(json.loads(SCHEMA.read_bytes()))


def events(found: list[Finding] | None = None, **context: Any) -> list[dict[str, Any]]:
    text = render("ocsf", found, **context)
    assert text == "" or text.endswith("\n")
    made = [json.loads(line) for line in text.splitlines()]
    for each in made:
        problems = [f"{'/'.join(map(str, e.instance_path))}: {e.message}" for e in schema().iter_errors(each)]
        assert problems == []
    return made


@settings(max_examples=100, deadline=None)
@given(st.lists(findings(), max_size=4), rules())
def test_every_event_is_valid_whatever_the_text(found: list[Finding], known: dict[str, RuleInfo]) -> None:
    made = events(found, rules=known)
    assert [each["finding_info"]["uid"] for each in made] == [f"policyengine/{f.id}" for f in found]
    assert [each["unmapped"]["policyengine"]["verdict"] for each in made] == [f.verdict for f in found]
    assert [each["message"] for each in made] == [cleaned_text(f.message) for f in found if len(f.message) <= 2000] or any(
        len(f.message) > 2000 for f in found
    )  # fmt: skip


def test_the_sample_is_valid_and_the_schema_can_refuse() -> None:
    made = events()
    assert len(made) == len(sample.findings())
    for key, value in {
        "compliance": {"status_id": 7},
        "severity_id": "high",
        "other": 1,
        "cloud": {},
    }.items():
        assert not schema().is_valid({**made[0], key: value}), key
    del (without := dict(made[0]))["metadata"]
    assert not schema().is_valid(without)


@pytest.mark.parametrize(
    ("verdict", "reason", "status_id", "status", "severity_id"),
    [
        ("PASS", "requirement_met", 1, "Pass", 1),
        ("UNKNOWN", "access_denied", 2, "Warning", 2),
        ("FAIL", "tag_missing", 3, "Fail", 2),
        ("NOT_APPLICABLE", "when_not_met", 99, "Not Applicable", 1),
    ],
)
def test_verdicts_are_what_the_schema_defines(
    verdict: str, reason: str, status_id: int, status: str, severity_id: int
) -> None:
    """https://schema.ocsf.io/1.6.0/objects/compliance: 2 is "did not yield a result due to missing information"."""
    evidence = [Evidence(("Tags",), "x", "y", reason)]
    one = sample.make("tags-mandatory", sample.in_account("AWS::S3::Bucket", "b"), verdict, reason, "m", evidence=evidence)  # fmt: skip
    [made] = events([one])
    assert (made["compliance"]["status_id"], made["compliance"]["status"]) == (status_id, status)
    assert made["severity_id"] == severity_id
    assert (made["status_id"], made["status"]) == (1, "New")
    assert made["type_uid"] == made["class_uid"] * 100 + made["activity_id"] == 200301


def test_what_is_accepted_is_a_fail_and_not_suppressed() -> None:
    """3 Suppressed is "reviewed, determined to be benign or a false positive": a risk that is accepted is neither."""
    [waived] = [f for f in sample.findings() if f.waiver is not None]
    [made] = events([waived])
    assert made["compliance"]["status_id"] == 3
    assert (made["status_id"], made["status"], made["comment"]) == (99, "Risk Accepted", "legacy")
    assert made["unmapped"]["policyengine"]["waiver"]["approver"] == "ciso"


def test_code_has_no_account_and_its_place() -> None:
    of_code = next(f for f in sample.findings(hostile=False) if f.account is None)
    [made] = events([of_code])
    assert "account" not in made["cloud"]
    assert made["unmapped"]["policyengine"]["location"]["file"] == "infra/stack.yaml"


@pytest.mark.parametrize(
    "clock", ["2026-11-21T09:00:00Z", "2026-11-21T09:00:00", "2026-11-21T10:00:00+01:00"]
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_time_is_the_clock_of_the_run_in_every_time_zone(
    clock: str, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert {each["time"] for each in events(run=sample.run(as_of=clock))} == {1_795_251_600_000}
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("fmt", ["ocsf", "asff"])
def test_same_findings_same_bytes_with_any_hash_seed(fmt: str) -> None:
    code = (
        "import hashlib; from tests.reports.helpers import render;"
        f"print(hashlib.sha256(render('{fmt}').encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale},
        ).stdout
        for seed, locale in (("0", "C"), ("1", "C.UTF-8"), ("77", "C"))
    }  # fmt: skip
    assert len(digests) == 1
