"""CloudWatch: log groups and what hangs on them, alarms; X-Ray and observability across accounts."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.collectors.common import moment
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Parent, Step

Json = dict[str, Any]
_GROUP: Final = "AWS::Logs::LogGroup"
_GROUP_ARN: Final = "arn:{partition}:logs:{region}:{account}:log-group:{logGroupName}"
_GONE: Final = ("ResourceNotFoundException",)


def _group(item: Json) -> Json:
    """The canonical ARN is the one that ends in ``:*``, as ``Fn::GetAtt`` gives it."""
    made = item.get("creationTime")
    return {**item, "creationTime": moment(made / 1000) if made is not None else None}


def _group_policy(found: list[Json], _item: Json) -> Any:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeResourcePolicies.html"""
    return found[0].get("policyDocument") if found else None


def _protection(context: Context, item: Json) -> Json:
    """The listing says whether there ever was one."""
    if not item.get("dataProtectionStatus"):
        return {}
    return context.call("logs", "GetDataProtectionPolicy", {"logGroupIdentifier": item["logGroupName"]})


def _filter(item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html"""
    return {
        **item,
        "metricTransformations": [
            {
                **each,
                "dimensions": [{"Key": k, "Value": v} for k, v in (each.get("dimensions") or {}).items()]
                or None,
            }
            for each in item.get("metricTransformations") or []
        ],
    }


def _source(item: Json) -> Json:
    return {**item, "ResourceArn": next(iter(item.get("resourceArns") or ()), None)}


def _alarms(type: str, kind: str) -> Collector:
    return Collector(
        type,
        "cloudwatch",
        Step("DescribeAlarms", f"{kind}s", {"AlarmTypes": [kind], "MaxRecords": 100}),
        id="{AlarmName}",
        arn="{AlarmArn}",
        tags="",
        details=(
            Step("ListTagsForResource", "Tags", {"ResourceARN": "{AlarmArn}"}, gives=("tags",), gone=_GONE),
        ),
    )


COLLECTORS = (
    Collector(
        _GROUP,
        "logs",
        Step("DescribeLogGroups", "logGroups"),
        id="{logGroupName}",
        arn=_GROUP_ARN,
        tags="",
        shape=_group,
        details=(
            Step(
                "ListTagsForResource",
                "tags",
                {"resourceArn": _GROUP_ARN},
                gives=("tags",),
                gone=_GONE,
            ),
            Step(
                "DescribeResourcePolicies",
                "resourcePolicies",
                {"resourceArn": _GROUP_ARN, "policyScope": "RESOURCE"},
                into="ResourcePolicyDocument",
                shape=_group_policy,
                paged=True,
            ),
            Step(
                "GetDataProtectionPolicy",
                "policyDocument",
                into="DataProtectionPolicy",
                gone=_GONE,
                ask=_protection,
                only_named=True,
            ),
        ),
    ),
    Collector(
        "AWS::Logs::MetricFilter",
        "logs",
        Step("DescribeMetricFilters", "metricFilters"),
        id="{logGroupName}|{filterName}",
        tags="",
        shape=_filter,
    ),
    Collector(
        "AWS::Logs::SubscriptionFilter",
        "logs",
        Step("DescribeSubscriptionFilters", "subscriptionFilters", gone=_GONE),
        id="{logGroupName}|{filterName}",
        tags="",
        parent=Parent(_GROUP, {"logGroupName": "{logGroupName}"}),
    ),
    Collector(
        "AWS::Logs::ResourcePolicy",
        "logs",
        Step("DescribeResourcePolicies", "resourcePolicies"),
        id="{policyName}",
        tags="",
    ),
    Collector(
        "AWS::Logs::Destination",
        "logs",
        Step("DescribeDestinations", "destinations", rename={"accessPolicy": "DestinationPolicy"}),
        id="{destinationName}",
        arn="{arn}",
        tags="",
        details=(Step("ListTagsForResource", "tags", {"resourceArn": "{arn}"}, gives=("tags",), gone=_GONE),),
    ),
    Collector(
        "AWS::Logs::DeliverySource",
        "logs",
        Step("DescribeDeliverySources", "deliverySources"),
        id="{name}",
        arn="{arn}",
        tags="tags",
        shape=_source,
        gives=("ResourceArn",),
    ),
    _alarms("AWS::CloudWatch::Alarm", "MetricAlarm"),
    _alarms("AWS::CloudWatch::CompositeAlarm", "CompositeAlarm"),
    Collector(
        "AWS::XRay::ResourcePolicy",
        "xray",
        Step("ListResourcePolicies", "ResourcePolicies"),
        id="{PolicyName}",
        tags="",
    ),
    Collector(
        "AWS::Oam::Sink",
        "oam",
        Step("ListSinks", "Items"),
        id="{Arn}",
        arn="{Arn}",
        tags="",
        details=(
            Step("GetSinkPolicy", "Policy", {"SinkIdentifier": "{Arn}"}, into="Policy", none=_GONE),
            Step("ListTagsForResource", "Tags", {"ResourceArn": "{Arn}"}, gives=("tags",), gone=_GONE),
        ),
    ),
)
