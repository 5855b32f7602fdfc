"""Amazon Redshift and Redshift Serverless."""

from __future__ import annotations

from typing import Any

from policyengine.sources.live.collectors.common import backup_protection
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_ARN = "arn:{partition}:redshift:{region}:{account}"
_ROLE = "iamRoleArn="


def _names(item: Json, list_name: str, name: str) -> list[Any]:
    return [each[name] for each in item.get(list_name) or [] if name in each]


def _cluster(item: Json) -> Json:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html"""
    copy = item.get("ClusterSnapshotCopyStatus") or {}
    groups = _names(item, "ClusterParameterGroups", "ParameterGroupName")
    relocation, nodes = item.get("AvailabilityZoneRelocationStatus"), item.get("NumberOfNodes")
    return {
        **item,
        "AvailabilityZoneRelocation": relocation == "enabled" if relocation else None,
        "ClusterParameterGroupName": groups[0] if groups else None,
        "ClusterSecurityGroups": _names(item, "ClusterSecurityGroups", "ClusterSecurityGroupName") or None,
        "ClusterType": ("multi-node" if nodes > 1 else "single-node") if nodes else None,
        "DestinationRegion": copy.get("DestinationRegion"),
        "ElasticIp": (item.get("ElasticIpStatus") or {}).get("ElasticIp"),
        "IamRoles": _names(item, "IamRoles", "IamRoleArn") or None,
        "ManageMasterPassword": bool(item.get("MasterPasswordSecretArn")),
        "MultiAZ": str(item["MultiAZ"]).casefold() in ("enabled", "true") if "MultiAZ" in item else None,
        "Port": (item.get("Endpoint") or {}).get("Port"),
        "SnapshotCopyGrantName": copy.get("SnapshotCopyGrantName"),
        "SnapshotCopyRetentionPeriod": copy.get("RetentionPeriod"),
        "VpcSecurityGroupIds": _names(item, "VpcSecurityGroups", "VpcSecurityGroupId"),
    }


def _logging(result: Json, _item: Json) -> Json:
    """A bucket that was logged to is still told when logging is off."""
    if not result.get("LoggingEnabled"):
        return {"LoggingEnabled": False}
    names = ("BucketName", "S3KeyPrefix", "LogDestinationType", "LogExports")
    return {"LoggingEnabled": True, "LoggingProperties": {name: result.get(name) for name in names}}


def _parameters(result: list[Json], _item: Json) -> Json:
    told = [{name: p.get(name) for name in ("ParameterName", "ParameterValue")} for p in result]
    values = {p["ParameterName"]: p["ParameterValue"] for p in told if p["ParameterValue"] is not None}
    return {"Parameters": told, "ParameterValues": values}


def _namespace(item: Json) -> Json:
    """https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_Namespace.html

    Roles come as ``IamRole(applyStatus=in-sync, iamRoleArn=arn:…)``, a key of AWS's own as a word.
    """
    roles = [
        role.partition(_ROLE)[2].rstrip(")") if _ROLE in role else role for role in item.get("iamRoles") or []
    ]
    key = item.get("kmsKeyId")
    return {
        **item,
        "iamRoles": roles or None,
        "kmsKeyId": None if key == "AWS_OWNED_KMS_KEY" else key,
        "ManageAdminPassword": bool(item.get("adminPasswordSecretArn")),
    }


def _workgroup(item: Json) -> Json:
    """https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_Workgroup.html"""
    told = item.get("configParameters") or []
    return {**item, "ParameterValues": {p["parameterKey"]: p.get("parameterValue") for p in told}}


def _tags(arn: str) -> Step:
    return Step(
        "ListTagsForResource",
        "tags",
        {"resourceArn": f"{{{arn}}}"},
        gives=("tags",),
        gone=("ResourceNotFoundException",),
    )


COLLECTORS = (
    Collector(
        "AWS::Redshift::Cluster",
        "redshift",
        Step("DescribeClusters", "Clusters"),
        id="{ClusterIdentifier}",
        arn=_ARN + ":cluster:{ClusterIdentifier}",
        shape=_cluster,
        gives=(
            "AvailabilityZoneRelocation", "ClusterParameterGroupName", "ClusterType", "DestinationRegion",
            "ElasticIp", "ManageMasterPassword", "Port", "SnapshotCopyGrantName", "SnapshotCopyRetentionPeriod",
            "VpcSecurityGroupIds",
        ),
        details=(
            Step(
                "DescribeLoggingStatus",
                "",
                {"ClusterIdentifier": "{ClusterIdentifier}"},
                gives=("LoggingEnabled", "LoggingProperties"),
                gone=("ClusterNotFound",),
                shape=_logging,
            ),
            backup_protection(_ARN + ":cluster:{ClusterIdentifier}"),
        ),
    ),
    Collector(
        "AWS::Redshift::ClusterParameterGroup",
        "redshift",
        Step("DescribeClusterParameterGroups", "ParameterGroups"),
        id="{ParameterGroupName}",
        arn=_ARN + ":parametergroup:{ParameterGroupName}",
        details=(
            Step(
                "DescribeClusterParameters",
                "Parameters",
                {"ParameterGroupName": "{ParameterGroupName}"},
                gives=("Parameters", "ParameterValues"),
                gone=("ClusterParameterGroupNotFound",),
                shape=_parameters,
                paged=True,
            ),
        ),
    ),
    Collector(
        "AWS::Redshift::ClusterSubnetGroup",
        "redshift",
        Step("DescribeClusterSubnetGroups", "ClusterSubnetGroups"),
        id="{ClusterSubnetGroupName}",
        arn=_ARN + ":subnetgroup:{ClusterSubnetGroupName}",
        shape=lambda item: {**item, "SubnetIds": _names(item, "Subnets", "SubnetIdentifier")},
        gives=("SubnetIds",),
    ),
    Collector(
        "AWS::Redshift::Snapshot",
        "redshift",
        Step("DescribeClusterSnapshots", "Snapshots"),
        id="{SnapshotIdentifier}",
        arn="{SnapshotArn}",
    ),
    Collector(
        "AWS::Redshift::SnapshotCopyGrant",
        "redshift",
        Step("DescribeSnapshotCopyGrants", "SnapshotCopyGrants"),
        id="{SnapshotCopyGrantName}",
        arn=_ARN + ":snapshotcopygrant:{SnapshotCopyGrantName}",
    ),
    Collector(
        "AWS::RedshiftServerless::Namespace",
        "redshift-serverless",
        Step("ListNamespaces", "namespaces"),
        id="{namespaceName}",
        arn="{namespaceArn}",
        tags="",
        shape=_namespace,
        gives=("ManageAdminPassword",),
        details=(_tags("namespaceArn"),),
    ),
    Collector(
        "AWS::RedshiftServerless::Workgroup",
        "redshift-serverless",
        Step("ListWorkgroups", "workgroups"),
        id="{workgroupName}",
        arn="{workgroupArn}",
        tags="",
        shape=_workgroup,
        gives=("ParameterValues",),
        details=(_tags("workgroupArn"),),
    ),
)  # fmt: skip
