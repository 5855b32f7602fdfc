"""Requests and Deny statements in words."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.iam.documents import read_policy
from policyengine.iam.search import Witness
from policyengine.iam.sentences import goes_undenied, may_call, who, why_passed

APP = "arn:aws:iam::111122223333:role/team/app"


@pytest.mark.parametrize(
    ("principal", "said"),
    [
        (APP, "role team/app in account 111122223333"),
        ("arn:aws:iam::111122223333:user/eve", "user eve in account 111122223333"),
        ("arn:aws:sts::111122223333:assumed-role/app/s", "a session of role app in account 111122223333"),
        ("arn:aws:iam::111122223333:root", "the root user of account 111122223333"),
        ("ec2.amazonaws.com", "the service ec2.amazonaws.com"),
        ("*", "anybody, without credentials,"),
        ("no principal at all", "no principal at all"),
    ],
)
def test_who(principal: str, said: str) -> None:
    assert who(principal) == said


def test_a_request_says_who_what_where_on_what_and_with_what() -> None:
    context = {"aws:RequestedRegion": "us-west-2", "aws:PrincipalTag/team": ("a", "b")}
    request = Witness(APP, "bedrock:InvokeModel", "arn:aws:bedrock:us-west-2::foundation-model/m", context)
    place = "bedrock:InvokeModel in us-west-2 on arn:aws:bedrock:us-west-2::foundation-model/m"
    assert may_call(request) == (
        f"role team/app in account 111122223333 may call {place} with aws:PrincipalTag/team = a, b"
    )
    assert goes_undenied(request) == (
        f"no Deny stops {place} by role team/app in account 111122223333 with aws:PrincipalTag/team = a, b"
    )


def test_unspecified_is_the_region_of_a_global_profile() -> None:
    request = Witness(APP, "bedrock:InvokeModel", "*", {"aws:RequestedRegion": "unspecified"})
    assert may_call(request).endswith("may call bedrock:InvokeModel through a global inference profile")


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ({"Action": "*"}, None),
        ({"Action": ["s3:Put*", "s3:Delete*"]}, "names only s3:Put*, s3:Delete*"),
        (
            {"Action": [f"s3:Put{n}" for n in range(6)]},
            "names only s3:Put0, s3:Put1, s3:Put2, s3:Put3 and 2 more",
        ),
        ({"NotAction": ["s3:*"]}, "exempts s3:*"),
        ({"Action": "*", "Resource": "arn:aws:s3:::other/*"}, "is only about arn:aws:s3:::other/*"),
        ({"Action": "*", "NotResource": "arn:aws:s3:::b/*"}, "exempts the resources arn:aws:s3:::b/*"),
        (
            {
                "Action": "*",
                "Condition": {
                    "StringEquals": {"aws:RequestedRegion": "us-east-1"},
                    "Bool": {"aws:SecureTransport": "true"},
                },
            },
            "applies only where aws:RequestedRegion is `us-east-1`",
        ),
    ],
)
def test_why_a_deny_let_a_request_pass(statement: dict[str, Any], why: str | None) -> None:
    whole = {"Effect": "Deny", "Resource": "*", **statement}
    if "NotResource" in statement:
        del whole["Resource"]
    policy = read_policy({"Version": "2012-10-17", "Statement": [whole]}, "scp")
    context = {"aws:RequestedRegion": "eu-west-1", "aws:SecureTransport": "true"}
    assert why_passed(policy.statements[0], Witness(APP, "s3:GetObject", "arn:aws:s3:::b/x", context)) == why
