"""AWS Organizations, the accounts as subjects, and who may do what in them."""

from __future__ import annotations

from typing import Any

from .base import (
    ACCOUNTS,
    ANALYTICS,
    LOG_ARCHIVE,
    MANAGEMENT,
    ORGANIZATION,
    OUS,
    PAYMENTS,
    REGIONS,
    ROOT,
    SANDBOX,
    WEB,
    Account,
    Builder,
    allow,
    arn_of,
    denied,
)

FULL_ACCESS = allow("*")
DENY_BEDROCK_OUTSIDE_EUROPE = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "BedrockOnlyInApprovedRegions",
            "Effect": "Deny",
            "Action": ["bedrock:InvokeModel*", "bedrock:Converse*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
        }
    ],
}
DENY_LEAVING = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "StayInTheOrganization",
            "Effect": "Deny",
            "Action": ["organizations:LeaveOrganization", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail"],
            "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/platform/break-glass"}},
        }
    ],
}
TAG_POLICY = {
    "tags": {
        "costcenter": {
            "tag_key": {"@@assign": "CostCenter"},
            "tag_value": {"@@assign": ["cc-100", "cc-110", "cc-210", "cc-220", "cc-230", "cc-900"]},
        }
    }
}


def build(b: Builder) -> None:
    """Add the organisation, its policies, the account subjects and IAM."""
    _organization(b)
    for account in ACCOUNTS:
        _subjects(b, account)
        _roles(b, account)
        _users(b, account)
    _pipelines_trust(b)


def _organization(b: Builder) -> None:
    def add(type: str, id: str, properties: dict[str, Any]) -> None:
        b.add(MANAGEMENT, "global", f"AWS::Organizations::{type}", id, properties)

    types = ("SERVICE_CONTROL_POLICY", "TAG_POLICY", "RESOURCE_CONTROL_POLICY")
    add(
        "Organization",
        ORGANIZATION,
        {
            "Id": ORGANIZATION,
            "ManagementAccountId": MANAGEMENT.id,
            "RootId": ROOT,
            "FeatureSet": "ALL",
            "PolicyTypes": [{"Type": t, "Status": "ENABLED"} for t in types[:2]],
        },
    )
    for name, id_ in OUS.items():
        add("OrganizationalUnit", id_, {"Id": id_, "Name": name, "ParentId": ROOT})
    for account in ACCOUNTS:
        parent = OUS[account.ou] if account.ou else ROOT
        properties = {
            "AccountId": account.id,
            "AccountName": account.name,
            "Email": f"aws+{account.name}@example.com",
            "ParentIds": [parent],
            "State": "ACTIVE",
        }
        add("Account", account.id, properties)
    everything = [ROOT, *OUS.values(), *(a.id for a in ACCOUNTS)]
    policies = [
        ("p-FullAWSAccess", "FullAWSAccess", types[0], FULL_ACCESS, everything),
        ("p-stay0001", "stay-in-the-organization", types[0], DENY_LEAVING, [ROOT]),
        ("p-bedrock1", "bedrock-approved-regions", types[0], DENY_BEDROCK_OUTSIDE_EUROPE, [OUS["Workloads"]]),
        ("p-tags0001", "cost-centers", types[1], TAG_POLICY, [ROOT]),
    ]
    for id_, name, type_, content, targets in policies:
        properties = {"Id": id_, "Name": name, "Type": type_, "Content": content, "TargetIds": targets}
        add("Policy", id_, properties)


def _subjects(b: Builder, account: Account) -> None:
    careful = account.care > 0.7
    password = {
        "MinimumPasswordLength": 14 if careful else 8,
        "RequireSymbols": careful,
        "RequireNumbers": True,
        "RequireUppercaseCharacters": True,
        "RequireLowercaseCharacters": True,
        "PasswordReusePrevention": 24 if careful else 0,
    }
    properties: dict[str, Any] = {
        "AccountId": account.id,
        "AccountName": account.name,
        "OrganizationId": ORGANIZATION,
        "IsManagementAccount": account is MANAGEMENT,
        "IsLogArchiveAccount": account is LOG_ARCHIVE,
        "PublicAccessBlockConfiguration": {
            flag: careful or flag.startswith("Ignore")
            for flag in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        },
        "PasswordPolicy": password,
        "AccountSummary": {
            "AccountMFAEnabled": 0 if account is SANDBOX else 1,
            "AccountAccessKeysPresent": 1 if account is SANDBOX else 0,
            "AccountPasswordPresent": 1,
            "AccountSigningCertificatesPresent": 0,
        },
        "RootHardwareMfa": account is MANAGEMENT,
        "AlternateContacts": {"SECURITY": {"Name": "Security desk", "EmailAddress": "security@example.com"}},
        "SupportPlan": "BUSINESS",
    }
    unknown = []
    if account is ANALYTICS:
        del properties["AlternateContacts"]
        unknown = [denied("/AlternateContacts", "account:GetAlternateContact")]
    if account is SANDBOX:
        del properties["AlternateContacts"]
    b.add(account, "global", "AWS::::Account", account.id, properties, unknown=unknown)
    for region in REGIONS:
        _region_subject(b, account, region)


