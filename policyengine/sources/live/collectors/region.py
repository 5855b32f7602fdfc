"""An account in one region: what is set for all that is in it. Each setting is a call of its own."""

from __future__ import annotations

import json
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.values import Unresolved
from policyengine.sources.live.collectors.detection import NO_HUB, NO_MACIE
from policyengine.sources.live.context import Context
from policyengine.sources.live.quotas import quotas_step
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_SESSION: Final = "SSM-SessionManagerRunShell"
"""https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html"""
_PREFERENCES: Final = {
    "cloudWatchLogGroupName": "CloudWatchLogGroupName",
    "cloudWatchEncryptionEnabled": "CloudWatchEncryptionEnabled",
    "s3BucketName": "S3BucketName",
    "s3EncryptionEnabled": "S3EncryptionEnabled",
    "kmsKeyId": "KmsKeyId",
    "idleSessionTimeout": "IdleSessionTimeout",
}
_LOGGED: Final = ("text", "image", "embedding", "video", "audio")


def _ec2(operation: str, into: str, result: str = "", **more: Any) -> Step:
    return Step(operation, result, into=into, **more)


def _hub(context: Context, _item: Json) -> Json:
    try:
        context.call("securityhub", "DescribeHub")
    except CallFailure as failure:
        if not failure.is_one_of(NO_HUB):
            raise
        return {"SecurityHubEnabled": False}
    return {"SecurityHubEnabled": True}


def _inspector(result: list[Json], _item: Json) -> Json | None:
    """The answer for no account ids is that of the caller's."""
    if not result:
        return None
    states = result[0].get("resourceState") or {}
    return {name: state.get("status") for name, state in states.items()}


def _preferences(result: Json, _item: Json) -> Json | Unresolved:
    """Settings that are not used are empty texts."""
    try:
        inputs = json.loads(result["Content"])["inputs"]
    except (ValueError, KeyError, TypeError):
        return Unresolved("read_error", f"ssm:GetDocument: {_SESSION} has no inputs")
    return {
        canonical: inputs[name]
        for name, canonical in _PREFERENCES.items()
        if inputs.get(name) not in (None, "")
    }


def _bedrock_logging(result: Json, _item: Json) -> Json:
    logs, bucket = result.get("cloudWatchConfig") or {}, result.get("s3Config") or {}
    large = logs.get("largeDataDeliveryS3Config") or {}
    return {
        "CloudWatchLogGroupName": logs.get("logGroupName"),
        "LargeDataDeliveryS3BucketName": large.get("bucketName"),
        "S3BucketName": bucket.get("bucketName"),
        **{
            f"{kind.title()}DataDeliveryEnabled": result.get(f"{kind}DataDeliveryEnabled") for kind in _LOGGED
        },
    }


def _setting(property: str, setting: str, shape: Any, **more: Any) -> Step:
    return Step(
        "GetServiceSetting",
        "ServiceSetting",
        {"SettingId": setting},
        gives=(property,),
        service="ssm",
        shape=lambda result, _item: {property: shape(result.get("SettingValue"))},
        **more,
    )


def _role(value: str | None) -> str | None:
    return None if value in (None, "", "$None") else value


COLLECTORS = (
    Collector(
        "PolicyEngine::Account::Region",
        "ec2",
        Step(""),
        id="{region}",
        rename={"region": "RegionName"},
        gives=("RegionName",),
        tags="",
        details=(
            quotas_step(),
            _ec2("GetEbsEncryptionByDefault", "EbsEncryptionByDefault", "EbsEncryptionByDefault"),
            _ec2("GetEbsDefaultKmsKeyId", "EbsDefaultKmsKeyId", "KmsKeyId"),
            _ec2("GetSnapshotBlockPublicAccessState", "SnapshotBlockPublicAccess"),
            _ec2(
                "GetImageBlockPublicAccessState",
                "ImageBlockPublicAccess",
                rename={"ImageBlockPublicAccessState": "State"},
            ),
            _ec2("GetInstanceMetadataDefaults", "InstanceMetadataDefaults", "AccountLevel"),
            _ec2("GetSerialConsoleAccessStatus", "SerialConsoleAccessEnabled", "SerialConsoleAccessEnabled"),
            Step("DescribeHub", gives=("SecurityHubEnabled",), service="securityhub", ask=_hub),
            Step(
                "BatchGetAccountStatus",
                "accounts",
                into="InspectorStatus",
                service="inspector2",
                shape=_inspector,
            ),
            Step("GetMacieSession", "status", into="MacieStatus", service="macie2", none=NO_MACIE),
            Step(
                "GetAutomatedDiscoveryConfiguration",
                "status",
                into="MacieAutomatedDiscoveryStatus",
                service="macie2",
                none=NO_MACIE,
            ),
            Step(
                "GetDocument",
                "",
                {"Name": _SESSION, "DocumentFormat": "JSON"},
                into="SsmSessionPreferences",
                service="ssm",
                none=("InvalidDocument",),
                shape=_preferences,
            ),
            _setting(
                "SsmDocumentPublicSharingDisabled",
                "/ssm/documents/console/public-sharing-permission",
                lambda value: value == "Disable",
            ),
            _setting(
                "DefaultHostManagementRole",
                "/ssm/managed-instance/default-ec2-instance-management-role",
                _role,
                only_named=True,
            ),
            Step("DescribeRegionSettings", "", into="BackupRegionSettings", service="backup"),
            Step(
                "GetModelInvocationLoggingConfiguration",
                "loggingConfig",
                into="BedrockModelInvocationLogging",
                service="bedrock",
                shape=_bedrock_logging,
            ),
            Step(
                "GetAccountSettings",
                "AccountLimit.ConcurrentExecutions",
                into="LambdaConcurrencyLimit",
                service="lambda",
                only_named=True,
            ),
            Step(
                "GetBlockPublicAccessConfiguration",
                "BlockPublicAccessConfiguration",
                into="EmrBlockPublicAccess",
                service="emr",
            ),
            Step(
                "GetAccount",
                "cloudwatchRoleArn",
                into="ApiGatewayCloudwatchRoleArn",
                service="apigateway",
                only_named=True,
            ),
            Step(
                "GetResourcePolicy",
                "PolicyInJson",
                into="GlueResourcePolicy",
                service="glue",
                none=("EntityNotFoundException",),
            ),
        ),
    ),
)
