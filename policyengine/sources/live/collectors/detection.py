"""The services that watch: GuardDuty, Security Hub, Macie, Access Analyzer, Detective, Shield."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
NO_MACIE: Final = ("AccessDeniedException: Macie is not enabled", "ResourceNotFoundException")
"""Macie refuses whoever asks while it is off; the text tells that from a denied call:
https://docs.aws.amazon.com/macie/latest/APIReference/macie.html"""
NO_HUB: Final = ("InvalidAccessException: not subscribed", "ResourceNotFoundException")
"""https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeHub.html"""


def _detector(result: Json, item: Json) -> Json:
    """Features that GuardDuty always has (flow logs, CloudTrail, DNS) cannot be set, and are no features in code:
    https://docs.aws.amazon.com/guardduty/latest/APIReference/API_DetectorFeatureConfiguration.html
    """
    features = result.get("Features") or ()
    own = [each for each in features if each["Name"] not in ("FLOW_LOGS", "CLOUD_TRAIL", "DNS_LOGS")]
    return {
        "Id": item["value"],
        "Enable": result.get("Status") == "ENABLED",
        "FindingPublishingFrequency": result.get("FindingPublishingFrequency"),
        "Features": [
            {
                "Name": each["Name"],
                "Status": each.get("Status"),
                "AdditionalConfiguration": each.get("AdditionalConfiguration"),
            }
            for each in own
        ],
        "FeatureStatus": {each["Name"]: each["Status"] for each in own if "Status" in each},
        "Tags": result.get("Tags"),
    }


def _scoped(given: Json) -> Json:
    """Tags that leave a resource out come as maps, and are lists of pairs in code."""
    rule = given.get("analysisRule")
    if rule is None or "exclusions" not in rule:
        return given
    exclusions = [
        {
            **each,
            "resourceTags": [
                [{"Key": key, "Value": value} for key, value in tags.items()]
                for tags in each.get("resourceTags") or ()
            ]
            or None,
        }
        for each in rule["exclusions"]
    ]
    return {**given, "analysisRule": {**rule, "exclusions": exclusions}}


def _analyzer_configuration(item: Json) -> Json:
    """https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_AnalyzerConfiguration.html"""
    given = item.get("configuration") or {}
    configuration = {}
    for source, target in (
        ("unusedAccess", "UnusedAccessConfiguration"),
        ("internalAccess", "InternalAccessConfiguration"),
    ):
        if source in given:
            configuration[target] = _scoped(given[source])
    return {**item, "configuration": None, "AnalyzerConfiguration": configuration or None}


COLLECTORS = (
    Collector(
        "AWS::GuardDuty::Detector",
        "guardduty",
        Step("ListDetectors", "DetectorIds"),
        id="{value}",
        arn="arn:{partition}:guardduty:{region}:{account}:detector/{value}",
        describe=Step("GetDetector", "", {"DetectorId": "{value}"}, shape=_detector),
        gives=("Id", "Enable", "FeatureStatus"),
    ),
    Collector(
        "AWS::SecurityHub::Hub",
        "securityhub",
        Step("DescribeHub"),
        id="{HubArn}",
        arn="{HubArn}",
        rename={"HubArn": "ARN"},
        skips=NO_HUB,
        tags="",
        details=(Step("ListTagsForResource", "Tags", {"ResourceArn": "{HubArn}"}, gives=("tags",)),),
    ),
    Collector(
        "AWS::SecurityHub::Standard",
        "securityhub",
        Step("GetEnabledStandards", "StandardsSubscriptions"),
        id="{StandardsSubscriptionArn}",
        arn="{StandardsSubscriptionArn}",
        keep=lambda item, _names: item.get("StandardsStatus") != "DELETING",
        skips=NO_HUB,
        tags="",
    ),
    Collector(
        "AWS::SecurityHub::FindingAggregator",
        "securityhub",
        Step("ListFindingAggregators", "FindingAggregators"),
        id="{FindingAggregatorArn}",
        arn="{FindingAggregatorArn}",
        describe=Step(
            "GetFindingAggregator",
            "",
            {"FindingAggregatorArn": "{FindingAggregatorArn}"},
            gone=("ResourceNotFoundException",),
        ),
        skips=NO_HUB,
        tags="",
    ),
    Collector(
        "AWS::Macie::Session",
        "macie2",
        Step("GetMacieSession"),
        id="{account}",
        skips=NO_MACIE,
        tags="",
        details=(
            Step(
                "GetAutomatedDiscoveryConfiguration",
                "status",
                into="AutomatedDiscoveryStatus",
                none=NO_MACIE,
            ),
        ),
    ),
    Collector(
        "AWS::AccessAnalyzer::Analyzer",
        "accessanalyzer",
        Step("ListAnalyzers", "analyzers"),
        id="{name}",
        arn="{arn}",
        rename={"name": "AnalyzerName"},
        tags="tags",
        shape=_analyzer_configuration,
        gives=("AnalyzerConfiguration",),
    ),
    Collector(
        "AWS::Detective::Graph",
        "detective",
        Step("ListGraphs", "GraphList"),
        id="{Arn}",
        arn="{Arn}",
        tags="",
        details=(Step("ListTagsForResource", "Tags", {"ResourceArn": "{Arn}"}, gives=("tags",)),),
    ),
    Collector(
        "AWS::Shield::Protection",
        "shield",
        Step("ListProtections", "Protections"),
        id="{ProtectionArn}",
        arn="{ProtectionArn}",
        rename={"Id": "ProtectionId"},
        skips=("ResourceNotFoundException",),
        tags="",
        home={"aws": "us-east-1"},
        details=(Step("ListTagsForResource", "Tags", {"ResourceARN": "{ProtectionArn}"}, gives=("tags",)),),
    ),
)
