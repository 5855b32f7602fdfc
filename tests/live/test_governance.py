"""Trails, recorders and the services that watch."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from policyengine.aws.failures import CallFailure
from tests.live.conftest import MOTO_ACCOUNT, failure

DAY = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TRAIL, STORE = "AWS::CloudTrail::Trail", "AWS::CloudTrail::EventDataStore"
OWN = f"arn:aws:cloudtrail:us-east-1:{MOTO_ACCOUNT}:trail/own"
SHARED = "arn:aws:cloudtrail:us-east-1:111122223333:trail/all"
TRAILS: dict[str, Any] = {
    "cloudtrail:DescribeTrails": {
        "trailList": [
            {"Name": "own", "TrailARN": OWN, "HomeRegion": "us-east-1", "IsMultiRegionTrail": True,
             "LogFileValidationEnabled": True, "KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/1",
             "S3BucketName": "logs", "HasInsightSelectors": False},
            {"Name": "all", "TrailARN": SHARED, "HomeRegion": "us-east-1", "IsOrganizationTrail": True},
            {"Name": "far", "TrailARN": OWN.replace("us-east-1", "eu-west-1"), "HomeRegion": "eu-west-1",
             "IsMultiRegionTrail": True},
        ]
    },
    "cloudtrail:GetTrailStatus": {"IsLogging": True, "LatestDeliveryTime": DAY},
    "cloudtrail:GetEventSelectors": {
        "TrailARN": OWN, "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]
    },
    "cloudtrail:GetInsightSelectors": failure("cloudtrail:GetInsightSelectors", "InsightNotEnabledException"),
    "cloudtrail:ListTags": {"ResourceTagList": [{"ResourceId": OWN, "TagsList": [{"Key": "a", "Value": "b"}]}]},
}  # fmt: skip


def test_trails_once_an_account(canned: Callable[..., Any], collect: Any) -> None:
    own, shared = collect(canned(TRAILS), TRAIL)
    assert (own.id, own.arn, own.tags) == ("own", OWN, {"a": "b"})
    assert own.properties["TrailName"] == "own"
    assert own.properties["EnableLogFileValidation"] is True
    assert own.properties["KMSKeyId"] == "arn:aws:kms:us-east-1:123456789012:key/1"
    assert (own.properties["IsLogging"], own.properties["LatestDeliveryTime"]) == (
        True,
        "2026-03-04T05:06:07Z",
    )
    assert own.properties["AdvancedEventSelectors"] == [
        {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}
    ]
    assert "InsightSelectors" not in own.properties
    assert shared.id == "all"
    assert shared.tags.reason == "not_collected"  # the management account's
    assert not collect.last.failures


def test_a_trail_that_may_not_be_looked_at(canned: Callable[..., Any], collect: Any) -> None:
    denied = failure("cloudtrail:GetTrailStatus", "AccessDeniedException")
    own = collect(canned({**TRAILS, "cloudtrail:GetTrailStatus": denied}), TRAIL)[0]
    assert own.properties["IsLogging"].reason == "access_denied"


def test_event_data_stores_and_their_policies(canned: Callable[..., Any], collect: Any) -> None:
    arn = f"arn:aws:cloudtrail:us-east-1:{MOTO_ACCOUNT}:eventdatastore/12345678"
    policy = {"Version": "2012-10-17", "Statement": []}
    account = canned(
        {
            "cloudtrail:ListEventDataStores": {
                "EventDataStores": [{"EventDataStoreArn": arn, "Name": "lake"}]
            },
            "cloudtrail:GetEventDataStore": {
                "EventDataStoreArn": arn,
                "Name": "lake",
                "Status": "STOPPED_INGESTION",
            },
            "cloudtrail:ListTags": {"ResourceTagList": [{"ResourceId": arn, "TagsList": []}]},
            "cloudtrail:ListChannels": {"Channels": []},
            "cloudtrail:ListDashboards": {"Dashboards": [{"DashboardArn": arn, "Type": "MANAGED"}]},
            "cloudtrail:GetResourcePolicy": {"ResourceArn": arn, "ResourcePolicy": json.dumps(policy)},
        }
    )
    (store,) = collect(account, STORE)
    assert store.properties["IngestionEnabled"] is False
    assert "KmsKeyId" not in store.properties
    (held,) = collect(account, "AWS::CloudTrail::ResourcePolicy")
    assert (held.id, held.properties["ResourcePolicy"]) == (arn, policy)
    none = failure("cloudtrail:GetResourcePolicy", "ResourcePolicyNotFoundException", "read_error")
    account.answers = {**account.answers, "cloudtrail:GetResourcePolicy": none}
    assert collect(account, "AWS::CloudTrail::ResourcePolicy") == []
    assert collect.last.whole == ("AWS::CloudTrail::ResourcePolicy",)


def test_config(canned: Callable[..., Any], collect: Any) -> None:
    account = canned(
        {
            "config:DescribeConfigurationRecorders": {
                "ConfigurationRecorders": [
                    {"name": "default", "roleARN": "arn:aws:iam::123456789012:role/config",
                     "recordingGroup": {"allSupported": False, "includeGlobalResourceTypes": False,
                                        "exclusionByResourceTypes": {"resourceTypes": ["AWS::EC2::VPC"]},
                                        "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"}}}
                ]
            },
            "config:DescribeConfigurationRecorderStatus": {
                "ConfigurationRecordersStatus": [{"name": "default", "recording": True, "lastStatus": "Success"}]
            },
            "config:DescribeDeliveryChannels": {"DeliveryChannels": [{"name": "default", "s3BucketName": "logs"}]},
            "config:DescribeDeliveryChannelStatus": {
                "DeliveryChannelsStatus": [{"name": "default", "configHistoryDeliveryInfo": {"lastStatus": "Failure"}}]
            },
            "config:DescribeConfigurationAggregators": {
                "ConfigurationAggregators": [
                    {"ConfigurationAggregatorName": "all", "ConfigurationAggregatorArn": "arn:aws:config:x:1:y/z",
                     "OrganizationAggregationSource": {"RoleArn": "arn:aws:iam::1:role/r", "AllAwsRegions": True}}
                ]
            },
            "config:ListTagsForResource": {"Tags": []},
            "config:DescribeConfigRules": {
                "ConfigRules": [
                    {"ConfigRuleName": "mfa", "ConfigRuleArn": "arn:aws:config:x:1:config-rule/c",
                     "InputParameters": '{"days": "90"}', "Source": {"Owner": "AWS", "SourceIdentifier": "MFA"}}
                ]
            },
        }
    )  # fmt: skip
    (recorder,) = collect(account, "AWS::Config::ConfigurationRecorder")
    assert recorder.properties["RoleARN"] == "arn:aws:iam::123456789012:role/config"
    assert recorder.properties["RecordingGroup"]["ExclusionByResourceTypes"] == {
        "ResourceTypes": ["AWS::EC2::VPC"]
    }
    assert recorder.properties["RecordingGroup"]["RecordingStrategy"] == {
        "UseOnly": "EXCLUSION_BY_RESOURCE_TYPES"
    }
    assert recorder.properties["Status"] == {"Recording": True, "LastStatus": "Success"}
    (channel,) = collect(account, "AWS::Config::DeliveryChannel")
    assert (channel.properties["S3BucketName"], channel.properties["Status"]) == (
        "logs",
        {"LastStatus": "Failure"},
    )
    (aggregator,) = collect(account, "AWS::Config::ConfigurationAggregator")
    assert aggregator.properties["OrganizationAggregationSource"]["AllAwsRegions"] is True
    (rule,) = collect(account, "AWS::Config::ConfigRule")
    assert rule.properties["InputParameters"] == {"days": "90"}
    assert rule.properties["Source"] == {"Owner": "AWS", "SourceIdentifier": "MFA"}


def test_guardduty(canned: Callable[..., Any], collect: Any) -> None:
    detector = {
        "Status": "ENABLED", "FindingPublishingFrequency": "SIX_HOURS", "Tags": {"a": "b"},
        "Features": [{"Name": "CLOUD_TRAIL", "Status": "ENABLED"}, {"Name": "S3_DATA_EVENTS", "Status": "DISABLED"},
                     {"Name": "RUNTIME_MONITORING", "Status": "ENABLED",
                      "AdditionalConfiguration": [{"Name": "EKS_ADDON_MANAGEMENT", "Status": "ENABLED"}]}],
    }  # fmt: skip
    account = canned(
        {"guardduty:ListDetectors": {"DetectorIds": ["12abc"]}, "guardduty:GetDetector": detector}
    )
    (found,) = collect(account, "AWS::GuardDuty::Detector")
    assert (found.id, found.tags) == ("12abc", {"a": "b"})
    assert found.arn == f"arn:aws:guardduty:us-east-1:{MOTO_ACCOUNT}:detector/12abc"
    assert found.properties["Enable"] is True
    assert found.properties["FeatureStatus"] == {
        "S3_DATA_EVENTS": "DISABLED",
        "RUNTIME_MONITORING": "ENABLED",
    }
    assert [f["Name"] for f in found.properties["Features"]] == ["S3_DATA_EVENTS", "RUNTIME_MONITORING"]


def test_services_that_are_off_have_nothing(canned: Callable[..., Any], collect: Any) -> None:
    hub = CallFailure(
        "securityhub:DescribeHub", "access_denied", "InvalidAccessException",
        "Account 123456789012 is not subscribed to AWS Security Hub", MOTO_ACCOUNT, "us-east-1",
    )  # fmt: skip
    macie = CallFailure(
        "macie2:GetMacieSession", "access_denied", "AccessDeniedException", "Macie is not enabled", "", ""
    )
    account = canned(
        {
            "securityhub:DescribeHub": hub,
            "securityhub:GetEnabledStandards": hub,
            "macie2:GetMacieSession": macie,
            "shield:ListProtections": failure(
                "shield:ListProtections", "ResourceNotFoundException", "read_error"
            ),
        }
    )
    for type in (
        "AWS::SecurityHub::Hub",
        "AWS::SecurityHub::Standard",
        "AWS::Macie::Session",
        "AWS::Shield::Protection",
    ):
        assert collect(account, type) == []
        assert collect.last.whole == (type,)
    denied = failure("macie2:GetMacieSession", "AccessDeniedException")
    assert collect(canned({"macie2:GetMacieSession": denied}), "AWS::Macie::Session") == []
    assert collect.last.whole == ()


def test_services_that_are_on(canned: Callable[..., Any], collect: Any) -> None:
    arn = f"arn:aws:securityhub:us-east-1:{MOTO_ACCOUNT}:hub/default"
    standard = "arn:aws:securityhub:us-east-1::standards/aws-foundational-security-best-practices/v/1.0.0"
    account = canned(
        {
            "securityhub:DescribeHub": {"HubArn": arn, "AutoEnableControls": True},
            "securityhub:ListTagsForResource": {"Tags": {"a": "b"}},
            "securityhub:GetEnabledStandards": {
                "StandardsSubscriptions": [
                    {"StandardsSubscriptionArn": arn + "/s", "StandardsArn": standard, "StandardsStatus": "READY"}
                ]
            },
            "macie2:GetMacieSession": {"status": "PAUSED", "findingPublishingFrequency": "ONE_HOUR"},
            "macie2:GetAutomatedDiscoveryConfiguration": {"status": "ENABLED"},
            "accessanalyzer:ListAnalyzers": {
                "analyzers": [
                    {"name": "unused", "arn": "arn:aws:access-analyzer:x:1:analyzer/unused", "tags": {"a": "b"},
                     "type": "ACCOUNT_UNUSED_ACCESS", "status": "ACTIVE",
                     "configuration": {"unusedAccess": {"unusedAccessAge": 90, "analysisRule": {"exclusions": [{"accountIds": ["111122223333"], "resourceTags": [{"team": "x"}]}]}}}}
                ]
            },
            "detective:ListGraphs": {"GraphList": [{"Arn": "arn:aws:detective:us-east-1:123456789012:graph:" + 32 * "0"}]},
            "detective:ListTagsForResource": {"Tags": {}},
        }
    )  # fmt: skip
    (hub,) = collect(account, "AWS::SecurityHub::Hub")
    assert (hub.id, hub.properties["ARN"], hub.tags) == (arn, arn, {"a": "b"})
    (subscribed,) = collect(account, "AWS::SecurityHub::Standard")
    assert subscribed.properties["StandardsArn"] == standard
    (session,) = collect(account, "AWS::Macie::Session")
    assert (session.id, session.properties["Status"]) == (MOTO_ACCOUNT, "PAUSED")
    assert session.properties["AutomatedDiscoveryStatus"] == "ENABLED"
    (analyzer,) = collect(account, "AWS::AccessAnalyzer::Analyzer")
    assert (analyzer.id, analyzer.tags) == ("unused", {"a": "b"})
    assert analyzer.properties["Type"] == "ACCOUNT_UNUSED_ACCESS"
    assert analyzer.properties["AnalyzerConfiguration"] == {
        "UnusedAccessConfiguration": {
            "UnusedAccessAge": 90,
            "AnalysisRule": {
                "Exclusions": [
                    {"AccountIds": ["111122223333"], "ResourceTags": [[{"Key": "team", "Value": "x"}]]}
                ]
            },
        }
    }
    assert len(collect(account, "AWS::Detective::Graph")) == 1


def test_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-north-1"
    aws("s3", region).create_bucket(
        Bucket="trail-bucket", CreateBucketConfiguration={"LocationConstraint": region}
    )
    trails = aws("cloudtrail", region)
    trails.create_trail(Name="http-trail", S3BucketName="trail-bucket", IsMultiRegionTrail=True)
    trails.start_logging(Name="http-trail")
    (trail,) = (t for t in collect(account, TRAIL, region=region) if t.id == "http-trail")
    assert trail.properties["IsLogging"] is True
    assert not [t for t in collect(account, TRAIL, region="eu-west-2") if t.id == "http-trail"]
    aws("guardduty", region).create_detector(Enable=True)
    (detector,) = collect(account, "AWS::GuardDuty::Detector", region=region)
    assert detector.properties["Enable"] is True
