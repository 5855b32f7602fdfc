"""Neptune and DocumentDB, which share the API of RDS: one listing serves all three, and gives tags too.

https://docs.aws.amazon.com/documentdb/latest/developerguide/api.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.sources.live.collectors import rds_shapes as shapes
from policyengine.sources.live.collectors.common import backup_protection
from policyengine.sources.live.collectors.rds import parameters, restore, tags_by_arn
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_MADE = ("SnapshotIdentifier", "SourceDBClusterIdentifier")


def _neptune(item: Json) -> Json:
    """https://docs.aws.amazon.com/neptune/latest/apiref/API_DBCluster.html"""
    port = item.get("Port")
    return {
        **shapes.any_cluster(item),
        "ClusterResourceId": item.get("DbClusterResourceId"),
        "DBPort": port,
        "IamAuthEnabled": item.get("IAMDatabaseAuthenticationEnabled"),
        "Port": None if port is None else str(port),
        "ReadEndpoint": item.get("ReaderEndpoint"),
        "ServerlessScalingConfiguration": item.get("ServerlessV2ScalingConfiguration"),
    }


def _docdb(item: Json) -> Json:
    """https://docs.aws.amazon.com/documentdb/latest/developerguide/API_DBCluster.html"""
    secret = item.get("MasterUserSecret") or {}
    return {
        **shapes.any_cluster(item),
        "ClusterResourceId": item.get("DbClusterResourceId"),
        "Id": item.get("DBClusterIdentifier"),
        "ManageMasterUserPassword": bool(secret),
        "MasterUserSecretKmsKeyId": secret.get("KmsKeyId"),
        "ReadEndpoint": item.get("ReaderEndpoint"),
    }


def _snapshots(type: str, engine: str) -> Collector:
    return Collector(
        type,
        "rds",
        Step("DescribeDBClusterSnapshots", "DBClusterSnapshots"),
        id="{DBClusterSnapshotIdentifier}",
        arn="{DBClusterSnapshotArn}",
        tags="TagList",
        keep=shapes.engine_is(engine),
        details=(restore("DBClusterSnapshot"),),
    )


def _parameter_groups(type: str, family: str) -> Collector:
    return Collector(
        type,
        "rds",
        Step(
            "DescribeDBClusterParameterGroups",
            "DBClusterParameterGroups",
            rename={"DBParameterGroupFamily": "Family", "DBClusterParameterGroupName": "Name"},
        ),
        id="{DBClusterParameterGroupName}",
        arn="{DBClusterParameterGroupArn}",
        tags="",
        keep=shapes.group_of(family),
        details=(
            parameters("DescribeDBClusterParameters", "DBClusterParameterGroupName"),
            tags_by_arn("{DBClusterParameterGroupArn}"),
        ),
    )


def _global(item: Json, names: Mapping[str, str]) -> bool:
    return item.get("Engine") == "docdb" and shapes.writer_here(item, names)


COLLECTORS = (
    Collector(
        "AWS::Neptune::DBCluster",
        "rds",
        Step("DescribeDBClusters", "DBClusters"),
        id="{DBClusterIdentifier}",
        arn="{DBClusterArn}",
        tags="TagList",
        keep=shapes.engine_is("neptune"),
        shape=_neptune,
        gives=(
            *shapes.CLUSTER_GIVES,
            "ClusterResourceId",
            "DBPort",
            "IamAuthEnabled",
            "ServerlessScalingConfiguration",
        ),
        unknown=_MADE,
        details=(backup_protection("{DBClusterArn}"),),
    ),
    Collector(
        "AWS::Neptune::DBInstance",
        "rds",
        Step("DescribeDBInstances", "DBInstances"),
        id="{DBInstanceIdentifier}",
        arn="{DBInstanceArn}",
        tags="TagList",
        keep=shapes.engine_is("neptune"),
        shape=shapes.member,
        gives=("DBParameterGroupName", "DBSubnetGroupName", "Port"),
        unknown=("DBSnapshotIdentifier",),
    ),
    _snapshots("AWS::Neptune::DBClusterSnapshot", "neptune"),
    _parameter_groups("AWS::Neptune::DBClusterParameterGroup", "neptune"),
    Collector(
        "AWS::DocDB::DBCluster",
        "rds",
        Step("DescribeDBClusters", "DBClusters"),
        id="{DBClusterIdentifier}",
        arn="{DBClusterArn}",
        tags="TagList",
        keep=shapes.engine_is("docdb"),
        shape=_docdb,
        gives=(
            *shapes.CLUSTER_GIVES,
            "ClusterResourceId",
            "Id",
            "ManageMasterUserPassword",
            "MasterUserSecretKmsKeyId",
        ),
        unknown=_MADE,
        details=(backup_protection("{DBClusterArn}"),),
    ),
    Collector(
        "AWS::DocDB::DBInstance",
        "rds",
        Step("DescribeDBInstances", "DBInstances"),
        id="{DBInstanceIdentifier}",
        arn="{DBInstanceArn}",
        tags="TagList",
        keep=shapes.engine_is("docdb"),
        shape=shapes.member,
        gives=("EnablePerformanceInsights", "Id", "Port"),
    ),
    _snapshots("AWS::DocDB::DBClusterSnapshot", "docdb"),
    _parameter_groups("AWS::DocDB::DBClusterParameterGroup", "docdb"),
    Collector(
        "AWS::DocDB::GlobalCluster",
        "rds",
        Step("DescribeGlobalClusters", "GlobalClusters"),
        id="{GlobalClusterIdentifier}",
        arn="{GlobalClusterArn}",
        tags="TagList",
        keep=_global,
    ),
)
