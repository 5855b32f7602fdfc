"""A role and a user of one name are two principals: each is asked about itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs

ACCOUNT = "111122223333"
RULES = tuple(form for form in load_packs().rules if form["id"] == "iam-no-path-to-administrator")
HARMLESS = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
DANGEROUS = {
    "Effect": "Allow",
    "Action": "iam:PutUserPolicy",
    "Resource": f"arn:aws:iam::{ACCOUNT}:user/deploy",
}
TO_THE_TOP = {
    "Effect": "Allow",
    "Action": "iam:PutRolePolicy",
    "Resource": f"arn:aws:iam::{ACCOUNT}:role/deploy",
}


def principal(kind: str, statement: dict[str, Any]) -> Resource:
    document = {"Version": "2012-10-17", "Statement": [statement]}
    own: dict[str, Any] = {
        f"{kind}Name": "deploy",
        "Policies": [{"PolicyName": "own", "PolicyDocument": document}],
    }
    if kind == "Role":
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        own["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": [trust]}
    return Resource(f"AWS::IAM::{kind}", "deploy", ACCOUNT, "global", own, tags={})


@pytest.mark.parametrize(
    ("of_role", "of_user", "expected"),
    [
        (HARMLESS, HARMLESS, {"Role": "PASS", "User": "PASS"}),
        (HARMLESS, DANGEROUS, {"Role": "PASS", "User": "FAIL"}),
        (TO_THE_TOP, HARMLESS, {"Role": "FAIL", "User": "PASS"}),
    ],
)
def test_principals_of_one_name(
    of_role: dict[str, Any], of_user: dict[str, Any], expected: dict[str, str]
) -> None:
    world = World(frozenset({(ACCOUNT, "global", "*"), (ACCOUNT, "eu-west-1", "*")}))
    resources = [principal("Role", of_role), principal("User", of_user)]
    for resource in resources:
        world.add(resource)
    evaluator = Evaluator(Pack("sha256:test", RULES), now=datetime(2026, 11, 21, tzinfo=UTC))
    found = {r.type.rpartition("::")[2]: evaluator.findings(r, world) for r in resources}
    assert {kind: [str(f.verdict) for f in each] for kind, each in found.items()} == {
        kind: [verdict] for kind, verdict in expected.items()
    }
