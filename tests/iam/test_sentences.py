"""Requests and Deny statements in words."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.iam.documents import read_policy
from policyengine.iam.global_keys import GLOBAL_KEYS
from policyengine.iam.search import Witness
from policyengine.iam.sentences import goes_undenied, may_call, who, why_passed
from policyengine.iam.spelling import documented

APP = "arn:aws:iam::111122223333:role/team/app"


@pytest.mark.parametrize(
    ("principal", "said"),
    [
        (APP, "role team/app in account 111122223333"),
        ("arn:aws:iam::111122223333:user/eve", "user eve in account 111122223333"),
        ("arn:aws:sts::111122223333:assumed-role/app/s", "a session of role app in account 111122223333"),
        ("arn:aws:iam::111122223333:root", "the root user of account 111122223333"),
        ("arn:aws:iam::111122223333:role/example", "any role in account 111122223333"),
        ("arn:aws:iam::098765432109:user/example", "any user"),
        ("arn:aws:iam::098765432109:role/app", "role app"),
        ("arn:aws:iam::098765432109:root", "the root user"),
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


def test_an_account_that_stands_for_any_is_called_so() -> None:
    principal = "arn:aws:iam::555566667777:role/example"
    assert who(principal, ["555566667777"]) == "any role in any account, e.g. 555566667777"
    assert who(principal, ["444455556666"]) == "any role in account 555566667777"
    root = who("arn:aws:iam::555566667777:root", ["555566667777"])
    assert root == "the root user of any account, e.g. 555566667777"


def test_what_is_made_up_is_said() -> None:
    """Code that is bound to no account and a bucket without a name: readers know neither number nor name."""
    request = Witness(
        "arn:aws:iam::098765432109:role/zz-app", "s3:GetObject", "arn:aws:s3:::zz-logs/x", {"k": "eu-north-9"}
    )
    assert may_call(request) == (
        "role app of this code may call s3:GetObject on arn:aws:s3:::zz-logs/x with k = eu-north-9 "
        "(eu-north-9 stands for the region, zz-logs stands for a name)"
    )
    table = "arn:aws:dynamodb:eu-west-1:098765432109:table/t"
    assert may_call(Witness(APP, "dynamodb:GetItem", table, {})).endswith(
        f"on {table} (098765432109 stands for the account)"
    )


@pytest.mark.parametrize("name", ["xzz-app", "jazz-club", "zz"])
def test_names_that_only_look_made_up_are_no_stand_ins(name: str) -> None:
    assert "stand" not in may_call(Witness(APP, "s3:GetObject", f"arn:aws:s3:::{name}/x", {}))


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        ("aws:principalorgid", "aws:PrincipalOrgID"),
        ("aws:principaltag/team", "aws:PrincipalTag/team"),
        ("bedrock:inferenceprofilearn", "bedrock:InferenceProfileArn"),
        ("s3:existingobjecttag/class", "s3:ExistingObjectTag/class"),
        ("kms:encryptioncontext:tenant", "kms:EncryptionContext:tenant"),
        ("s3:prefix", "s3:prefix"),
        ("AWS:principalorgid", "AWS:principalorgid"),
        ("token.actions.githubusercontent.com:sub", "token.actions.githubusercontent.com:sub"),
    ],
)
def test_keys_are_spelled_as_documented(key: str, spelled: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    assert documented(key) == spelled
    assert f" with {spelled} = x" in may_call(Witness(APP, "s3:GetObject", "*", {key: "x"}))


def test_every_global_key_has_a_spelling() -> None:
    plain = {key for key in GLOBAL_KEYS if documented(key.replace("${tagkey}", "k")) == key}
    assert plain == {"aws:userid", "aws:username"}
