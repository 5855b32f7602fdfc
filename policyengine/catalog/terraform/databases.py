"""Databases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_db_instance": TypeMap(
        "AWS::RDS::DBInstance",
        """
            instance_class=DBInstanceClass identifier=DBInstanceIdentifier
            allocated_storage:text backup_window=PreferredBackupWindow
            ca_cert_identifier=CACertificateIdentifier
            enabled_cloudwatch_logs_exports*=EnableCloudwatchLogsExports
            maintenance_window=PreferredMaintenanceWindow
            master_user_secret_kms_key_id=MasterUserSecret.KmsKeyId
            parameter_group_name=DBParameterGroupName password=MasterUserPassword
            password_wo=MasterUserPassword replicate_source_db=SourceDBInstanceIdentifier
            username=MasterUsername snapshot_identifier=DBSnapshotIdentifier
            vpc_security_group_ids*=VPCSecurityGroups port:text
            restore_to_point_in_time.restore_time=RestoreTime
            restore_to_point_in_time.source_db_instance_identifier=SourceDBInstanceIdentifier
            restore_to_point_in_time.source_db_instance_automated_backups_arn=SourceDBInstanceAutomatedBackupsArn
            restore_to_point_in_time.source_dbi_resource_id=SourceDbiResourceId
            restore_to_point_in_time.use_latest_restorable_time=UseLatestRestorableTime
            name=DBName allow_major_version_upgrade apply_immediately
            auto_minor_version_upgrade availability_zone backup_retention_period
            backup_target character_set_name copy_tags_to_snapshot
            custom_iam_instance_profile=CustomIAMInstanceProfile database_insights_mode
            db_subnet_group_name=DBSubnetGroupName dedicated_log_volume
            delete_automated_backups deletion_protection domain domain_auth_secret_arn
            domain_dns_ips* domain_fqdn domain_iam_role_name=DomainIAMRoleName domain_ou
            engine engine_lifecycle_support engine_version
            iam_database_authentication_enabled=EnableIAMDatabaseAuthentication iops
            kms_key_id license_model manage_master_user_password max_allocated_storage
            monitoring_interval monitoring_role_arn multi_az=MultiAZ
            nchar_character_set_name network_type option_group_name
            performance_insights_enabled=EnablePerformanceInsights
            performance_insights_kms_key_id=PerformanceInsightsKMSKeyId
            performance_insights_retention_period publicly_accessible replica_mode
            storage_encrypted storage_throughput storage_type timezone
        """,
        absent="""
            DBSecurityGroups DBSystemId DBClusterSnapshotIdentifier
            SourceDBClusterIdentifier DBClusterIdentifier PromotionTier TdeCredentialArn
            TdeCredentialPassword CertificateRotationRestart MasterUserAuthenticationType
            SourceRegion AdditionalStorageVolumes ProcessorFeatures
            UseDefaultProcessorFeatures
        """,
    ),
    "aws_rds_cluster": TypeMap(
        "AWS::RDS::DBCluster",
        """
            cluster_identifier=DBClusterIdentifier
            enabled_cloudwatch_logs_exports*=EnableCloudwatchLogsExports
            iam_roles*:rolearns=AssociatedRoles master_password=MasterUserPassword
            master_password_wo=MasterUserPassword
            master_user_secret_kms_key_id=MasterUserSecret.KmsKeyId
            replication_source_identifier
            restore_to_point_in_time.restore_to_time=RestoreToTime
            restore_to_point_in_time.restore_type=RestoreType
            restore_to_point_in_time.source_cluster_identifier=SourceDBClusterIdentifier
            restore_to_point_in_time.use_latest_restorable_time=UseLatestRestorableTime
            engine allocated_storage availability_zones* backtrack_window
            backup_retention_period cluster_scalability_type copy_tags_to_snapshot
            database_insights_mode database_name
            db_cluster_instance_class=DBClusterInstanceClass
            db_cluster_parameter_group_name=DBClusterParameterGroupName
            db_instance_parameter_group_name=DBInstanceParameterGroupName
            db_subnet_group_name=DBSubnetGroupName db_system_id=DBSystemId
            delete_automated_backups deletion_protection domain
            domain_iam_role_name=DomainIAMRoleName enable_global_write_forwarding
            enable_http_endpoint enable_local_write_forwarding engine_lifecycle_support
            engine_mode engine_version global_cluster_identifier
            iam_database_authentication_enabled=EnableIAMDatabaseAuthentication iops
            kms_key_id manage_master_user_password master_username monitoring_interval
            monitoring_role_arn network_type performance_insights_enabled
            performance_insights_kms_key_id performance_insights_retention_period port
            preferred_backup_window preferred_maintenance_window scaling_configuration {
            auto_pause max_capacity min_capacity seconds_before_timeout
            seconds_until_auto_pause timeout_action }
            serverlessv2_scaling_configuration=ServerlessV2ScalingConfiguration {
            max_capacity min_capacity seconds_until_auto_pause } snapshot_identifier
            source_region storage_encrypted storage_type vpc_security_group_ids*
        """,
        absent="PubliclyAccessible AutoMinorVersionUpgrade MasterUserAuthenticationType",
    ),
    "aws_rds_cluster_instance": TypeMap(
        "AWS::RDS::DBInstance",
        """
            cluster_identifier=DBClusterIdentifier instance_class=DBInstanceClass
            identifier=DBInstanceIdentifier ca_cert_identifier=CACertificateIdentifier
            engine apply_immediately auto_minor_version_upgrade availability_zone
            copy_tags_to_snapshot custom_iam_instance_profile=CustomIAMInstanceProfile
            db_parameter_group_name=DBParameterGroupName
            db_subnet_group_name=DBSubnetGroupName engine_version monitoring_interval
            monitoring_role_arn performance_insights_enabled=EnablePerformanceInsights
            performance_insights_kms_key_id=PerformanceInsightsKMSKeyId
            performance_insights_retention_period preferred_backup_window
            preferred_maintenance_window promotion_tier publicly_accessible
        """,
        absent="""
            AdditionalStorageVolumes AllocatedStorage AllowMajorVersionUpgrade
            BackupRetentionPeriod BackupTarget CharacterSetName DBClusterSnapshotIdentifier
            DBName DBSecurityGroups DBSnapshotIdentifier DBSystemId DatabaseInsightsMode
            DedicatedLogVolume DeleteAutomatedBackups DeletionProtection
            EnableCloudwatchLogsExports EnableIAMDatabaseAuthentication Iops KmsKeyId
            LicenseModel ManageMasterUserPassword MasterUserPassword MasterUsername
            MaxAllocatedStorage MultiAZ NetworkType OptionGroupName Port
            SourceDBInstanceIdentifier SourceDBClusterIdentifier StorageEncrypted
            StorageThroughput StorageType VPCSecurityGroups MasterUserSecret
            TdeCredentialArn TdeCredentialPassword ReplicaMode Domain
            AutomaticBackupReplicationRegion CertificateRotationRestart DomainAuthSecretArn
            DomainDnsIps DomainFqdn DomainIAMRoleName DomainOu EngineLifecycleSupport
            MasterUserAuthenticationType NcharCharacterSetName ProcessorFeatures RestoreTime
            SourceDBInstanceAutomatedBackupsArn SourceDbiResourceId SourceRegion Timezone
            UseDefaultProcessorFeatures UseLatestRestorableTime
        """,
    ),
    "aws_db_parameter_group": TypeMap(
        "AWS::RDS::DBParameterGroup",
        "name=DBParameterGroupName parameter*:parameters=Parameters family description",
    ),
    "aws_rds_cluster_parameter_group": TypeMap(
        "AWS::RDS::DBClusterParameterGroup",
        "name=DBClusterParameterGroupName parameter*:parameters=Parameters family description",
    ),
    "aws_db_subnet_group": TypeMap(
        "AWS::RDS::DBSubnetGroup",
        "name=DBSubnetGroupName description=DBSubnetGroupDescription subnet_ids*",
    ),
    "aws_db_event_subscription": TypeMap(
        "AWS::RDS::EventSubscription",
        """
            sns_topic=SnsTopicArn name=SubscriptionName enabled event_categories*
            source_ids* source_type
        """,
    ),
    "aws_db_option_group": TypeMap(
        "AWS::RDS::OptionGroup",
        """
            name=OptionGroupName option*=OptionConfigurations { option_name port
            version=OptionVersion db_security_group_memberships*=DBSecurityGroupMemberships
            vpc_security_group_memberships* option_settings* { name value } } engine_name
            major_engine_version option_group_description
        """,
    ),
    "aws_db_proxy": TypeMap(
        "AWS::RDS::DBProxy",
        """
            name=DBProxyName engine_family role_arn vpc_subnet_ids* auth* { auth_scheme
            client_password_auth_type description iam_auth=IAMAuth secret_arn }
            debug_logging default_auth_scheme idle_client_timeout require_tls=RequireTLS
            vpc_security_group_ids*
        """,
    ),
    "aws_rds_global_cluster": TypeMap(
        "AWS::RDS::GlobalCluster",
        """
            global_cluster_identifier deletion_protection engine engine_lifecycle_support
            engine_version source_db_cluster_identifier=SourceDBClusterIdentifier
            storage_encrypted
        """,
    ),
    "aws_db_snapshot": TypeMap(
        "AWS::RDS::DBSnapshot",
        """
            db_instance_identifier=DBInstanceIdentifier
            db_snapshot_identifier=DBSnapshotIdentifier shared_accounts*=RestoreAccounts
        """,
        code="rds_snapshot",
    ),
    "aws_db_snapshot_copy": TypeMap(
        "AWS::RDS::DBSnapshot",
        """
            target_db_snapshot_identifier=DBSnapshotIdentifier kms_key_id option_group_name
            shared_accounts*=RestoreAccounts
        """,
        code="rds_snapshot",
    ),
    "aws_db_cluster_snapshot": TypeMap(
        "AWS::RDS::ClusterSnapshot",
        """
            db_cluster_identifier=DBClusterIdentifier
            db_cluster_snapshot_identifier=DBClusterSnapshotIdentifier
            shared_accounts*=RestoreAccounts
        """,
        code="rds_snapshot",
    ),
    "aws_db_instance_role_association": (
        Merge(
            "AWS::RDS::DBInstance",
            "db_instance_identifier",
            "role_arn=AssociatedRoles.RoleArn feature_name=AssociatedRoles.FeatureName",
            append=("AssociatedRoles",),
        ),
    ),
    "aws_rds_cluster_role_association": (
        Merge(
            "AWS::RDS::DBCluster",
            "db_cluster_identifier",
            "role_arn=AssociatedRoles.RoleArn feature_name=AssociatedRoles.FeatureName",
            append=("AssociatedRoles",),
        ),
    ),
    "aws_db_instance_automated_backups_replication": (
        Merge(
            "AWS::RDS::DBInstance",
            "source_db_instance_arn",
            """
            retention_period=AutomaticBackupReplicationRetentionPeriod
            kms_key_id=AutomaticBackupReplicationKmsKeyId region=AutomaticBackupReplicationRegion
        """,
        ),
    ),
    "aws_neptune_cluster": TypeMap(
        "AWS::Neptune::DBCluster",
        """
            cluster_identifier=DBClusterIdentifier
            iam_database_authentication_enabled=IamAuthEnabled
            iam_roles*:rolearns=AssociatedRoles kms_key_arn=KmsKeyId
            neptune_cluster_parameter_group_name=DBClusterParameterGroupName
            neptune_instance_parameter_group_name=DBInstanceParameterGroupName
            neptune_subnet_group_name=DBSubnetGroupName port=DBPort
            serverless_v2_scaling_configuration=ServerlessScalingConfiguration {
            max_capacity min_capacity }
            replication_source_identifier=SourceDBClusterIdentifier
            enable_cloudwatch_logs_exports*=EnableCloudwatchLogsExports availability_zones*
            backup_retention_period copy_tags_to_snapshot deletion_protection engine_version
            global_cluster_identifier preferred_backup_window preferred_maintenance_window
            snapshot_identifier storage_encrypted vpc_security_group_ids*
        """,
    ),
    "aws_neptune_cluster_instance": TypeMap(
        "AWS::Neptune::DBInstance",
        """
            cluster_identifier=DBClusterIdentifier instance_class=DBInstanceClass
            identifier=DBInstanceIdentifier
            neptune_parameter_group_name=DBParameterGroupName
            neptune_subnet_group_name=DBSubnetGroupName auto_minor_version_upgrade
            availability_zone port preferred_maintenance_window publicly_accessible
        """,
        absent="AllowMajorVersionUpgrade DBSnapshotIdentifier",
    ),
    "aws_docdb_cluster": TypeMap(
        "AWS::DocDB::DBCluster",
        """
            cluster_identifier=DBClusterIdentifier
            enabled_cloudwatch_logs_exports*=EnableCloudwatchLogsExports
            master_password=MasterUserPassword master_password_wo=MasterUserPassword
            restore_to_point_in_time.restore_to_time=RestoreToTime
            restore_to_point_in_time.restore_type=RestoreType
            restore_to_point_in_time.source_cluster_identifier=SourceDBClusterIdentifier
            restore_to_point_in_time.use_latest_restorable_time=UseLatestRestorableTime
            availability_zones* backup_retention_period
            db_cluster_parameter_group_name=DBClusterParameterGroupName
            db_subnet_group_name=DBSubnetGroupName deletion_protection engine_version
            global_cluster_identifier kms_key_id manage_master_user_password master_username
            network_type port preferred_backup_window preferred_maintenance_window
            serverless_v2_scaling_configuration { max_capacity min_capacity }
            snapshot_identifier storage_encrypted storage_type vpc_security_group_ids*
        """,
        absent="CopyTagsToSnapshot RotateMasterUserPassword MasterUserSecretKmsKeyId",
    ),
    "aws_docdb_cluster_instance": TypeMap(
        "AWS::DocDB::DBInstance",
        """
            cluster_identifier=DBClusterIdentifier instance_class=DBInstanceClass
            identifier=DBInstanceIdentifier ca_cert_identifier=CACertificateIdentifier
            auto_minor_version_upgrade availability_zone enable_performance_insights
            preferred_maintenance_window
        """,
        absent="CertificateRotationRestart",
    ),
    "aws_docdb_cluster_parameter_group": TypeMap(
        "AWS::DocDB::DBClusterParameterGroup",
        "parameter*:parameters=Parameters family description name",
    ),
    "aws_dynamodb_table": TypeMap(
        "AWS::DynamoDB::Table",
        """
            name=TableName attribute*=AttributeDefinitions { name=AttributeName
            type=AttributeType } point_in_time_recovery=PointInTimeRecoverySpecification {
            enabled=PointInTimeRecoveryEnabled recovery_period_in_days }
            server_side_encryption=SSESpecification { enabled=SSEEnabled
            kms_key_arn=KMSMasterKeyId } stream_view_type=StreamSpecification.StreamViewType
            ttl=TimeToLiveSpecification { attribute_name enabled }
            read_capacity=ProvisionedThroughput.ReadCapacityUnits
            write_capacity=ProvisionedThroughput.WriteCapacityUnits billing_mode
            deletion_protection_enabled on_demand_throughput { max_read_request_units
            max_write_request_units } table_class warm_throughput { read_units_per_second
            write_units_per_second }
        """,
        code="dynamodb_table",
        sets="""
            KeySchema GlobalSecondaryIndexes LocalSecondaryIndexes SSESpecification.SSEType
            StreamSpecification.ResourcePolicy
        """,
        absent="ContributorInsightsSpecification VectorIndexes",
    ),
    "aws_dynamodb_resource_policy": (
        Merge("AWS::DynamoDB::Table", "resource_arn", "policy:json=ResourcePolicy.PolicyDocument"),
    ),
    "aws_dynamodb_kinesis_streaming_destination": (
        Merge("AWS::DynamoDB::Table", "table_name", "stream_arn=KinesisStreamSpecification.StreamArn"),
    ),
    "aws_dynamodb_contributor_insights": (
        Merge(
            "AWS::DynamoDB::Table",
            "table_name",
            "mode=ContributorInsightsSpecification.Mode",
            constants={"ContributorInsightsSpecification.Enabled": True},
        ),
    ),
    "aws_redshift_cluster": TypeMap(
        "AWS::Redshift::Cluster",
        """
            database_name=DBName master_password=MasterUserPassword
            master_password_wo=MasterUserPassword
            availability_zone_relocation_enabled=AvailabilityZoneRelocation
            logging=LoggingProperties { bucket_name s3_key_prefix log_destination_type
            log_exports* } cluster_identifier node_type allow_version_upgrade
            aqua_configuration_status automated_snapshot_retention_period availability_zone
            cluster_parameter_group_name cluster_subnet_group_name cluster_type
            cluster_version elastic_ip encrypted enhanced_vpc_routing iam_roles* kms_key_id
            maintenance_track_name manage_master_password manual_snapshot_retention_period
            master_password_secret_kms_key_id master_username multi_az=MultiAZ
            number_of_nodes owner_account port preferred_maintenance_window
            publicly_accessible snapshot_cluster_identifier snapshot_identifier
            vpc_security_group_ids*
        """,
        absent="""
            ClusterSecurityGroups HsmClientCertificateIdentifier HsmConfigurationIdentifier
            Classic
        """,
    ),
    "aws_redshift_logging": (
        Merge(
            "AWS::Redshift::Cluster",
            "cluster_identifier",
            """
            bucket_name=LoggingProperties.BucketName
            s3_key_prefix=LoggingProperties.S3KeyPrefix
            log_destination_type=LoggingProperties.LogDestinationType
            log_exports*=LoggingProperties.LogExports
        """,
            constants={"LoggingEnabled": True},
        ),
    ),
    "aws_redshift_snapshot_copy": (
        Merge(
            "AWS::Redshift::Cluster",
            "cluster_identifier",
            """
            destination_region=DestinationRegion snapshot_copy_grant_name
            retention_period=SnapshotCopyRetentionPeriod
        """,
        ),
    ),
    "aws_redshift_cluster_iam_roles": (
        Merge(
            "AWS::Redshift::Cluster", "cluster_identifier", "iam_role_arns*=IamRoles", append=("IamRoles",)
        ),
    ),
    "aws_redshift_parameter_group": TypeMap(
        "AWS::Redshift::ClusterParameterGroup",
        """
            name=ParameterGroupName family=ParameterGroupFamily parameter*=Parameters {
            name=ParameterName value=ParameterValue } description
        """,
    ),
    "aws_redshift_subnet_group": TypeMap(
        "AWS::Redshift::ClusterSubnetGroup",
        "description subnet_ids*",
    ),
    "aws_redshiftserverless_namespace": TypeMap(
        "AWS::RedshiftServerless::Namespace",
        """
            admin_user_password_wo=AdminUserPassword admin_user_password namespace_name
            admin_password_secret_kms_key_id admin_username db_name default_iam_role_arn
            iam_roles* kms_key_id log_exports* manage_admin_password
        """,
    ),
    "aws_redshiftserverless_workgroup": TypeMap(
        "AWS::RedshiftServerless::Workgroup",
        """
            price_performance_target { enabled:upenabled=Status level } namespace_name
            workgroup_name base_capacity config_parameter*=ConfigParameters { parameter_key
            parameter_value } enhanced_vpc_routing max_capacity port publicly_accessible
            security_group_ids* subnet_ids* track_name
        """,
    ),
}
