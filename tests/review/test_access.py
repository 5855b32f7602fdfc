"""What a change newly allows: changes of one character, what is unknown, who gains, where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.iam.documents import read_policy
from policyengine.iam.reason import granted
from policyengine.iam.request import Request
from tests.review.access_side import allow, deny, document, policy, review, role, told

GET = allow("s3:GetObject", "arn:aws:s3:::data/*")
PARAMETERS = {"Partner": {"Type": "String"}, "Other": {"Type": "String"}}

ONE_CHARACTER: list[tuple[str, Any, Any]] = [
    ("a wildcard of actions", allow("s3:GetObject"), allow("s3:GetObject*")),
    (
        "a wildcard of resources",
        allow("s3:GetObject", "arn:aws:s3:::a/b"),
        allow("s3:GetObject", "arn:aws:s3:::a/*"),
    ),
    (
        "another resource",
        allow("s3:GetObject", "arn:aws:s3:::a/x"),
        allow("s3:GetObject", "arn:aws:s3:::b/x"),
    ),
    (
        "a digit of an account",
        allow("sts:AssumeRole", "arn:aws:iam::111122223333:role/a"),
        allow("sts:AssumeRole", "arn:aws:iam::111122223334:role/a"),
    ),
    ("a NotAction less", allow("s3:*"), {**allow("s3:*"), "NotAction": "iam:*"}),
    (
        "a region",
        allow("s3:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        allow("s3:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-2"}}),
    ),
    (
        "an operator",
        allow("s3:*", Condition={"StringEquals": {"aws:PrincipalTag/t": "a*"}}),
        allow("s3:*", Condition={"StringLike": {"aws:PrincipalTag/t": "a*"}}),
    ),
    (
        "a block of addresses",
        allow("s3:*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/25"}}),
        allow("s3:*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
    ),
    ("no condition", allow("s3:*", Condition={"Bool": {"aws:SecureTransport": "true"}}), allow("s3:*")),
    (
        "if it exists",
        allow("s3:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        allow("s3:*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}),
    ),
]


def without_not(statement: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in statement.items() if k != "Action" or "NotAction" not in statement}


@pytest.mark.parametrize(
    ("before", "after"), [case[1:] for case in ONE_CHARACTER], ids=[case[0] for case in ONE_CHARACTER]
)
def test_a_change_of_one_character_is_found(before: dict[str, Any], after: dict[str, Any]) -> None:
    before, after = without_not(before), without_not(after)
    worse = [
        c for c in review({"R": role(policy(before))}, {"R": role(policy(after))}) if c.effect == "worse"
    ]
    assert worse
    for change in worse:
        assert change.witness is not None
        request = Request(*change.witness[:3], dict(change.witness.context))
        assert granted([read_policy(document(after), "identity")], request) is True
        assert granted([read_policy(document(before), "identity")], request) is False


def test_an_effect_that_is_turned_is_found() -> None:
    both = [allow("s3:*"), deny("s3:DeleteObject")]
    found = review({"R": role(policy(*both))}, {"R": role(policy(both[0], allow("s3:DeleteObject")))})
    assert told(found) == [("worse", "medium", "role `R` may newly call s3:DeleteObject")]


def test_what_only_denies_less_than_others_allow_is_no_news() -> None:
    found = review({"R": role(policy(GET, deny("sqs:*")))}, {"R": role(policy(GET))})
    assert found == []


# -- where it stands ------------------------------------------------------------------------------------


def test_it_stands_at_its_statement_with_what_was_there() -> None:
    wider = allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::data/*")
    (change,) = review({"R": role(policy(GET))}, {"R": role(policy(wider))})
    assert change.title == "role `R` may newly call s3:PutObject"
    assert change.path == ("Policies", 0, "PolicyDocument", "Statement", 0)
    assert change.before == GET
    assert change.after == wider
    assert change.old is not None
    assert change.witness is not None
    assert change.witness.action == "s3:PutObject"
    assert change.details == (f"role r of this code may call s3:PutObject on {change.witness.resource}",)


def test_a_policy_that_several_have_is_one_change() -> None:
    def side(statement: dict[str, Any]) -> dict[str, Any]:
        managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(statement)}}
        roles = {f"R{n}": role(ManagedPolicyArns=[{"Ref": "M"}]) for n in range(8)}
        return {"M": managed, **roles}

    (change,) = review(side(GET), side(allow("s3:GetObject")))
    assert change.title == "role `R0` and 7 more may newly call s3:GetObject"
    assert change.resource is not None
    assert (change.resource.id, change.path) == ("M", ("PolicyDocument", "Statement", 0))
    assert change.details[-1] == "for role `R0`, role `R1`, role `R2`, role `R3`, role `R4` and 3 more"


def test_a_policy_that_nobody_has_is_compared_by_itself() -> None:
    def side(*statements: dict[str, Any]) -> dict[str, Any]:
        return {
            "M": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(*statements)}}
        }

    (wider,) = review(side(GET), side(allow("s3:GetObject")))
    assert wider.title == "managed policy `M` newly allows s3:GetObject"
    (freed,) = review(side(deny("s3:DeleteObject")), side(deny("s3:DeleteObject", "arn:aws:s3:::a/*")))
    assert told([freed]) == [("worse", "medium", "managed policy `M` no longer denies s3:DeleteObject")]


def test_a_permission_boundary_limits_what_is_new() -> None:
    boundary = {"PermissionsBoundary": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}
    more = policy(GET, allow(["s3:GetObjectAcl", "s3:PutObject"]))
    (change,) = review({"R": role(policy(GET), **boundary)}, {"R": role(more, **boundary)})
    assert change.title == "role `R` may newly call s3:GetObjectAcl"
    (gone,) = review({"R": role(policy(allow("*")), **boundary)}, {"R": role(policy(allow("*")))})
    assert (gone.severity, gone.path) == ("critical", ("PermissionsBoundary",))
    assert gone.title.endswith("and is now an administrator")


def test_users_get_what_their_groups_get() -> None:
    def side(statement: dict[str, Any]) -> dict[str, Any]:
        group = {"Type": "AWS::IAM::Group", "Properties": {"Policies": [policy(statement)]}}
        return {"G": group, "U": {"Type": "AWS::IAM::User", "Properties": {"Groups": [{"Ref": "G"}]}}}

    (change,) = review(side(GET), side(allow("s3:GetObject")))
    assert change.title == "user `U` may newly call s3:GetObject"
    assert change.resource is not None
    assert (change.resource.id, change.path) == ("G", ("Policies", 0, "PolicyDocument", "Statement", 0))


# -- what nobody knows ----------------------------------------------------------------------------------


def of(resource: Any) -> dict[str, Any]:
    return {"R": role(policy(allow("s3:GetObject", resource)))}


@pytest.mark.parametrize(
    ("before", "after", "detail"),
    [
        ({"Ref": "Partner"}, {"Ref": "Other"}, "not if ${Partner} is ${Other}"),
        ("arn:aws:s3:::a/*", {"Fn::Sub": "arn:aws:s3:::${Partner}/*"}, "not if ${Partner} is a"),
        ({"Fn::Sub": "arn:aws:s3:::${Partner}/*"}, "arn:aws:s3:::a/*", "not if ${Partner} is a"),
    ],
    ids=["another parameter", "a parameter for a literal", "a literal for a parameter"],
)
def test_another_unknown_value_is_not_clear(before: Any, after: Any, detail: str) -> None:
    (change,) = review(of(before), of(after), Parameters=PARAMETERS)
    assert (change.effect, change.title) == ("unclear", "role `R` may newly call s3:GetObject")
    assert detail in change.details


def test_the_same_unknown_value_is_the_same() -> None:
    before, more = allow("s3:GetObject", {"Ref": "Partner"}), allow("sqs:SendMessage")
    found = review({"R": role(policy(before))}, {"R": role(policy(more, before))}, Parameters=PARAMETERS)
    assert [c.title for c in found] == ["role `R` may newly call sqs:SendMessage"]


def test_more_on_an_unknown_resource_is_more_whatever_it_is() -> None:
    more = allow("sqs:SendMessage", {"Ref": "Partner"})
    found = review({"R": role(policy(GET))}, {"R": role(policy(GET, more))}, Parameters=PARAMETERS)
    assert told(found) == [("worse", "medium", "role `R` may newly call sqs:SendMessage")]
    assert found[0].after == {**more, "Resource": "${Partner}"}


def test_a_policy_that_nobody_knows_is_not_clear() -> None:
    unknown = {"ManagedPolicyArns": [{"Ref": "Partner"}]}
    (change,) = review({"R": role(policy(GET))}, {"R": role(policy(GET), **unknown)}, Parameters=PARAMETERS)
    assert (change.effect, change.path) == ("unclear", ("ManagedPolicyArns", 0))
    assert change.title == "what role `R` may newly call is not clear"
    assert review({"R": role(**unknown)}, {"R": role(**unknown)}, Parameters=PARAMETERS) == []


def test_beside_an_unknown_policy_a_deny_counts_whatever_is_allowed() -> None:
    unknown = {"ManagedPolicyArns": [{"Ref": "Partner"}]}
    sides = {"R": role(policy(deny("s3:*")), **unknown)}, {"R": role(**unknown)}
    found = review(*sides, Parameters=PARAMETERS)
    assert [(c.effect, c.title) for c in found] == [
        ("worse", "role `R` is no longer denied 180 actions (s3 180), such as s3:ListBucket")
    ]


def test_an_account_that_may_be_this_one_is_not_clear() -> None:
    def trusting(principal: Any) -> dict[str, Any]:
        return {
            "R": role(
                trust=document(
                    {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
                )
            )
        }

    here = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
    (change,) = review(trusting("arn:aws:iam::111122223333:root"), trusting(here))
    assert change.effect == "unclear"
    assert "not if ${AWS::AccountId} is 111122223333" in change.details
    known = trusting("arn:aws:iam::111122223333:root"), trusting(here)
    assert review(*known, account="111122223333") == []


@pytest.mark.parametrize("before", [True, False])
def test_conditions_of_the_template_that_change_are_not_clear(before: bool) -> None:
    conditions = {
        "Prod": {"Fn::Equals": [{"Ref": "Partner"}, "p"]},
        "Dev": {"Fn::Equals": [{"Ref": "Other"}, "d"]},
    }

    def under(condition: str) -> dict[str, Any]:
        chosen = {"Fn::If": [condition, policy(allow("s3:*")), policy(GET)]}
        return {"R": role(chosen)}

    same = review(under("Prod"), under("Prod"), Parameters=PARAMETERS, Conditions=conditions)
    assert same == []
    sides = (under("Prod"), under("Dev")) if before else (under("Dev"), under("Prod"))
    found = review(*sides, Parameters=PARAMETERS, Conditions=conditions)
    assert {c.effect for c in found} == {"unclear"}


# -- who may use a resource -----------------------------------------------------------------------------


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
