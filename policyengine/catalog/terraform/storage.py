"""File systems and backups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_efs_file_system": TypeMap(
        "AWS::EFS::FileSystem",
        """
            protection.replication_overwrite=FileSystemProtection.ReplicationOverwriteProtection
            availability_zone_name encrypted kms_key_id lifecycle_policy*=LifecyclePolicies
            { transition_to_archive transition_to_ia=TransitionToIA
            transition_to_primary_storage_class } performance_mode
            provisioned_throughput_in_mibps throughput_mode
        """,
    ),
    "aws_efs_backup_policy": (Merge("AWS::EFS::FileSystem", "file_system_id", "backup_policy { status }"),),
    "aws_efs_file_system_policy": (
        Merge("AWS::EFS::FileSystem", "file_system_id", "policy:json=FileSystemPolicy"),
    ),
    "aws_efs_access_point": TypeMap(
        "AWS::EFS::AccessPoint",
        """
            file_system_id posix_user { gid uid secondary_gids* } root_directory {
            creation_info { owner_gid owner_uid permissions } path }
        """,
    ),
    "aws_efs_mount_target": TypeMap(
        "AWS::EFS::MountTarget",
        "file_system_id subnet_id ip_address ip_address_type ipv6_address security_groups*",
        tags="",
    ),
    "aws_fsx_lustre_file_system": TypeMap(
        "AWS::FSx::FileSystem",
        """
            weekly_maintenance_start_time=LustreConfiguration.WeeklyMaintenanceStartTime
            daily_automatic_backup_start_time=LustreConfiguration.DailyAutomaticBackupStartTime
            automatic_backup_retention_days=LustreConfiguration.AutomaticBackupRetentionDays
            copy_tags_to_backups=LustreConfiguration.CopyTagsToBackups
            deployment_type=LustreConfiguration.DeploymentType
            throughput_capacity=LustreConfiguration.ThroughputCapacity
            data_compression_type=LustreConfiguration.DataCompressionType
            per_unit_storage_throughput=LustreConfiguration.PerUnitStorageThroughput
            auto_import_policy=LustreConfiguration.AutoImportPolicy
            export_path=LustreConfiguration.ExportPath
            import_path=LustreConfiguration.ImportPath
            drive_cache_type=LustreConfiguration.DriveCacheType
            efa_enabled=LustreConfiguration.EfaEnabled
            imported_file_chunk_size=LustreConfiguration.ImportedFileChunkSize subnet_ids*
            backup_id file_system_type_version kms_key_id security_group_ids*
            storage_capacity storage_type
        """,
        constants={"FileSystemType": "LUSTRE"},
        absent="WindowsConfiguration OntapConfiguration OpenZFSConfiguration",
    ),
    "aws_fsx_windows_file_system": TypeMap(
        "AWS::FSx::FileSystem",
        """
            weekly_maintenance_start_time=WindowsConfiguration.WeeklyMaintenanceStartTime
            daily_automatic_backup_start_time=WindowsConfiguration.DailyAutomaticBackupStartTime
            automatic_backup_retention_days=WindowsConfiguration.AutomaticBackupRetentionDays
            copy_tags_to_backups=WindowsConfiguration.CopyTagsToBackups
            deployment_type=WindowsConfiguration.DeploymentType
            throughput_capacity=WindowsConfiguration.ThroughputCapacity
            active_directory_id=WindowsConfiguration.ActiveDirectoryId
            aliases*=WindowsConfiguration.Aliases
            preferred_subnet_id=WindowsConfiguration.PreferredSubnetId
            audit_log_configuration=WindowsConfiguration.AuditLogConfiguration {
            audit_log_destination file_access_audit_log_level
            file_share_access_audit_log_level }
            disk_iops_configuration=WindowsConfiguration.DiskIopsConfiguration { iops mode }
            subnet_ids* backup_id kms_key_id security_group_ids* storage_capacity
            storage_type
        """,
        constants={"FileSystemType": "WINDOWS"},
        absent="LustreConfiguration OntapConfiguration OpenZFSConfiguration FileSystemTypeVersion",
    ),
    "aws_fsx_ontap_file_system": TypeMap(
        "AWS::FSx::FileSystem",
        """
            weekly_maintenance_start_time=OntapConfiguration.WeeklyMaintenanceStartTime
            daily_automatic_backup_start_time=OntapConfiguration.DailyAutomaticBackupStartTime
            automatic_backup_retention_days=OntapConfiguration.AutomaticBackupRetentionDays
            deployment_type=OntapConfiguration.DeploymentType
            throughput_capacity=OntapConfiguration.ThroughputCapacity
            preferred_subnet_id=OntapConfiguration.PreferredSubnetId
            endpoint_ip_address_range=OntapConfiguration.EndpointIpAddressRange
            fsx_admin_password=OntapConfiguration.FsxAdminPassword
            ha_pairs=OntapConfiguration.HAPairs
            route_table_ids*=OntapConfiguration.RouteTableIds
            throughput_capacity_per_ha_pair=OntapConfiguration.ThroughputCapacityPerHAPair
            disk_iops_configuration=OntapConfiguration.DiskIopsConfiguration { iops mode }
            storage_capacity subnet_ids* kms_key_id security_group_ids* storage_type
        """,
        constants={"FileSystemType": "ONTAP"},
        absent="""
            LustreConfiguration WindowsConfiguration OpenZFSConfiguration BackupId
            FileSystemTypeVersion
        """,
    ),
    "aws_fsx_openzfs_file_system": TypeMap(
        "AWS::FSx::FileSystem",
        """
            weekly_maintenance_start_time=OpenZFSConfiguration.WeeklyMaintenanceStartTime
            daily_automatic_backup_start_time=OpenZFSConfiguration.DailyAutomaticBackupStartTime
            automatic_backup_retention_days=OpenZFSConfiguration.AutomaticBackupRetentionDays
            copy_tags_to_backups=OpenZFSConfiguration.CopyTagsToBackups
            deployment_type=OpenZFSConfiguration.DeploymentType
            throughput_capacity=OpenZFSConfiguration.ThroughputCapacity
            copy_tags_to_volumes=OpenZFSConfiguration.CopyTagsToVolumes
            preferred_subnet_id=OpenZFSConfiguration.PreferredSubnetId
            endpoint_ip_address_range=OpenZFSConfiguration.EndpointIpAddressRange
            route_table_ids*=OpenZFSConfiguration.RouteTableIds
            disk_iops_configuration=OpenZFSConfiguration.DiskIopsConfiguration { iops mode }
            root_volume_configuration=OpenZFSConfiguration.RootVolumeConfiguration {
            copy_tags_to_snapshots data_compression_type read_only
            record_size_kib=RecordSizeKiB } subnet_ids* backup_id kms_key_id
            security_group_ids* storage_capacity storage_type
        """,
        constants={"FileSystemType": "OPENZFS"},
        absent="LustreConfiguration WindowsConfiguration OntapConfiguration FileSystemTypeVersion",
    ),
    "aws_backup_vault": TypeMap(
        "AWS::Backup::BackupVault",
        "name=BackupVaultName kms_key_arn=EncryptionKeyArn",
    ),
    "aws_backup_vault_lock_configuration": (
        Merge(
            "AWS::Backup::BackupVault",
            "backup_vault_name",
            """
            min_retention_days=LockConfiguration.MinRetentionDays
            max_retention_days=LockConfiguration.MaxRetentionDays
            changeable_for_days=LockConfiguration.ChangeableForDays
        """,
            constants={"Locked": True},
        ),
    ),
    "aws_backup_vault_policy": (
        Merge("AWS::Backup::BackupVault", "backup_vault_name", "policy:json=AccessPolicy"),
    ),
    "aws_backup_vault_notifications": (
        Merge(
            "AWS::Backup::BackupVault",
            "backup_vault_name",
            """
            backup_vault_events*=Notifications.BackupVaultEvents
            sns_topic_arn=Notifications.SNSTopicArn
        """,
        ),
    ),
    "aws_backup_logically_air_gapped_vault": TypeMap(
        "AWS::Backup::LogicallyAirGappedBackupVault",
        "name=BackupVaultName max_retention_days min_retention_days encryption_key_arn",
    ),
    "aws_backup_plan": TypeMap(
        "AWS::Backup::BackupPlan",
        """
            name=BackupPlan.BackupPlanName rule*=BackupPlan.BackupPlanRule { rule_name
            target_vault_name=TargetBackupVault schedule=ScheduleExpression
            schedule_expression_timezone start_window=StartWindowMinutes
            completion_window=CompletionWindowMinutes enable_continuous_backup lifecycle {
            cold_storage_after=MoveToColdStorageAfterDays delete_after=DeleteAfterDays
            opt_in_to_archive_for_supported_resources } recovery_point_tags
            target_logically_air_gapped_backup_vault_arn copy_action*=CopyActions {
            destination_vault_arn=DestinationBackupVaultArn lifecycle {
            cold_storage_after=MoveToColdStorageAfterDays delete_after=DeleteAfterDays
            opt_in_to_archive_for_supported_resources } } }
            advanced_backup_setting*=BackupPlan.AdvancedBackupSettings { backup_options
            resource_type }
        """,
    ),
    "aws_backup_selection": TypeMap(
        "AWS::Backup::BackupSelection",
        """
            plan_id=BackupPlanId name=BackupSelection.SelectionName
            iam_role_arn=BackupSelection.IamRoleArn resources*=BackupSelection.Resources
            not_resources*=BackupSelection.NotResources
            selection_tag*=BackupSelection.ListOfTags { key=ConditionKey type=ConditionType
            value=ConditionValue } condition=BackupSelection.Conditions { string_equals* {
            key=ConditionKey value=ConditionValue } string_like* { key=ConditionKey
            value=ConditionValue } string_not_equals* { key=ConditionKey
            value=ConditionValue } string_not_like* { key=ConditionKey value=ConditionValue
            } }
        """,
        tags="",
    ),
    "aws_backup_restore_testing_plan": TypeMap(
        "AWS::Backup::RestoreTestingPlan",
        """
            name=RestoreTestingPlanName schedule_expression recovery_point_selection {
            algorithm include_vaults* recovery_point_types* exclude_vaults*
            selection_window_days } schedule_expression_timezone start_window_hours
        """,
    ),
    "aws_backup_restore_testing_selection": TypeMap(
        "AWS::Backup::RestoreTestingSelection",
        """
            name=RestoreTestingSelectionName iam_role_arn protected_resource_type
            restore_testing_plan_name protected_resource_arns* protected_resource_conditions
            { string_equals* { key value } string_not_equals* { key value } }
            restore_metadata_overrides validation_window_hours
        """,
    ),
    "aws_backup_region_settings": TypeMap(
        "PolicyEngine::Account::Region",
        "resource_type_opt_in_preference=BackupRegionSettings.ResourceTypeOptInPreference",
        partial=True,
    ),
}
