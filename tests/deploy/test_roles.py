"""The role of each remediation: what it declares is allowed, and nothing else is; our IAM library decides.

The kernel's tests record that no call outside of the declaration is made (``testing/remediations.py``); here every declared
call is asked of the role that is generated from it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.aws.actions import actions_for
from policyengine.config.remediation import Remediating
from policyengine.deploy.repairs import published, statements
from policyengine.iam.authorize import authorize
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import read_policy
from policyengine.iam.plan import Policies
from policyengine.iam.request import Request
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.planning import parameters_of
from policyengine.remediate.registry import load_remediations

ACCOUNT, REGION = "111122223333", "eu-west-1"
REMEDIATIONS = sorted(load_remediations().declarations)


def resolved(value: Any) -> Any:
    """What CloudFormation makes of a policy."""
    text = json.dumps(value)
    for name, given in (
        ("${AWS::Partition}", "aws"),
        ("${AWS::AccountId}", ACCOUNT),
        ("${Name}", "policyengine"),
    ):
        text = text.replace(name, given)
    found = json.loads(text)
    return _plain(found)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return value["Fn::Sub"] if set(value) == {"Fn::Sub"} else {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value


KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/example"
KEY_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                                                      "Action": "kms:*", "Resource": "*"}]}  # fmt: skip


def policy(declaration: Declaration) -> dict[str, Any]:
    """The role's policy where every parameter that names an ARN is set."""
    named = "{parameter." + json.dumps([declaration.scope, declaration.also], default=list)
    given = parameters_of(declaration, Remediating())
    given |= {name: KEY for name in given if f"{{parameter.{name}}}" in named}
    own = statements(declaration, given)
    document: dict[str, Any] = resolved({"Version": "2012-10-17", "Statement": own})
    return document


def example(template: str) -> str:
    text = template.replace("{partition}", "aws").replace("{region}", REGION).replace("{account}", ACCOUNT)
    return text.replace("*", "example")


def allowed(document: dict[str, Any], action: str, resource: str, context: dict[str, Any]) -> bool:
    caller = f"arn:aws:iam::{ACCOUNT}:role/policyengine-fixer"
    request = Request(caller, action, resource, {"aws:RequestedRegion": REGION, **context}, ACCOUNT)
    key = read_policy(KEY_POLICY, "resource") if action.startswith("kms:") else None
    decision = authorize(request, Policies(identity=(read_policy(document, "identity"),), resource=key))
    assert not decision.unknown
    return decision.outcome == "Allowed"


@pytest.mark.parametrize("name", REMEDIATIONS)
def test_the_role_allows_what_is_declared_and_nothing_else(name: str) -> None:
    declaration = load_remediations().declarations[name]
    document = policy(declaration)
    declared = {published(a) for operation in declaration.operations for a in actions_for(operation)}
    granted = {a for s in document["Statement"] if s["Effect"] == "Allow" for a in s["Action"]}
    assert declared <= granted <= declared | set(declaration.also)
    for operation in sorted(declaration.operations):
        for action in actions_for(operation):
            context = {
                key: example(values[0])
                for tests in declaration.conditions.get(published(action), {}).values()
                for key, values in tests.items()
            }
            for template in declaration.scope.get(operation, ("arn:{partition}:s3:::*",)):
                if not template.startswith("{parameter."):
                    assert allowed(document, published(action), example(template), context), (
                        action,
                        template,
                    )
    for operation in declaration.withheld:
        for action in actions_for(operation):
            assert published(action) not in granted


@pytest.mark.parametrize("name", REMEDIATIONS)
def test_every_action_exists(name: str) -> None:
    for statement in policy(load_remediations().declarations[name])["Statement"]:
        for action in statement["Action"]:
            assert catalogue().action(action) is not None, f"{action} is no action of AWS's"


@pytest.mark.parametrize("name", REMEDIATIONS)
def test_no_remediation_changes_the_roles_of_remediations(name: str) -> None:
    document = policy(load_remediations().declarations[name])
    for statement in document["Statement"]:
        if statement["Effect"] != "Allow":
            continue
        for action in statement["Action"]:
            known = catalogue().action(action)
            if action.startswith("iam:") and known is not None and known.access_level not in ("Read", "List"):
                assert not allowed(document, action, f"arn:aws:iam::{ACCOUNT}:role/policyengine-events", {})
