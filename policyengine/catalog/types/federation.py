"""IAM Identity Center and IAM Roles Anywhere: who comes from outside with a role."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import ROLE, cfn, doc, every, is_, of, to

_SET = "AWS::SSO::PermissionSet"
_ORGANIZATION = "AWS::Organizations::Organization"

TYPES = (
    TypeSpec(
        _SET,
        names=("PermissionSetArn", "Name"),
        defaults=(is_("SessionDuration", "PT1H", doc("singlesignon/latest/userguide/howtosessionduration")),),
        relations=(of("assignments", "AWS::SSO::Assignment", "PermissionSetArn", scope="organization"),),
    ),
    TypeSpec(
        "AWS::SSO::Assignment",
        relations=(
            to("permission_set", _SET, "PermissionSetArn", one=True, scope="organization"),
            every("organization", _ORGANIZATION, "organization"),
        ),
    ),
    TypeSpec(
        "AWS::RolesAnywhere::Profile",
        names=("ProfileArn", "ProfileId"),
        defaults=(
            is_("DurationSeconds", 3600, cfn("resource-rolesanywhere-profile")),
            is_("AcceptRoleSessionName", False, cfn("resource-rolesanywhere-profile")),
        ),
        relations=(to("roles", ROLE, "RoleArns", scope="account"),),
    ),
    TypeSpec("AWS::RolesAnywhere::TrustAnchor", names=("TrustAnchorArn", "TrustAnchorId")),
)
