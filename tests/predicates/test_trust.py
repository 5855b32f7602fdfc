"""Conformance data of the predicates about who may become a role, on template, plan and snapshot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.model.resource import Resource
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.trust import table as trust
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets

from .conformance import subject

PREDICATES: dict[str, Predicate] = {p.name: p for p in trust.PREDICATES}
KEY = "token.actions.githubusercontent.com"
URL = f"https://{KEY}"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("trust.admits_token", {"of": "somebody"}),
        ("trust.admits_token", {"of": "stranger", "issuers": ["hithub"]}),
        ("trust.names", {"kinds": ["service", "people"]}),
    ],
)
def test_a_mistake_in_the_arguments_is_named(name: str, arguments: dict[str, Any]) -> None:
    problem = PREDICATES[name].problem
    assert problem is not None
    assert "is none of" in str(problem(arguments))


# -- the same answer from every source ---------------------------------------------------------------------


def _trust(federated: Any, subject_: str | None) -> dict[str, Any]:
    condition = {"StringEquals": {f"{KEY}:aud": "sts.amazonaws.com"}}
    if subject_ is not None:
        condition["StringLike"] = {f"{KEY}:sub": subject_}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": federated},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _read(tmp_path: Path, name: str, content: dict[str, Any]) -> list[Resource]:
    path = tmp_path / name
    path.write_text(json.dumps(content), encoding="utf-8")
    (source,) = open_targets([str(path)], SourceOptions()).sources
    return list(source.resources())


def _verdict(resources: list[Resource]) -> str:
    rules = tuple(form for form in load_packs().rules if form["id"] == "github-oidc-role-no-strangers")
    world = World()
    for resource in resources:
        world.add(resource)
    (role,) = (r for r in resources if r.type == "AWS::IAM::Role")
    (finding,) = Evaluator(Pack("sha256:test", rules), now=subject({}).now).findings(role, world)
    return str(finding.verdict)


_PROVIDER = {
    "Type": "AWS::IAM::OIDCProvider",
    "Properties": {"Url": URL, "ClientIdList": ["sts.amazonaws.com"]},
}
_FEDERATED = {
    "written": f"arn:aws:iam::111122223333:oidc-provider/{KEY}",
    "own account": {"Fn::Sub": f"arn:aws:iam::${{AWS::AccountId}}:oidc-provider/{KEY}"},
    "reference": {"Ref": "Hub"},
    "attribute": {"Fn::GetAtt": ["Hub", "Arn"]},
    "list": [{"Ref": "Hub"}],
}


@pytest.mark.parametrize(("subject_", "expected"), [(None, "FAIL"), ("repo:octo-org/*", "PASS")])
@pytest.mark.parametrize("federated", _FEDERATED.values(), ids=_FEDERATED)
def test_a_template_says_its_provider_in_any_way(
    tmp_path: Path, federated: Any, subject_: str | None, expected: str
) -> None:
    properties = {"AssumeRolePolicyDocument": _trust(federated, subject_)}
    role = {"Type": "AWS::IAM::Role", "Properties": properties}
    found = _read(tmp_path, "template.json", {"Resources": {"Hub": _PROVIDER, "Role": role}})
    assert _verdict(found) == expected


def test_a_provider_of_another_stack_is_not_known(tmp_path: Path) -> None:
    properties = {"AssumeRolePolicyDocument": _trust({"Fn::ImportValue": "Hub"}, None)}
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    assert _verdict(_read(tmp_path, "template.json", template)) == "UNKNOWN"


@pytest.mark.parametrize(("subject_", "expected"), [(None, "FAIL"), ("repo:octo-org/*", "PASS")])
def test_a_plan_gives_the_verdict_of_the_template(
    tmp_path: Path, subject_: str | None, expected: str
) -> None:
    policy = json.dumps(_trust(_FEDERATED["written"], subject_))
    change = {"actions": ["create"], "before": None, "after": {"name": "ci", "assume_role_policy": policy}}
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "resource_changes": [
            {
                "address": "aws_iam_role.ci",
                "mode": "managed",
                "type": "aws_iam_role",
                "name": "ci",
                "provider_name": "registry.terraform.io/hashicorp/aws",
                "change": {**change, "after_unknown": {}},
            }
        ],
        "configuration": {"root_module": {"resources": []}},
    }
    assert _verdict(_read(tmp_path, "plan.json", plan)) == expected


@pytest.mark.parametrize(
    ("service", "shape", "fields"),
    [
        ("iam", "GetSAMLProviderResponse", {"ValidUntil"}),
        ("sso-admin", "PermissionSet", {"Name", "PermissionSetArn", "SessionDuration"}),
        ("sso-admin", "AccountAssignment", {"AccountId", "PermissionSetArn", "PrincipalType", "PrincipalId"}),
        (
            "rolesanywhere",
            "ProfileDetail",
            {"durationSeconds", "enabled", "managedPolicyArns", "sessionPolicy"},
        ),
        ("rolesanywhere", "NotificationSettingDetail", {"enabled", "event"}),
        ("cognito-identity", "IdentityPool", {"AllowUnauthenticatedIdentities", "AllowClassicFlow"}),
    ],
)
def test_the_apis_have_what_the_rules_ask_for(service: str, shape: str, fields: set[str]) -> None:
    """Fakes of AWS lack these services or fields, so the names are held against botocore's models."""
    loader = pytest.importorskip("botocore.session").get_session().get_component("data_loader")
    model = loader.load_service_model(service, "service-2")
    assert fields <= set(model["shapes"][shape]["members"])
