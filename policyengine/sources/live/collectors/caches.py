"""ElastiCache and MemoryDB."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.values import Unresolved
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]

_MEMBER: Final = (
    "CacheParameterGroupName", "CacheSubnetGroupName", "EngineVersion", "NotificationTopicArn", "Port",
    "PreferredMaintenanceWindow", "SecurityGroupIds",
)  # fmt: skip


def _groups(item: Json) -> list[Any]:
    return [g["SecurityGroupId"] for g in item.get("SecurityGroups") or [] if "SecurityGroupId" in g]


def _cluster(item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheCluster.html"""
    nodes = item.get("CacheNodes") or []
    zone, many = item.get("PreferredAvailabilityZone"), item.get("PreferredAvailabilityZone") == "Multiple"
    endpoint = (nodes[0].get("Endpoint") if nodes else None) or item.get("ConfigurationEndpoint") or {}
    return {
        **item,
        "AZMode": ("cross-az" if many else "single-az") if zone else None,
        "CacheParameterGroupName": (item.get("CacheParameterGroup") or {}).get("CacheParameterGroupName"),
        "ClusterName": item.get("CacheClusterId"),
        "NotificationTopicArn": (item.get("NotificationConfiguration") or {}).get("TopicArn"),
        "Port": endpoint.get("Port"),
        "PreferredAvailabilityZone": None if many else zone,
        "PreferredAvailabilityZones": [
            node["CustomerAvailabilityZone"] for node in nodes if node.get("CustomerAvailabilityZone")
        ]
        or None,
        "VpcSecurityGroupIds": _groups(item),
    }


