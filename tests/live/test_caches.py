"""ElastiCache and MemoryDB."""

from __future__ import annotations

from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import failure
from tests.live.judging import verdict

ARN = "arn:aws:elasticache:us-east-1:123456789012"
CLUSTER: dict[str, Any] = {
    "CacheClusterId": "g-001", "ARN": f"{ARN}:cluster:g-001", "ReplicationGroupId": "g", "Engine": "redis",
    "EngineVersion": "7.1.0", "PreferredAvailabilityZone": "us-east-1a", "NumCacheNodes": 1,
    "SecurityGroups": [{"SecurityGroupId": "sg-1", "Status": "active"}], "CacheSubnetGroupName": "s",
    "CacheParameterGroup": {"CacheParameterGroupName": "default.redis7"}, "TransitEncryptionEnabled": True,
    "CacheNodes": [{"Endpoint": {"Address": "a", "Port": 6379}, "CustomerAvailabilityZone": "us-east-1a"}],
}  # fmt: skip
GROUP: dict[str, Any] = {
    "ReplicationGroupId": "g", "ARN": f"{ARN}:replicationgroup:g", "Description": "d", "Engine": "redis",
    "AutomaticFailover": "enabled", "MultiAZ": "enabled", "AtRestEncryptionEnabled": True,
    "TransitEncryptionEnabled": True, "TransitEncryptionMode": "required", "AuthTokenEnabled": True,
    "SnapshotRetentionLimit": 7, "MemberClusters": ["g-001"], "KmsKeyId": "k",
    "NodeGroups": [{"NodeGroupId": "0001", "NodeGroupMembers": [{}, {}], "PrimaryEndpoint": {"Address": "p", "Port": 1}}],
}  # fmt: skip


def _group(canned: Any, collect: Any, **changed: Any) -> Any:
    account = canned({
        "elasticache:DescribeReplicationGroups": {"ReplicationGroups": [{**GROUP, **changed}]},
        "elasticache:DescribeCacheClusters": {"CacheClusters": [CLUSTER]},
        "elasticache:ListTagsForResource": {"TagList": [{"Key": "a", "Value": "b"}]},
    })  # fmt: skip
    (found,) = collect(account, "AWS::ElastiCache::ReplicationGroup")
    return found


def test_a_group_has_what_its_clusters_say(canned: Any, collect: Any) -> None:
    found = _group(canned, collect)
    p = found.properties
    assert p["SecurityGroupIds"] == ["sg-1"]
    assert (p["EngineVersion"], p["CacheSubnetGroupName"], p["Port"]) == ("7.1.0", "s", 6379)
    assert (p["NumNodeGroups"], p["ReplicasPerNodeGroup"]) == (1, 1)
    assert p["ReplicationGroupDescription"] == "d"
    assert found.tags == {"a": "b"}
    off = _group(
        canned, collect, AutomaticFailover="disabled", MultiAZ="disabled", AtRestEncryptionEnabled=False,
        TransitEncryptionEnabled=False, AuthTokenEnabled=False, SnapshotRetentionLimit=0,
    )  # fmt: skip
    for rule in (
        "elasticache-authentication", "elasticache-automatic-failover", "elasticache-multi-az",
        "elasticache-encrypted", "elasticache-encrypted-in-transit", "elasticache-backups",
    ):  # fmt: skip
        assert (verdict(rule, found), verdict(rule, off)) == ("PASS", "FAIL"), rule
    assert isinstance(p["AuthToken"], Unresolved)
    assert "AuthToken" not in off.properties


def test_clusters(canned: Any, collect: Any) -> None:
    spread = {
        **CLUSTER, "CacheClusterId": "m", "ARN": f"{ARN}:cluster:m", "Engine": "memcached", "NumCacheNodes": 2,
        "PreferredAvailabilityZone": "Multiple", "ReplicationGroupId": None,
    }  # fmt: skip
    del spread["ReplicationGroupId"]
    account = canned({
        "elasticache:DescribeCacheClusters": {"CacheClusters": [CLUSTER, spread]},
        "elasticache:ListTagsForResource": {"TagList": []},
    })  # fmt: skip
    member, alone = collect(account, "AWS::ElastiCache::CacheCluster")
    assert member.properties["VpcSecurityGroupIds"] == ["sg-1"]
    assert (member.properties["AZMode"], alone.properties["AZMode"]) == ("single-az", "cross-az")
    assert "PreferredAvailabilityZone" not in alone.properties
    assert alone.properties["ClusterName"] == "m"
    assert verdict("memcached-across-zones", alone) == "PASS"
    assert verdict("elasticache-cluster-encrypted-in-transit", member) == "NOT_APPLICABLE"
    assert verdict("elasticache-cluster-encrypted-in-transit", alone) == "PASS"


