"""Laws of access newly allowed: to write the same otherwise finds nothing, and what is found is really so."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.reason import EVERYONE, granted
from policyengine.iam.request import Request
from policyengine.review.access import access_changes
from tests.review.access_side import Resources, document, paired_by, policy, review, role

QUEUE = {"Type": "AWS::SQS::Queue"}
BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "logs"}}
AROUND = {"Queue": QUEUE, "Other": QUEUE, "Bucket": BUCKET, "Name": {"Type": "AWS::SNS::Topic"}}
PARAMETERS = {"Partner": {"Type": "String"}, "Prefix": {"Type": "String"}}

SOME = settings(deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""A failing template is shown as it is: to make it smaller asks thousands of questions."""

ACTIONS = [
    "s3:GetObject",
    "s3:Put*",
    "sqs:SendMessage",
    "sqs:*",
    "sns:Publish",
    "iam:PassRole",
    "dynamodb:GetItem",
]
RESOURCES: list[Any] = [
    "*",
    "arn:aws:s3:::data/*",
    "arn:aws:sqs:*:*:jobs-?",
    {"Fn::GetAtt": ["Queue", "Arn"]},
    {"Fn::GetAtt": ["Other", "Arn"]},
    {"Fn::Sub": "${Bucket.Arn}/*"},
    {"Ref": "Name"},
    {"Ref": "Partner"},
    {"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${Prefix}-*"},
    {"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "AWS::AccountId"}, ":role/app"]]},
]
CONDITIONS: list[dict[str, Any]] = [
    {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"StringLike": {"aws:PrincipalTag/team": {"Ref": "Prefix"}}},
    {"ArnLike": {"aws:SourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    {"NumericLessThan": {"aws:MultiFactorAuthAge": {"Ref": "Prefix"}}},
]


def some(items: list[Any], most: int) -> st.SearchStrategy[list[Any]]:
    """Return some of the items, in any order, each once."""
    indexes = st.lists(st.integers(0, len(items) - 1), min_size=1, max_size=most, unique=True)
    return indexes.map(lambda chosen: [items[i] for i in chosen])


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    found = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "Action", "NotAction"])): draw(some(ACTIONS, 3)),
        draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"])): draw(some(RESOURCES, 3)),
    }
    if draw(st.integers(0, 2)) == 0:
        found["Condition"] = copy.deepcopy(draw(st.sampled_from(CONDITIONS)))
    return found


def split(statement: dict[str, Any], element: str) -> list[dict[str, Any]]:
    """Return a statement as one for each text of an element that names what it is about."""
    texts = statement.get(element)
    return [{**statement, element: text} for text in texts] if isinstance(texts, list) else [statement]


