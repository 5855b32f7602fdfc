"""Quarantine a role that nobody uses: a permissions boundary that denies everything, the old one kept for undo."""

from __future__ import annotations

from policyengine.remediate.api import Json, Proposal, Reader, Target
from policyengine.remediate.families.quarantining import described, not_used, propose


def image(target: Target, read: Reader) -> Json:
    """Return the role's boundary, whether the quarantine's policy is there, and what would spare the role.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html: ListRoles and
    GetAccountAuthorizationDetails leave tags or boundaries out.
    """
    found = read.call("iam", "GetRole", {"RoleName": target.id}) or {}
    return described(target, read, found["Role"])


def plan(target: Target, image: Json) -> Proposal:
    """Put the boundary on; refuses service-linked, break-glass and protected roles, and the engine's own.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html: "You cannot set the
    boundary for a service-linked role."
    """
    last = target.resource.properties.get("RoleLastUsed")
    not_used(target, [last.get("LastUsedDate")] if isinstance(last, dict) else [])
    return propose(target, image, "Role", "RoleName")
