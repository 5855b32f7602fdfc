"""How many users and roles that somebody can change are looked at, and what is said where there are more."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.iam import takeovers
from policyengine.model.finding import Finding
from policyengine.rules.data import data_root
from policyengine.rules.iam import duty_holders
from policyengine.rules.loader import compile_text
from policyengine.rules.schema import Case
from policyengine.testing import cases as rule_cases

ACCOUNT = "111122223333"
LIMIT = f"arn:aws:iam::{ACCOUNT}:policy/limit"
APPS = f"arn:aws:iam::{ACCOUNT}:role/app*"
STAGES = [
    {
        "Name": "Source",
        "Actions": [
            {
                "Name": "s",
                "ActionTypeId": {
                    "Category": "Source",
                    "Owner": "AWS",
                    "Provider": "CodeCommit",
                    "Version": "1",
                },
                "Configuration": {"RepositoryName": "repo", "BranchName": "main"},
            }
        ],
    },
    {
        "Name": "Approve",
        "Actions": [
            {
                "Name": "a",
                "ActionTypeId": {
                    "Category": "Approval",
                    "Owner": "AWS",
                    "Provider": "Manual",
                    "Version": "1",
                },
            }
        ],
    },
]


def _resource(kind: str, id_: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "id": id_, "account": ACCOUNT, "region": "global", "properties": properties}


def _document(*allowed: tuple[str, str]) -> dict[str, Any]:
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allowed]
    return {"Version": "2012-10-17", "Statement": statements}


def _role(name: str, trusted: dict[str, str], *allowed: tuple[str, str], **more: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    return _resource(
        "AWS::IAM::Role",
        name,
        RoleName=name,
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
        Policies=[{"PolicyName": "own", "PolicyDocument": _document(*allowed)}],
        **more,
    )


def _finding(roles: int, unlimited: int | None) -> Finding:
    """A developer may write the policies of some roles and assume them; a boundary limits all but one."""
    path = data_root().rules / "codepipeline" / "pipeline-committers-cannot-approve.yaml"
    form, errors = compile_text(path, path.read_bytes())
    assert form is not None, errors
    pipeline = {
        **_resource("AWS::CodePipeline::Pipeline", "pipe", Name="pipe", Stages=STAGES),
        "region": "eu-west-1",
    }
    pipeline["properties"]["RoleArn"] = f"arn:aws:iam::{ACCOUNT}:role/pipeline"
    developer = _role(
        "dev",
        {"Service": "ec2.amazonaws.com"},
        ("codecommit:GitPush", "*"),
        ("iam:PutRolePolicy", APPS),
        ("sts:AssumeRole", APPS),
    )
    apps = [
        _role(
            f"app{number:03}",
            {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            ("s3:GetObject", "*"),
            **({} if number == unlimited else {"PermissionsBoundary": LIMIT}),
        )
        for number in range(roles)
    ]
    limit = _resource(
        "AWS::IAM::ManagedPolicy", LIMIT, ManagedPolicyName="limit", PolicyDocument=_document(("s3:*", "*"))
    )
    case = {
        "case": "bounds",
        "resources": [{**pipeline, "subject": True}, limit, developer, *apps],
        "expect": "PASS",
    }
    found = rule_cases.run_case(form, Case.model_validate(case)).finding
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("roles", "unlimited", "verdict"), [(12, None, "PASS"), (12, 11, "FAIL"), (64, None, "PASS")]
)
def test_dozens_of_roles_are_looked_at(roles: int, unlimited: int | None, verdict: str) -> None:
    assert _finding(roles, unlimited).verdict == verdict


def test_what_is_not_looked_at_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeovers, "CHANGES", 3)
    monkeypatch.setattr(duty_holders, "CHANGES", 3)
    assert _finding(3, None).verdict == "PASS"
    found = _finding(4, None)
    assert found.verdict == "UNKNOWN"
    assert (
        "role dev in account 111122223333 can change more users and roles than the 3 looked at"
        in found.message
    )
    assert _finding(4, 0).verdict == "FAIL"
