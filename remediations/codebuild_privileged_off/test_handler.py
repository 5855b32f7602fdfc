"""What to change is proposed, with what needs a look before; no value of a variable is in it, and nothing is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.remediate.api import Refused
from policyengine.testing.canned import CannedReader, declaration_beside, handler_beside, target
from policyengine.testing.remediations import Bench

handler: Any = handler_beside(__file__)
RULE, TYPE = "codebuild-not-privileged", "AWS::CodeBuild::Project"
ON = target(TYPE, "app", RULE, region="eu-west-1", at="eu-west-1")
SECRET = "hunter2-of-the-test"


def reader(buildspec: str | None = None, privileged: bool = True) -> CannedReader:
    source = {"type": "GITHUB", **({"buildspec": buildspec} if buildspec is not None else {})}
    environment = {
        "type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL",
        "privilegedMode": privileged,
        "environmentVariables": [{"name": "TOKEN", "value": SECRET, "type": "PLAINTEXT"}],
    }  # fmt: skip
    project = {"name": "app", "source": source, "environment": environment}
    return CannedReader({"codebuild:BatchGetProjects": {"projects": [project]}})


@pytest.mark.parametrize(
    ("buildspec", "words"),
    [
        ("version: 0.2\nphases:\n  build:\n    commands: [docker build .]", "names a container tool"),
        ("version: 0.2\nphases:\n  build:\n    commands: [make]", "names no container tool"),
        ("ci/buildspec.yml", "(ci/buildspec.yml) cannot be seen"),
        (None, "(buildspec.yml in the source) cannot be seen"),
    ],
)
def test_it_says_what_needs_a_look(buildspec: str | None, words: str) -> None:
    proposal = handler.plan(ON, handler.image(ON, reader(buildspec)))
    assert proposal.steps == ()
    assert words in proposal.advice
    assert proposal.after["privileged"] is False


def test_no_value_of_a_variable_is_in_the_plan() -> None:
    """UpdateProject replaces the whole environment, values of variables among it:
    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateProject.html"""
    image = handler.image(ON, reader())
    assert SECRET not in json.dumps([image, handler.plan(ON, image)], default=str)
    assert image["variables"] == ["TOKEN"]


def test_a_name_cannot_be_a_command() -> None:
    odd = target(TYPE, "a; rm -rf ~", RULE, region="eu-west-1", at="eu-west-1")
    proposal = handler.plan(odd, handler.image(ON, reader()))
    assert "--name a;" not in proposal.advice and "--names a;" not in proposal.advice


def test_a_project_that_is_gone_is_refused() -> None:
    with pytest.raises(Refused):
        handler.image(ON, CannedReader({"codebuild:BatchGetProjects": {"projectsNotFound": ["app"]}}))


def test_one_that_is_not_privileged_is_left_alone() -> None:
    proposal = handler.plan(ON, handler.image(ON, reader(privileged=False)))
    assert proposal.advice == "" and proposal.after["privileged"] is False


def test_on_a_server_it_proposes_and_changes_nothing(bench: Bench) -> None:
    bench.client("codebuild", "eu-west-1").create_project(
        name="app",
        source={"type": "S3", "location": "bucket/path/file.zip"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER", "image": "contents_not_validated", "computeType": "BUILD_GENERAL1_SMALL",
            "privilegedMode": True,
        },
        serviceRole="arn:aws:iam::123456789012:role/service-role/my-codebuild-service-role",
    )  # fmt: skip
    outcome = bench.plan(RULE, TYPE, "app", "eu-west-1")
    assert outcome.action is not None, outcome.refusal
    assert outcome.action.plan["plan_only"]
    assert outcome.action.plan["steps"] == []
    assert declaration_beside(__file__).writes == ()
