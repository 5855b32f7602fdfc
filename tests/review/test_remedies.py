"""Remediation that a change makes impossible."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.cli.review.repairing import remedies
from policyengine.model.resource import Resource
from policyengine.review.changes import Change
from policyengine.review.pairs import Pair, Pairing
from policyengine.review.remedies import remedy_changes

EXCLUDED = ("policyengine:no-remediation",)
BUCKET = "AWS::S3::Bucket"


def deny(action: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*", **more}


def bucket(*statements: dict[str, Any], **tags: str) -> Resource:
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    related = {"policies": [{"PolicyDocument": policy}]} if statements else {}
    return Resource(BUCKET, "b", None, None, {}, related=related, file="t.yaml", tags=dict(tags))


def scp(*statements: dict[str, Any]) -> Resource:
    content = {
        "Version": "2012-10-17",
        "Statement": [{k: v for k, v in s.items() if k != "Principal"} for s in statements],
    }
    return Resource(
        "AWS::Organizations::Policy",
        "p",
        None,
        None,
        {"Type": "SERVICE_CONTROL_POLICY", "Content": content},
        file="t.yaml",
    )


def changes(base: Resource | None, head: Resource) -> list[Change]:
    return list(remedy_changes(Pairing([Pair(base, head, "the same place")]), remedies(), EXCLUDED))


def denied(found: list[Change]) -> set[str]:
    assert all(c.kind == "remediation" and c.effect == "worse" for c in found)
    return {c.title.split("`")[1] for c in found if c.title.startswith("remediation `")}


def test_an_exclusion_tag_that_comes_is_told() -> None:
    tagged = bucket(**{EXCLUDED[0]: "x"})
    assert [c.title for c in changes(bucket(), tagged)] == [
        "remediation leaves it alone from now on: it is tagged `policyengine:no-remediation`"
    ]
    assert not changes(tagged, bucket(Owner="a", **{EXCLUDED[0]: "y"}))


def test_a_deny_of_what_a_remediation_does_is_told_with_a_request() -> None:
    found = changes(bucket(), bucket(deny("s3:PutBucketPolicy")))
    assert "s3_tls_only" in denied(found) and "s3_versioning" not in denied(found)
    shown = next(c.witness for c in found if c.witness is not None)
    assert shown.action == "s3:PutBucketPolicy" and ":role/policyengine-" in shown.principal


@pytest.mark.parametrize(
    "statement",
    [
        deny("s3:GetObject"),
        deny("s3:PutBucketPolicy", Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/policyengine-*"}}),
        {**deny("s3:PutBucketPolicy"), "Principal": {"AWS": "arn:aws:iam::111122223333:user/bob"}},
    ],
)  # fmt: skip
def test_a_deny_that_spares_the_role_is_not_told(statement: dict[str, Any]) -> None:
    assert denied(changes(bucket(), bucket(statement))) == set()


def test_what_was_denied_before_is_not_told_again() -> None:
    old = bucket(deny("s3:PutBucketPolicy"))
    assert denied(changes(old, bucket(deny("s3:PutBucketPolicy"), deny("s3:GetObject")))) == set()
    assert "s3_versioning" in denied(
        changes(old, bucket(deny(["s3:PutBucketPolicy", "s3:PutBucketVersioning"])))
    )


def test_a_service_control_policy_binds_every_remediation() -> None:
    assert "imdsv2" in denied(changes(None, scp(deny("ec2:ModifyInstanceMetadataOptions"))))
    assert denied(changes(None, scp(deny("s3:GetObject")))) == set()


def test_a_deny_outside_approved_regions_leaves_remediation_possible() -> None:
    only = {"Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}}
    assert denied(changes(None, scp(deny("*", **only)))) == set()
    here = {"Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}}
    assert "imdsv2" in denied(changes(None, scp(deny("ec2:ModifyInstanceMetadataOptions", **here))))
