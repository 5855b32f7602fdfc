"""The account and its regions: settings, the root user, what is off and what could not be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.aws.failures import CallFailure
from policyengine.sources.live import waiting
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

ACCOUNT, REGION = "AWS::::Account", "PolicyEngine::Account::Region"
DAY = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
REPORT = (
    "user,password_enabled,password_last_used,mfa_active,access_key_1_last_used_date,access_key_2_last_used_date\n"
    "<root_account>,not_supported,2026-11-01T00:00:00+00:00,true,N/A,2025-01-02T03:04:05+00:00\n"
)
FLAGS = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
SET = {
    "s3control:GetPublicAccessBlock": {"PublicAccessBlockConfiguration": FLAGS},
    "iam:GetAccountPasswordPolicy": {"PasswordPolicy": {"MinimumPasswordLength": 14, "RequireSymbols": True}},
    "iam:GetAccountSummary": {
        "SummaryMap": {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 1, "Users": 3}
    },
    "iam:ListVirtualMFADevices": {"VirtualMFADevices": []},
    "account:GetAlternateContact": lambda a: {
        "AlternateContact": {"Name": "Desk", "EmailAddress": "s@example.com", **a}
    },
    "organizations:DescribeOrganization": {
        "Organization": {"Id": "o-example1", "MasterAccountId": "111122223333"}
    },
}


def _error(operation: str, code: str, text: str = "", reason: str = "read_error") -> CallFailure:
    return CallFailure(operation, reason, code, text, MOTO_ACCOUNT, "us-east-1")


def _account(collect: Any, account: Any, *names: str) -> Any:
    (found,) = collect(account, ACCOUNT, place="global", needs={ACCOUNT: frozenset(names or ("*",))})
    return found


def test_an_account_that_is_set_up(canned: Callable[..., Any], collect: Any) -> None:
    found = _account(collect, canned(SET))
    assert (found.id, found.region) == (MOTO_ACCOUNT, "global")
    properties = found.properties
    assert properties["AccountId"] == MOTO_ACCOUNT
    assert properties["PublicAccessBlockConfiguration"] == FLAGS
    assert properties["PasswordPolicy"] == {"MinimumPasswordLength": 14, "RequireSymbols": True}
    assert properties["AccountSummary"] == {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 1}
    assert properties["RootHardwareMfa"] is True
    assert properties["AlternateContacts"]["SECURITY"] == {"Name": "Desk", "EmailAddress": "s@example.com"}
    assert properties["OrganizationId"] == "o-example1"
    assert properties["IsManagementAccount"] is False
    assert properties["SupportPlan"].reason == "not_collected"  # no rule names it
    assert verdict("root-hardware-mfa", found) == "PASS"


def test_an_account_where_nothing_is_set(canned: Callable[..., Any], collect: Any) -> None:
    virtual = {
        "SerialNumber": "arn:aws:iam::123456789012:mfa/x",
        "User": {"Arn": f"arn:aws:iam::{MOTO_ACCOUNT}:root"},
    }
    found = _account(
        collect,
        canned(
            {
                "s3control:GetPublicAccessBlock": _error(
                    "s3control:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"
                ),
                "iam:GetAccountPasswordPolicy": _error("iam:GetAccountPasswordPolicy", "NoSuchEntity"),
                "iam:GetAccountSummary": {"SummaryMap": {"AccountMFAEnabled": 1}},
                "iam:ListVirtualMFADevices": {"VirtualMFADevices": [virtual]},
                "account:GetAlternateContact": _error(
                    "account:GetAlternateContact", "ResourceNotFoundException"
                ),
                "organizations:DescribeOrganization": _error(
                    "organizations:DescribeOrganization", "AWSOrganizationsNotInUseException"
                ),
            }
        ),
    )
    for name in ("PublicAccessBlockConfiguration", "PasswordPolicy", "AlternateContacts", "OrganizationId"):
        assert name not in found.properties
    assert found.properties["RootHardwareMfa"] is False
    assert not collect.last.failures
    assert verdict("root-hardware-mfa", found) == "FAIL"


def test_what_was_denied_is_unknown(canned: Callable[..., Any], collect: Any) -> None:
    denied = {name: failure(name, "AccessDenied") for name in SET}
    found = _account(collect, canned({**SET, **denied}))
    for name in ("PublicAccessBlockConfiguration", "PasswordPolicy", "AccountSummary", "RootHardwareMfa",
                 "AlternateContacts", "OrganizationId"):  # fmt: skip
        assert found.properties[name].reason == "access_denied"
    assert verdict("root-hardware-mfa", found) == "UNKNOWN"


def test_the_root_user_in_the_report(canned: Callable[..., Any], collect: Any) -> None:
    answers = {
        "iam:GenerateCredentialReport": {"State": "COMPLETE"},
        "iam:GetCredentialReport": {"Content": REPORT.encode(), "GeneratedTime": DAY},
    }
    found = _account(collect, canned(answers), "RootPasswordLastUsed", "CredentialReport")
    assert found.properties["CredentialReport"] == {"GeneratedTime": "2026-03-04T05:06:07Z"}
    assert found.properties["RootPasswordLastUsed"] == "2026-11-01T00:00:00Z"
    assert found.properties["RootAccessKeyLastUsed"] == "2025-01-02T03:04:05Z"


def test_a_support_plan(canned: Callable[..., Any], collect: Any) -> None:
    refused = _error(
        "support:DescribeSeverityLevels", "SubscriptionRequiredException", reason="not_collected"
    )
    plans = {"basic": refused, "business": {"severityLevels": [{"code": "low"}, {"code": "urgent"}]}}
    for plan, answer in plans.items():
        found = _account(collect, canned({"support:DescribeSeverityLevels": answer}), "SupportPlan")
        assert found.properties["SupportPlan"] == plan


REGIONAL = {
    "ec2:GetEbsEncryptionByDefault": {"EbsEncryptionByDefault": True},
    "ec2:GetEbsDefaultKmsKeyId": {"KmsKeyId": "alias/aws/ebs"},
    "ec2:GetSnapshotBlockPublicAccessState": {"State": "block-all-sharing"},
    "ec2:GetImageBlockPublicAccessState": {"ImageBlockPublicAccessState": "block-new-sharing"},
    "ec2:GetInstanceMetadataDefaults": {"AccountLevel": {"HttpTokens": "required"}},
    "ec2:GetSerialConsoleAccessStatus": {"SerialConsoleAccessEnabled": False},
    "securityhub:DescribeHub": {"HubArn": "arn:aws:securityhub:us-east-1:123456789012:hub/default"},
    "inspector2:BatchGetAccountStatus": {
        "accounts": [{"resourceState": {"ec2": {"status": "ENABLED"}, "lambdaCode": {"status": "DISABLED"}}}]
    },
    "macie2:GetMacieSession": {"status": "ENABLED"},
    "macie2:GetAutomatedDiscoveryConfiguration": {"status": "DISABLED"},
    "ssm:GetDocument": {"Content": json.dumps({"inputs": {"s3BucketName": "logs", "kmsKeyId": ""}})},
    "ssm:GetServiceSetting": {"ServiceSetting": {"SettingValue": "Disable"}},
    "backup:DescribeRegionSettings": {"ResourceTypeOptInPreference": {"EC2": True, "S3": False}},
    "bedrock:GetModelInvocationLoggingConfiguration": {
        "loggingConfig": {"cloudWatchConfig": {"logGroupName": "/bedrock"}, "textDataDeliveryEnabled": True}
    },
    "glue:GetResourcePolicy": {"PolicyInJson": '{"Version": "2012-10-17", "Statement": []}'},
    "emr:GetBlockPublicAccessConfiguration": {
        "BlockPublicAccessConfiguration": {
            "BlockPublicSecurityGroupRules": True,
            "PermittedPublicSecurityGroupRuleRanges": [{"MinRange": 22, "MaxRange": 22}],
        }
    },
}


def test_a_region(canned: Callable[..., Any], collect: Any) -> None:
    (found,) = collect(canned(REGIONAL), REGION)
    properties = {name: value for name, value in found.properties.items() if not hasattr(value, "reason")}
    assert (found.id, found.region) == ("us-east-1", "us-east-1")
    assert properties == {
        "RegionName": "us-east-1",
        "GlueResourcePolicy": {"Version": "2012-10-17", "Statement": []},
        "EbsEncryptionByDefault": True,
        "EbsDefaultKmsKeyId": "alias/aws/ebs",
        "SnapshotBlockPublicAccess": {"State": "block-all-sharing"},
        "ImageBlockPublicAccess": {"State": "block-new-sharing"},
        "InstanceMetadataDefaults": {"HttpTokens": "required"},
        "SerialConsoleAccessEnabled": False,
        "SecurityHubEnabled": True,
        "InspectorStatus": {"Ec2": "ENABLED", "LambdaCode": "DISABLED"},
        "MacieStatus": "ENABLED",
        "MacieAutomatedDiscoveryStatus": "DISABLED",
        "SsmSessionPreferences": {"S3BucketName": "logs"},
        "SsmDocumentPublicSharingDisabled": True,
        "BackupRegionSettings": {"ResourceTypeOptInPreference": {"EC2": True, "S3": False}},
        "BedrockModelInvocationLogging": {
            "CloudWatchLogGroupName": "/bedrock",
            "TextDataDeliveryEnabled": True,
        },
        "EmrBlockPublicAccess": REGIONAL["emr:GetBlockPublicAccessConfiguration"][
            "BlockPublicAccessConfiguration"
        ],
    }
    assert verdict("ssm-document-sharing-blocked", found) == "PASS"


def test_only_the_settings_that_rules_read_are_asked_for(canned: Callable[..., Any], collect: Any) -> None:
    account = canned(REGIONAL)
    collect(account, REGION, needs={REGION: frozenset({"EbsEncryptionByDefault", "MacieStatus"})})
    assert account.log.operations() == {"ec2:GetEbsEncryptionByDefault", "macie2:GetMacieSession"}


def test_services_that_are_off(canned: Callable[..., Any], collect: Any) -> None:
    macie = _error(
        "macie2:GetMacieSession", "AccessDeniedException", "Macie is not enabled.", "access_denied"
    )
    hub = _error(
        "securityhub:DescribeHub", "InvalidAccessException",
        "Account 123456789012 is not subscribed to AWS Security Hub", "access_denied",
    )  # fmt: skip
    answers = {
        "macie2:GetMacieSession": macie,
        "securityhub:DescribeHub": hub,
        "ssm:GetDocument": _error("ssm:GetDocument", "InvalidDocument"),
        "bedrock:GetModelInvocationLoggingConfiguration": {},
    }
    needs = frozenset(
        {"MacieStatus", "SecurityHubEnabled", "SsmSessionPreferences", "BedrockModelInvocationLogging"}
    )
    (found,) = collect(canned(answers), REGION, needs={REGION: needs})
    assert found.properties["SecurityHubEnabled"] is False
    for name in ("MacieStatus", "SsmSessionPreferences", "BedrockModelInvocationLogging"):
        assert name not in found.properties
    assert not collect.last.failures


def test_a_denied_call_is_not_a_service_that_is_off(canned: Callable[..., Any], collect: Any) -> None:
    answers = {
        "macie2:GetMacieSession": _error(
            "macie2:GetMacieSession", "AccessDeniedException", "explicit deny", "access_denied"
        ),
        "securityhub:DescribeHub": failure("securityhub:DescribeHub", "AccessDeniedException"),
    }
    (found,) = collect(
        canned(answers), REGION, needs={REGION: frozenset({"MacieStatus", "SecurityHubEnabled"})}
    )
    assert found.properties["MacieStatus"].reason == "access_denied"
    assert found.properties["SecurityHubEnabled"].reason == "access_denied"


def test_quotas_are_a_report_that_is_waited_for(
    canned: Callable[..., Any], collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "sleep", lambda _: None)
    full = {
        "QuotaCode": "L-1",
        "ServiceCode": "ec2",
        "QuotaName": "n",
        "AppliedValue": 64.0,
        "Utilization": 90.5,
    }
    looks = iter(
        [
            {"ReportId": "r", "Status": "IN_PROGRESS"},
            {"ReportId": "r", "Status": "COMPLETED", "Quotas": [full], "NextToken": "t"},
            {"ReportId": "r", "Status": "COMPLETED", "Quotas": [{"QuotaCode": "L-2", "DefaultValue": 5.0}]},
        ]
    )
    answers = {
        "service-quotas:StartQuotaUtilizationReport": {"ReportId": "report-1", "Status": "PENDING"},
        "service-quotas:GetQuotaUtilizationReport": lambda _: next(looks),
    }
    (found,) = collect(canned(answers), REGION, needs={REGION: frozenset({"ServiceQuotas"})})
    assert found.properties["ServiceQuotas"] == [
        {
            "QuotaCode": "L-1",
            "ServiceCode": "ec2",
            "QuotaName": "n",
            "Value": 64.0,
            "UtilizationPercent": 90.5,
        },
        {"QuotaCode": "L-2", "Value": 5.0},
    ]
    assert verdict("quota-headroom", found) == "FAIL"
    failed = {"ReportId": "r", "Status": "FAILED", "ErrorCode": "INTERNAL", "ErrorMessage": "m"}
    answers["service-quotas:GetQuotaUtilizationReport"] = lambda _: failed
    (found,) = collect(canned(answers), REGION, needs={REGION: frozenset({"ServiceQuotas"})})
    assert verdict("quota-headroom", found) == "UNKNOWN"


def test_over_http(account: Any, aws: Any, collect: Any) -> None:
    """S3 Control cannot be asked there: its endpoints have the account's id in their host name."""
    aws("iam").update_account_password_policy(MinimumPasswordLength=14)
    found = _account(collect, account, "PasswordPolicy", "AccountSummary")
    assert found.properties["PasswordPolicy"]["MinimumPasswordLength"] == 14
    assert not collect.last.failures
    aws("iam").delete_account_password_policy()
    found = _account(collect, account, "PasswordPolicy")
    assert "PasswordPolicy" not in found.properties
    assert not collect.last.failures
