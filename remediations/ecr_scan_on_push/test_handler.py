"""Scanning on push. Fact: with enhanced scanning the registry's filters decide, not the repository's setting:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced.html."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, propose, refused, target

HANDLER = "ecr_scan_on_push"
ABOUT = target(HANDLER, "app")


def answers(on: bool | None, kind: str = "BASIC") -> dict[str, Answer]:
    setting: Any = {} if on is None else {"imageScanningConfiguration": {"scanOnPush": on}}
    return {
        "ecr:DescribeRepositories": {"repositories": [{"repositoryName": "app", **setting}]},
        "ecr:GetRegistryScanningConfiguration": {"scanningConfiguration": {"scanType": kind, "rules": []}},
    }


@pytest.mark.parametrize("before", [None, False])
def test_on_and_undone(before: bool | None) -> None:
    (step,) = propose(HANDLER, ABOUT, answers(before)).steps
    assert step.call.arguments["imageScanningConfiguration"] == {"scanOnPush": True}
    assert step.undo[0].arguments["imageScanningConfiguration"] == {"scanOnPush": False}


def test_nothing_to_do_and_enhanced_scanning() -> None:
    assert not propose(HANDLER, ABOUT, answers(True, "ENHANCED")).steps
    said = refused(HANDLER, ABOUT, answers(False, "ENHANCED"))
    assert (said.code, "ENHANCED" in said.text) == ("unsupported", True)


@pytest.mark.parametrize("operation", sorted(answers(False)))
def test_incident_c7n_4949_what_cannot_be_read_is_left_alone(operation: str) -> None:
    asked = {**answers(False), operation: Failing("ServerException")}
    assert refused(HANDLER, ABOUT, asked).code == "not_known"


def test_repairs(bench: Bench) -> None:
    bench.client("ecr").create_repository(repositoryName="app")
    bench.laws(rule="ecr-scan-on-push", type="AWS::ECR::Repository", id="app")
