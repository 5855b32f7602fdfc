"""The laws that hold questions over all requests and decisions about one together.

What is answered Yes is allowed on the witness, and the witness is in the set; where the answer is No no
request that can be drawn is allowed; Unknown is rare, and counted.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from policyengine.iam.atoms import Setting
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.domains import any_caller
from policyengine.iam.glob import compile_glob
from policyengine.iam.layers import Layer, read_layer
from policyengine.iam.opaque import Opaque
from policyengine.iam.reason import (
    EVERYONE,
    EVERYTHING,
    No,
    Unknown,
    Yes,
    can,
    covered,
    denies,
    grants,
    named_callers,
    newly_allows,
)
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet, Values, read_request_set

ACTIONS = (
    "s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:ListAllMyBuckets", "sqs:SendMessage",
    "iam:PassRole", "iam:CreateUser", "ec2:RunInstances", "ec2:DescribeInstances", "bedrock:InvokeModel",
    "kms:ListAliases",
)  # fmt: skip
RESOURCES = {
    "s3:GetObject": ("arn:aws:s3:::logs/a", "arn:aws:s3:::logs/home/alice/x", "arn:aws:s3:::data/b"),
    "s3:PutObject": ("arn:aws:s3:::logs/a", "arn:aws:s3:::logs/home/bob/x", "arn:aws:s3:::data/b"),
    "s3:ListBucket": ("arn:aws:s3:::logs", "arn:aws:s3:::data"),
    "s3:ListAllMyBuckets": ("*",),
    "sqs:SendMessage": ("arn:aws:sqs:eu-west-1:111122223333:jobs", "arn:aws:sqs:us-east-1:111122223333:x"),
    "iam:PassRole": ("arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/x/admin"),
    "iam:CreateUser": ("arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/x"),
    "ec2:RunInstances": ("arn:aws:ec2:eu-west-1:111122223333:instance/i-1", "arn:aws:ec2:us-east-1::image/ami-1"),
    "ec2:DescribeInstances": ("*",),
    "bedrock:InvokeModel": ("arn:aws:bedrock:us-east-1::foundation-model/m",),
    "kms:ListAliases": ("*",),
}  # fmt: skip
ACTION_PATTERNS = (
    "*", "s3:*", "s3:Get*", "s3:*Object", "iam:*", "iam:Pass?ole", "ec2:*", "S3:LIST*", "bedrock:Invoke*",
    "sqs:SendMessage", "kms:*", "ec2:Describe*", "new:Thing",
)  # fmt: skip
RESOURCE_PATTERNS = (
    "*", "arn:aws:s3:::logs", "arn:aws:s3:::logs/*", "arn:aws:s3:::*", "arn:aws:s3:::*/home/*", "arn:aws:s3:::log?/a",
    "arn:aws:s3:::logs/home/${aws:username}/*", "arn:aws:sqs:eu-*:*:*", "arn:aws:iam::111122223333:role/*",
    "arn:aws:iam::*:user/${aws:username}", "arn:aws:ec2:*:*:instance/*", "arn:aws:bedrock:*::foundation-model/*",
)  # fmt: skip
CONDITIONS: tuple[tuple[str, str, Any], ...] = (
    ("StringEquals", "aws:RequestedRegion", ["eu-west-1", "eu-central-1"]),
    ("StringNotEquals", "aws:RequestedRegion", "eu-west-1"),
    ("StringLike", "aws:RequestedRegion", "eu-*"),
    ("StringNotLikeIfExists", "aws:PrincipalTag/team", "pay*"),
    ("StringEquals", "aws:PrincipalTag/team", "payments"),
    ("StringEqualsIgnoreCase", "aws:PrincipalTag/team", "PAYMENTS"),
    ("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}"),
    ("StringNotEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team, 'none'}"),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/app*"),
    ("ArnNotLike", "aws:PrincipalArn", ["arn:aws:iam::*:role/admin", "arn:aws:iam::*:user/*"]),
    ("Bool", "aws:SecureTransport", "false"),
    ("Bool", "aws:MultiFactorAuthPresent", "true"),
    ("BoolIfExists", "aws:MultiFactorAuthPresent", "false"),
    ("Null", "aws:MultiFactorAuthPresent", "true"),
    ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "203.0.113.0/24"]),
    ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8"),
    ("NumericLessThan", "s3:max-keys", "10"),
    ("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z"),
    ("ForAllValues:StringEquals", "aws:TagKeys", ["team", "env"]),
    ("ForAnyValue:StringLike", "aws:TagKeys", "t*"),
    ("ForAnyValue:StringNotEquals", "aws:TagKeys", "env"),
    ("StringEquals", "aws:PrincipalAccount", "111122223333"),
)
VALUES: dict[str, tuple[Any, ...]] = {
    "aws:RequestedRegion": ("eu-west-1", "eu-central-1", "us-east-1", "eu-north-1"),
    "aws:PrincipalTag/team": (None, "payments", "Payments", "pay", "x"),
    "aws:ResourceTag/team": (None, "payments", "x", "none"),
    "aws:SecureTransport": ("true", "false"),
    "aws:MultiFactorAuthPresent": (None, "true", "false"),
    "aws:SourceIp": (None, "10.1.2.3", "203.0.113.9", "8.8.8.8", "2001:db8::1"),
    "s3:max-keys": (None, "5", "10", "50"),
    "aws:CurrentTime": ("2025-06-01T00:00:00Z", "2026-06-01T00:00:00Z"),
    "aws:TagKeys": (None, ["team"], ["env"], ["team", "env"], ["x"], ["team", "x"]),
}
PRINCIPALS = (
    "arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/admin",
    "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/x/bob",
    "arn:aws:iam::111122223333:root",
)  # fmt: skip

PARTS = pytest.mark.parametrize("part", [3, pytest.param(1, marks=pytest.mark.slow, id="all")])
"""A third of the seeds in each run of the tests, all of them in the slow ones."""


def statement(rng: random.Random, effect: str, conditions: int = 2) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": effect}
    action = "NotAction" if rng.random() < 0.15 else "Action"
    found[action] = rng.sample(
        ACTION_PATTERNS if action == "Action" else ACTION_PATTERNS[1:], rng.randint(1, 2)
    )
    resource = "NotResource" if rng.random() < 0.15 else "Resource"
    few = RESOURCE_PATTERNS if resource == "Resource" else RESOURCE_PATTERNS[1:]
    found[resource] = rng.sample(few, rng.randint(1, 2)) if rng.random() < 0.6 else few[0]
    block: dict[str, dict[str, Any]] = {}
    for operator, key, value in rng.sample(CONDITIONS, rng.choice((0, 0, 1, conditions))):
        block.setdefault(operator, {})[key] = value
    if block:
        found["Condition"] = block
    return found


def document(rng: random.Random, kind: Any, full: bool = False) -> Policy:
    effects = ["Allow", *rng.choices(("Allow", "Deny"), k=rng.randint(0, 3))]
    statements = [statement(rng, effect) for effect in effects]
    if full:
        statements[0] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return read_policy({"Version": "2012-10-17", "Statement": statements}, kind)


def request_set(rng: random.Random) -> RequestSet:
    found: dict[str, Any] = {}
    if rng.random() < 0.7:
        found["action"] = rng.sample(ACTION_PATTERNS, rng.randint(1, 2))
    if rng.random() < 0.3:
        found["resource"] = [rng.choice(("arn:aws:s3:::logs*", "arn:aws:s3:::data/*", "arn:aws:iam::*", "*"))]
    if rng.random() < 0.3:
        found["principal"] = [rng.choice(("arn:aws:iam::*:role/*", "*admin", "arn:aws:iam::*:user/*"))]
    context: dict[str, Any] = {}
    if rng.random() < 0.4:
        context["aws:RequestedRegion"] = rng.choice(({"not": ["eu-west-1"]}, ["eu-*"], ["us-east-1"]))
    if rng.random() < 0.3:
        context["aws:PrincipalTag/team"] = rng.choice((["pay*"], {"not": ["x"], "or_absent": True}))
    if context:
        found["context"] = context
    return read_request_set(found)


def sample(
    rng: random.Random, requests: RequestSet, principals: tuple[str, ...] = PRINCIPALS
) -> Request | None:
    """Draw a possible request of the set."""
    action = rng.choice(ACTIONS)
    resource, principal = rng.choice(RESOURCES[action]), rng.choice(principals)
    context = {k: rng.choice(v) for k, v in VALUES.items()}
    context = {k: v for k, v in context.items() if v is not None}
    found = Request(principal, action, resource, context, "111122223333" if principals is ANYONE else None)
    return found if inside(found, requests) else None


def inside(request: Request, requests: RequestSet) -> bool:
    """Say whether a request is in the set."""

    def matched(patterns: tuple[str, ...], text: str) -> bool:
        return any(compile_glob(p)(text) for p in patterns)

    if not matched(tuple(a.lower() for a in requests.actions), request.lower_action):
        return False
    if not (
        matched(requests.resources, request.resource) and matched(requests.principals, request.caller.name)
    ):
        return False
    for key, wanted in requests.context.items():
        values = request.values(key)
        assert not isinstance(values, Opaque)
        if values is None:
            if not wanted.absent:
                return False
        elif not all(matched(wanted.patterns, v) != wanted.negated for v in values):
            return False
    return True


def layer_allows(policies: list[Policy], request: Request) -> bool:
    layer = read_layer(Layer("identity"), policies, request, [])
    return layer.allowed(False) and not layer.denied(False)


def never(rng: random.Random, requests: RequestSet, allowed: Any, tries: int = 60) -> None:
    for _ in range(tries):
        request = sample(rng, requests)
        if request is not None:
            context = dict(request.context)
            assert not allowed(request), (request.caller, request.action, request.resource, context)


@PARTS
def test_grants_of_documents(part: int) -> None:
    count = 1200 // part
    answers: Counter[str] = Counter()
    for seed in range(count):
        rng = random.Random(seed)
        policies, requests = [document(rng, "identity")], request_set(rng)
        answer = grants(policies, requests)
        answers[type(answer).__name__] += 1
        if isinstance(answer, Yes):
            request = answer.witness.request()
            assert layer_allows(policies, request) and inside(request, requests), seed
        elif isinstance(answer, No):
            never(rng, requests, lambda r, p=policies: r.caller.kind != "root" and layer_allows(p, r))
    assert answers["Unknown"] <= count * 0.01, answers
    assert answers["Yes"] > count * 0.3 and answers["No"] > count * 0.1, answers


@PARTS
def test_new_access_of_documents(part: int) -> None:
    count = 800 // part
    answers: Counter[str] = Counter()
    for seed in range(count):
        rng = random.Random(f"new{seed}")
        old, new, requests = [document(rng, "identity")], [document(rng, "identity")], request_set(rng)
        answer = newly_allows(old, new, requests)
        answers[type(answer).__name__] += 1
        if isinstance(answer, Yes):
            request = answer.witness.request()
            assert layer_allows(new, request) and not layer_allows(old, request), seed
            assert inside(request, requests), seed
        elif isinstance(answer, No):
            never(
                rng, requests,
                lambda r, o=old, n=new: r.caller.kind != "root" and layer_allows(n, r) and not layer_allows(o, r),
            )  # fmt: skip
    assert answers["Unknown"] <= count * 0.03, answers


@PARTS
def test_nothing_is_new_in_the_same_document(part: int) -> None:
    count = 200 // part
    for seed in range(count):
        policies = [document(random.Random(f"same{seed}"), "identity")]
        assert not isinstance(newly_allows(policies, policies), Yes), seed


@PARTS
def test_chains_of_scps(part: int) -> None:
    count = 800 // part
    answers: Counter[str] = Counter()
    for seed in range(count):
        rng = random.Random(f"scp{seed}")
        chain = [[document(rng, "scp", full=rng.random() < 0.7)] for _ in range(rng.randint(1, 3))]
        requests = request_set(rng)
        answer = covered(requests, chain, "111122223333")
        policies = Policies(identity=(EVERYTHING,), resource=EVERYONE, scps=chain)
        answers[type(answer).__name__] += 1
        if isinstance(answer, Yes):
            request = answer.witness.request()
            decision = authorize(request, policies)
            assert decision.outcome == "Allowed" and not decision.unknown, seed
            assert inside(request, requests), seed
        elif isinstance(answer, No):
            never(rng, requests, lambda r, p=policies: authorize(r, p).outcome == "Allowed")
    assert answers["Unknown"] <= count * 0.02, answers


@PARTS
def test_all_layers_of_one_account(part: int) -> None:
    count = 600 // part
    answers: Counter[str] = Counter()
    for seed in range(count):
        rng = random.Random(f"all{seed}")
        policies = Policies(
            identity=[document(rng, "identity")],
            boundary=document(rng, "boundary", full=rng.random() < 0.5) if rng.random() < 0.5 else None,
            session=[document(rng, "session", full=True)] if rng.random() < 0.3 else None,
            scps=[[document(rng, "scp", full=True)]] if rng.random() < 0.5 else [],
        )
        requests = request_set(rng)
        answer = can(requests, policies, setting=Setting(account="111122223333"))
        answers[type(answer).__name__] += 1
        if isinstance(answer, Yes):
            request = answer.witness.request()
            decision = authorize(request, policies)
            assert decision.outcome == "Allowed" and not decision.unknown, seed
            assert inside(request, requests), seed
        elif isinstance(answer, No):
            never(
                rng, requests,
                lambda r, p=policies: r.caller.kind != "root" and authorize(r, p).outcome == "Allowed",
            )  # fmt: skip
    assert answers["Unknown"] <= count * 0.04, answers


def test_the_actions_and_resources_drawn_are_possible() -> None:
    known = catalogue()
    for action in ACTIONS:
        assert known.action(action) is not None


@pytest.mark.parametrize("values", [Values(("eu-*",)), Values((), True), Values((), False, True)])
def test_values_of_a_set(values: Values) -> None:
    requests = RequestSet(("s3:GetObject",), context={"aws:requestedregion": values})
    policy = read_policy(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
        "identity",
    )
    answer = grants([policy], requests)
    if values.absent and not values.patterns and not values.negated:
        assert isinstance(answer, Yes | Unknown)
    else:
        assert isinstance(answer, Yes) and inside(answer.witness.request(), requests)


RESOURCE_PRINCIPALS: tuple[Any, ...] = (
    "*", {"AWS": "*"}, {"AWS": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:role/app"},
    {"AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::111122223333:user/alice"]},
    {"Service": ["logging.s3.amazonaws.com", "sns.amazonaws.com"]},
    {"AWS": "arn:aws:sts::111122223333:assumed-role/app/s1"},
)  # fmt: skip
ANYONE = (
    *PRINCIPALS[:4], "arn:aws:iam::444455556666:role/other", "arn:aws:iam::444455556666:user/eve", "*",
    "logging.s3.amazonaws.com", "sns.amazonaws.com", "arn:aws:sts::111122223333:assumed-role/app/s1",
)  # fmt: skip


def resource_policy(rng: random.Random) -> Policy:
    statements = []
    for effect in ["Allow", *rng.choices(("Allow", "Deny"), k=rng.randint(0, 2))]:
        found = statement(rng, effect)
        key = "NotPrincipal" if effect == "Deny" and rng.random() < 0.15 else "Principal"
        found[key] = rng.choice(RESOURCE_PRINCIPALS)
        statements.append(found)
    return read_policy({"Version": "2012-10-17", "Statement": statements}, "resource")


@PARTS
def test_resource_policies_and_every_kind_of_caller(part: int) -> None:
    count = 500 // part
    answers: Counter[str] = Counter()
    for seed in range(count):
        rng = random.Random(f"res{seed}")
        policy = resource_policy(rng)
        policies = Policies(
            identity=[document(rng, "identity")] if rng.random() < 0.6 else [],
            resource=policy,
            boundary=document(rng, "boundary", full=True) if rng.random() < 0.3 else None,
        )
        requests = request_set(rng)
        setting = Setting(account="111122223333", resource_account="111122223333")
        answer = can(requests, policies, any_caller(names=named_callers([policy])), setting)
        answers[type(answer).__name__] += 1
        if isinstance(answer, Yes):
            request = answer.witness.request("111122223333")
            decision = authorize(request, policies)
            assert decision.outcome == "Allowed" and not decision.unknown, seed
            assert inside(request, requests), seed
        elif isinstance(answer, No):
            for _ in range(60):
                drawn = sample(rng, requests, ANYONE)
                if drawn is not None:
                    decision = authorize(drawn, policies)
                    assert decision.unknown or decision.outcome != "Allowed", (
                        seed, drawn.caller, drawn.action, drawn.resource, dict(drawn.context),
                    )  # fmt: skip
    assert answers["Unknown"] <= count * 0.05, answers


@PARTS
def test_explicit_denials(part: int) -> None:
    count = 400 // part
    answers: Counter[str] = Counter()
    for seed in range(count):
        rng = random.Random(f"den{seed}")
        policies, requests = [resource_policy(rng)], request_set(rng)
        if seed % 2:
            deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}
            deny["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
            policies.append(read_policy({"Version": "2012-10-17", "Statement": deny}, "resource"))
            plain = {"aws:securetransport": Values(("false",))}
            requests = RequestSet(
                ("s3:GetObject", "s3:PutObject"), ("arn:aws:s3:::*",), context={**requests.context, **plain}
            )
        answer = denies(policies, requests)
        answers[type(answer).__name__] += 1
        if isinstance(answer, Yes):
            layer = read_layer(Layer("resource"), policies, answer.witness.request(), [])
            assert not layer.denied(False), seed
            assert inside(answer.witness.request(), requests), seed
        elif isinstance(answer, No):
            for _ in range(60):
                drawn = sample(rng, requests, ANYONE)
                if drawn is not None:
                    assert read_layer(Layer("resource"), policies, drawn, []).denied(False), seed
    assert answers["Unknown"] <= count * 0.03, answers
    assert answers["Yes"] > count * 0.3 and answers["No"] > count * 0.1, answers
