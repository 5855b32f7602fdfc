"""IAM Identity Center, IAM Roles Anywhere, the roles of Cognito identity pools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

_SET: Final = "AWS::SSO::PermissionSet"

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_ssoadmin_permission_set": TypeMap(
        _SET,
        "name description instance_arn relay_state=RelayStateType session_duration",
    ),
    "aws_ssoadmin_permission_set_inline_policy": Merge(
        _SET, "permission_set_arn", "inline_policy:json=InlinePolicy"
    ),
    "aws_ssoadmin_managed_policy_attachment": Merge(
        _SET, "permission_set_arn", "managed_policy_arn*=ManagedPolicies", append=("ManagedPolicies",)
    ),
    "aws_ssoadmin_customer_managed_policy_attachment": Merge(
        _SET,
        "permission_set_arn",
        "customer_managed_policy_reference*=CustomerManagedPolicyReferences { name path }",
        append=("CustomerManagedPolicyReferences",),
    ),
    "aws_ssoadmin_permissions_boundary_attachment": Merge(
        _SET,
        "permission_set_arn",
        """
            permissions_boundary=PermissionsBoundary { managed_policy_arn
            customer_managed_policy_reference { name path } }
        """,
    ),
    "aws_ssoadmin_account_assignment": TypeMap(
        "AWS::SSO::Assignment",
        "instance_arn permission_set_arn principal_id principal_type target_id target_type",
        tags="",
    ),
    "aws_rolesanywhere_profile": TypeMap(
        "AWS::RolesAnywhere::Profile",
        """
            name role_arns* enabled duration_seconds managed_policy_arns* session_policy
            require_instance_properties accept_role_session_name
        """,
        absent="AttributeMappings",
    ),
    "aws_rolesanywhere_trust_anchor": TypeMap(
        "AWS::RolesAnywhere::TrustAnchor",
        """
            name enabled source { source_type source_data { acm_pca_arn x509_certificate_data } }
            notification_settings* { channel enabled event threshold }
        """,
    ),
}