def in_other_words(draw: st.DrawFn, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return statements that say the same as others."""
    result: list[dict[str, Any]] = []
    for statement in found:
        ways = draw(st.sampled_from([(), ("Action",), ("Resource",), ("Action", "Resource")]))
        parts = [statement]
        for element in ways:
            parts = [one for part in parts for one in split(part, element)]
        result.extend(draw(st.permutations(parts)))
    result = draw(st.permutations(result))
    if draw(st.booleans()):
        narrower = {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}, **copy.deepcopy(result[0])}
        result = [*result, narrower]
    return [respelled(draw, statement, number) for number, statement in enumerate(result)]


def respelled(draw: st.DrawFn, statement: dict[str, Any], number: int) -> dict[str, Any]:
    found = dict(draw(st.permutations(list(statement.items()))))
    for key in ("Action", "NotAction"):
        if key in found and draw(st.booleans()):
            texts = found[key] if isinstance(found[key], list) else [found[key]]
            service_and_name = [text.partition(":") for text in texts]
            found[key] = [f"{service.upper()}:{name.lower()}" for service, _, name in service_and_name]
    for key in ("Action", "NotAction", "Resource", "NotResource"):
        texts = found.get(key)
        if isinstance(texts, list) and len(texts) == 1 and draw(st.booleans()):
            found[key] = texts[0]
        elif isinstance(texts, list):
            found[key] = draw(st.permutations(texts))
    return {**found, "Sid": f"Part{number}"} if draw(st.booleans()) else found


NAMES = {"Role": "AppRole", "Queue": "Jobs", "Other": "Letters", "Bucket": "Store", "Name": "Alerts"}


def renamed(resources: Resources) -> dict[str, Any]:
    """Return a template with other logical ids, in every reference too."""
    text = json.dumps(resources)
    for old, new in NAMES.items():
        for before, after in (
            (f'"{old}"', f'"{new}"'),
            (f"${{{old}.", f"${{{new}."),
            (f"${{{old}}}", f"${{{new}}}"),
        ):
            text = text.replace(before, after)
    found: dict[str, Any] = json.loads(text)
    return found


def spread(draw: st.DrawFn, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a role with statements in inline and managed policies, attached from either side."""
    cuts = sorted(draw(st.lists(st.integers(0, len(found)), max_size=2)))
    parts = [found[a:b] for a, b in zip([0, *cuts], [*cuts, len(found)], strict=True) if a < b]
    inline, arns, resources = [], [], {}
    for number, part in enumerate(parts):
        match draw(st.sampled_from(["inline", "own", "from the policy", "resource"])):
            case "inline":
                inline.append(policy(*part, name=f"p{number}"))
            case "own":
                arns.append({"Ref": f"Managed{number}"})
                resources[f"Managed{number}"] = managed(part)
            case "from the policy":
                resources[f"Managed{number}"] = managed(part, Roles=[{"Ref": "Role"}])
            case _:
                properties = {**policy(*part, name=f"q{number}"), "Roles": [{"Ref": "Role"}]}
                resources[f"Policy{number}"] = {"Type": "AWS::IAM::Policy", "Properties": properties}
    more = {"ManagedPolicyArns": arns} if arns else {}
    return {"Role": role(*inline, **more), **resources}


def managed(part: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document(*part), **more}}


@st.composite
def refactorings(draw: st.DrawFn) -> tuple[Resources, Resources]:
    found = draw(st.lists(statements(), min_size=1, max_size=4))
    base = {**AROUND, **spread(draw, found)}
    head = {**AROUND, **spread(draw, in_other_words(draw, found))}
    head = dict(draw(st.permutations(list(head.items()))))
    return base, renamed(head) if draw(st.booleans()) else head


@given(refactorings())
@settings(SOME, max_examples=15)
def test_the_same_in_other_words_is_no_change(sides: tuple[Resources, Resources]) -> None:
    base, head = sides
    assert list(access_changes(paired_by(base, head, NAMES, Parameters=PARAMETERS))) == []


@st.composite
def known_statements(draw: st.DrawFn) -> dict[str, Any]:
    """Return a statement of which everything is known."""
    known = [r for r in RESOURCES if isinstance(r, str)]
    found = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        "Action": draw(some(ACTIONS, 3)),
        "Resource": draw(some(known, 2)),
    }
    if draw(st.booleans()):
        found["Condition"] = CONDITIONS[draw(st.integers(0, 1))]
    return found