def _group(item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ReplicationGroup.html"""
    shards = item.get("NodeGroups") or []
    first: Json = shards[0] if shards else {}
    members = first.get("NodeGroupMembers")
    secret = (
        Unresolved("not_collected", "AWS does not tell the token") if item.get("AuthTokenEnabled") else None
    )
    return {
        **item,
        "AuthToken": secret,
        "AutomaticFailoverEnabled": item.get("AutomaticFailover") in ("enabled", "enabling"),
        "DataTieringEnabled": item["DataTiering"] == "enabled" if "DataTiering" in item else None,
        "GlobalReplicationGroupId": (item.get("GlobalReplicationGroupInfo") or {}).get(
            "GlobalReplicationGroupId"
        ),
        "MultiAZEnabled": item.get("MultiAZ") == "enabled",
        "NumCacheClusters": len(item["MemberClusters"]) if "MemberClusters" in item else None,
        "NumNodeGroups": len(shards) or None,
        "PrimaryEndPoint": first.get("PrimaryEndpoint"),
        "ReaderEndPoint": first.get("ReaderEndpoint"),
        "ReplicasPerNodeGroup": len(members) - 1 if members else None,
        "ReplicationGroupDescription": item.get("Description"),
    }


def _members(results: list[Json], _item: Json) -> Json:
    """What only the member clusters say of their group; they agree on it."""
    if not results:
        return dict.fromkeys(_MEMBER, Unresolved("not_collected", "the group has no cluster yet"))
    (member, *_) = results
    return {**{name: _cluster(member).get(name) for name in _MEMBER}, "SecurityGroupIds": _groups(member)}


def _memorydb(item: Json) -> Json:
    """https://docs.aws.amazon.com/memorydb/latest/APIReference/API_Cluster.html"""
    nodes = [shard["NumberOfNodes"] for shard in item.get("Shards") or [] if "NumberOfNodes" in shard]
    return {
        **item,
        "ClusterName": item.get("Name"),
        "NumReplicasPerShard": min(nodes) - 1 if nodes else Unresolved("not_collected", "no shard is told"),
        "NumShards": item.get("NumberOfShards"),
        "Port": (item.get("ClusterEndpoint") or {}).get("Port"),
        "SecurityGroupIds": _groups(item),
    }


def _tags(gone: str) -> Step:
    return Step("ListTagsForResource", "TagList", {"ResourceName": "{ARN}"}, gives=("tags",), gone=(gone,))


def _memory_tags(gone: str) -> Step:
    return Step("ListTags", "TagList", {"ResourceArn": "{ARN}"}, gives=("tags",), gone=(gone,))


_ELASTICACHE = (
    Collector(
        "AWS::ElastiCache::CacheCluster",
        "elasticache",
        Step("DescribeCacheClusters", "CacheClusters", {"ShowCacheNodeInfo": True}),
        id="{CacheClusterId}",
        arn="{ARN}",
        tags="",
        shape=_cluster,
        gives=(
            "AZMode", "CacheParameterGroupName", "ClusterName", "NotificationTopicArn", "Port",
            "PreferredAvailabilityZones", "VpcSecurityGroupIds",
        ),
        details=(_tags("CacheClusterNotFound"),),
    ),
    Collector(
        "AWS::ElastiCache::ReplicationGroup",
        "elasticache",
        Step("DescribeReplicationGroups", "ReplicationGroups"),
        id="{ReplicationGroupId}",
        arn="{ARN}",
        tags="",
        shape=_group,
        gives=(
            "AuthToken", "AutomaticFailoverEnabled", "DataTieringEnabled", "GlobalReplicationGroupId",
            "MultiAZEnabled", "NumCacheClusters", "NumNodeGroups", "PrimaryEndPoint", "ReaderEndPoint",
            "ReplicasPerNodeGroup", "ReplicationGroupDescription",
        ),
        details=(
            Step(
                "DescribeCacheClusters",
                "CacheClusters",
                {"ShowCacheNodeInfo": True},
                gives=_MEMBER,
                once="{ReplicationGroupId}",
                key="ReplicationGroupId",
                shape=_members,
            ),
            _tags("ReplicationGroupNotFoundFault"),
        ),
    ),
    Collector(
        "AWS::ElastiCache::ServerlessCache",
        "elasticache",
        Step("DescribeServerlessCaches", "ServerlessCaches"),
        id="{ServerlessCacheName}",
        arn="{ARN}",
        tags="",
        details=(_tags("ServerlessCacheNotFoundFault"),),
    ),
    Collector(
        "AWS::ElastiCache::SubnetGroup",
        "elasticache",
        Step("DescribeCacheSubnetGroups", "CacheSubnetGroups", rename={"CacheSubnetGroupDescription": "Description"}),
        id="{CacheSubnetGroupName}",
        arn="{ARN}",
        tags="",
        shape=lambda item: {**item, "SubnetIds": [s["SubnetIdentifier"] for s in item.get("Subnets") or []]},
        gives=("SubnetIds",),
        details=(_tags("CacheSubnetGroupNotFoundFault"),),
    ),
    Collector(
        "AWS::ElastiCache::ParameterGroup",
        "elasticache",
        Step("DescribeCacheParameterGroups", "CacheParameterGroups"),
        id="{CacheParameterGroupName}",
        arn="{ARN}",
        tags="",
        details=(
            Step(
                "DescribeCacheParameters",
                "Parameters",
                {"CacheParameterGroupName": "{CacheParameterGroupName}"},
                into="Properties",
                gone=("CacheParameterGroupNotFound",),
                paged=True,
                only_named=True,
            ),
            _tags("CacheParameterGroupNotFound"),
        ),
    ),
)  # fmt: skip

COLLECTORS = (
    *_ELASTICACHE,
    Collector(
        "AWS::MemoryDB::Cluster",
        "memorydb",
        Step("DescribeClusters", "Clusters", {"ShowShardDetails": True}),
        id="{Name}",
        arn="{ARN}",
        tags="",
        shape=_memorydb,
        gives=("ClusterName", "NumReplicasPerShard", "NumShards", "Port", "SecurityGroupIds"),
        details=(_memory_tags("ClusterNotFoundFault"),),
    ),
    Collector(
        "AWS::MemoryDB::Snapshot",
        "memorydb",
        Step("DescribeSnapshots", "Snapshots", rename={"Name": "SnapshotName"}),
        id="{Name}",
        arn="{ARN}",
        tags="",
        shape=lambda item: {**item, "ClusterName": (item.get("ClusterConfiguration") or {}).get("Name")},
        gives=("ClusterName",),
        details=(_memory_tags("SnapshotNotFoundFault"),),
    ),
    Collector(
        "AWS::MemoryDB::SubnetGroup",
        "memorydb",
        Step("DescribeSubnetGroups", "SubnetGroups", rename={"Name": "SubnetGroupName"}),
        id="{Name}",
        arn="{ARN}",
        tags="",
        shape=lambda item: {**item, "SubnetIds": [s["Identifier"] for s in item.get("Subnets") or []]},
        gives=("SubnetIds",),
        details=(_memory_tags("SubnetGroupNotFoundFault"),),
    ),
)
