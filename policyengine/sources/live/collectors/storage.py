"""Storage and databases of which few have many: DMS, Glacier, Storage Gateway, Neptune Analytics, S3 Tables."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Parent, RegistryCollector, Step

Json = dict[str, Any]
_DMS: Final = "arn:{partition}:dms:{region}:{account}"


def _replication_instance(item: Json) -> Json:
    """https://docs.aws.amazon.com/dms/latest/APIReference/API_ReplicationInstance.html"""
    groups = [
        g["VpcSecurityGroupId"] for g in item.get("VpcSecurityGroups") or [] if "VpcSecurityGroupId" in g
    ]
    subnets = item.get("ReplicationSubnetGroup") or {}
    return {
        **item,
        "Id": item.get("ReplicationInstanceArn"),
        "ReplicationInstancePrivateIpAddresses": None,
        "ReplicationInstancePublicIpAddresses": None,
        "ReplicationSubnetGroupIdentifier": subnets.get("ReplicationSubnetGroupIdentifier"),
        "VpcSecurityGroupIds": groups,
    }


def _subnet_group(item: Json) -> Json:
    return {**item, "SubnetIds": [s["SubnetIdentifier"] for s in item.get("Subnets") or []]}


def _dms_tags(arn: str) -> Step:
    return Step(
        "ListTagsForResource",
        "TagList",
        {"ResourceArn": arn},
        gives=("tags",),
        gone=("ResourceNotFoundFault",),
    )


def _share(context: Context, item: Json) -> Json:
    """NFS and SMB shares are described by operations of their own."""
    kind = "NFS" if item.get("FileShareType") == "NFS" else "SMB"
    arguments = {"FileShareARNList": [item["FileShareARN"]]}
    answer = context.call("storagegateway", f"Describe{kind}FileShares", arguments)
    found: list[Json] = answer.get(f"{kind}FileShareInfoList") or [{}]
    return found[0]


def _encryption(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/storagegateway/latest/APIReference/API_NFSFileShareInfo.html"""
    kind = result.get("EncryptionType")
    return {
        "KMSEncrypted": kind in ("SseKms", "DsseKms") if kind else result.get("KMSEncrypted"),
        "KMSKey": result.get("KMSKey"),
        "LocationARN": result.get("LocationARN"),
    }


def _graph(item: Json) -> Json:
    """https://docs.aws.amazon.com/neptune-analytics/latest/apiref/API_GraphSummary.html"""
    key = item.get("kmsKeyIdentifier")
    return {**item, "kmsKeyIdentifier": None if key == "AWS_OWNED_KEY" else key}


_MIGRATION = (
    Collector(
        "AWS::DMS::ReplicationInstance",
        "dms",
        Step("DescribeReplicationInstances", "ReplicationInstances"),
        id="{ReplicationInstanceIdentifier}",
        arn="{ReplicationInstanceArn}",
        tags="",
        shape=_replication_instance,
        gives=("Id", "ReplicationSubnetGroupIdentifier", "VpcSecurityGroupIds"),
        details=(_dms_tags("{ReplicationInstanceArn}"),),
    ),
    Collector(
        "AWS::DMS::Endpoint",
        "dms",
        Step("DescribeEndpoints", "Endpoints"),
        id="{EndpointIdentifier}",
        arn="{EndpointArn}",
        tags="",
        details=(_dms_tags("{EndpointArn}"),),
    ),
    Collector(
        "AWS::DMS::ReplicationTask",
        "dms",
        Step("DescribeReplicationTasks", "ReplicationTasks"),
        id="{ReplicationTaskIdentifier}",
        arn="{ReplicationTaskArn}",
        tags="",
        shape=lambda item: {**item, "Settings": item.get("ReplicationTaskSettings")},
        gives=("Settings",),
        details=(_dms_tags("{ReplicationTaskArn}"),),
    ),
    Collector(
        "AWS::DMS::ReplicationSubnetGroup",
        "dms",
        Step("DescribeReplicationSubnetGroups", "ReplicationSubnetGroups"),
        id="{ReplicationSubnetGroupIdentifier}",
        arn=_DMS + ":subgrp:{ReplicationSubnetGroupIdentifier}",
        tags="",
        shape=_subnet_group,
        gives=("SubnetIds",),
        details=(_dms_tags(_DMS + ":subgrp:{ReplicationSubnetGroupIdentifier}"),),
    ),
)

COLLECTORS = (
    *_MIGRATION,
    Collector(
        "AWS::Glacier::Vault",
        "glacier",
        Step("ListVaults", "VaultList", {"accountId": "{account}"}),
        id="{VaultName}",
        arn="{VaultARN}",
        tags="",
        skips=("NoLongerSupportedException",),
        details=(
            Step(
                "GetVaultAccessPolicy",
                "policy.Policy",
                {"accountId": "{account}", "vaultName": "{VaultName}"},
                into="Policy",
                none=("ResourceNotFoundException",),
            ),
        ),
    ),
    Collector(
        "AWS::StorageGateway::FileShare",
        "storagegateway",
        Step("ListFileShares", "FileShareInfoList"),
        id="{FileShareARN}",
        arn="{FileShareARN}",
        tags="",
        details=(
            Step(
                "DescribeNFSFileShares",
                "",
                gives=("KMSEncrypted", "KMSKey", "LocationARN"),
                shape=_encryption,
                ask=_share,
                calls=("storagegateway:DescribeSMBFileShares",),
            ),
        ),
    ),
    Collector(
        "AWS::NeptuneGraph::Graph",
        "neptune-graph",
        Step("ListGraphs", "graphs", rename={"id": "GraphId", "arn": "GraphArn", "name": "GraphName"}),
        id="{id}",
        arn="{arn}",
        tags="",
        shape=_graph,
        details=(
            Step(
                "ListTagsForResource",
                "tags",
                {"resourceArn": "{arn}"},
                gives=("tags",),
                gone=("ResourceNotFoundException",),
            ),
        ),
    ),
    RegistryCollector(
        "AWS::S3Tables::TablePolicy",
        parent=Parent("AWS::S3Tables::TableBucket", {"TableBucketARN": "{Identifier}"}),
    ),
)
