"""An unused role gets a boundary that denies everything; the old one comes back, and some roles are never touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.iam.documents import read_policy
from policyengine.iam.reason import No, denies
from policyengine.remediate.api import FromAnswer, Refused, Target
from policyengine.remediate.families.quarantining import DOCUMENT, TEXT, is_caller
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
OLD = f"arn:aws:iam::{ACCOUNT}:policy/limits"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/Remediator/session"


def reader(
    *, name: str = "batch", path: str = "/", boundary: str | None = None, tags: Any = None, caller: str = CALLER,
    document: Any = None,
) -> CannedReader:  # fmt: skip
    role: dict[str, Any] = {
        "RoleName": name, "Path": path, "RoleId": "AROA1", "CreateDate": "2020-01-01T00:00:00+00:00",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role{path}{name}", "Tags": tags or [],
    }  # fmt: skip
    if boundary:
        role["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": boundary,
        }
    there = {"Policy": {"Arn": ARN, "DefaultVersionId": "v1"}}
    return CannedReader(
        {
            "iam:GetRole": {"Role": role},
            "iam:GetPolicy": ErrorCode("NoSuchEntity") if document is None else there,
            "iam:GetPolicyVersion": {"PolicyVersion": {"Document": document, "VersionId": "v1"}},
            "sts:GetCallerIdentity": {"Account": ACCOUNT, "Arn": caller, "UserId": "x"},
        }
    )


def about(name: str = "batch", last: Any = None, **parameters: Any) -> Target:
    used = {} if last is None else {"LastUsedDate": last}
    return target(
        "AWS::IAM::Role", name, "iam-role-used", properties={"RoleName": name, "RoleLastUsed": used},
        parameters={**PARAMETERS, **parameters},
    )  # fmt: skip


def planned(on: Target, given: CannedReader) -> Any:
    proposal = handler.plan(on, handler.image(on, given))
    check_calls(proposal)
    return proposal


def refused(on: Target, given: CannedReader) -> Refused:
    with pytest.raises(Refused) as found:
        handler.plan(on, handler.image(on, given))
    return found.value


def test_the_boundary_denies_every_request() -> None:
    """Decided over all requests; an explicit Deny of a boundary overrides every Allow:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    assert json.loads(TEXT) == DOCUMENT
    assert isinstance(denies([read_policy(TEXT, "identity")]), No)


def test_the_first_quarantine_of_an_account_makes_the_policy() -> None:
    proposal = planned(about(), reader())
    assert [step.call.operation for step in proposal.steps] == ["CreatePolicy", "PutRolePermissionsBoundary"]
    create, put = proposal.steps
    assert create.call.arguments["PolicyDocument"] == TEXT
    assert [(c.operation, dict(c.arguments)) for c in create.undo] == [("DeletePolicy", {"PolicyArn": ARN})]
    assert dict(put.call.arguments) == {"RoleName": "batch", "PermissionsBoundary": ARN}
    assert [c.operation for c in put.undo] == ["DeleteRolePermissionsBoundary"]
    assert not any(
        isinstance(v, FromAnswer) for s in proposal.steps for c in s.undo for v in c.arguments.values()
    )


@pytest.mark.parametrize("form", [dict, json.dumps])
def test_the_next_ones_find_it(form: Any) -> None:
    proposal = planned(about(), reader(document=form(DOCUMENT)))
    assert [step.name for step in proposal.steps] == ["quarantine"]
    assert proposal.after["boundary"] == ARN


def test_the_old_boundary_comes_back() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html: adds or updates."""
    proposal = planned(about(), reader(boundary=OLD, document=DOCUMENT))
    (undo,) = proposal.steps[0].undo
    assert (undo.operation, dict(undo.arguments)) == (
        "PutRolePermissionsBoundary",
        {"RoleName": "batch", "PermissionsBoundary": OLD},
    )


def test_what_is_after_is_what_is_read_after() -> None:
    on = about()
    proposal = planned(on, reader(boundary=OLD))
    assert handler.image(on, reader(boundary=ARN, document=DOCUMENT)) == proposal.after
    assert planned(on, reader(boundary=ARN, document=DOCUMENT)).steps == ()


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, "allows"),
        ({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}, "denies less"),
    ],
)
def test_a_policy_of_that_name_with_another_text_is_never_used(statement: Any, why: str) -> None:
    found = refused(about(), reader(document={"Version": "2012-10-17", "Statement": [statement]}))
    assert found.code == "unsafe", why


def test_service_linked_roles_are_left_to_their_services() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html: "You cannot set the
    boundary for a service-linked role." """
    given = reader(name="AWSServiceRoleForX", path="/aws-service-role/x.amazonaws.com/")
    assert refused(about("AWSServiceRoleForX"), given).code == "unsupported"


def test_roles_of_identity_center_are_left_to_it() -> None:
    given = reader(path="/aws-reserved/sso.amazonaws.com/")
    assert refused(about(), given).code == "unsupported"


