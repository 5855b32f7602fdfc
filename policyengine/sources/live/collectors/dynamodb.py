"""DynamoDB, its cache DAX, and Timestream."""

from __future__ import annotations

from typing import Any

from policyengine.sources.live.collectors.common import backup_protection
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_ARN = "arn:{partition}:dynamodb:{region}:{account}:table/{value}"
_TABLE = {"TableName": "{value}"}
_GONE = ("ResourceNotFoundException",)


def _table(item: Json) -> Json:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html"""
    key, stream = item.get("SSEDescription"), item.get("StreamSpecification") or {}
    streams = bool(stream.get("StreamEnabled"))
    return {
        **item,
        "TableName": item["value"],
        "BillingMode": (item.get("BillingModeSummary") or {}).get("BillingMode"),
        "SSESpecification": _encryption(key) if key else None,
        "StreamArn": item.get("LatestStreamArn") if streams else None,
        "StreamSpecification": {"StreamViewType": stream.get("StreamViewType")} if streams else None,
        "TableClass": (item.get("TableClassSummary") or {}).get("TableClass"),
    }


def _encryption(description: Json) -> Json:
    """There is a description only where the key is not DynamoDB's own.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SSEDescription.html
    """
    return {
        "SSEEnabled": description.get("Status") in ("ENABLED", "ENABLING", "UPDATING"),
        "SSEType": description.get("SSEType"),
        "KMSMasterKeyId": description.get("KMSMasterKeyArn"),
    }


def _recovery(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PointInTimeRecoveryDescription.html"""
    on = result.get("PointInTimeRecoveryStatus") == "ENABLED"
    return {
        "PointInTimeRecoveryEnabled": on,
        "RecoveryPeriodInDays": result.get("RecoveryPeriodInDays") if on else None,
    }


def _time_to_live(result: Json, _item: Json) -> Json | None:
    on = result.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return {"Enabled": True, "AttributeName": result.get("AttributeName")} if on else None


def _stream_policy(context: Context, item: Json) -> Json:
    """A stream has a policy of its own."""
    if not (item.get("StreamSpecification") or {}).get("StreamEnabled") or not item.get("LatestStreamArn"):
        return {}
    return context.call("dynamodb", "GetResourcePolicy", {"ResourceArn": item["LatestStreamArn"]})


def _policy(result: Json, _item: Json) -> Json | None:
    return {"PolicyDocument": result["Policy"]} if result.get("Policy") else None


def _scaling(results: list[Json], _item: Json) -> Json:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalableTarget.html"""
    scaled = {target.get("ScalableDimension") for target in results}
    return {f"{kind}Capacity": f"dynamodb:table:{kind}CapacityUnits" in scaled for kind in ("Read", "Write")}


def _dax(item: Json) -> Json:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_dax_Cluster.html"""
    key = item.get("SSEDescription")
    return {
        **item,
        "AvailabilityZones": [
            n["AvailabilityZone"] for n in item.get("Nodes") or [] if "AvailabilityZone" in n
        ],
        "ClusterDiscoveryEndpoint": None,
        "ClusterDiscoveryEndpointURL": (item.get("ClusterDiscoveryEndpoint") or {}).get("URL"),
        "Id": item.get("ClusterName"),
        "NotificationTopicARN": (item.get("NotificationConfiguration") or {}).get("TopicArn"),
        "ParameterGroupName": (item.get("ParameterGroup") or {}).get("ParameterGroupName"),
        "ReplicationFactor": item.get("TotalNodes"),
        "SSESpecification": {"SSEEnabled": key.get("Status") in ("ENABLED", "ENABLING")} if key else None,
        "SecurityGroupIds": [g["SecurityGroupIdentifier"] for g in item.get("SecurityGroups") or []],
        "SubnetGroupName": item.get("SubnetGroup"),
    }


COLLECTORS = (
    Collector(
        "AWS::DynamoDB::Table",
        "dynamodb",
        Step("ListTables", "TableNames"),
        describe=Step("DescribeTable", "Table", _TABLE, gone=_GONE),
        id="{value}",
        arn=_ARN,
        tags="",
        shape=_table,
        gives=("BillingMode", "SSESpecification", "StreamArn", "StreamSpecification", "TableClass", "TableName"),
        details=(
            Step(
                "DescribeContinuousBackups",
                "ContinuousBackupsDescription.PointInTimeRecoveryDescription",
                _TABLE,
                into="PointInTimeRecoverySpecification",
                gone=("TableNotFoundException",),
                shape=_recovery,
            ),
            Step(
                "GetResourcePolicy",
                "",
                {"ResourceArn": _ARN},
                into="ResourcePolicy",
                none=("PolicyNotFoundException",),
                gone=_GONE,
                shape=_policy,
            ),
            Step(
                "GetResourcePolicy",
                "",
                {"ResourceArn": "{LatestStreamArn}"},
                into="StreamSpecification.ResourcePolicy",
                none=("PolicyNotFoundException",),
                shape=_policy,
                ask=_stream_policy,
            ),
            Step("ListTagsOfResource", "Tags", {"ResourceArn": _ARN}, gives=("tags",), gone=_GONE, paged=True),
            Step(
                "DescribeScalableTargets",
                "ScalableTargets",
                {"ServiceNamespace": "dynamodb"},
                into="AutoScaling",
                service="application-autoscaling",
                once="table/{value}",
                key="ResourceId",
                shape=_scaling,
            ),
            Step(
                "DescribeTimeToLive",
                "TimeToLiveDescription",
                _TABLE,
                into="TimeToLiveSpecification",
                gone=_GONE,
                shape=_time_to_live,
                only_named=True,
            ),
            backup_protection(_ARN),
        ),
    ),
    Collector(
        "AWS::DAX::Cluster",
        "dax",
        Step("DescribeClusters", "Clusters"),
        id="{ClusterName}",
        arn="{ClusterArn}",
        tags="",
        shape=_dax,
        gives=(
            "AvailabilityZones", "ClusterDiscoveryEndpointURL", "Id", "NotificationTopicARN", "ParameterGroupName",
            "ReplicationFactor", "SSESpecification", "SecurityGroupIds", "SubnetGroupName",
        ),
        details=(
            Step(
                "ListTags",
                "Tags",
                {"ResourceName": "{ClusterArn}"},
                gives=("tags",),
                gone=("ClusterNotFoundFault",),
                paged=True,
            ),
        ),
    ),
    Collector(
        "AWS::Timestream::Database",
        "timestream-write",
        # the client asks for its endpoint first
        Step("ListDatabases", "Databases", calls=("timestream-write:DescribeEndpoints",)),
        id="{DatabaseName}",
        arn="{Arn}",
        tags="",
        # closed to new customers: https://docs.aws.amazon.com/timestream/latest/developerguide/AmazonTimestreamForLiveAnalytics-availability-change.html
        skips=("AccessDeniedException: Only existing Timestream",),
        details=(
            Step(
                "ListTagsForResource",
                "Tags",
                {"ResourceARN": "{Arn}"},
                gives=("tags",),
                gone=("ResourceNotFoundException",),
            ),
        ),
    ),
)  # fmt: skip
