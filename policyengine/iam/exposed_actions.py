"""Actions that expose resources or hand out credentials, as data.

Resource exposure is AWS's access level "Permissions management"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html)
without IAM itself and without what only reads, uses or opens nothing, and with ``ALSO_EXPOSE``: actions that set a
resource's policy or share it with other accounts though AWS calls them ``Write``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from policyengine.iam.catalogue import catalogue

_ONLY_USE: Final = (
    "Get*", "BatchGet*", "List*", "Describe*", "Search*", "Validate*", "View*", "Test*", "Use*", "Invoke*",
    "AllowVendedLogDelivery*", "GET", "POST", "connect", "AuthorizeAction", "PartiallyAuthorizeActions",
)  # fmt: skip

_OPENS_NOTHING: Final = (
    "apigateway:RemoveCertificateFromDomain", "apigateway:SetWebACL", "appsync:SetWebACL",
    "bedrock-agentcore:SynchronizeGatewayTargets", "cloudformation:SetStackPolicy", "cloudwatch:AssumeAccessProfile",
    "ds:AccessDSData", "dynamodb:UpdateAbacStatus", "ec2:AttachApplianceToNatGateway",
    "ec2:AttachResourcesToPlacementGroup", "ec2:DetachApplianceFromNatGateway",
    "ec2:DetachResourcesFromPlacementGroup", "ec2:EnableImageBlockPublicAccess",
    "ec2:EnableSnapshotBlockPublicAccess", "ec2:ResetSnapshotAttribute", "fsx:BypassSnaplockEnterpriseRetention",
    "glacier:AbortVaultLock", "glacier:CompleteVaultLock", "glacier:InitiateVaultLock",
    "glacier:SetDataRetrievalPolicy", "glue:DeregisterDataPreview", "glue:GlueNotebook*", "glue:ManagedConnector",
    "glue:RefreshOAuth2Tokens", "glue:RequestLogParsing", "glue:RunDataPreviewStatement", "glue:SendRecipeAction",
    "glue:StartNotebook", "glue:TerminateNotebook", "iotfleetwise:GenerateCommandPayload",
    "license-manager:UpdateServiceSettings", "s3:BypassGovernanceRetention", "s3:ObjectOwnerOverrideToBucketOwner",
    "ssm-contacts:AssociateContact", "waf-regional:*WebACL", "waf:*WebACL", "xray:PutEncryptionConfig",
)  # fmt: skip
"""What AWS lists as Permissions management and lets nobody else in: retention, encryption, firewalls, use of data."""

ALSO_EXPOSE: Final = (
    "*:PutResourcePolicy", "*:CreateResourcePolicy", "*:UpdateResourcePolicy", "aoss:CreateAccessPolicy",
    "aoss:UpdateAccessPolicy", "ds:ShareDirectory", "ec2:ModifyFpgaImageAttribute", "ec2:ModifyImageAttribute",
    "eks:AssociateAccessPolicy", "eks:CreateAccessEntry", "eks:UpdateAccessEntry", "es:CreateDomain",
    "es:CreateElasticsearchDomain", "es:UpdateDomainConfig", "es:UpdateElasticsearchDomainConfig",
    "globalaccelerator:CreateCrossAccountAttachment", "lambda:CreateFunctionUrlConfig",
    "lambda:UpdateFunctionUrlConfig", "lex:CreateResourcePolicyStatement", "mediaconvert:PutPolicy",
    "omics:CreateShare", "omics:PutS3AccessPolicy", "ram:AssociateResourceShare",
    "ram:AssociateResourceSharePermission", "ram:CreateResourceShare", "ram:UpdateResourceShare",
    "rds:ModifyDBClusterSnapshotAttribute", "rds:ModifyDBSnapshotAttribute", "redshift:AssociateDataShareConsumer",
    "serverlessrepo:PutApplicationPolicy",
)  # fmt: skip
"""Services whose resources have policies of their own:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html; what can be
shared: https://docs.aws.amazon.com/ram/latest/userguide/shareable.html"""