@given(
    st.lists(known_statements(), min_size=1, max_size=4), st.lists(known_statements(), min_size=1, max_size=4)
)
@settings(SOME, max_examples=20)
def test_what_is_newly_allowed_is_shown_by_a_request(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    changes = review({"Role": role(policy(*old))}, {"Role": role(policy(*new))})
    before, after = (read_policy(document(*side), "identity") for side in (old, new))
    for change in changes:
        assert change.effect in ("worse", "better")
        if change.effect == "worse":
            assert change.witness is not None
            principal, action, resource, context = change.witness
            request = Request(principal, action, resource, dict(context))
            assert granted([after], request) is True
            assert granted([before], request) is False


@given(st.lists(known_statements(), min_size=1, max_size=3), known_statements())
@settings(SOME, max_examples=15)
def test_what_is_better_one_way_is_worse_the_other(old: list[dict[str, Any]], added: dict[str, Any]) -> None:
    sides = [{"Role": role(policy(*old))}, {"Role": role(policy(*old, added))}]
    there, back = review(*sides), review(*reversed(sides))
    turned = {"worse": "better", "better": "worse"}
    assert sorted(c.effect for c in there) == sorted(turned[c.effect] for c in back)


PRINCIPALS: list[Any] = [
    "*",
    {"AWS": "111122223333"},
    {"AWS": "arn:aws:iam::111122223333:role/app"},
    {"AWS": "arn:aws:iam::444455556666:root"},
    {"Service": "delivery.logs.amazonaws.com"},
]


@st.composite
def resource_statements(draw: st.DrawFn) -> dict[str, Any]:
    found = draw(known_statements())
    found["Resource"] = draw(
        st.sampled_from(["arn:aws:s3:::logs/*", "arn:aws:s3:::logs", "arn:aws:s3:::logs/a*"])
    )
    return {**found, "Principal": draw(st.sampled_from(PRINCIPALS))}


def with_policy(found: list[dict[str, Any]]) -> dict[str, Any]:
    properties = {"Bucket": "logs", "PolicyDocument": document(*found)}
    return {"Bucket": BUCKET, "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}


@given(
    st.lists(resource_statements(), min_size=1, max_size=3),
    st.lists(resource_statements(), min_size=1, max_size=3),
)
@settings(SOME, max_examples=20)
def test_who_may_newly_use_a_bucket_is_shown_by_a_request(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    before, after = (read_policy(document(*side), "resource") for side in (old, new))
    for change in review(with_policy(old), with_policy(new)):
        assert change.effect in ("worse", "better")
        if change.effect == "worse":
            assert change.witness is not None
            principal, action, resource, context = change.witness
            request = Request(principal, action, resource, dict(context))
            if "no longer denies" in change.title:
                assert not denied(after, request)
                assert denied(before, request)
            else:
                assert granted([after], request) is True
                assert granted([before], request) is False


def denied(found: Policy, request: Request) -> bool:
    """Say whether a Deny stops a request."""
    return granted([EVERYONE, Policy(found.kind, found.version, None, found.statements)], request) is False


CALLS = [
    ("s3:GetObject", "arn:aws:s3:::data/x"),
    ("s3:PutObject", "arn:aws:s3:::data/x"),
    ("s3:GetObject", "arn:aws:s3:::other/x"),
    ("s3:PutObject", "arn:aws:s3:::other/x"),
    ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:jobs-1"),
    ("sqs:PurgeQueue", "arn:aws:sqs:eu-west-1:111122223333:jobs-1"),
    ("sqs:PurgeQueue", "arn:aws:sqs:eu-west-1:111122223333:other"),
    ("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:t"),
    ("iam:PassRole", "arn:aws:iam::111122223333:role/app"),
    ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/t"),
]
"""Actions on resources that they can be about."""
CONTEXTS: list[dict[str, str]] = [
    {},
    {"aws:RequestedRegion": "eu-west-1", "aws:SecureTransport": "true"},
    {"aws:RequestedRegion": "us-east-1", "aws:SecureTransport": "true"},
    {"aws:RequestedRegion": "us-east-1", "aws:SecureTransport": "false"},
]


@given(
    st.lists(known_statements(), min_size=1, max_size=4), st.lists(known_statements(), min_size=1, max_size=4)
)
@settings(SOME, max_examples=20)
def test_no_request_that_is_newly_allowed_is_passed_over(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    before, after = (read_policy(document(*side), "identity") for side in (old, new))
    who = "arn:aws:iam::111122223333:role/app"
    calls = [Request(who, *call, context) for call in CALLS for context in CONTEXTS]
    more = any(granted([after], r) is True and granted([before], r) is False for r in calls)
    effects = {change.effect for change in review({"Role": role(policy(*old))}, {"Role": role(policy(*new))})}
    assert not more or "worse" in effects
