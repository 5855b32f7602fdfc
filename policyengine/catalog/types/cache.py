"""ElastiCache and MemoryDB."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import cfn, depends, doc, groups, is_, kms_key, subnets, to

_GROUP = doc("AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup")
_CLUSTER = doc("AmazonElastiCache/latest/APIReference/API_CreateCacheCluster")
_MEMORYDB = cfn("resource-memorydb-cluster")
_FROM_SNAPSHOT = ("SnapshotName", "SnapshotArns", "GlobalReplicationGroupId", "PrimaryClusterId")

TYPES = (
    TypeSpec(
        "AWS::ElastiCache::ReplicationGroup",
        names=("ReplicationGroupId",),
        defaults=(
            depends("AtRestEncryptionEnabled", _GROUP, "true when using Valkey, false when using Redis OSS"),
            is_("TransitEncryptionEnabled", False, _GROUP, unless=_FROM_SNAPSHOT),
            is_("AutomaticFailoverEnabled", False, _GROUP),
            is_("MultiAZEnabled", False, cfn("resource-elasticache-replicationgroup")),
            is_("SnapshotRetentionLimit", 0, _GROUP),
            depends(
                "AutoMinorVersionUpgrade",
                cfn("resource-elasticache-replicationgroup"),
                "it depends on the engine and its version",
            ),
        ),
        relations=(
            groups("SecurityGroupIds"),
            to("subnet_group", "AWS::ElastiCache::SubnetGroup", "CacheSubnetGroupName", one=True),
            to("parameter_group", "AWS::ElastiCache::ParameterGroup", "CacheParameterGroupName", one=True),
            kms_key(),
        ),
        extra=(("AuthTokenEnabled", "boolean"),),
        secrets=("AuthToken",),
    ),
    TypeSpec(
        "AWS::ElastiCache::CacheCluster",
        names=("ClusterName",),
        defaults=(
            is_("SnapshotRetentionLimit", 0, _CLUSTER),
            is_("AZMode", "single-az", _CLUSTER, unless=("PreferredAvailabilityZones",)),
            is_("TransitEncryptionEnabled", False, cfn("resource-elasticache-cachecluster")),
            depends(
                "AutoMinorVersionUpgrade",
                cfn("resource-elasticache-cachecluster"),
                "it depends on the engine and its version",
            ),
        ),
        relations=(
            groups("VpcSecurityGroupIds"),
            to("subnet_group", "AWS::ElastiCache::SubnetGroup", "CacheSubnetGroupName", one=True),
            to("parameter_group", "AWS::ElastiCache::ParameterGroup", "CacheParameterGroupName", one=True),
        ),
        extra=(
            ("AtRestEncryptionEnabled", "boolean"),
            ("ReplicationGroupId", "string"),
        ),
    ),
    TypeSpec(
        "AWS::ElastiCache::ServerlessCache",
        names=("ServerlessCacheName", "ARN"),
        relations=(groups("SecurityGroupIds"), subnets("SubnetIds"), kms_key()),
    ),
    TypeSpec(
        "AWS::ElastiCache::SubnetGroup", names=("CacheSubnetGroupName",), relations=(subnets("SubnetIds"),)
    ),
    TypeSpec("AWS::ElastiCache::ParameterGroup", names=("CacheParameterGroupName",)),
    TypeSpec(
        "AWS::MemoryDB::Cluster",
        names=("ClusterName", "ARN"),
        defaults=(
            depends("TLSEnabled", _MEMORYDB, "the page names no default"),
            is_("NumReplicasPerShard", 1, doc("memorydb/latest/APIReference/API_CreateCluster")),
            is_("NumShards", 1, doc("memorydb/latest/APIReference/API_CreateCluster")),
            depends("SnapshotRetentionLimit", _MEMORYDB, "the page names no default"),
            depends("AutoMinorVersionUpgrade", _MEMORYDB, "the page names no default"),
        ),
        relations=(
            groups("SecurityGroupIds"),
            to("subnet_group", "AWS::MemoryDB::SubnetGroup", "SubnetGroupName", one=True),
            kms_key(),
        ),
    ),
    TypeSpec("AWS::MemoryDB::SubnetGroup", names=("SubnetGroupName",), relations=(subnets("SubnetIds"),)),
)