CREDENTIALS: Final = (
    "airflow:CreateCliToken", "airflow:CreateWebLoginToken", "amplifybackend:CreateToken",
    "amplifybackend:GetToken", "appsync:CreateApiKey", "appsync:ListApiKeys",
    "bedrock-agentcore:GetResourceApiKey", "bedrock-agentcore:GetResourceOauth2Token",
    "bedrock-agentcore:GetWorkloadAccessToken", "bedrock-agentcore:GetWorkloadAccessTokenForJWT",
    "chime:CreateApiKey", "cloud9:CreateEnvironmentToken", "codeartifact:GetAuthorizationToken",
    "codepipeline:PollForJobs", "cognito-identity:GetCredentialsForIdentity", "cognito-identity:GetOpenIdToken",
    "cognito-identity:GetOpenIdTokenForDeveloperIdentity", "connect:GetFederationToken",
    "datazone:GetEnvironmentCredentials", "deadline:AssumeFleetRoleForRead", "deadline:AssumeFleetRoleForWorker",
    "deadline:AssumeQueueRoleForRead", "deadline:AssumeQueueRoleForUser", "deadline:AssumeQueueRoleForWorker",
    "dsql:DbConnect", "dsql:DbConnectAdmin", "ec2:CreateKeyPair", "ec2:GetPasswordData",
    "ecr-public:GetAuthorizationToken", "ecr:GetAuthorizationToken", "elasticache:Connect",
    "elasticmapreduce:GetClusterSessionCredentials", "emr-containers:GetManagedEndpointSessionCredentials",
    "gamelift:GetComputeAccess", "gamelift:GetComputeAuthToken", "gamelift:GetInstanceAccess",
    "gamelift:RequestUploadCredentials", "grafana:CreateWorkspaceApiKey",
    "grafana:CreateWorkspaceServiceAccountToken", "iam:CreateAccessKey", "iam:CreateLoginProfile",
    "iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential", "iam:UpdateLoginProfile",
    "iot:CreateKeysAndCertificate", "lakeformation:GetDataAccess",
    "lakeformation:GetTemporaryGluePartitionCredentials", "lakeformation:GetTemporaryGlueTableCredentials",
    "lightsail:CreateBucketAccessKey", "lightsail:CreateKeyPair", "lightsail:DownloadDefaultKeyPair",
    "lightsail:GetBucketAccessKeys", "lightsail:GetInstanceAccessDetails",
    "lightsail:GetRelationalDatabaseMasterUserPassword", "mediapackage:RotateChannelCredentials",
    "mediapackage:RotateIngestEndpointCredentials", "memorydb:Connect", "rds-db:connect",
    "redshift-serverless:GetCredentials", "redshift:GetClusterCredentials",
    "redshift:GetClusterCredentialsWithIAM", "s3:GetDataAccess", "s3express:CreateSession",
    "sagemaker:CreatePresignedDomainUrl", "sagemaker:CreatePresignedNotebookInstanceUrl",
    "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue", "ssm:GetParameter",
    "ssm:GetParameterHistory", "ssm:GetParameters", "ssm:GetParametersByPath", "sso-oauth:CreateTokenWithIAM",
    "sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoot",
    "sts:GetFederationToken", "sts:GetServiceBearerToken", "sts:GetSessionToken", "sts:GetWebIdentityToken",
)  # fmt: skip
"""Actions whose answer holds credentials, keys, passwords or tokens, or opens a session: the list that
https://github.com/salesforce/cloudsplaining began, brought up to date with the service authorization
reference (https://docs.aws.amazon.com/service-authorization/latest/reference/)."""


@lru_cache(maxsize=1)
def resource_exposure() -> int:
    """Return the actions that change who may use a resource, as bits of the catalogue."""
    known = catalogue()
    found = known.access_level_mask("Permissions management") & ~known.service_mask("iam")
    found &= ~known.matching_any(f"*:{name}" for name in _ONLY_USE) & ~known.matching_any(_OPENS_NOTHING)
    return found | known.matching_any(ALSO_EXPOSE)


@lru_cache(maxsize=1)
def credential_exposure() -> int:
    """Return the actions that hand out credentials, as bits of the catalogue."""
    return catalogue().matching_any(CREDENTIALS)


@lru_cache(maxsize=1)
def writes() -> int:
    """Return the actions that change something: levels Write, Tagging and Permissions management."""
    known = catalogue()
    found = 0
    for level in ("Write", "Tagging", "Permissions management"):
        found |= known.access_level_mask(level)
    return found
