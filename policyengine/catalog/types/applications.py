"""Amplify, Cognito, Transfer Family and WorkSpaces."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import cfn, depends, doc, groups, into, is_, kms_key, of, off, to

_PASSWORDS = doc("cognito/latest/developerguide/managing-users-passwords")
_CLIENT = doc("cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient")

TYPES = (
    TypeSpec(
        "AWS::Amplify::App",
        names=("AppId", "Arn"),
        secrets=("Value", "AccessToken", "OauthToken", "BasicAuthConfig"),
    ),
    TypeSpec(
        "AWS::Cognito::UserPool",
        names=("UserPoolId", "Arn"),
        defaults=(
            is_("MfaConfiguration", "OFF", cfn("resource-cognito-userpool")),
            is_("DeletionProtection", "INACTIVE", cfn("resource-cognito-userpool")),
            is_(
                "Policies.PasswordPolicy.MinimumLength",
                8,
                _PASSWORDS,
            ),
            is_(
                "Policies.PasswordPolicy.TemporaryPasswordValidityDays",
                7,
                doc("cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType"),
            ),
            *(
                depends(
                    f"Policies.PasswordPolicy.Require{kind}",
                    _PASSWORDS,
                    "it depends on whether the pool is made with a password policy",
                )
                for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols")
            ),
        ),
        satellites=(into("AWS::WAFv2::WebACLAssociation", "ResourceArn", "web_acl_associations"),),
        relations=(
            to("web_acls", "AWS::WAFv2::WebACL", "related.web_acl_associations.WebACLArn"),
            of("clients", "AWS::Cognito::UserPoolClient", "UserPoolId"),
            of("risk_configurations", "AWS::Cognito::UserPoolRiskConfigurationAttachment", "UserPoolId"),
        ),
    ),
    TypeSpec(
        "AWS::Cognito::UserPoolClient",
        names=("ClientId",),
        defaults=(
            is_("PreventUserExistenceErrors", "LEGACY", _CLIENT),
            is_("EnableTokenRevocation", True, _CLIENT),
        ),
        relations=(to("user_pool", "AWS::Cognito::UserPool", "UserPoolId", one=True),),
        secrets=("ClientSecret",),
    ),
    TypeSpec(
        "AWS::Cognito::UserPoolRiskConfigurationAttachment",
        relations=(to("user_pool", "AWS::Cognito::UserPool", "UserPoolId", one=True),),
    ),
    TypeSpec("AWS::Cognito::IdentityPool", names=("Id",)),
    TypeSpec(
        "AWS::Transfer::Server",
        names=("ServerId", "Arn"),
        defaults=(
            is_("EndpointType", "PUBLIC", cfn("resource-transfer-server")),
            is_("Protocols", ["SFTP"], cfn("resource-transfer-server")),
            is_("Domain", "S3", doc("transfer/latest/APIReference/API_CreateServer")),
            is_(
                "IdentityProviderType",
                "SERVICE_MANAGED",
                doc("transfer/latest/APIReference/API_CreateServer"),
            ),
            depends(
                "SecurityPolicyName",
                doc("transfer/latest/userguide/security-policies"),
                "it depends on when and how the server is made",
            ),
        ),
        relations=(groups("EndpointDetails.SecurityGroupIds"),),
    ),
    TypeSpec(
        "AWS::WorkSpaces::Workspace",
        names=("WorkspaceId", "Id"),
        defaults=off(
            doc("workspaces/latest/adminguide/encrypt-workspaces"),
            "RootVolumeEncryptionEnabled",
            "UserVolumeEncryptionEnabled",
        ),
        relations=(
            kms_key("VolumeEncryptionKey"),
            to("directory", "AWS::WorkSpaces::Directory", "DirectoryId", one=True),
        ),
        extra=(("ConnectionState", "string"), ("LastKnownUserConnectionTimestamp", "string")),
    ),
    TypeSpec("AWS::WorkSpaces::Directory", names=("DirectoryId",)),
)
