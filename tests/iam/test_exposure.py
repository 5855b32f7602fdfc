"""Exposed resources and credentials, wildcards by meaning, and the shortcuts that answer without a search."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.catalogue import catalogue
from policyengine.iam.cells import cells, glob
from policyengine.iam.documents import read_policy
from policyengine.iam.exposed_actions import ALSO_EXPOSE, CREDENTIALS, credential_exposure, resource_exposure
from policyengine.iam.holding import Holder
from policyengine.iam.likely import overlap
from policyengine.iam.managed import managed_policy
from policyengine.iam.questions import exposures, wildcards
from policyengine.iam.reason import No, Yes, can, grants
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness
from policyengine.iam.shapes import shapes
from tests.iam.test_administration import allow, deny, read
from tests.iam.test_reason_laws import ACTIONS, RESOURCES, document

# -- data ----------------------------------------------------------------------------------------------


def test_every_action_of_the_tables_is_documented() -> None:
    known = catalogue()
    assert [name for name in CREDENTIALS if known.index(name) is None] == []
    assert [pattern for pattern in ALSO_EXPOSE if not known.matching(pattern)] == []


@pytest.mark.parametrize(
    ("action", "resource", "credentials"),
    [
        ("s3:PutBucketPolicy", True, False), ("lambda:AddPermission", True, False),
        ("ec2:ModifySnapshotAttribute", True, False), ("ec2:ModifyImageAttribute", True, False),
        ("ram:CreateResourceShare", True, False), ("kms:PutKeyPolicy", True, False),
        ("kinesis:PutResourcePolicy", True, False), ("rds:ModifyDBSnapshotAttribute", True, False),
        ("iam:PutRolePolicy", False, False), ("s3:GetObject", False, False),
        ("billing:GetResourcePolicy", False, False), ("iam:CreateAccessKey", False, True),
        ("sts:AssumeRole", False, True), ("secretsmanager:GetSecretValue", False, True),
        ("ssm:GetParameters", False, True), ("ecr:GetAuthorizationToken", False, True),
        ("redshift:GetClusterCredentials", False, True), ("rds-db:connect", False, True),
    ],
)  # fmt: skip
def test_what_an_action_exposes(action: str, resource: bool, credentials: bool) -> None:
    bit = 1 << (catalogue().index(action) or 0)
    assert bool(resource_exposure() & bit) is resource
    assert bool(credential_exposure() & bit) is credentials


# -- exposures -----------------------------------------------------------------------------------------


def test_an_exposure_names_its_statements_and_a_request() -> None:
    policies = read(
        allow("s3:PutBucketPolicy", "sns:AddPermission", on="arn:aws:s3:::logs", Sid="Logs"),
        allow("s3:GetObject"),
    )
    (found,) = exposures(policies)
    assert (found.kind, found.action) == ("resource", "s3:PutBucketPolicy")
    assert [(p.policy, p.statement, p.sid, p.resources) for p in found.places] == [
        (0, 0, "Logs", ("arn:aws:s3:::logs",))
    ]
    assert found.witness is not None
    assert found.witness.resource == "arn:aws:s3:::logs"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([allow("s3:PutBucketPolicy"), deny("s3:PutBucketPolicy", on="arn:aws:s3:::*")], set()),
        (
            [allow("s3:PutBucketPolicy"), deny("s3:PutBucketPolicy", on="arn:aws:s3:::x")],
            {"s3:PutBucketPolicy"},
        ),
        ([allow("kms:PutKeyPolicy", on="arn:aws:kms:*:111122223333:key/*")], {"kms:PutKeyPolicy"}),
        ([allow("sts:AssumeRole", on="arn:aws:iam::111122223333:role/x")], {"sts:AssumeRole"}),
        ([allow("iam:*", on="arn:aws:iam::*:role/*")], set()),
        ([allow("sqs:AddPermission", on="arn:aws:sqs:eu-west-1:111122223333:jobs")], {"sqs:AddPermission"}),
        (
            [allow("ssm:GetParameter", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})],
            {"ssm:GetParameter"},
        ),
    ],
)
def test_exposed_actions(statements: list[dict[str, Any]], expected: set[str]) -> None:
    policies = read(*statements)
    found = exposures(policies)
    assert {e.action for e in found} == expected
    assert all(e.places and e.witness is not None for e in found)


def test_what_aws_manages() -> None:
    policies = [
        read_policy(managed_policy("arn:aws:iam::aws:policy/SecretsManagerReadWrite") or {}, "identity")
    ]
    found = {e.action: e.kind for e in exposures(policies)}
    assert found["secretsmanager:GetSecretValue"] == "credentials"
    assert found["secretsmanager:PutResourcePolicy"] == "resource"


def test_witnesses_are_allowed() -> None:
    rng = random.Random(3)
    seen = 0
    for _ in range(40):
        policies = [document(rng, "identity", full=True)]
        for found in rng.sample(list(exposures(policies)) or [None], 1):  # type: ignore[list-item]  # None: no exposure was found
            if found is None or found.witness is None or found.action.startswith(("kms:", "sts:")):
                continue
            seen += 1
            assert authorize(found.witness.request(), Policies(identity=policies)).outcome == "Allowed"
    assert seen > 10


# -- wildcards -----------------------------------------------------------------------------------------

WRITE = "sqs:SendMessage"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow("s3:PutObject"), {"resource": ("*",)}),
        (allow("s3:PutObject", on="arn:aws:s3:::*/*"), {"resource": ("arn:aws:s3:::*/*",)}),
        (allow("s3:PutObject", on="arn:aws:s3:::logs/*"), {}),
        (allow("s3:Get*"), {}),
        (allow("glue:CreateDevEndpoint", "datapipeline:CreatePipeline"), {}),
        (allow("sqs:*", on="arn:aws:sqs:eu-west-1:111122223333:jobs"), {"action": ("sqs:*",)}),
        (allow(WRITE, on="arn:aws:sqs:*:111122223333:*"), {"resource": ("arn:aws:sqs:*:111122223333:*",)}),
        (allow(WRITE, on="arn:aws:sqs:eu-west-1:111122223333:*"), {}),
        (allow(WRITE, on="arn:aws:sqs:*:*:${aws:PrincipalTag/team}-*"), {}),
        (allow("sqs:SendMessag?", on="arn:aws:sqs:eu-west-1:111122223333:jobs"), {}),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:aws:s3:::x"}, {"action": ("iam:*",)}),
        (
            {"Effect": "Allow", "Action": WRITE, "NotResource": "arn:aws:sqs:*:*:x"},
            {"resource": ("arn:aws:sqs:*:*:x",)},
        ),
        ({"Effect": "Allow", "Action": WRITE, "NotResource": "arn:aws:sqs:*"}, {}),
        (deny("*"), {}),
    ],
)
def test_wildcards_by_meaning(statement: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {w.kind: w.patterns for w in wildcards(read(statement))} == expected


def test_wildcards_name_the_actions_and_the_line() -> None:
    text = {"Version": "2012-10-17", "Statement": [allow("s3:ListAllMyBuckets"), allow("sqs:*", Sid="Q")]}
    policy = read_policy(text, "identity", lambda path: 7)
    found = {w.kind: w for w in wildcards([policy])}
    assert found["action"].actions == found["resource"].actions
    assert "sqs:SendMessage" in found["action"].actions
    assert "sqs:GetQueueUrl" not in found["action"].actions
    place = found["action"].place
    assert (place.statement, place.sid, place.line) == (1, "Q", 7)


def test_what_is_denied_everywhere_is_no_wildcard() -> None:
    assert wildcards(read(allow("sqs:SendMessage"), deny("sqs:*"))) == []


# -- shortcuts -----------------------------------------------------------------------------------------

_texts = st.text("ab:*?", max_size=7)


@settings(max_examples=300, deadline=None)
@given(_texts, _texts)
def test_patterns_overlap_where_a_text_matches_both(one: str, other: str) -> None:
    if one and other:
        found = cells((glob(one),), (glob(other),))
        empty = set(one) <= {"*"} and set(other) <= {"*"}
        assert overlap(one, other) is (1 in found.texts or empty)


def test_a_quick_answer_is_that_of_the_search() -> None:
    rng = random.Random(5)
    arn = "arn:aws:iam::111122223333:role/app"
    answers = {"Yes": 0, "No": 0}
    for _ in range(150):
        policies = [document(rng, "identity", full=rng.random() < 0.3)]
        holder = Holder(arn, policies)
        action = rng.choice(ACTIONS)
        resource = rng.choice(RESOURCES[action])
        quick = holder.asks(action, resource)
        if isinstance(quick, Yes):
            answers["Yes"] += 1
            assert isinstance(quick.witness, Witness)
            assert authorize(quick.witness.request(), Policies(identity=policies)).outcome == "Allowed"
        elif isinstance(quick, No):
            answers["No"] += 1
            requests = RequestSet((action,), (resource,), (arn,))
            if action.startswith("iam:C"):
                continue
            assert not isinstance(can(requests, Policies(identity=policies)), Yes)
    assert min(answers.values()) > 30


def test_services_of_actions_are_found_without_looking_at_all_services() -> None:
    known = catalogue()
    for name in ("s3:GetObject", "iam:CreateUser", "xray:PutTraceSegments"):
        bit = 1 << (known.index(name) or 0)
        assert {arn for arn, _ in shapes().templates(bit)} == set(known.arn_templates(name) or ())
    both = known.service_mask("s3") | known.service_mask("sqs")
    assert {arn.split(":")[2] for arn, _ in shapes().templates(both)} >= {"s3", "sqs"}


def test_a_star_among_resources_is_all_of_them() -> None:
    assert isinstance(grants(read(allow("*", on=["arn:*", "*"])), RequestSet(("sqs:SendMessage",))), Yes)
    listed = {"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:s3:::x", "*"]}
    assert isinstance(grants(read(listed)), No)


def test_documents_too_large_to_search_end_soon_and_say_so() -> None:
    patterns = [f"arn:aws:iam::*:role/*{i}?*" for i in range(900)]
    conditions = {"StringLike": {"aws:PrincipalTag/team": "${aws:userid}*"}}
    found = exposures(read(allow("*", on=patterns, Condition=conditions)))
    assert {e.unknown for e in found} == {("too_large",)}