def _region_subject(b: Builder, account: Account, region: str) -> None:
    careful = account.care > 0.7 and not (account is WEB and region == "us-east-1")
    status = "ENABLED" if careful else "DISABLED"
    quota = {
        "ServiceCode": "ec2",
        "QuotaCode": "L-1216C47A",
        "QuotaName": "Running On-Demand Standard instances",
    }
    properties = {
        "RegionName": region,
        "EbsEncryptionByDefault": careful,
        "SnapshotBlockPublicAccess": {"State": "block-all-sharing" if careful else "unblocked"},
        "ImageBlockPublicAccess": {"State": "block-new-sharing" if careful else "unblocked"},
        "InstanceMetadataDefaults": {"HttpTokens": "required" if careful else "no-preference"},
        "SerialConsoleAccessEnabled": account is SANDBOX,
        "SecurityHubEnabled": careful,
        "InspectorStatus": {"Ec2": status, "Ecr": status, "Lambda": status},
        "MacieStatus": "ENABLED" if careful and account is not WEB else "PAUSED",
        "ServiceQuotas": [{**quota, "Value": 256.0, "Usage": 40.0, "UtilizationPercent": 15.6}],
        "LambdaConcurrencyLimit": 1000,
        "BedrockModelInvocationLogging": {"CloudWatchLogGroupName": "/bedrock/invocations"}
        if careful
        else {},
    }
    b.add(account, region, "PolicyEngine::Account::Region", region, properties)


def _trust(principal: dict[str, Any], **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _role(
    b: Builder, account: Account, name: str, trust: dict[str, Any], policy: Any, managed: tuple[str, ...] = ()
) -> None:
    path = "/platform/" if name in ("break-glass", "deployer") else "/"
    properties = {
        "RoleName": name,
        "Path": path,
        "Arn": arn_of("iam", "global", account, f"role{path}{name}"),
        "AssumeRolePolicyDocument": trust,
        "Policies": [{"PolicyName": f"{name}-inline", "PolicyDocument": policy}] if policy else [],
        "ManagedPolicyArns": [f"arn:aws:iam::aws:policy/{m}" for m in managed],
        "CreateDate": "2024-03-02T10:00:00Z",
        "RoleLastUsed": {"LastUsedDate": "2026-11-19T07:00:00Z", "Region": "eu-west-1"},
    }
    b.add(account, "global", "AWS::IAM::Role", name, properties, arn=properties["Arn"])


def _roles(b: Builder, account: Account) -> None:
    lambda_trust = _trust({"Service": "lambda.amazonaws.com"})
    ec2_trust = _trust({"Service": "ec2.amazonaws.com"})
    auditor = _trust(
        {"AWS": f"arn:aws:iam::{LOG_ARCHIVE.id}:root"},
        Condition={"StringEquals": {"sts:ExternalId": "ex-7731"}},
    )
    vendor = _trust({"AWS": "arn:aws:iam::999988887777:root"})
    _role(b, account, "auditor", auditor, None, ("SecurityAudit",))
    _role(b, account, "break-glass", _trust({"AWS": f"arn:aws:iam::{MANAGEMENT.id}:root"}), FULL_ACCESS)
    logs = arn_of("logs", "*", account, "log-group:/aws/lambda/*")
    for index in range(6 if account.workload else 2):
        policy = allow(["logs:CreateLogStream", "logs:PutLogEvents"], logs)
        if not b.good(account):
            policy = allow(["s3:*", "iam:PassRole"])
        _role(b, account, f"{account.name}-function-{index}", lambda_trust, policy)
        _role(
            b, account, f"{account.name}-instance-{index}", ec2_trust, None, ("AmazonSSMManagedInstanceCore",)
        )
    if account in (WEB, SANDBOX):
        _role(b, account, "monitoring-vendor", vendor, allow("cloudwatch:Get*"), ("ReadOnlyAccess",))
    if account in (ANALYTICS, PAYMENTS, SANDBOX):
        models = (
            "*" if account is SANDBOX else "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"
        )
        _role(
            b,
            account,
            "assistant",
            _trust({"Service": "bedrock.amazonaws.com"}),
            allow("bedrock:InvokeModel", models),
        )


def _users(b: Builder, account: Account) -> None:
    for index in range(4 if account is SANDBOX else 1):
        name = f"{account.name}-user-{index}"
        careful = b.good(account)
        key = {"Id": f"AKIAEXAMPLE{account.id[-2:]}{index:02}", "UserName": name, "Status": "Active"}
        dates = {"CreateDate": "2026-10-30T08:00:00Z" if careful else "2023-01-10T08:00:00Z"}
        properties = {
            "UserName": name,
            "Arn": arn_of("iam", "global", account, f"user/{name}"),
            "PasswordEnabled": not careful,
            "MfaActive": careful,
            "CreateDate": "2022-05-01T08:00:00Z",
            "Policies": [] if careful else [{"PolicyName": "all", "PolicyDocument": FULL_ACCESS}],
        }
        related = {"access_keys": [{**key, **dates}]}
        b.add(account, "global", "AWS::IAM::User", name, properties, related=related)


def _pipelines_trust(b: Builder) -> None:
    """Deployment from a code host: one trust is bound to a branch, the other to nothing."""
    host = "token.actions.githubusercontent.com"
    for account in (PAYMENTS, WEB, ANALYTICS, SANDBOX):
        provider = arn_of("iam", "global", account, f"oidc-provider/{host}")
        properties = {
            "Arn": provider,
            "Url": f"https://{host}",
            "ClientIdList": ["sts.amazonaws.com"],
            "ThumbprintList": ["6938fd4d98bab03faadb97b34396831e3780aea1"],
        }
        b.add(account, "global", "AWS::IAM::OIDCProvider", provider, properties, arn=provider)
        subject = (
            "repo:example/*" if account is SANDBOX else f"repo:example/{account.name}:ref:refs/heads/main"
        )
        condition = {
            "StringEquals": {f"{host}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{host}:sub": subject},
        }
        trust = _trust({"Federated": provider}, Condition=condition)
        trust["Statement"][0]["Action"] = "sts:AssumeRoleWithWebIdentity"
        policy = FULL_ACCESS if account is SANDBOX else allow(["cloudformation:*", "s3:PutObject"])
        _role(b, account, "deployer", trust, policy)
