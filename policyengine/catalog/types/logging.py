"""CloudWatch, CloudTrail and Config."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    BUCKET,
    LOG_GROUP,
    TOPIC,
    cfn,
    depends,
    doc,
    extra,
    is_,
    kms_key,
    of,
    to,
)

_TRAIL = doc("awscloudtrail/latest/APIReference/API_CreateTrail")
_SELECTOR = doc("awscloudtrail/latest/APIReference/API_EventSelector")
_RECORDING = doc("config/latest/APIReference/API_RecordingGroup")
_ALARM = cfn("resource-cloudwatch-alarm")
_STORE = doc("awscloudtrail/latest/APIReference/API_CreateEventDataStore")

TYPES = (
    TypeSpec(
        LOG_GROUP,
        names=("LogGroupName", "Arn"),
        defaults=(
            is_("LogGroupClass", "STANDARD", cfn("resource-logs-loggroup")),
            is_("DeletionProtectionEnabled", False, cfn("resource-logs-loggroup")),
        ),
        relations=(
            of("metric_filters", "AWS::Logs::MetricFilter", "LogGroupName"),
            of("subscription_filters", "AWS::Logs::SubscriptionFilter", "LogGroupName"),
            kms_key(),
        ),
        extra=extra(CreationTime="string", StoredBytes="integer"),
    ),
    TypeSpec(
        "AWS::Logs::MetricFilter",
        names=("FilterName",),
        relations=(
            to("log_group", LOG_GROUP, "LogGroupName", one=True),
            of("trails", "AWS::CloudTrail::Trail", "CloudWatchLogsLogGroupArn"),
            to("alarms", "AWS::CloudWatch::Alarm", "MetricTransformations.MetricName", key="MetricName"),
        ),
    ),
    TypeSpec("AWS::Logs::SubscriptionFilter", names=("FilterName",)),
    TypeSpec("AWS::Logs::DeliverySource", names=("Name", "Arn")),
    TypeSpec(
        "AWS::CloudWatch::Alarm",
        names=("AlarmName", "Arn"),
        defaults=(
            is_("ActionsEnabled", True, _ALARM),
            is_("TreatMissingData", "missing", _ALARM),
        ),
        relations=(
            to("topics", TOPIC, "AlarmActions"),
            to(
                "metric_filters",
                "AWS::Logs::MetricFilter",
                "MetricName",
                key="MetricTransformations.MetricName",
            ),
        ),
        extra=extra(StateValue="string"),
    ),
    TypeSpec(
        "AWS::CloudWatch::CompositeAlarm",
        names=("AlarmName", "Arn"),
        defaults=(is_("ActionsEnabled", True, cfn("resource-cloudwatch-compositealarm")),),
        relations=(to("topics", TOPIC, "AlarmActions"),),
        extra=extra(StateValue="string"),
    ),
    TypeSpec(
        "AWS::CloudTrail::Trail",
        names=("TrailName", "Arn"),
        defaults=(
            is_("EnableLogFileValidation", False, _TRAIL),
            is_("IsMultiRegionTrail", False, _TRAIL),
            is_("IsOrganizationTrail", False, _TRAIL),
            is_("EventSelectors.IncludeManagementEvents", True, _SELECTOR),
            is_("EventSelectors.ReadWriteType", "All", _SELECTOR),
            depends(
                "IncludeGlobalServiceEvents",
                _TRAIL,
                "the API reference names no default; the console sets true",
            ),
        ),
        relations=(
            to("bucket", BUCKET, "S3BucketName", one=True, scope="organization"),
            to("log_group", LOG_GROUP, "CloudWatchLogsLogGroupArn", one=True),
            to("topic", TOPIC, "SnsTopicName", one=True),
            kms_key("KMSKeyId"),
        ),
        extra=extra(HomeRegion="string", LatestDeliveryTime="string", LatestDeliveryError="string"),
    ),
    TypeSpec(
        "AWS::CloudTrail::EventDataStore",
        names=("EventDataStoreArn", "Name"),
        defaults=(
            is_("IngestionEnabled", True, _STORE),
            is_("BillingMode", "EXTENDABLE_RETENTION_PRICING", _STORE),
        ),
        relations=(kms_key(),),
    ),
    TypeSpec(
        "AWS::Config::ConfigurationRecorder",
        names=("Name",),
        defaults=(
            is_("RecordingGroup", {"AllSupported": True, "IncludeGlobalResourceTypes": False}, _RECORDING),
        ),
        extra=(
            ("Status.Recording", "boolean"),
            ("Status.LastStatus", "string"),
            ("Status.LastErrorCode", "string"),
        ),
        relations=(to("role", "AWS::IAM::Role", "RoleARN", one=True, scope="account"),),
    ),
    TypeSpec(
        "AWS::Config::DeliveryChannel",
        names=("Name",),
        relations=(
            to("bucket", BUCKET, "S3BucketName", one=True, scope="organization"),
            to("topic", TOPIC, "SnsTopicARN", one=True),
        ),
        extra=(("Status.LastStatus", "string"),),
    ),
    TypeSpec("AWS::Config::ConfigurationAggregator", names=("ConfigurationAggregatorName",)),
    TypeSpec("AWS::Config::ConfigRule", names=("ConfigRuleName", "Arn")),
)