def test_over_http(account: Any, aws: Any, collect: Any) -> None:
    client = aws("elasticache", "eu-west-1")
    client.create_cache_cluster(
        CacheClusterId="over-http", Engine="redis", CacheNodeType="cache.t4g.micro", NumCacheNodes=1,
        Tags=[{"Key": "Owner", "Value": "me"}],
    )  # fmt: skip
    (found,) = collect(account, "AWS::ElastiCache::CacheCluster", region="eu-west-1")
    assert (found.id, found.tags) == ("over-http", {"Owner": "me"})
    assert found.properties["CacheNodeType"] == "cache.t4g.micro"


def test_subnet_groups_and_serverless_caches(canned: Any, collect: Any) -> None:
    answers = {
        "elasticache:DescribeCacheSubnetGroups": {
            "CacheSubnetGroups": [{
                "CacheSubnetGroupName": "s", "ARN": f"{ARN}:subnetgroup:s", "CacheSubnetGroupDescription": "d",
                "Subnets": [{"SubnetIdentifier": "subnet-1"}],
            }]
        },
        "elasticache:DescribeServerlessCaches": {
            "ServerlessCaches": [{"ServerlessCacheName": "c", "ARN": f"{ARN}:serverlesscache:c", "KmsKeyId": "k"}]
        },
        "elasticache:ListTagsForResource": failure("elasticache:ListTagsForResource", "AccessDenied"),
    }  # fmt: skip
    (group,) = collect(canned(answers), "AWS::ElastiCache::SubnetGroup")
    assert group.properties["SubnetIds"] == ["subnet-1"]
    assert isinstance(group.tags, Unresolved)
    (cache,) = collect(canned(answers), "AWS::ElastiCache::ServerlessCache")
    assert cache.properties["KmsKeyId"] == "k"


def test_memorydb(canned: Any, collect: Any) -> None:
    memory = "arn:aws:memorydb:us-east-1:123456789012"
    cluster = {
        "Name": "c", "ARN": f"{memory}:cluster/c", "NumberOfShards": 2, "TLSEnabled": True,
        "Shards": [{"NumberOfNodes": 3}, {"NumberOfNodes": 1}], "SnapshotRetentionLimit": 0,
        "SecurityGroups": [{"SecurityGroupId": "sg-1"}], "ClusterEndpoint": {"Address": "a", "Port": 6379},
    }  # fmt: skip
    snapshot = {
        "Name": "s", "ARN": f"{memory}:snapshot/s", "KmsKeyId": "k", "ClusterConfiguration": {"Name": "c"},
    }  # fmt: skip
    account = canned({
        "memorydb:DescribeClusters": {"Clusters": [cluster]},
        "memorydb:DescribeSnapshots": {"Snapshots": [snapshot]},
        "memorydb:ListTags": {"TagList": [{"Key": "a", "Value": "b"}]},
    })  # fmt: skip
    (found,) = collect(account, "AWS::MemoryDB::Cluster")
    p = found.properties
    assert (p["ClusterName"], p["NumShards"], p["NumReplicasPerShard"], p["Port"]) == ("c", 2, 0, 6379)
    assert p["SecurityGroupIds"] == ["sg-1"]
    assert verdict("memorydb-encrypted-in-transit", found) == "PASS"
    assert verdict("memorydb-backups", found) == "FAIL"
    assert verdict("memorydb-replicas", found) == "FAIL"
    (kept,) = collect(account, "AWS::MemoryDB::Snapshot")
    assert (kept.properties["ClusterName"], kept.properties["KmsKeyId"]) == ("c", "k")
    assert kept.properties["Arn"] == f"{memory}:snapshot/s"
