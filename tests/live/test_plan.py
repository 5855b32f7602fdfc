"""Which region is asked about a type, and which region its resources are said to be in."""

from __future__ import annotations

import pytest

from policyengine.sources.live.plan import make_plan

ACCOUNT = "111122223333"


def asked(type: str, partition: str) -> list[tuple[str, str]]:
    plan = make_plan({type: frozenset({"Tags"})})
    tasks = plan.tasks(ACCOUNT, partition, ["eu-west-1", "eu-west-3"], organization=True)
    return [(task.region, task.place) for task in tasks]


@pytest.mark.parametrize(
    ("type", "partition", "region"),
    [
        ("AWS::IAM::Role", "aws", "us-east-1"),
        ("AWS::IAM::Role", "aws-cn", "cn-north-1"),
        ("AWS::IAM::Role", "aws-us-gov", "us-gov-west-1"),
        ("AWS::Organizations::Account", "aws-us-gov", "us-gov-west-1"),
        # https://docs.aws.amazon.com/global-accelerator/latest/api/API_CreateAccelerator.html: "you must specify the
        # US West (Oregon) Region to create, update, or otherwise work with accelerators"
        ("AWS::GlobalAccelerator::Accelerator", "aws", "us-west-2"),
    ],
)
def test_what_is_global_is_asked_of_its_home(type: str, partition: str, region: str) -> None:
    assert asked(type, partition) == [(region, "global")]


def test_what_is_regional_is_asked_of_each_region() -> None:
    assert asked("AWS::S3::Bucket", "aws") == [("eu-west-1", "eu-west-1"), ("eu-west-3", "eu-west-3")]


def test_what_nothing_collects_is_asked_of_nobody() -> None:
    assert make_plan({"AWS::Nope::Nope": frozenset()}).impossible == ("AWS::Nope::Nope",)
    assert asked("AWS::Nope::Nope", "aws") == []
