"""Amazon RDS and Aurora."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.sources.live.collectors import rds_shapes as shapes
from policyengine.sources.live.collectors.common import backup_protection
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]


def tags_by_arn(arn: str) -> Step:
    """A call for the tags of what the listing gives without; ``arn`` is a template."""
    return Step("ListTagsForResource", "TagList", {"ResourceName": arn}, gives=("tags",), service="rds")


def parameters(operation: str, argument: str) -> Step:
    """All parameters of a group, with those that nobody changed: several pages a group."""
    return Step(
        operation,
        "Parameters",
        {argument: f"{{{argument}}}"},
        into="Parameters",
        gone=("DBParameterGroupNotFound",),
        paged=True,
        service="rds",
    )


def restore(kind: str) -> Step:
    """The accounts that may restore a snapshot: ``kind`` is DBSnapshot or DBClusterSnapshot."""
    operation, argument = f"Describe{kind}Attributes", f"{kind}Identifier"
    return Step(
        operation,
        f"{kind}AttributesResult",
        {argument: f"{{{argument}}}"},
        into="RestoreAccounts",
        gone=(f"{kind}NotFound" if kind == "DBSnapshot" else f"{kind}NotFoundFault",),
        ask=shapes.ask_unless_automated(operation, argument, f"{kind}AttributesResult"),
        shape=shapes.restore_accounts(f"{kind}Attributes"),
        service="rds",
    )


def _global(item: Json, names: Mapping[str, str]) -> bool:
    return shapes.of_rds(item, names) and shapes.writer_here(item, names)


_DATABASES = (
    Collector(
        "AWS::RDS::DBInstance",
        "rds",
        Step("DescribeDBInstances", "DBInstances"),
        id="{DBInstanceIdentifier}",
        arn="{DBInstanceArn}",
        tags="TagList",
        keep=shapes.of_rds,
        shape=shapes.instance,
        gives=shapes.INSTANCE_GIVES,
        # how it was made, which AWS does not keep
        unknown=("DBSnapshotIdentifier", "DeleteAutomatedBackups"),
        details=(
            Step(
                "DescribeDBInstanceAutomatedBackups",
                "",
                gives=("AutomaticBackupReplicationKmsKeyId", "AutomaticBackupReplicationRetentionPeriod"),
                rename={
                    "KmsKeyId": "AutomaticBackupReplicationKmsKeyId",
                    "BackupRetentionPeriod": "AutomaticBackupReplicationRetentionPeriod",
                },
                shape=lambda result, _item: {
                    name: result[name] for name in ("KmsKeyId", "BackupRetentionPeriod") if name in result
                },
                ask=shapes.replicated_backup,
            ),
            backup_protection("{DBInstanceArn}"),
        ),
    ),
    Collector(
        "AWS::RDS::DBCluster",
        "rds",
        Step("DescribeDBClusters", "DBClusters"),
        id="{DBClusterIdentifier}",
        arn="{DBClusterArn}",
        tags="TagList",
        keep=shapes.of_rds,
        shape=shapes.cluster,
        gives=shapes.RDS_CLUSTER_GIVES,
        unknown=("SnapshotIdentifier", "SourceDBClusterIdentifier"),
        details=(backup_protection("{DBClusterArn}"),),
    ),
    Collector(
        "AWS::RDS::GlobalCluster",
        "rds",
        Step("DescribeGlobalClusters", "GlobalClusters", rename={"Endpoint": "GlobalEndpoint.Address"}),
        id="{GlobalClusterIdentifier}",
        arn="{GlobalClusterArn}",
        tags="TagList",
        keep=_global,
    ),
)

_SNAPSHOTS = (
    Collector(
        "AWS::RDS::DBSnapshot",
        "rds",
        Step("DescribeDBSnapshots", "DBSnapshots"),
        id="{DBSnapshotIdentifier}",
        arn="{DBSnapshotArn}",
        tags="TagList",
        keep=shapes.of_rds,
        details=(restore("DBSnapshot"),),
    ),
    Collector(
        "AWS::RDS::ClusterSnapshot",
        "rds",
        Step("DescribeDBClusterSnapshots", "DBClusterSnapshots"),
        id="{DBClusterSnapshotIdentifier}",
        arn="{DBClusterSnapshotArn}",
        tags="TagList",
        keep=shapes.of_rds,
        details=(restore("DBClusterSnapshot"),),
    ),
)

_GROUPS = (
    Collector(
        "AWS::RDS::DBSubnetGroup",
        "rds",
        Step("DescribeDBSubnetGroups", "DBSubnetGroups"),
        id="{DBSubnetGroupName}",
        arn="{DBSubnetGroupArn}",
        tags="",
        shape=lambda item: {**item, "SubnetIds": shapes.each(item, "Subnets", "SubnetIdentifier")},
        gives=("SubnetIds",),
        details=(tags_by_arn("{DBSubnetGroupArn}"),),
    ),
    Collector(
        "AWS::RDS::DBParameterGroup",
        "rds",
        Step("DescribeDBParameterGroups", "DBParameterGroups", rename={"DBParameterGroupFamily": "Family"}),
        id="{DBParameterGroupName}",
        arn="{DBParameterGroupArn}",
        tags="",
        keep=shapes.group_of(None),
        details=(
            parameters("DescribeDBParameters", "DBParameterGroupName"),
            tags_by_arn("{DBParameterGroupArn}"),
        ),
    ),
    Collector(
        "AWS::RDS::DBClusterParameterGroup",
        "rds",
        Step(
            "DescribeDBClusterParameterGroups",
            "DBClusterParameterGroups",
            rename={"DBParameterGroupFamily": "Family"},
        ),
        id="{DBClusterParameterGroupName}",
        arn="{DBClusterParameterGroupArn}",
        tags="",
        keep=shapes.group_of(None),
        details=(
            parameters("DescribeDBClusterParameters", "DBClusterParameterGroupName"),
            tags_by_arn("{DBClusterParameterGroupArn}"),
        ),
    ),
    Collector(
        "AWS::RDS::OptionGroup",
        "rds",
        Step("DescribeOptionGroups", "OptionGroupsList"),
        id="{OptionGroupName}",
        arn="{OptionGroupArn}",
        tags="",
        shape=shapes.options,
        gives=("OptionConfigurations",),
        details=(tags_by_arn("{OptionGroupArn}"),),
    ),
)

COLLECTORS = (
    *_DATABASES,
    *_SNAPSHOTS,
    *_GROUPS,
    Collector(
        "AWS::RDS::EventSubscription",
        "rds",
        Step(
            "DescribeEventSubscriptions",
            "EventSubscriptionsList",
            rename={
                "CustSubscriptionId": "SubscriptionName",
                "EventCategoriesList": "EventCategories",
                "SourceIdsList": "SourceIds",
            },
        ),
        id="{CustSubscriptionId}",
        arn="{EventSubscriptionArn}",
        tags="",
        details=(tags_by_arn("{EventSubscriptionArn}"),),
    ),
    Collector(
        "AWS::RDS::DBProxy",
        "rds",
        Step("DescribeDBProxies", "DBProxies"),
        id="{DBProxyName}",
        arn="{DBProxyArn}",
        tags="",
        details=(tags_by_arn("{DBProxyArn}"),),
    ),
)
