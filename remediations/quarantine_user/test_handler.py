"""An unused user gets a boundary that denies everything. What roles and users have in common is tested with roles."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.remediate.api import Refused, Target
from policyengine.remediate.families.quarantining import DOCUMENT
from policyengine.testing.canned import (
    ACCOUNT,
    CannedReader,
    ErrorCode,
    check_calls,
    declaration_beside,
    handler_beside,
    target,
)
from policyengine.testing.remediations import Bench

handler: Any = handler_beside(__file__)
DECLARATION = declaration_beside(__file__)
PARAMETERS = {name: form["default"] for name, form in DECLARATION.parameters.items()}
ARN = f"arn:aws:iam::{ACCOUNT}:policy/policyengine/quarantine"
LIMITS = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
OLD = f"arn:aws:iam::{ACCOUNT}:policy/limits"


def reader(
    *, boundary: str | None = None, there: bool = False, caller: str = "root", name: str = "bob"
) -> CannedReader:
    user: dict[str, Any] = {
        "UserName": name, "Path": "/", "UserId": "AIDA1", "CreateDate": "2020-01-01T00:00:00+00:00",
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
    }  # fmt: skip
    if boundary:
        user["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": boundary,
        }
    return CannedReader(
        {
            "iam:GetUser": {"User": user},
            "iam:GetPolicy": {"Policy": {"Arn": ARN, "DefaultVersionId": "v1"}}
            if there
            else ErrorCode("NoSuchEntity"),
            "iam:GetPolicyVersion": {"PolicyVersion": {"Document": DOCUMENT, "VersionId": "v1"}},
            "sts:GetCallerIdentity": {
                "Account": ACCOUNT,
                "Arn": f"arn:aws:iam::{ACCOUNT}:{caller}",
                "UserId": "x",
            },
        }
    )


def about(name: str = "bob", keys: Any = (), signed_in: str | None = None, **parameters: Any) -> Target:
    return target(
        "AWS::IAM::User", name, "iam-user-used", related={"access_keys": list(keys)},
        properties={"UserName": name, **({"PasswordLastUsed": signed_in} if signed_in else {})},
        parameters={**PARAMETERS, **parameters},
    )  # fmt: skip


def planned(on: Target, given: CannedReader) -> Any:
    proposal = handler.plan(on, handler.image(on, given))
    check_calls(proposal)
    return proposal


def test_the_boundary_is_put_on_and_taken_off_again() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html"""
    proposal = planned(about(), reader(there=True))
    (step,) = proposal.steps
    assert (step.call.operation, dict(step.call.arguments)) == (
        "PutUserPermissionsBoundary",
        {"UserName": "bob", "PermissionsBoundary": ARN},
    )
    assert [(c.operation, dict(c.arguments)) for c in step.undo] == [
        ("DeleteUserPermissionsBoundary", {"UserName": "bob"})
    ]


def test_the_old_boundary_comes_back() -> None:
    (undo,) = planned(about(), reader(boundary=OLD, there=True)).steps[0].undo
    assert dict(undo.arguments) == {"UserName": "bob", "PermissionsBoundary": OLD}


def test_what_is_after_is_what_is_read_after() -> None:
    on = about()
    assert handler.image(on, reader(boundary=ARN, there=True)) == planned(on, reader()).after


@pytest.mark.parametrize(
    ("on", "given"),
    [
        (about(keys=[{"Id": "A", "LastUsedDate": "2026-11-01T00:00:00Z"}]), reader()),
        (about(signed_in="2026-11-01T00:00:00Z"), reader()),
        (about(), reader(caller="user/bob")),
        (about(break_glass=["b*"]), reader()),
        (about("policyengine-ci"), reader(name="policyengine-ci")),
    ],
    ids=["a key was used", "signed in", "the caller itself", "break-glass", "protected"],
)
def test_users_that_are_never_quarantined(on: Target, given: CannedReader) -> None:
    with pytest.raises(Refused) as found:
        handler.plan(on, handler.image(on, given))
    assert found.value.code in ("unsafe", "excluded")


def stubbed(bench: Bench, boundary: str | None) -> None:
    """Stubs: moto lacks PutUserPermissionsBoundary and DeleteUserPermissionsBoundary, so it tells none; and its users
    are as old as the test. What it has of user and policies is told as it is."""
    iam = bench.client("iam")
    state = {"boundary": boundary}
    found = iam.create_user(UserName="bob")["User"]
    user = {k: found[k] for k in ("Path", "UserName", "UserId", "Arn")} | {
        "CreateDate": "2020-01-01T00:00:00Z"
    }

    def bob() -> dict[str, Any]:
        if state["boundary"] is None:
            return user
        arn = state["boundary"]
        kind = "PermissionsBoundaryPolicy"
        return {
            **user,
            "PermissionsBoundary": {"PermissionsBoundaryType": kind, "PermissionsBoundaryArn": arn},
        }

    def details(_: Any) -> dict[str, Any]:
        policies = [_policy(iam, each["Arn"]) for each in iam.list_policies(Scope="Local")["Policies"]]
        return {"UserDetailList": [bob()], "Policies": policies, "IsTruncated": False}

    def put(arguments: Any) -> dict[str, Any]:
        state["boundary"] = arguments["PermissionsBoundary"]
        return {}

    def delete(_: Any) -> dict[str, Any]:
        state["boundary"] = None
        return {}

    bench.stub("iam:GetAccountAuthorizationDetails", details)
    bench.stub("iam:GetUser", lambda _: {"User": bob()})
    bench.stub("iam:PutUserPermissionsBoundary", put)
    bench.stub("iam:DeleteUserPermissionsBoundary", delete)


def _policy(iam: Any, arn: str) -> dict[str, Any]:
    text = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    version = {"VersionId": "v1", "IsDefaultVersion": True, "Document": json.dumps(text)}
    return {
        "PolicyName": arn.rpartition("/")[2],
        "Arn": arn,
        "DefaultVersionId": "v1",
        "PolicyVersionList": [version],
    }


@pytest.mark.parametrize("bounded", [False, True])
def test_an_unused_user_is_quarantined_and_released(bench: Bench, bounded: bool) -> None:
    made = bench.client("iam").create_policy(PolicyName="limits", PolicyDocument=LIMITS)
    stubbed(bench, made["Policy"]["Arn"] if bounded else None)
    bench.laws(rule="iam-user-used", type="AWS::IAM::User", id="bob", region="global")
