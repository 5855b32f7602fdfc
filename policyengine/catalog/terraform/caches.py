"""Caches: DAX, ElastiCache and MemoryDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_dax_cluster": TypeMap(
        "AWS::DAX::Cluster",
        """
            server_side_encryption.enabled=SSESpecification.SSEEnabled
            maintenance_window=PreferredMaintenanceWindow
            cluster_endpoint_encryption_type=ClusterEndpointEncryptionType cluster_name
            iam_role_arn=IAMRoleARN node_type replication_factor availability_zones*
            description notification_topic_arn=NotificationTopicARN parameter_group_name
            security_group_ids* subnet_group_name
        """,
    ),
    "aws_elasticache_cluster": TypeMap(
        "AWS::ElastiCache::CacheCluster",
        """
            cluster_id=ClusterName maintenance_window=PreferredMaintenanceWindow
            node_type=CacheNodeType parameter_group_name=CacheParameterGroupName
            security_group_ids*=VpcSecurityGroupIds subnet_group_name=CacheSubnetGroupName
            availability_zone=PreferredAvailabilityZone auto_minor_version_upgrade
            replication_group_id log_delivery_configuration*=LogDeliveryConfigurations {
            destination_type log_format log_type } az_mode=AZMode engine engine_version
            ip_discovery network_type notification_topic_arn num_cache_nodes port
            preferred_availability_zones* snapshot_arns* snapshot_name
            snapshot_retention_limit snapshot_window transit_encryption_enabled
        """,
        absent="CacheSecurityGroupNames",
    ),
    "aws_elasticache_replication_group": TypeMap(
        "AWS::ElastiCache::ReplicationGroup",
        """
            description=ReplicationGroupDescription
            replication_group_description=ReplicationGroupDescription
            maintenance_window=PreferredMaintenanceWindow node_type=CacheNodeType
            parameter_group_name=CacheParameterGroupName
            subnet_group_name=CacheSubnetGroupName
            security_group_names*=CacheSecurityGroupNames at_rest_encryption_enabled
            replication_group_id auth_token automatic_failover_enabled
            auto_minor_version_upgrade cluster_mode data_tiering_enabled engine
            engine_version global_replication_group_id ip_discovery kms_key_id
            log_delivery_configuration*=LogDeliveryConfigurations { destination_type
            log_format log_type } multi_az_enabled=MultiAZEnabled network_type
            node_group_configuration* { node_group_id primary_availability_zone
            replica_availability_zones* replica_count slots } notification_topic_arn
            num_cache_clusters num_node_groups port
            preferred_cache_cluster_azs*=PreferredCacheClusterAZs replicas_per_node_group
            security_group_ids* snapshot_arns* snapshot_name snapshot_retention_limit
            snapshot_window transit_encryption_enabled transit_encryption_mode
            user_group_ids*
        """,
        absent="PrimaryClusterId SnapshottingClusterId Durability",
    ),
    "aws_elasticache_serverless_cache": TypeMap(
        "AWS::ElastiCache::ServerlessCache",
        """
            name=ServerlessCacheName engine cache_usage_limits { data_storage { unit maximum
            minimum } ecpu_per_second=ECPUPerSecond { maximum minimum } }
            daily_snapshot_time description kms_key_id major_engine_version
            security_group_ids* snapshot_arns_to_restore* snapshot_retention_limit
            subnet_ids* user_group_id
        """,
        absent="ConnectionType NetworkType FinalSnapshotName",
    ),
    "aws_elasticache_parameter_group": TypeMap(
        "AWS::ElastiCache::ParameterGroup",
        """
            name=CacheParameterGroupName family=CacheParameterGroupFamily
            parameter*:parameters=Properties description
        """,
    ),
    "aws_elasticache_subnet_group": TypeMap(
        "AWS::ElastiCache::SubnetGroup",
        "name=CacheSubnetGroupName subnet_ids* description",
    ),
    "aws_memorydb_cluster": TypeMap(
        "AWS::MemoryDB::Cluster",
        """
            name=ClusterName kms_key_arn=KmsKeyId acl_name=ACLName node_type
            auto_minor_version_upgrade data_tiering description engine engine_version
            final_snapshot_name maintenance_window multi_region_cluster_name
            num_replicas_per_shard num_shards parameter_group_name port security_group_ids*
            snapshot_arns* snapshot_name snapshot_retention_limit snapshot_window
            sns_topic_arn subnet_group_name tls_enabled=TLSEnabled
        """,
    ),
    "aws_memorydb_subnet_group": TypeMap(
        "AWS::MemoryDB::SubnetGroup",
        "name=SubnetGroupName subnet_ids* description",
    ),
}
