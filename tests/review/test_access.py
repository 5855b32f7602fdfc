"""What a change newly allows: changes of one character, what is unknown, who gains, where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.iam.documents import read_policy
from policyengine.iam.reason import granted
from policyengine.iam.request import Request
from policyengine.review.access import access_changes
from policyengine.review.matching import paired_resources
from tests.review.access_side import allow, deny, document, policy, read, review, role, told

GET = allow("s3:GetObject", "arn:aws:s3:::data/*")
AROUND = {"B": {"Type": "AWS::S3::Bucket"}}
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


def test_a_new_policy_that_nobody_has_is_told() -> None:
    managed = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(allow("*"))}}
    (new,) = review(AROUND, {**AROUND, "M": managed})
    assert told([new]) == [("new", "high", "managed policy `M` is new: it makes administrators")]
    (gone,) = review({**AROUND, "M": managed}, AROUND)
    assert told([gone]) == [("better", "low", "managed policy `M` is gone")]
    attached = {**managed, "Properties": {**managed["Properties"], "Roles": [{"Ref": "R"}]}}
    (worse,) = review({"R": role()}, {"R": role(), "M": attached})
    assert (worse.effect, worse.severity, worse.resource and worse.resource.id) == ("worse", "critical", "M")


def test_a_user_joins_a_group() -> None:
    user, group = (
        {"Type": "AWS::IAM::User"},
        {"Type": "AWS::IAM::Group", "Properties": {"Policies": [policy(GET)]}},
    )
    joins = {"GroupName": {"Ref": "G"}, "Users": [{"Ref": "U"}]}
    added = {"A": {"Type": "AWS::IAM::UserToGroupAddition", "Properties": joins}}
    (worse,) = review({"U": user, "G": group}, {"U": user, "G": group, **added})
    assert (worse.effect, worse.title) == ("worse", "user `U` may newly call s3:GetObject")
    (better,) = review({"U": user, "G": group, **added}, {"U": user, "G": group})
    assert better.title == "user `U` may no longer call s3:GetObject"


def test_a_role_that_moves_to_another_file_is_the_same() -> None:
    reading = {"R": role(policy(allow("s3:GetObject", {"Fn::Sub": "arn:aws:s3:::${Partner}-x/*"})))}
    before = read({**reading, **AROUND}, file="a.yaml", Parameters=PARAMETERS)
    after = [*read(AROUND, file="a.yaml"), *read(reading, file="b.yaml", Parameters=PARAMETERS)]
    assert list(access_changes(paired_resources(before, after))) == []
