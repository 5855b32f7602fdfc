"""Quarantine a user that nobody uses: a permissions boundary that denies everything, the old one kept for undo."""

from __future__ import annotations

from policyengine.remediate.api import Json, Proposal, Reader, Target
from policyengine.remediate.families.quarantining import described, not_used, propose


def image(target: Target, read: Reader) -> Json:
    """Return the user's boundary, whether the quarantine's policy is there, and what would spare the user.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html: without UserName it would be the caller.
    """
    found = read.call("iam", "GetUser", {"UserName": target.id}) or {}
    return described(target, read, found["User"])


def plan(target: Target, image: Json) -> Proposal:
    """Put the boundary on; refuses break-glass and protected users, and the one that asks.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPermissionsBoundary.html
    """
    keys = target.resource.related.get("access_keys")
    used = (
        [key.get("LastUsedDate") for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
    )
    not_used(target, [target.resource.properties.get("PasswordLastUsed"), *used])
    return propose(target, image, "User", "UserName")
