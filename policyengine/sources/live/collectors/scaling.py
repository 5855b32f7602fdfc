"""Amazon EC2 Auto Scaling."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_PAGE: Final = {"MaxRecords": 100}


def _filled(item: Json) -> Json:
    """The API writes "" for what a launch configuration does not have."""
    return {name: value for name, value in item.items() if value != ""}


def _group(item: Json) -> Json:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html"""
    found = _filled(item)
    for name in ("MinSize", "MaxSize", "DesiredCapacity"):
        if name in item:
            found[name] = str(item[name])
    if "DefaultCooldown" in item:
        found["Cooldown"] = str(item["DefaultCooldown"])
    subnets = [each.strip() for each in (item.get("VPCZoneIdentifier") or "").split(",")]
    found.pop("VPCZoneIdentifier", None)
    if any(subnets):
        found["VPCZoneIdentifier"] = [each for each in subnets if each]
    granularities: dict[Any, list[Any]] = {}
    for metric in item.get("EnabledMetrics", ()):
        granularities.setdefault(metric.get("Granularity"), []).append(metric.get("Metric"))
    if granularities:
        found["MetricsCollection"] = [
            {"Granularity": granularity, "Metrics": metrics} for granularity, metrics in granularities.items()
        ]
    return found


def _configuration(item: Json) -> Json:
    monitoring = item.get("InstanceMonitoring") or {}
    return {**_filled(item), "InstanceMonitoring": monitoring.get("Enabled")}


def _policy(item: Json) -> Json:
    return {**item, "Cooldown": str(item["Cooldown"])} if "Cooldown" in item else item


def _notifications(found: list[Json], _item: Json) -> list[Json]:
    topics: dict[Any, list[Any]] = {}
    for each in found:
        topics.setdefault(each.get("TopicARN"), []).append(each.get("NotificationType"))
    return [{"TopicARN": topic, "NotificationTypes": types} for topic, types in topics.items()]


COLLECTORS = (
    Collector(
        "AWS::AutoScaling::AutoScalingGroup",
        "autoscaling",
        Step("DescribeAutoScalingGroups", "AutoScalingGroups", _PAGE),
        id="{AutoScalingGroupName}",
        arn="{AutoScalingGroupARN}",
        shape=_group,
        # a group that was made from an instance has a launch configuration of its own
        gives=("Cooldown", "MetricsCollection", "InstanceId"),
        details=(
            Step(
                "DescribeNotificationConfigurations",
                "NotificationConfigurations",
                into="NotificationConfigurations",
                once="{AutoScalingGroupName}",
                key="AutoScalingGroupName",
                shape=_notifications,
                only_named=True,
            ),
        ),
    ),
    Collector(
        "AWS::AutoScaling::LaunchConfiguration",
        "autoscaling",
        Step("DescribeLaunchConfigurations", "LaunchConfigurations", _PAGE),
        id="{LaunchConfigurationName}",
        arn="{LaunchConfigurationARN}",
        tags="",
        shape=_configuration,
    ),
    Collector(
        "AWS::AutoScaling::ScalingPolicy",
        "autoscaling",
        Step("DescribePolicies", "ScalingPolicies", _PAGE),
        id="{PolicyARN}",
        arn="{PolicyARN}",
        tags="",
        rename={"PolicyARN": "Arn"},
        shape=_policy,
    ),
)
