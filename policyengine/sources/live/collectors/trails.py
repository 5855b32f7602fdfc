"""What is recorded: CloudTrail and AWS Config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.spec import CodeCollector, Collector, Step

Json = dict[str, Any]
_TRAIL: Final = {"TrailName": "{TrailARN}"}
_NO_TRAIL: Final = ("TrailNotFoundException",)
_NO_STORE: Final = ("EventDataStoreNotFoundException",)
_NO_POLICY: Final = ("ResourcePolicyNotFoundException", "ResourceNotFoundException")


def _at_home(item: Json, names: Mapping[str, str]) -> bool:
    """A trail of all regions shows in each of them, one of the organisation in each account: once an account.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
    """
    return bool(item.get("HomeRegion", names["region"]) == names["region"])


def _insights(context: Context, item: Json) -> Json:
    if item.get("HasInsightSelectors") is False:
        return {}
    return context.call("cloudtrail", "GetInsightSelectors", {"TrailName": item["TrailARN"]})


def _trail_tags(context: Context, item: Json) -> Any:
    """Only the account that owns a trail may ask for its tags."""
    if item["TrailARN"].split(":")[4] != context.account.id:
        return {
            "TagsList": Unresolved("not_collected", "the organisation's trail belongs to another account")
        }
    answer = context.call("cloudtrail", "ListTags", {"ResourceIdList": [item["TrailARN"]]})
    return {"TagsList": [tag for each in answer["ResourceTagList"] for tag in each.get("TagsList") or ()]}


def _store(result: Json, _item: Json) -> Json:
    stopped = ("STOPPED_INGESTION", "STOPPING_INGESTION")
    federation = result.get("FederationStatus")
    return {
        **result,
        "IngestionEnabled": result.get("Status") not in stopped,
        "FederationEnabled": None if federation is None else federation in ("ENABLED", "ENABLING"),
    }


POLICY: Final = Collector(
    "AWS::CloudTrail::ResourcePolicy",
    "cloudtrail",
    Step("GetResourcePolicy", "", {"ResourceArn": ""}),
    id="{ResourceArn}",
    tags="",
)
_WITH_POLICIES: Final = (
    ("ListEventDataStores", "EventDataStores", "EventDataStoreArn"),
    ("ListChannels", "Channels", "ChannelArn"),
    ("ListDashboards", "Dashboards", "DashboardArn"),
)


def _policies(context: Context) -> Iterator[Resource]:
    """Yield the policies of stores, channels and dashboards."""
    arns: list[str] = []
    for operation, result, name in _WITH_POLICIES:
        try:
            pages = context.pages("cloudtrail", operation)
            arns += [
                item[name]
                for page in pages
                for item in page.get(result) or ()
                if item.get("Type") != "MANAGED"
            ]
        except CallFailure as failure:
            context.not_whole(POLICY.type, failure)
    found = (each for each in context.map(lambda arn: _policy(context, arn), arns) if each is not None)
    yield from Run(POLICY, context).of(found)


def _policy(context: Context, arn: str) -> Json | None:
    try:
        return context.call("cloudtrail", "GetResourcePolicy", {"ResourceArn": arn})
    except CallFailure as failure:
        if not failure.is_one_of(_NO_POLICY):
            context.not_whole(POLICY.type, failure)
        return None


def _config_tags(arn: str) -> Step:
    return Step(
        "ListTagsForResource",
        "Tags",
        {"ResourceArn": arn},
        gives=("tags",),
        gone=("ResourceNotFoundException",),
        paged=True,
    )


def _channel_status(found: list[Json], _item: Json) -> Json | None:
    """The history is what is delivered all the time; snapshots may be."""
    delivered = (found[0] if found else {}).get("configHistoryDeliveryInfo") or {}
    return {"LastStatus": delivered["lastStatus"]} if "lastStatus" in delivered else None


CLOUDTRAIL = (
    Collector(
        "AWS::CloudTrail::Trail",
        "cloudtrail",
        Step("DescribeTrails", "trailList", {"includeShadowTrails": True}),
        id="{Name}",
        arn="{TrailARN}",
        rename={
            "Name": "TrailName",
            "TrailARN": "Arn",
            "LogFileValidationEnabled": "EnableLogFileValidation",
        },
        keep=_at_home,
        tags="",
        details=(
            Step(
                "GetTrailStatus",
                "",
                {"Name": "{TrailARN}"},
                gives=("IsLogging", "LatestDeliveryTime", "LatestDeliveryError"),
                gone=_NO_TRAIL,
            ),
            Step(
                "GetEventSelectors",
                "",
                _TRAIL,
                gives=("EventSelectors", "AdvancedEventSelectors"),
                rename={"TrailARN": ""},
                gone=_NO_TRAIL,
            ),
            Step(
                "GetInsightSelectors",
                "InsightSelectors",
                into="InsightSelectors",
                none=("InsightNotEnabledException",),
                gone=_NO_TRAIL,
                ask=_insights,
            ),
            Step(
                "ListTags",
                "",
                gives=("tags",),
                gone=("ResourceNotFoundException",),
                ask=_trail_tags,
                shape=lambda found, _item: found["TagsList"],
            ),
        ),
    ),
    Collector(
        "AWS::CloudTrail::EventDataStore",
        "cloudtrail",
        Step("ListEventDataStores", "EventDataStores"),
        id="{EventDataStoreArn}",
        arn="{EventDataStoreArn}",
        keep=lambda item, _names: item.get("Status") != "PENDING_DELETION",
        tags="",
        describe=Step(
            "GetEventDataStore", "", {"EventDataStore": "{EventDataStoreArn}"}, gone=_NO_STORE, shape=_store
        ),
        gives=("IngestionEnabled", "FederationEnabled"),
        details=(
            Step(
                "ListTags",
                "ResourceTagList",
                {"ResourceIdList": ["{EventDataStoreArn}"]},
                gives=("tags",),
                gone=("ResourceNotFoundException",),
                shape=lambda found, _item: [tag for each in found for tag in each.get("TagsList") or ()],
                paged=True,
            ),
        ),
    ),
    CodeCollector(
        (POLICY.type,),
        "cloudtrail",
        _policies,
        tuple(f"cloudtrail:{operation}" for operation, _, _ in _WITH_POLICIES),
        parts=(POLICY,),
    ),
)

CONFIG = (
    Collector(
        "AWS::Config::ConfigurationRecorder",
        "config",
        Step("DescribeConfigurationRecorders", "ConfigurationRecorders"),
        id="{name}",
        tags="",
        details=(
            Step(
                "DescribeConfigurationRecorderStatus",
                "ConfigurationRecordersStatus",
                into="Status",
                once="{name}",
                key="name",
            ),
        ),
    ),
    Collector(
        "AWS::Config::DeliveryChannel",
        "config",
        Step("DescribeDeliveryChannels", "DeliveryChannels"),
        id="{name}",
        tags="",
        details=(
            Step(
                "DescribeDeliveryChannelStatus",
                "DeliveryChannelsStatus",
                into="Status",
                once="{name}",
                key="name",
                shape=_channel_status,
            ),
        ),
    ),
    Collector(
        "AWS::Config::ConfigurationAggregator",
        "config",
        Step("DescribeConfigurationAggregators", "ConfigurationAggregators"),
        id="{ConfigurationAggregatorName}",
        arn="{ConfigurationAggregatorArn}",
        tags="",
        details=(_config_tags("{ConfigurationAggregatorArn}"),),
    ),
    Collector(
        "AWS::Config::ConfigRule",
        "config",
        Step("DescribeConfigRules", "ConfigRules"),
        id="{ConfigRuleName}",
        arn="{ConfigRuleArn}",
        rename={"ConfigRuleArn": "Arn"},
        keep=lambda item, _names: not str(item.get("ConfigRuleState", "")).startswith("DELETING"),
        tags="",
    ),
)

COLLECTORS = (*CLOUDTRAIL, *CONFIG)
