"""The decisions of an independent implementation: every one of ours is the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policyengine.iam.documents import read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.scenarios import Decider

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
ORACLE = SHARED / "oracles" / "iam-decisions.ndjson"
SCPS = SHARED / "corpora" / "scp-examples"


@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle's decisions are not beside the project")
def test_every_decision_of_the_oracle() -> None:
    decider = Decider()
    wrong, uncertain, count = [], [], 0
    for line in ORACLE.read_text(encoding="utf-8").splitlines():
        expected = json.loads(line)
        found = json.loads(decider.answer(line))
        count += 1
        if found["decision"] != expected["decision"]:
            wrong.append((expected["id"], expected["decision"], found["decision"]))
        if "unknown" in found:
            uncertain.append(found["unknown"])
    assert wrong == []
    assert count >= 2000
    # `arn:aws:iam::…:r*`, which the IAM guide says is not allowed
    assert len(uncertain) <= 2


@pytest.mark.skipif(not SCPS.exists(), reason="the corpus of SCPs is not beside the project")
def test_published_scps_are_read_and_the_malformed_one_is_refused_with_its_line() -> None:
    refused = {}
    files = sorted(SCPS.glob("*.json"))
    for file in files:
        try:
            assert read_policy(file.read_text(encoding="utf-8"), "scp").statements
        except PolicyError as error:
            refused[file.name] = (error.line, str(error))
    assert len(files) >= 57
    assert list(refused) == [
        "Service-specific-controls_AWS-IAM_deny-service-specific-credential-by-type.json"
    ]
    assert refused.popitem()[1] == (15, "$: not valid JSON: expecting ',' delimiter at column 13")
