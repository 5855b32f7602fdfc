"""Who may newly use a resource, by the policy it has, and who may newly be a role."""

from __future__ import annotations

from typing import Any

import pytest

from tests.review.access_side import allow, deny, document, policy, review, role, told


def bucket(*statements: Any) -> dict[str, Any]:
    properties = {"Bucket": {"Ref": "B"}, "PolicyDocument": document(*statements)}
    attached = {"P": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}} if statements else {}
    return {"B": {"Type": "AWS::S3::Bucket"}, **attached}


OBJECTS = {"Fn::Sub": "${B.Arn}/*"}
TLS = {
    **deny("s3:*", [{"Fn::GetAtt": ["B", "Arn"]}, OBJECTS]),
    "Principal": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def reading(principal: Any, **more: Any) -> dict[str, Any]:
    return {**allow("s3:GetObject", OBJECTS), "Principal": principal, **more}


@pytest.mark.parametrize(
    ("principal", "severity", "who"),
    [
        ("*", "high", "anybody, without credentials,"),
        ({"AWS": "arn:aws:iam::111122223333:root"}, "high", "the root user of account 111122223333"),
        ({"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/a"}}, "medium", "role a"),
        ({"Service": "cloudtrail.amazonaws.com"}, "medium", "the service cloudtrail.amazonaws.com"),
    ],
    ids=["anybody", "another account", "the own account", "a service"],
)
def test_who_may_newly_read_a_bucket(principal: Any, severity: str, who: str) -> None:
    (change,) = review(bucket(TLS), bucket(TLS, reading(principal)))
    assert told([change]) == [("worse", severity, f"{who} may newly call s3:GetObject on `B`")]
    assert change.path == ("related", "policies", 0, "PolicyDocument", "Statement", 1)


def test_a_condition_that_goes_lets_anybody_in() -> None:
    inside = reading("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}})
    (change,) = review(bucket(inside), bucket(reading("*")))
    assert (change.effect, change.severity) == ("worse", "high")
    assert change.title.startswith("anybody")
    (back,) = review(bucket(reading("*")), bucket(inside))
    assert (back.effect, back.severity) == ("better", "low")


def test_a_deny_that_goes_is_found_and_one_that_comes_is_better() -> None:
    (gone,) = review(bucket(TLS), bucket())
    assert told([gone]) == [
        ("worse", "medium", "`B` no longer denies 180 actions (s3 180), such as s3:ListBucket")
    ]
    assert gone.witness is not None
    assert gone.witness.context == {"aws:SecureTransport": "false"}
    (come,) = review(bucket(), bucket(TLS))
    assert (come.effect, come.title) == (
        "better",
        "`B` newly denies 180 actions (s3 180), such as s3:ListBucket",
    )


def test_a_policy_of_its_own_says_the_same_by_name_and_by_star() -> None:
    def key(resource: Any) -> dict[str, Any]:
        statement = {
            **allow("kms:Decrypt", resource),
            "Principal": {"AWS": "arn:aws:iam::111122223333:role/a"},
        }
        return {
            "Q": {"Type": "AWS::SQS::Queue"},
            "K": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document(statement)}},
        }

    assert review(key("*"), key({"Fn::GetAtt": ["K", "Arn"]})) == []
    assert review(key({"Fn::GetAtt": ["K", "Arn"]}), key("*")) == []


def test_a_key_without_a_policy_has_the_default_one() -> None:
    account = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    default = document({**allow("kms:*"), "Principal": {"AWS": account}})
    without = {"K": {"Type": "AWS::KMS::Key", "Properties": {}}}
    given = {"K": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": default}}}
    assert review(without, given) == review(given, without) == []


def test_a_function_that_others_may_call() -> None:
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {}}}
    permission = {
        "Type": "AWS::Lambda::Permission",
        "Properties": {"FunctionName": {"Ref": "F"}, "Action": "lambda:InvokeFunction", "Principal": "*"},
    }
    (change,) = review({"F": function}, {"F": function, "P": permission})
    assert (change.effect, change.severity, change.resource and change.resource.id) == (
        "worse",
        "critical",
        "F",
    ) or (change.effect == "worse" and change.severity == "high")
    assert change.title.startswith("anybody, without credentials, may newly call lambda:InvokeFunction")


def test_what_is_new_is_told_with_what_it_may() -> None:
    admin = role(
        policy(allow("*")), trust=document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})
    )
    (change,) = review({"Q": {"Type": "AWS::SQS::Queue"}}, {"Q": {"Type": "AWS::SQS::Queue"}, "R": admin})
    assert told([change]) == [
        (
            "new",
            "critical",
            "role `R` is new: it is an administrator; anybody, without credentials, may assume it",
        )
    ]
    (gone,) = review({"R": admin, **bucket()}, bucket())
    assert told([gone]) == [("better", "low", "role `R` is gone")]


def test_trust_in_another_account_and_in_anybody() -> None:
    def trusting(principal: Any) -> dict[str, Any]:
        return {
            "R": role(trust=document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}))
        }

    own, other = {"AWS": "arn:aws:iam::111122223333:root"}, {"AWS": "arn:aws:iam::111122223334:root"}
    worse, better = review(trusting(own), trusting(other))
    assert (worse.severity, worse.title) == (
        "high",
        "the root user of account 111122223334 may newly assume role `R`",
    )
    assert better.title == "the root user of account 111122223333 may no longer assume role `R`"
    anybody, *_ = review(trusting(own), trusting("*"))
    assert (anybody.severity, anybody.title) == (
        "critical",
        "anybody, without credentials, may newly assume role `R`",
    )


def test_a_wider_claim_of_tokens_lets_more_in() -> None:
    issuer = "token.actions.githubusercontent.com"

    def trusting(subject: str) -> dict[str, Any]:
        federated = {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{issuer}"}
        statement = {
            "Effect": "Allow",
            "Principal": federated,
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringLike": {f"{issuer}:sub": subject}},
        }
        return {"R": role(trust=document(statement))}

    (worse,) = review(trusting("repo:me/app:ref:refs/heads/main"), trusting("repo:me/app:*"))
    title = f"holders of tokens of {issuer} may newly assume role `R`"
    assert told([worse]) == [("worse", "high", title)]
    assert worse.witness is not None
    assert worse.witness.context[f"{issuer}:sub"].startswith("repo:me/app:")
    (better,) = review(trusting("repo:me/*"), trusting("repo:me/app:*"))
    assert better.effect == "better"


def test_an_account_beside_a_service_is_told_before_it() -> None:
    both = reading({"Service": "cloudtrail.amazonaws.com", "AWS": "arn:aws:iam::111122223333:root"})
    (change,) = review(bucket(TLS), bucket(TLS, both))
    assert (change.severity, change.title.partition(" may")[0]) == (
        "high",
        "the root user of account 111122223333",
    )


def test_a_new_bucket_is_told_where_others_may_use_it() -> None:
    around = {"Q": {"Type": "AWS::SQS::Queue"}}
    assert review(around, {**around, **bucket(TLS, reading({"Service": "cloudtrail.amazonaws.com"}))}) == []
    (change,) = review(around, {**around, **bucket(reading("*"))})
    assert (change.effect, change.severity) == ("new", "high")
