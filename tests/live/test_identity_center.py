"""IAM Identity Center."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.live.conftest import MOTO_ACCOUNT, failure

INSTANCE, SET, ASSIGNMENT = (f"AWS::SSO::{name}" for name in ("Instance", "PermissionSet", "Assignment"))
ARN = "arn:aws:sso:::instance/ssoins-1234567890abcdef"
ADMIN = "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ANSWERS: dict[str, Any] = {
    "sso-admin:ListInstances": {"Instances": [{"InstanceArn": ARN, "OwnerAccountId": MOTO_ACCOUNT, "Status": "ACTIVE"}]},
    "sso-admin:ListPermissionSets": {"PermissionSets": [ADMIN]},
    "sso-admin:DescribePermissionSet": {
        "PermissionSet": {"Name": "admin", "PermissionSetArn": ADMIN, "SessionDuration": "PT8H", "RelayState": "x"}
    },
    "sso-admin:GetInlinePolicyForPermissionSet": {"InlinePolicy": json.dumps(ALL)},
    "sso-admin:ListManagedPoliciesInPermissionSet": {
        "AttachedManagedPolicies": [{"Name": "a", "Arn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
    },
    "sso-admin:ListCustomerManagedPolicyReferencesInPermissionSet": {
        "CustomerManagedPolicyReferences": [{"Name": "own", "Path": "/"}]
    },
    "sso-admin:GetPermissionsBoundaryForPermissionSet": failure(
        "sso-admin:GetPermissionsBoundaryForPermissionSet", "ResourceNotFoundException", "read_error"
    ),
    "sso-admin:ListTagsForResource": {"Tags": [{"Key": "a", "Value": "b"}]},
    "sso-admin:ListAccountsForProvisionedPermissionSet": {"AccountIds": ["111122223333"]},
    "sso-admin:ListAccountAssignments": {
        "AccountAssignments": [
            {"AccountId": "111122223333", "PermissionSetArn": ADMIN, "PrincipalType": "GROUP", "PrincipalId": "g-1"}
        ]
    },
}  # fmt: skip
ONE = {INSTANCE: frozenset({"*"})}
BOTH = {SET: frozenset({"*"}), ASSIGNMENT: frozenset({"*"})}


def test_permission_sets_and_assignments(canned: Callable[..., Any], collect: Any) -> None:
    found, assignment = collect(canned(ANSWERS), SET, needs=BOTH)
    assert (found.id, found.tags) == (ADMIN, {"a": "b"})
    assert found.properties == {
        "InstanceArn": ARN,
        "PermissionSetArn": ADMIN,
        "Name": "admin",
        "SessionDuration": "PT8H",
        "RelayStateType": "x",
        "InlinePolicy": ALL,
        "ManagedPolicies": ["arn:aws:iam::aws:policy/AdministratorAccess"],
        "CustomerManagedPolicyReferences": [{"Name": "own", "Path": "/"}],
    }
    assert assignment.properties == {
        "InstanceArn": ARN,
        "PermissionSetArn": ADMIN,
        "PrincipalId": "g-1",
        "PrincipalType": "GROUP",
        "TargetId": "111122223333",
        "TargetType": "AWS_ACCOUNT",
    }
    assert collect.last.whole == (SET, ASSIGNMENT)
    assert not collect.last.failures


def test_without_an_inline_policy(canned: Callable[..., Any], collect: Any) -> None:
    bare = {"sso-admin:GetInlinePolicyForPermissionSet": {"InlinePolicy": ""}}
    (found,) = collect(canned({**ANSWERS, **bare}), SET, needs={SET: frozenset({"*"})})
    assert "InlinePolicy" not in found.properties


def test_a_member_account_has_no_permission_sets(canned: Callable[..., Any], collect: Any) -> None:
    shared = {"Instances": [{"InstanceArn": ARN, "OwnerAccountId": "999988887777"}]}
    denied = failure("sso-admin:ListPermissionSets", "AccessDeniedException")
    account = canned({"sso-admin:ListInstances": shared, "sso-admin:ListPermissionSets": denied})
    assert collect(account, SET, needs=BOTH) == []
    assert collect.last.whole == (SET, ASSIGNMENT)
    assert collect(account, INSTANCE, needs=ONE) == []  # it is the management account's
    (own,) = collect(canned(ANSWERS), INSTANCE, needs=ONE)
    assert (own.id, own.tags) == (ARN, {"a": "b"})


def test_the_owner_that_may_not_look_knows_nothing(canned: Callable[..., Any], collect: Any) -> None:
    denied = failure("sso-admin:ListPermissionSets", "AccessDeniedException")
    assert collect(canned({**ANSWERS, "sso-admin:ListPermissionSets": denied}), SET, needs=BOTH) == []
    assert collect.last.whole == ()
    denied = failure("sso-admin:ListAccountAssignments", "AccessDeniedException")
    collect(canned({**ANSWERS, "sso-admin:ListAccountAssignments": denied}), SET, needs=BOTH)
    assert collect.last.whole == (SET,)


def test_a_replica_is_not_the_instance(canned: Callable[..., Any], collect: Any) -> None:
    replica = {
        "Instances": [{"InstanceArn": ARN, "OwnerAccountId": MOTO_ACCOUNT, "PrimaryRegion": "eu-west-1"}]
    }
    assert collect(canned({"sso-admin:ListInstances": replica}), INSTANCE, needs=ONE) == []
