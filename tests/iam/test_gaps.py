"""Documents in which something is not known: never more is said than is true whatever the gap turns out to be."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.opaque import Opaque, PartText
from policyengine.iam.public_access import is_public
from policyengine.iam.request import Request
from policyengine.iam.unknowns import perhaps, unknown_policy

ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
GAP = Opaque("Ref: Bucket")
FULL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allowed(
    document_: dict[str, Any],
    action: str = "s3:GetObject",
    resource: str = "arn:aws:s3:::b/k",
    **context: str,
) -> str:
    """`yes`, `no`, or `perhaps`, as an identity policy decides."""
    policy = read_policy(document_, "identity")
    decision = authorize(Request(USER, action, resource, context), Policies(identity=[policy]))
    return "perhaps" if decision.unknown else "yes" if decision.outcome == "Allowed" else "no"


ALLOW = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
S3_ARN = PartText("Sub", ("arn:aws:s3:::", "/*"))
ELSEWHERE = "arn:aws:s3:::b"
CASES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("a resource", {**ALLOW, "Resource": GAP}, {}, "perhaps"),
    ("another action", {**ALLOW, "Resource": GAP}, {"action": "ec2:RunInstances"}, "no"),
    ("a resource beside one that matches", {**ALLOW, "Resource": ["arn:aws:s3:::b/*", GAP]}, {}, "yes"),
    ("a resource beside one that does not", {**ALLOW, "Resource": ["arn:aws:s3:::c/*", GAP]}, {}, "perhaps"),
    ("a resource known in part", {**ALLOW, "Resource": S3_ARN}, {}, "perhaps"),
    ("what the known parts exclude", {**ALLOW, "Resource": S3_ARN}, {"resource": ELSEWHERE}, "no"),
    ("an end that is known", {**ALLOW, "Resource": PartText("Sub", ("", "/*"))}, {"resource": ELSEWHERE}, "no"),
    ("an ARN behind what may be nothing", {**ALLOW, "Resource": PartText("Sub", ("", "arn:aws:s3:::b/*"))}, {}, "perhaps"),
    ("another ARN behind it", {**ALLOW, "Resource": PartText("Sub", ("", "arn:aws:s3:::b/*"))}, {"resource": ELSEWHERE}, "no"),
    ("all but the scheme of an ARN", {**ALLOW, "Resource": PartText("Sub", ("", ":aws:s3:::b/*"))}, {}, "perhaps"),
    ("a scheme in pieces", {**ALLOW, "Resource": PartText("Sub", ("", "r", "n:aws:s3:::b/*"))}, {}, "perhaps"),
    ("a resource left out", {"Effect": "Allow", "Action": "*", "NotResource": GAP}, {}, "perhaps"),
    ("left out, known in part", {"Effect": "Allow", "Action": "*", "NotResource": S3_ARN}, {"resource": ELSEWHERE}, "yes"),
    ("left out for certain", {"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:s3:::b/*", GAP]}, {}, "no"),
    ("an action", {**ALLOW, "Action": GAP}, {"action": "ec2:RunInstances"}, "perhaps"),
    ("an action known in part", {**ALLOW, "Action": PartText("Sub", ("s3:Get", ""))}, {"action": "s3:PutObject"}, "no"),
    ("an action whose service is not known", {**ALLOW, "Action": PartText("Sub", ("", ":Get*"))}, {}, "perhaps"),
    ("an action left out", {"Effect": "Allow", "NotAction": ["iam:*", GAP], "Resource": "*"}, {}, "perhaps"),
    ("an action left out for certain", {"Effect": "Allow", "NotAction": ["s3:*", GAP], "Resource": "*"}, {}, "no"),
    ("an effect", {**ALLOW, "Effect": GAP}, {}, "perhaps"),
    ("a Sid", {**ALLOW, "Sid": GAP}, {}, "yes"),
    ("a condition", {**ALLOW, "Condition": GAP}, {}, "perhaps"),
    ("an operator", {**ALLOW, "Condition": {"StringEquals": GAP}}, {}, "perhaps"),
    ("a value", {**ALLOW, "Condition": {"StringEquals": {"aws:a": GAP}}}, {"aws:a": "x"}, "perhaps"),
    ("a value beside one that matches", {**ALLOW, "Condition": {"StringEquals": {"aws:a": ["x", GAP]}}}, {"aws:a": "x"}, "yes"),
    ("a value of a condition beside one that fails", {**ALLOW, "Condition": {"StringEquals": {"aws:a": GAP, "aws:b": "x"}}}, {"aws:a": "x"}, "no"),
    ("a value of a negated operator", {**ALLOW, "Condition": {"StringNotEquals": {"aws:a": ["x", GAP]}}}, {"aws:a": "x"}, "no"),
    ("the same, another value", {**ALLOW, "Condition": {"StringNotEquals": {"aws:a": ["x", GAP]}}}, {"aws:a": "y"}, "perhaps"),
    ("a pattern known in part", {**ALLOW, "Condition": {"StringLike": {"aws:a": PartText("Sub", ("team-", ""))}}}, {"aws:a": "other"}, "no"),
    ("the same, negated", {**ALLOW, "Condition": {"StringNotLike": {"aws:a": PartText("Sub", ("team-", ""))}}}, {"aws:a": "other"}, "yes"),
    ("a statement", GAP, {}, "perhaps"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "request_", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_is_known_decides_and_nothing_else(
    statement: Any, request_: dict[str, str], expected: str
) -> None:
    assert allowed(document(statement), **request_) == expected


def test_a_deny_with_a_gap_may_deny() -> None:
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": GAP}
    assert allowed(document(FULL, deny)) == "perhaps"
    assert allowed(document(FULL, deny), action="ec2:RunInstances") == "yes"
    assert allowed(document(FULL, {**deny, "Resource": ["*", GAP]})) == "no"


def test_more_statements_may_follow() -> None:
    assert allowed(document(FULL, GAP)) == "perhaps"
    assert allowed({"Version": "2012-10-17", "Statement": GAP}) == "perhaps"


def test_without_the_version_variables_may_be_text() -> None:
    own = {**ALLOW, "Resource": "arn:aws:s3:::b/${aws:username}"}
    assert allowed({"Version": GAP, "Statement": [own]}, resource="arn:aws:s3:::b/u") == "perhaps"
    assert allowed({"Version": GAP, "Statement": [ALLOW]}) == "yes"


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"Principal": GAP}, "perhaps"),
        ({"Principal": {"AWS": GAP}}, "perhaps"),
        ({"Principal": {"AWS": [USER, GAP]}}, "yes"),
        ({"Principal": {"Service": GAP}}, "no"),
        ({"Principal": {"CanonicalUser": GAP}}, "perhaps"),
        ({"NotPrincipal": {"AWS": GAP}}, "perhaps"),
        ({"NotPrincipal": {"AWS": [USER, GAP]}}, "no"),
    ],
)
def test_principals(element: dict[str, Any], expected: str) -> None:
    policy = read_policy(
        document({"Effect": "Allow", "Action": "s3:*", "Resource": "*", **element}), "resource"
    )
    decision = authorize(
        Request(USER, "s3:GetObject", "arn:aws:s3:::b/k", {}, ACCOUNT), Policies(resource=policy)
    )
    assert ("perhaps" if decision.unknown else "yes" if decision.outcome == "Allowed" else "no") == expected


def test_both_readings_are_one_statement() -> None:
    policy = read_policy(document(FULL, {**ALLOW, "Sid": "X", "Resource": ["*", GAP]}), "identity")
    assert [(s.index, s.sid, s.opaque) for s in policy.statements] == [
        (0, None, None),
        (1, "X", None),
        (1, "X", GAP),
    ]


def test_mistakes_beside_a_gap_are_still_mistakes() -> None:
    with pytest.raises(PolicyError, match="no action"):
        read_policy(document({**ALLOW, "Action": ["nonsense", GAP]}), "identity")
    with pytest.raises(PolicyError, match="both `Action` and `NotAction`"):
        read_policy(document({**ALLOW, "NotAction": GAP}), "identity")
    with pytest.raises(PolicyError, match="no `Resource`"):
        read_policy(document({"Effect": "Allow", "Action": GAP}), "identity")


def test_a_gap_may_make_a_bucket_policy_public() -> None:
    private = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "s3:*", "Resource": "*"}
    open_ = {**private, "Principal": "*"}
    assert is_public(read_policy(document(private), "resource")) is False
    assert is_public(read_policy(document({**private, "Principal": GAP}), "resource")) == GAP
    assert is_public(read_policy(document({**open_, "Resource": GAP}), "resource")) == GAP
    assert is_public(read_policy(document({**open_, "Resource": ["*", GAP]}), "resource")) is True


def test_rcps_with_gaps_deny_or_not() -> None:
    rcp = read_policy(document({"Effect": GAP, "Principal": "*", "Action": "s3:*", "Resource": "*"}), "rcp")
    assert [s.allow for s in rcp.statements] == [False]
    assert [s.allow for s in unknown_policy("rcp", "x").statements] == [False]
    assert [s.allow for s in unknown_policy("scp", "x").statements] == [True, False]


# -- the law ------------------------------------------------------------------------------------------

TEXTS = {
    "Action": ["s3:GetObject", "s3:Get*", "ec2:*", "*"],
    "Resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::c", "*"],
    "values": ["x", "y", "team-*", "x?"],
}
OPERATORS = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "ForAllValues:StringLike", "ForAnyValue:StringNotEquals", "StringEqualsIfExists"]  # fmt: skip


@st.composite
def holed(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a whole policy, and the same with texts taken out."""

    def texts(kind: str) -> list[str]:
        return draw(st.lists(st.sampled_from(TEXTS[kind]), min_size=1, max_size=3))

    def statement() -> dict[str, Any]:
        made: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
        made[draw(st.sampled_from(["Action", "NotAction"]))] = texts("Action")
        made[draw(st.sampled_from(["Resource", "NotResource"]))] = texts("Resource")
        if draw(st.booleans()):
            made["Condition"] = {draw(st.sampled_from(OPERATORS)): {"aws:a": texts("values")}}
        return made

    whole = document(*(statement() for _ in range(draw(st.integers(1, 3)))))
    partly = copy.deepcopy(whole)

    def cut(text: str) -> Opaque:
        if draw(st.booleans()):
            return Opaque("gap")
        at = draw(st.integers(0, len(text)))
        end = draw(st.integers(at, len(text)))
        return PartText("gap", (text[:at], text[end:]))

    def take_out(at: Any) -> None:
        for key in list(at) if isinstance(at, dict) else range(len(at)):
            if draw(st.integers(0, 9)) == 0:
                at[key] = cut(at[key]) if isinstance(at[key], str) else Opaque("gap")
            elif isinstance(at[key], dict | list):
                take_out(at[key])

    take_out(partly["Statement"])
    return whole, partly


@settings(max_examples=400, deadline=None)
@given(
    holed(),
    st.sampled_from(["s3:GetObject", "s3:PutObject", "ec2:RunInstances"]),
    st.sampled_from(["arn:aws:s3:::b/k", "arn:aws:s3:::c", "arn:aws:s3:::d/e"]),
    st.sampled_from([{}, {"aws:a": "x"}, {"aws:a": ["x", "z"]}, {"aws:a": "team-1"}]),
)
def test_a_certain_answer_is_that_of_the_whole_document(
    documents: tuple[dict[str, Any], dict[str, Any]], action: str, resource: str, context: dict[str, Any]
) -> None:
    whole, partly = documents
    request = Request(USER, action, resource, context)

    def decide(policy: Policy) -> tuple[bool, bool]:
        decision = authorize(request, Policies(identity=[policy]))
        return decision.outcome == "Allowed", not decision.unknown

    true, sure = decide(read_policy(whole, "identity"))
    found, certain = decide(read_policy(partly, "identity"))
    if certain and sure:
        assert found == true
    absent, known = decide(perhaps(read_policy(whole, "identity"), "perhaps"))
    assert not known or not absent
