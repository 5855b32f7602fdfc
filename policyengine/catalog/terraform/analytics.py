"""Streams, search, data lakes and migration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_opensearch_domain": TypeMap(
        "AWS::OpenSearchService::Domain",
        """
            encrypt_at_rest=EncryptionAtRestOptions { enabled kms_key_id }
            node_to_node_encryption.enabled=NodeToNodeEncryptionOptions.Enabled domain_name
            access_policies:json advanced_options advanced_security_options { enabled
            anonymous_auth_enabled internal_user_database_enabled master_user_options {
            master_user_arn=MasterUserARN master_user_name master_user_password } }
            aiml_options=AIMLOptions { s3_vectors_engine { enabled } } cluster_config {
            cold_storage_options { enabled } dedicated_master_count dedicated_master_enabled
            dedicated_master_type instance_count instance_type
            multi_az_with_standby_enabled=MultiAZWithStandbyEnabled node_options* {
            node_config { count enabled type } node_type } warm_count warm_enabled warm_type
            zone_awareness_config { availability_zone_count } zone_awareness_enabled }
            cognito_options { identity_pool_id role_arn user_pool_id enabled }
            domain_endpoint_options { custom_endpoint custom_endpoint_certificate_arn
            custom_endpoint_enabled enforce_https=EnforceHTTPS
            tls_security_policy=TLSSecurityPolicy } ebs_options=EBSOptions {
            ebs_enabled=EBSEnabled iops throughput volume_size volume_type } engine_version
            identity_center_options { enabled_api_access=EnabledAPIAccess
            identity_center_instance_arn=IdentityCenterInstanceARN roles_key subject_key }
            ip_address_type=IPAddressType off_peak_window_options { enabled off_peak_window
            { window_start_time { hours minutes } } } snapshot_options {
            automated_snapshot_start_hour } software_update_options {
            auto_software_update_enabled } vpc_options=VPCOptions { security_group_ids*
            subnet_ids* }
        """,
        code="log_publishing",
        sets="LogPublishingOptions",
    ),
    "aws_opensearch_domain_policy": (
        Merge("AWS::OpenSearchService::Domain", "domain_name", "access_policies:json"),
    ),
    "aws_elasticsearch_domain": TypeMap(
        "AWS::Elasticsearch::Domain",
        """
            encrypt_at_rest=EncryptionAtRestOptions { enabled kms_key_id }
            node_to_node_encryption.enabled=NodeToNodeEncryptionOptions.Enabled
            cluster_config=ElasticsearchClusterConfig { dedicated_master_count
            dedicated_master_enabled dedicated_master_type instance_count instance_type
            warm_count warm_enabled warm_type zone_awareness_enabled zone_awareness_config {
            availability_zone_count } cold_storage_options { enabled } } domain_name
            access_policies:json advanced_options advanced_security_options { enabled
            internal_user_database_enabled master_user_options {
            master_user_arn=MasterUserARN master_user_name master_user_password } }
            cognito_options { identity_pool_id role_arn user_pool_id enabled }
            domain_endpoint_options { custom_endpoint custom_endpoint_certificate_arn
            custom_endpoint_enabled enforce_https=EnforceHTTPS
            tls_security_policy=TLSSecurityPolicy } ebs_options=EBSOptions {
            ebs_enabled=EBSEnabled iops volume_size volume_type } elasticsearch_version
            snapshot_options { automated_snapshot_start_hour } vpc_options=VPCOptions {
            security_group_ids* subnet_ids* }
        """,
        code="log_publishing",
        sets="LogPublishingOptions",
    ),
    "aws_elasticsearch_domain_policy": (
        Merge("AWS::Elasticsearch::Domain", "domain_name", "access_policies:json"),
    ),
    "aws_kinesis_stream": TypeMap(
        "AWS::Kinesis::Stream",
        """
            encryption_type=StreamEncryption.EncryptionType
            kms_key_id=StreamEncryption.KeyId retention_period=RetentionPeriodHours
            shard_level_metrics*=DesiredShardLevelMetrics name
            max_record_size_in_kib=MaxRecordSizeInKiB shard_count stream_mode_details {
            stream_mode }
        """,
        code="kinesis_stream",
    ),
    "aws_kinesis_firehose_delivery_stream": TypeMap(
        "AWS::KinesisFirehose::DeliveryStream",
        """
            name=DeliveryStreamName
            server_side_encryption=DeliveryStreamEncryptionConfigurationInput {
            key_arn=KeyARN key_type }
            kinesis_source_configuration=KinesisStreamSourceConfiguration {
            kinesis_stream_arn=KinesisStreamARN role_arn=RoleARN }
            extended_s3_configuration=ExtendedS3DestinationConfiguration {
            bucket_arn=BucketARN role_arn=RoleARN prefix error_output_prefix
            compression_format
            kms_key_arn=EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN
            s3_backup_mode cloudwatch_logging_options=CloudWatchLoggingOptions { enabled
            log_group_name log_stream_name }
            buffering_interval=BufferingHints.IntervalInSeconds
            buffering_size=BufferingHints.SizeInMBs custom_time_zone file_extension }
            msk_source_configuration=MSKSourceConfiguration { authentication_configuration {
            connectivity role_arn=RoleARN } msk_cluster_arn=MSKClusterARN topic_name
            read_from_timestamp }
        """,
        code="firehose",
        sets="DeliveryStreamType DeliveryStreamEncryptionConfigurationInput",
    ),
    "aws_msk_cluster": TypeMap(
        "AWS::MSK::Cluster",
        """
            encryption_info {
            encryption_at_rest_kms_key_arn=EncryptionAtRest.DataVolumeKMSKeyId
            encryption_in_transit { client_broker in_cluster } } broker_node_group_info {
            az_distribution=BrokerAZDistribution client_subnets* instance_type
            security_groups* connectivity_info { public_access { type } vpc_connectivity {
            client_authentication { sasl { iam scram } tls } } } storage_info {
            ebs_storage_info=EBSStorageInfo { provisioned_throughput { enabled
            volume_throughput } volume_size } } } client_authentication { sasl {
            iam=Iam.Enabled scram=Scram.Enabled } tls {
            certificate_authority_arns*=CertificateAuthorityArnList }
            unauthenticated=Unauthenticated.Enabled } cluster_name kafka_version
            number_of_broker_nodes configuration_info { arn revision } enhanced_monitoring
            logging_info { broker_logs { cloudwatch_logs=CloudWatchLogs { enabled log_group
            } firehose { enabled delivery_stream } s3 { enabled bucket prefix } } }
            open_monitoring { prometheus { jmx_exporter { enabled_in_broker } node_exporter
            { enabled_in_broker } } } rebalancing { status } storage_mode
        """,
    ),
    "aws_msk_serverless_cluster": TypeMap(
        "AWS::MSK::ServerlessCluster",
        """
            vpc_config*=VpcConfigs { subnet_ids* security_group_ids*=SecurityGroups }
            client_authentication { sasl { iam { enabled } } } cluster_name
        """,
    ),
    "aws_mq_broker": TypeMap(
        "AWS::AmazonMQ::Broker",
        """
            broker_name engine_type engine_version host_instance_type user*=Users { password
            username console_access groups* replication_user } authentication_strategy
            auto_minor_version_upgrade configuration { id revision } data_replication_mode
            data_replication_primary_broker_arn deployment_mode encryption_options {
            kms_key_id use_aws_owned_key } ldap_server_metadata { hosts* role_base role_name
            role_search_matching role_search_subtree service_account_password
            service_account_username user_base user_role_name user_search_matching
            user_search_subtree } logs { audit general } maintenance_window_start_time {
            day_of_week time_of_day time_zone } publicly_accessible security_groups*
            storage_type subnet_ids*
        """,
    ),
    "aws_athena_workgroup": TypeMap(
        "AWS::Athena::WorkGroup",
        """
            configuration=WorkGroupConfiguration { bytes_scanned_cutoff_per_query
            enforce_workgroup_configuration=EnforceWorkGroupConfiguration engine_version {
            selected_engine_version } execution_role
            publish_cloudwatch_metrics_enabled=PublishCloudWatchMetricsEnabled
            requester_pays_enabled result_configuration { output_location
            expected_bucket_owner encryption_configuration { encryption_option
            kms_key_arn=KmsKey } acl_configuration { s3_acl_option } } } name description
            state
        """,
    ),
    "aws_glue_data_catalog_encryption_settings": TypeMap(
        "AWS::Glue::DataCatalogEncryptionSettings",
        """
            data_catalog_encryption_settings { connection_password_encryption {
            aws_kms_key_id=KmsKeyId return_connection_password_encrypted }
            encryption_at_rest { catalog_encryption_mode catalog_encryption_service_role
            sse_aws_kms_key_id } } catalog_id
        """,
        tags="",
    ),
    "aws_glue_security_configuration": TypeMap(
        "AWS::Glue::SecurityConfiguration",
        """
            encryption_configuration { cloudwatch_encryption=CloudWatchEncryption {
            cloudwatch_encryption_mode=CloudWatchEncryptionMode kms_key_arn }
            job_bookmarks_encryption { job_bookmarks_encryption_mode kms_key_arn }
            s3_encryption*=S3Encryptions { kms_key_arn s3_encryption_mode } } name
        """,
        tags="",
    ),
    "aws_glue_job": TypeMap(
        "AWS::Glue::Job",
        """
            role_arn=Role connections*=Connections.Connections command { script_location
            name python_version runtime } name default_arguments description execution_class
            execution_property { max_concurrent_runs } glue_version job_mode
            job_run_queuing_enabled maintenance_window max_capacity max_retries
            non_overridable_arguments notification_property { notify_delay_after }
            number_of_workers security_configuration timeout worker_type
        """,
    ),
    "aws_glue_crawler": TypeMap(
        "AWS::Glue::Crawler",
        """
            security_configuration=CrawlerSecurityConfiguration
            schedule=Schedule.ScheduleExpression database_name name role classifiers*
            configuration description lake_formation_configuration { account_id
            use_lake_formation_credentials } recrawl_policy { recrawl_behavior }
            schema_change_policy { delete_behavior update_behavior } table_prefix
        """,
        absent="",
    ),
    "aws_glue_connection": TypeMap(
        "AWS::Glue::Connection",
        """
            name=ConnectionInput.Name connection_type=ConnectionInput.ConnectionType
            connection_properties=ConnectionInput.ConnectionProperties
            match_criteria*=ConnectionInput.MatchCriteria
            description=ConnectionInput.Description
            physical_connection_requirements=ConnectionInput.PhysicalConnectionRequirements
            { availability_zone security_group_id_list* subnet_id } catalog_id
        """,
    ),
    "aws_glue_ml_transform": TypeMap(
        "AWS::Glue::MLTransform",
        """
            role_arn=Role name description glue_version max_capacity max_retries
            number_of_workers timeout worker_type
        """,
    ),
    "aws_emr_cluster": TypeMap(
        "AWS::EMR::Cluster",
        """
            ec2_attributes.instance_profile=JobFlowRole
            ec2_attributes.subnet_id=Instances.Ec2SubnetId
            ec2_attributes.subnet_ids*=Instances.Ec2SubnetIds
            ec2_attributes.key_name=Instances.Ec2KeyName
            ec2_attributes.emr_managed_master_security_group=Instances.EmrManagedMasterSecurityGroup
            ec2_attributes.emr_managed_slave_security_group=Instances.EmrManagedSlaveSecurityGroup
            ec2_attributes.service_access_security_group=Instances.ServiceAccessSecurityGroup
            termination_protection=Instances.TerminationProtected
            keep_job_flow_alive_when_no_steps=Instances.KeepJobFlowAliveWhenNoSteps
            applications*:names=Applications name release_label service_role
            additional_info:json autoscaling_role=AutoScalingRole auto_termination_policy {
            idle_timeout } bootstrap_action*=BootstrapActions { name } custom_ami_id
            ebs_root_volume_size kerberos_attributes { kdc_admin_password realm
            ad_domain_join_password=ADDomainJoinPassword
            ad_domain_join_user=ADDomainJoinUser cross_realm_trust_principal_password }
            log_encryption_kms_key_id log_uri os_release_label=OSReleaseLabel
            placement_group_config*=PlacementGroupConfigs { instance_role placement_strategy
            } scale_down_behavior security_configuration step*=Steps { action_on_failure
            hadoop_jar_step { args* jar main_class } name } step_concurrency_level
            visible_to_all_users
        """,
    ),
    "aws_emr_security_configuration": TypeMap(
        "AWS::EMR::SecurityConfiguration",
        "configuration:json=SecurityConfiguration name",
        tags="",
    ),
    "aws_emrserverless_application": TypeMap(
        "AWS::EMRServerless::Application",
        """
            name release_label type architecture auto_start_configuration { enabled }
            auto_stop_configuration { enabled idle_timeout_minutes } image_configuration {
            image_uri } initial_capacity* {} interactive_configuration {
            livy_endpoint_enabled studio_enabled } maximum_capacity { cpu memory disk }
            monitoring_configuration {
            cloudwatch_logging_configuration=CloudWatchLoggingConfiguration { enabled
            encryption_key_arn log_group_name log_stream_name_prefix }
            managed_persistence_monitoring_configuration { enabled encryption_key_arn }
            prometheus_monitoring_configuration { remote_write_url }
            s3_monitoring_configuration { encryption_key_arn log_uri } }
            network_configuration { security_group_ids* subnet_ids* } runtime_configuration*
            { classification properties } scheduler_configuration { max_concurrent_runs
            queue_timeout_minutes }
        """,
    ),
    "aws_lakeformation_data_lake_settings": TypeMap(
        "AWS::LakeFormation::DataLakeSettings",
        """
            admins*:datalake=Admins allow_external_data_filtering
            allow_full_table_external_data_access authorized_session_tag_value_list*
            external_data_filtering_allow_list*:datalake
            create_database_default_permissions* { permissions*
            principal=Principal.DataLakePrincipalIdentifier }
            create_table_default_permissions* { permissions*
            principal=Principal.DataLakePrincipalIdentifier } parameters
            trusted_resource_owners*
        """,
        code="lake_formation",
        tags="",
    ),
    "aws_lakeformation_permissions": TypeMap(
        "AWS::LakeFormation::PrincipalPermissions",
        """
            principal=Principal.DataLakePrincipalIdentifier permissions*
            permissions_with_grant_option* catalog_id=Catalog database=Resource.Database {
            catalog_id name } table=Resource.Table { catalog_id database_name name }
            data_location=Resource.DataLocation { catalog_id arn=ResourceArn }
        """,
        tags="",
    ),
    "aws_lakeformation_resource": TypeMap(
        "AWS::LakeFormation::Resource",
        """
            arn=ResourceArn hybrid_access_enabled role_arn use_service_linked_role
            with_federation
        """,
    ),
    "aws_dms_replication_instance": TypeMap(
        "AWS::DMS::ReplicationInstance",
        """
            replication_instance_id=ReplicationInstanceIdentifier kms_key_arn=KmsKeyId
            replication_subnet_group_id=ReplicationSubnetGroupIdentifier
            replication_instance_class allocated_storage allow_major_version_upgrade
            auto_minor_version_upgrade availability_zone dns_name_servers engine_version
            multi_az=MultiAZ network_type preferred_maintenance_window publicly_accessible
            vpc_security_group_ids*
        """,
    ),
    "aws_dms_endpoint": TypeMap(
        "AWS::DMS::Endpoint",
        """
            endpoint_id=EndpointIdentifier kms_key_arn=KmsKeyId endpoint_type engine_name
            certificate_arn database_name elasticsearch_settings { endpoint_uri
            service_access_role_arn error_retry_duration full_load_error_percentage }
            extra_connection_attributes kafka_settings { broker include_control_details
            include_null_and_empty include_partition_value include_table_alter_operations
            include_transaction_details message_format message_max_bytes no_hex_prefix
            partition_include_schema_table sasl_password sasl_username=SaslUserName
            security_protocol ssl_ca_certificate_arn ssl_client_certificate_arn
            ssl_client_key_arn ssl_client_key_password topic } kinesis_settings {
            include_control_details include_null_and_empty include_partition_value
            include_table_alter_operations include_transaction_details message_format
            partition_include_schema_table service_access_role_arn stream_arn }
            mongodb_settings=MongoDbSettings { auth_mechanism auth_source auth_type
            docs_to_investigate extract_doc_id nesting_level } mysql_settings=MySqlSettings
            { after_connect_script clean_source_metadata_on_mismatch events_poll_interval
            max_file_size parallel_load_threads server_timezone target_db_type }
            oracle_settings {} password port redis_settings { auth_type port server_name
            auth_password auth_user_name ssl_ca_certificate_arn ssl_security_protocol }
            redshift_settings { bucket_folder bucket_name encryption_mode
            server_side_encryption_kms_key_id service_access_role_arn } server_name ssl_mode
            username
        """,
    ),
    "aws_dms_replication_task": TypeMap(
        "AWS::DMS::ReplicationTask",
        """
            replication_task_id=ReplicationTaskIdentifier migration_type
            replication_instance_arn source_endpoint_arn table_mappings target_endpoint_arn
            cdc_start_position cdc_start_time replication_task_settings resource_identifier
        """,
    ),
}