@pytest.mark.parametrize(
    ("value", "spared"), [("true", True), ("yes", True), ("false", False), ("", False), ("Incident-7", True)]
)
def test_break_glass_by_tag(value: str, spared: bool) -> None:
    given = reader(tags=[{"Key": "Team", "Value": "x"}, {"Key": "BreakGlass", "Value": value}])
    if spared:
        assert refused(about(), given).code == "excluded"
    else:
        assert planned(about(), given).steps


def test_break_glass_by_name() -> None:
    assert (
        refused(about("emergency-1", break_glass=["emergency-*"]), reader(name="emergency-1")).code
        == "excluded"
    )


@pytest.mark.parametrize(
    "name", ["PolicyEngineScanner", "OrganizationAccountAccessRole", "cdk-hnb-deploy-role"]
)
def test_roles_that_others_need_to_repair_things_are_protected(name: str) -> None:
    assert refused(about(name), reader(name=name)).code == "excluded"


@pytest.mark.parametrize("path", ["/", "/team/"])
def test_the_role_the_engine_works_as_is_never_quarantined(path: str) -> None:
    given = reader(name="Remediator", path=path)
    assert refused(about("Remediator"), given).code == "unsafe"


def test_a_session_of_another_role_is_another_role() -> None:
    """A session's ARN holds the name without the path:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns"""
    assert is_caller("arn:aws:iam::1:role/a/b", "arn:aws:sts::1:assumed-role/b/a")
    assert not is_caller("arn:aws:iam::1:role/a", "arn:aws:sts::1:assumed-role/b/a")
    assert not is_caller("arn:aws:iam::1:user/b", "arn:aws:sts::1:assumed-role/b/a")
    assert is_caller("arn:aws:iam::1:user/x/b", "arn:aws:iam::1:user/x/b")


def test_a_role_that_was_used_lately_is_left_alone_whatever_the_rule_asks_for() -> None:
    assert refused(about(last="2026-11-01T00:00:00Z"), reader()).code == "unsafe"
    assert planned(about(last="2026-01-01T00:00:00Z"), reader()).steps


@pytest.mark.parametrize("operation", ["iam:GetRole", "iam:GetPolicy", "sts:GetCallerIdentity"])
def test_incident_c7n_2824_a_failed_read_changes_nothing(operation: str) -> None:
    """https://github.com/cloud-custodian/cloud-custodian/issues/2824"""
    given = reader()
    given.answers = {**given.answers, operation: ErrorCode("InternalFailure")}
    assert refused(about(), given).code == "not_known"


@given(
    boundary=st.sampled_from([None, OLD, ARN]),
    there=st.booleans(),
    tags=st.dictionaries(st.sampled_from(["Team", "BreakGlass", "x"]), st.sampled_from(["false", "", "no"])),
)
def test_only_boundary_and_policy_change(boundary: str | None, there: bool, tags: dict[str, str]) -> None:
    given = reader(
        boundary=boundary, document=DOCUMENT if there or boundary == ARN else None,
        tags=[{"Key": k, "Value": v} for k, v in tags.items()],
    )  # fmt: skip
    on = about()
    image = handler.image(on, given)
    proposal = handler.plan(on, image)
    after = proposal.after
    assert {k: v for k, v in image.items() if k not in ("boundary", "policy_there")} == {
        k: v for k, v in after.items() if k not in ("boundary", "policy_there")
    }
    assert after["boundary"] == ARN
    assert after["policy_there"]


TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
LIMITS = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'


def older(bench: Bench) -> None:
    """A stub of GetAccountAuthorizationDetails: moto's entities are as old as the test, and it leaves boundaries out."""
    iam = bench.client("iam")

    def details(_: Any) -> dict[str, Any]:
        found = iam.get_role(RoleName="batch")["Role"]
        role = {
            k: found[k] for k in ("Path", "RoleName", "RoleId", "Arn", "PermissionsBoundary") if k in found
        }
        more = {"CreateDate": "2020-01-01T00:00:00Z", "RoleLastUsed": {}, "AssumeRolePolicyDocument": TRUST}
        policies = [_policy(iam, each["Arn"]) for each in iam.list_policies(Scope="Local")["Policies"]]
        return {"RoleDetailList": [{**role, **more}], "Policies": policies, "IsTruncated": False}

    bench.stub("iam:GetAccountAuthorizationDetails", details)


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
def test_an_unused_role_is_quarantined_and_released(bench: Bench, bounded: bool) -> None:
    iam = bench.client("iam")
    more = {}
    if bounded:
        more["PermissionsBoundary"] = iam.create_policy(PolicyName="limits", PolicyDocument=LIMITS)["Policy"][
            "Arn"
        ]
    iam.create_role(RoleName="batch", AssumeRolePolicyDocument=TRUST, **more)
    older(bench)
    bench.laws(rule="iam-role-used", type="AWS::IAM::Role", id="batch", region="global")
