"""Is this equivalent to administrator: by meaning, with a request that shows it."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from policyengine.iam.administration import SESSION_KEYS, NotAdministrator
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy, anything, read_policy
from policyengine.iam.managed import managed_policy
from policyengine.iam.opaque import Opaque
from policyengine.iam.questions import administered, administrator, service_administrators
from policyengine.iam.reason import Unknown, Yes
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet
from tests.iam.test_reason_laws import document, sample

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NO_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}


def read(*statements: dict[str, Any]) -> list[Policy]:
    return [read_policy({"Version": "2012-10-17", "Statement": list(statements)}, "identity")]


def allow(*actions: str, on: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(*actions, on=on, **more), "Effect": "Deny"}


AMOUNT_TO_ADMINISTRATOR: dict[str, list[dict[str, Any]]] = {
    "everything": [ALL],
    "with MFA": [allow("*", Condition=MFA)],
    "denied without MFA": [ALL, deny("*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})],
    "from some addresses": [ALL, deny("*", Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})],
    "with a tag, as one role": [
        allow("*", Condition={
            "StringEquals": {"aws:PrincipalTag/team": "ops"},
            "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"},
        }),
    ],
    "in two pieces": [
        {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}, allow("iam:*"),
    ],
    "all services by a pattern": [allow("*:*", on=["arn:aws:s3:::x", "*"])],
    "with and without MFA": [allow("*", Condition=MFA), allow("*", Condition=NO_MFA)],
    "asked directly": [allow("*", Condition={"Bool": {"aws:ViaAWSService": "false"}})],
    "a Deny that never holds": [ALL, deny("s3:DeleteBucket", on="arn:aws:sqs:*:*:x")],
}  # fmt: skip
DO_NOT: dict[str, list[dict[str, Any]]] = {
    "one region": [allow("*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})],
    "tagged resources": [allow("*", Condition={"StringEquals": {"aws:ResourceTag/team": "a"}})],
    "one bucket is spared": [ALL, deny("s3:DeleteBucket", on="arn:aws:s3:::x")],
    "all but IAM": [{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}],
    "nothing about no resource": [allow("*", on="arn:aws:*")],
    "asked through a service": [
        allow("*", Condition={"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}})
    ],
    "all but a bucket": [{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::x"}],
    "two sessions that exclude each other": [
        {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*", "Condition": MFA},
        allow("s3:*", Condition=NO_MFA),
    ],
}


@pytest.mark.parametrize("name", AMOUNT_TO_ADMINISTRATOR)
def test_amounts_to_administrator(name: str) -> None:
    policies = read(*AMOUNT_TO_ADMINISTRATOR[name])
    found = administrator(policies)
    assert isinstance(found, Yes)
    assert authorize(found.witness.request(), Policies(identity=policies)).outcome == "Allowed"


@pytest.mark.parametrize("name", DO_NOT)
def test_does_not_and_names_a_request_that_is_missing(name: str) -> None:
    policies = read(*DO_NOT[name])
    found = administrator(policies)
    assert isinstance(found, NotAdministrator)
    assert found.missing is not None
    assert authorize(found.missing.request(), Policies(identity=policies)).outcome != "Allowed"


def test_of_a_principal_that_is_known() -> None:
    policies = read(
        allow("*", Condition={"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/a"}})
    )
    assert isinstance(administrator(policies, "arn:aws:iam::111122223333:role/a"), Yes)
    assert isinstance(administrator(policies, "arn:aws:iam::111122223333:role/b"), NotAdministrator)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AdministratorAccess", True),
        ("PowerUserAccess", False),
        ("IAMFullAccess", False),
        ("ReadOnlyAccess", False),
    ],
)
def test_policies_that_aws_manages(name: str, expected: bool) -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html"""
    policies = [read_policy(managed_policy(f"arn:aws:iam::aws:policy/{name}") or {}, "identity")]
    assert isinstance(administrator(policies), Yes) is expected


def test_administrators_of_services() -> None:
    policies = read(
        allow("s3:*", "sqs:*"), allow("kms:*", on="arn:aws:kms:*:111122223333:key/x"), deny("sqs:PurgeQueue")
    )
    assert service_administrators(policies) == ["s3"]
    assert service_administrators(read(ALL)) == list(catalogue().services)
    assert service_administrators(read(allow("lambda:*", Condition=MFA))) == ["lambda"]
    assert "iam" not in service_administrators(
        read({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
    )


def test_yes_allows_every_request_that_is_drawn_and_no_names_one_that_is_not_allowed() -> None:
    rng = random.Random(20)
    answers: dict[str, int] = {}
    for _ in range(120):
        policies = [document(rng, "identity", full=rng.random() < 0.8) for _ in range(rng.choice((1, 1, 2)))]
        found = administrator(policies, "arn:aws:iam::111122223333:role/app")
        answers[type(found).__name__] = answers.get(type(found).__name__, 0) + 1
        if isinstance(found, NotAdministrator) and found.missing is not None:
            decision = authorize(found.missing.request(), Policies(identity=policies))
            assert decision.unknown or decision.outcome != "Allowed"
        elif isinstance(found, Yes):
            for _ in range(40):
                _is_allowed(found, policies, sample(rng, RequestSet()))
    assert answers.get("Unknown", 0) <= 6
    assert answers["Yes"] > 5
    assert answers["NotAdministrator"] > 20


def _is_allowed(found: Yes, policies: list[Policy], drawn: Request | None) -> None:
    """The target as it was drawn, the session as in the witness."""
    assert drawn is not None
    target = {k: v for k, v in drawn.context.items() if k not in SESSION_KEYS and "principaltag" not in k}
    request = Request(
        found.witness.principal,
        drawn.action,
        drawn.resource,
        {**target, **found.witness.context},
        "111122223333",
    )
    decision = authorize(request, Policies(identity=policies))
    assert decision.outcome == "Allowed"


def test_what_cannot_be_known_is_unknown_not_no() -> None:
    policy = Policy("identity", "2012-10-17", None, anything("identity", Opaque("not read")))
    assert isinstance(administrator([policy]), Unknown)


def test_documents_too_large_for_a_search_say_so_at_once() -> None:
    denies = [
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": f"arn:aws:s3:::b{n}*/x?",
            "Condition": {"StringLike": {"aws:SourceIdentity": f"a{n}*"}},
        }
        for n in range(1000)
    ]
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    found = [read_policy({"Version": "2012-10-17", "Statement": [allow, *denies]}, "identity")]
    started = time.process_time()
    answer = administrator(found)
    assert isinstance(answer, Unknown) and answer.why == ("too_large",)
    assert administered(found) == ([], False)
    assert time.process_time() - started < 10
