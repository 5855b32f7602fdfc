"""IAM and Organizations. The reasoning is `iam`'s; here are only the shapes."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import ROLE, cfn, depends, doc, every, extra, into, is_, of, to

_POLICY = "AWS::IAM::ManagedPolicy"
_OU = "AWS::Organizations::OrganizationalUnit"
_LAST_ACCESSED = (
    ("ServiceLastAccessedDetails.JobCompletionDate", "string"),
    ("ServiceLastAccessedDetails.ServicesLastAccessed", "list:object"),
    ("ServiceLastAccessedDetails.ServicesLastAccessed.ServiceNamespace", "string"),
    ("ServiceLastAccessedDetails.ServicesLastAccessed.ServiceName", "string"),
    ("ServiceLastAccessedDetails.ServicesLastAccessed.LastAuthenticated", "string"),
)
_FEATURES = "IAM/latest/APIReference/API_ListOrganizationsFeatures"
_DELEGATED = "organizations/latest/APIReference/API_ListDelegatedAdministrators"

TYPES = (
    TypeSpec(
        ROLE,
        names=("RoleName", "Arn", "RoleId"),
        is_global=True,
        defaults=(
            is_("Path", "/", cfn("resource-iam-role")),
            is_("MaxSessionDuration", 3600, cfn("resource-iam-role")),
        ),
        satellites=(
            into("AWS::IAM::Policy", "Roles", "policies"),
            into("AWS::IAM::RolePolicy", "RoleName", "policies"),
        ),
        relations=(
            to("managed_policies", _POLICY, "ManagedPolicyArns", scope="account"),
            of("attached_policies", _POLICY, "Roles", scope="account"),
            to("permissions_boundary", _POLICY, "PermissionsBoundary", one=True, scope="account"),
            of("instance_profiles", "AWS::IAM::InstanceProfile", "Roles", scope="account"),
            of("bedrock_agents", "AWS::Bedrock::Agent", "AgentResourceRoleArn", scope="account"),
        ),
        extra=(
            ("CreateDate", "string"),
            ("RoleLastUsed.LastUsedDate", "string"),
            ("RoleLastUsed.Region", "string"),
            *_LAST_ACCESSED,
        ),
    ),
    TypeSpec(
        "AWS::IAM::User",
        names=("UserName", "Arn"),
        is_global=True,
        satellites=(
            into("AWS::IAM::Policy", "Users", "policies"),
            into("AWS::IAM::UserPolicy", "UserName", "policies"),
            into("AWS::IAM::AccessKey", "UserName", "access_keys"),
            into("AWS::IAM::UserToGroupAddition", "Users", "group_additions"),
        ),
        relations=(
            to("managed_policies", _POLICY, "ManagedPolicyArns", scope="account"),
            of("attached_policies", _POLICY, "Users", scope="account"),
            to("permissions_boundary", _POLICY, "PermissionsBoundary", one=True, scope="account"),
            to("groups", "AWS::IAM::Group", "Groups", scope="account"),
        ),
        extra=(
            ("CreateDate", "string"),
            ("PasswordEnabled", "boolean"),
            ("PasswordLastUsed", "string"),
            ("PasswordLastChanged", "string"),
            ("MfaActive", "boolean"),
            ("MFADevices", "list:object"),
            ("MFADevices.SerialNumber", "string"),
            *_LAST_ACCESSED,
            ("ServiceSpecificCredentials", "list:object"),
            *(
                (f"ServiceSpecificCredentials.{name}", "string")
                for name in ("ServiceName", "Status", "CreateDate", "ExpirationDate")
            ),
            ("ServiceSpecificCredentials.ServiceSpecificCredentialId", "string"),
            ("ServiceSpecificCredentials.CredentialAgeDays", "integer"),
        ),
        secrets=("Password", "SecretAccessKey"),
    ),
    TypeSpec(
        "AWS::IAM::AccessKey",
        names=("Id",),
        is_global=True,
        defaults=(is_("Status", "Active", cfn("resource-iam-accesskey")),),
        relations=(to("user", "AWS::IAM::User", "UserName", one=True, scope="account"),),
        extra=extra(CreateDate="string", LastUsedDate="string", LastUsedServiceName="string"),
        secrets=("SecretAccessKey",),
    ),
    TypeSpec(
        "AWS::IAM::Group",
        names=("GroupName", "Arn"),
        is_global=True,
        satellites=(
            into("AWS::IAM::Policy", "Groups", "policies"),
            into("AWS::IAM::GroupPolicy", "GroupName", "policies"),
        ),
        relations=(
            to("managed_policies", _POLICY, "ManagedPolicyArns", scope="account"),
            of("attached_policies", _POLICY, "Groups", scope="account"),
            of("users", "AWS::IAM::User", "Groups", scope="account"),
        ),
    ),
    TypeSpec(
        _POLICY,
        names=("PolicyArn", "ManagedPolicyName"),
        is_global=True,
        relations=(
            to("roles", ROLE, "Roles", scope="account"),
            to("users", "AWS::IAM::User", "Users", scope="account"),
            to("groups", "AWS::IAM::Group", "Groups", scope="account"),
            of("attached_roles", ROLE, "ManagedPolicyArns", scope="account"),
            of("attached_users", "AWS::IAM::User", "ManagedPolicyArns", scope="account"),
            of("attached_groups", "AWS::IAM::Group", "ManagedPolicyArns", scope="account"),
            of("bounded_roles", ROLE, "PermissionsBoundary", scope="account"),
            of("bounded_users", "AWS::IAM::User", "PermissionsBoundary", scope="account"),
        ),
        extra=extra(AttachmentCount="integer", PermissionsBoundaryUsageCount="integer"),
    ),
    TypeSpec(
        "AWS::IAM::InstanceProfile",
        names=("InstanceProfileName", "Arn"),
        is_global=True,
        relations=(to("roles", ROLE, "Roles", scope="account"),),
    ),
    TypeSpec("AWS::IAM::OIDCProvider", names=("Arn",), is_global=True),
    TypeSpec(
        "AWS::IAM::SAMLProvider",
        names=("Arn",),
        is_global=True,
        extra=extra(ValidUntil="string"),
        secrets=("AddPrivateKey", "PrivateKeyList"),
    ),
    TypeSpec(
        "AWS::IAM::ServerCertificate",
        names=("ServerCertificateName", "Arn"),
        is_global=True,
        extra=extra(Expiration="string", UploadDate="string"),
        secrets=("PrivateKey",),
    ),
    TypeSpec(
        "AWS::Organizations::Organization",
        names=("Id", "Arn"),
        is_global=True,
        relations=(
            every("policies", "AWS::Organizations::Policy", "organization"),
            every("configuration_aggregators", "AWS::Config::ConfigurationAggregator", "organization"),
            every("trails", "AWS::CloudTrail::Trail", "organization"),
        ),
        defaults=(
            depends(
                "EnabledFeatures", doc(_FEATURES), "only the management account is told which are enabled"
            ),
            depends(
                "DelegatedAdministrators", doc(_DELEGATED), "only the management account is told who they are"
            ),
        ),
        extra=(
            ("PolicyTypes", "list:object"),
            ("PolicyTypes.Type", "string"),
            ("PolicyTypes.Status", "string"),
            ("EnabledFeatures", "list:string"),
            ("DelegatedAdministrators", "list:object"),
            ("DelegatedAdministrators.Id", "string"),
            ("DelegatedAdministrators.DelegatedServices", "list:object"),
            ("DelegatedAdministrators.DelegatedServices.ServicePrincipal", "string"),
        ),
    ),
    TypeSpec(
        _OU,
        names=("Id", "Arn"),
        is_global=True,
        relations=(
            to("parent", _OU, "ParentId", one=True, scope="organization"),
            of("children", _OU, "ParentId", scope="organization"),
            of("accounts", "AWS::Organizations::Account", "ParentIds", scope="organization"),
            of("policies", "AWS::Organizations::Policy", "TargetIds", scope="organization"),
        ),
    ),
    TypeSpec(
        "AWS::Organizations::Account",
        names=("AccountId", "Arn"),
        is_global=True,
        relations=(
            to("organizational_units", _OU, "ParentIds", scope="organization"),
            of("policies", "AWS::Organizations::Policy", "TargetIds", scope="organization"),
        ),
    ),
    TypeSpec(
        "AWS::Organizations::Policy",
        names=("Id", "Arn"),
        is_global=True,
        untaggable=("AwsManaged", True),
    ),
    TypeSpec("AWS::SSO::Instance", names=("InstanceArn",)),
)
