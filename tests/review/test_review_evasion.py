"""What a change may be made of so that its danger is not seen."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.review.changes import Change
from policyengine.review.consequences import with_consequences
from policyengine.review.matching import paired_resources
from policyengine.review.pairs import Pair, Pairing
from policyengine.review.protections import protection_changes


def code(type_: str, name: str, said: dict[str, Any] | None = None, **more: Any) -> Resource:
    return Resource(type_, name, None, None, said or {}, file="t.yaml", **more)


def ref(name: str) -> Unresolved:
    return Unresolved("unresolved_reference", target=(name, "Arn"))


@pytest.mark.parametrize(
    ("guard", "said", "used", "guards"),
    [
        ("AWS::CloudTrail::Trail", {"S3BucketName": ref("Used")}, "AWS::S3::Bucket", False),
        ("AWS::Backup::BackupPlan", {"BackupPlan": {"TargetBackupVault": ref("Used")}}, "AWS::S3::Bucket", False),
        ("AWS::Backup::BackupSelection", {"BackupPlanId": ref("Used")}, "AWS::Backup::BackupPlan", False),
        ("AWS::Bedrock::Guardrail", {"KmsKeyArn": ref("Used")}, "AWS::KMS::Key", False),
        ("AWS::EC2::FlowLog", {"LogGroupName": ref("Used")}, "AWS::Logs::LogGroup", False),
        ("AWS::CloudWatch::Alarm", {"AlarmActions": [ref("Used")]}, "AWS::SNS::Topic", False),
        ("AWS::WAFv2::WebACLAssociation", {"WebACLArn": ref("Used")}, "AWS::WAFv2::WebACL", False),
        ("AWS::EC2::FlowLog", {"ResourceId": ref("Used")}, "AWS::EC2::VPC", True),
        ("AWS::WAFv2::WebACLAssociation", {"ResourceArn": ref("Used")}, "AWS::S3::Bucket", True),
    ],
)  # fmt: skip
def test_a_guard_that_goes_with_what_it_only_uses_is_lost(
    guard: str, said: dict[str, Any], used: str, guards: bool
) -> None:
    gone = [Pair(code(guard, "Guard", said), None, "gone"), Pair(code(used, "Used"), None, "gone")]
    found = [c for c in protection_changes(Pairing(gone)) if c.resource and c.resource.id == "Guard"]
    assert [c.effect for c in found] == ([] if guards else ["worse"])


def test_a_consequence_gives_its_severity_to_its_cause() -> None:
    """Else `--fail-on high` would not see it."""
    cause, other = (
        code("AWS::SQS::Queue", "Cause", {"A": 1}),
        code("AWS::SQS::Queue", "Other", {"To": ref("Cause")}),
    )
    pairs = [
        Pair(code("AWS::SQS::Queue", "Cause"), cause, "the same place"),
        Pair(other, other, "the same place"),
    ]
    told = [
        Change("backup", "worse", "low", "small", cause, cause),
        Change("public", "worse", "critical", "large", other, other),
    ]
    found = with_consequences(told, Pairing(pairs, head=[cause, other]))
    assert [(c.title, c.severity) for c in found] == [("small", "critical")]


@pytest.mark.parametrize("same", [True, False], ids=["same content", "alike"])
def test_what_goes_in_one_account_is_not_what_comes_in_another(same: bool) -> None:
    said = {"GroupDescription": "web", "VpcId": "v", "Open": True, "More": [1, 2, 3]}
    old = Resource("AWS::EC2::SecurityGroup", "sg-1", "111111111111", "eu-west-1", said)
    for account, region in (("222222222222", "eu-west-1"), ("111111111111", "us-east-1")):
        new = Resource(
            "AWS::EC2::SecurityGroup", "sg-2", account, region, said if same else {**said, "More": [1, 2, 4]}
        )
        assert {p.how for p in paired_resources([old], [new]).pairs} == {"new", "gone"}
    here = Resource("AWS::EC2::SecurityGroup", "sg-2", "111111111111", "eu-west-1", said)
    assert [p.how for p in paired_resources([old], [here]).pairs] == ["renamed"]


def branches(*values: bool | None) -> Resource:
    every = [
        code("AWS::RDS::DBInstance", "Db", {} if value is None else {"StorageEncrypted": value}, branch={"Prod": index == 0})
        for index, value in enumerate(values)
    ]  # fmt: skip
    every[0].variants = tuple(every[1:])
    return every[0]


@pytest.mark.parametrize(
    ("before", "after", "effects"),
    [
        ((True, True), (True, False), ["worse"]),
        ((True, False), (False, False), ["worse"]),
        ((True, False), (True, True), ["better"]),
        ((True, False), (True, False), []),
        ((True, True), (False, None), ["worse"]),
        ((True,), (True, False), ["worse"]),
    ],
)
def test_a_protection_may_be_lost_in_one_branch_only(
    before: tuple[bool, ...], after: tuple[bool | None, ...], effects: list[str]
) -> None:
    base, head = branches(*before), branches(*after)
    assert [c.effect for c in protection_changes(Pairing([Pair(base, head, "the same place")]))] == effects


@pytest.mark.parametrize("nothing", ["", {}])
def test_an_empty_setting_protects_no_more_than_none(nothing: Any) -> None:
    base = code("AWS::S3::Bucket", "B", {"LoggingConfiguration": {"DestinationBucketName": "b"}})
    head = code("AWS::S3::Bucket", "B", {"LoggingConfiguration": nothing})
    assert [c.effect for c in protection_changes(Pairing([Pair(base, head, "the same place")]))] == ["worse"]
