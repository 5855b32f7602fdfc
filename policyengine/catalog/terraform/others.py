"""Services with one or two covered types each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_acmpca_certificate_authority": TypeMap(
        "AWS::ACMPCA::CertificateAuthority",
        """
            certificate_authority_configuration.key_algorithm=KeyAlgorithm
            certificate_authority_configuration.signing_algorithm=SigningAlgorithm
            key_storage_security_standard revocation_configuration { crl_configuration {
            custom_cname enabled expiration_in_days s3_bucket_name s3_object_acl }
            ocsp_configuration { enabled ocsp_custom_cname } } type usage_mode
        """,
    ),
    "aws_appautoscaling_target": TypeMap(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        """
            max_capacity min_capacity resource_id scalable_dimension service_namespace
            role_arn=RoleARN suspended_state { dynamic_scaling_in_suspended
            dynamic_scaling_out_suspended scheduled_scaling_suspended }
        """,
    ),
    "aws_appflow_flow": TypeMap(
        "AWS::AppFlow::Flow",
        """
            name=FlowName description kms_arn=KMSArn source_flow_config { connector_type
            connector_profile_name api_version } trigger_config { trigger_type }
        """,
    ),
    "aws_appsync_api_cache": TypeMap(
        "AWS::AppSync::ApiCache",
        """
            api_caching_behavior api_id ttl type at_rest_encryption_enabled
            transit_encryption_enabled
        """,
        tags="",
    ),
    "aws_autoscaling_policy": TypeMap(
        "AWS::AutoScaling::ScalingPolicy",
        """
            autoscaling_group_name=AutoScalingGroupName adjustment_type cooldown:text
            policy_type scaling_adjustment estimated_instance_warmup metric_aggregation_type
            min_adjustment_magnitude
        """,
        tags="",
    ),
    "aws_keyspaces_table": TypeMap(
        "AWS::Cassandra::Table",
        """
            keyspace_name table_name default_time_to_live encryption_specification {
            type=EncryptionType kms_key_identifier }
            point_in_time_recovery.status:isenabled=PointInTimeRecoveryEnabled
            capacity_specification=BillingMode { throughput_mode=Mode
            read_capacity_units=ProvisionedThroughput.ReadCapacityUnits
            write_capacity_units=ProvisionedThroughput.WriteCapacityUnits }
        """,
    ),
    "aws_cloudformation_stack": TypeMap(
        "AWS::CloudFormation::Stack",
        """
            name=StackName notification_arns*=NotificationARNs parameters
            template_url=TemplateURL timeout_in_minutes
        """,
    ),
    "aws_cloudfront_response_headers_policy": TypeMap(
        "AWS::CloudFront::ResponseHeadersPolicy",
        """
            name=ResponseHeadersPolicyConfig.Name
            comment=ResponseHeadersPolicyConfig.Comment
            security_headers_config=ResponseHeadersPolicyConfig.SecurityHeadersConfig {
            content_security_policy { content_security_policy override }
            content_type_options { override } frame_options { frame_option override }
            referrer_policy { override referrer_policy } strict_transport_security {
            access_control_max_age_sec include_subdomains override preload }
            xss_protection=XSSProtection { mode_block override protection report_uri } }
            cors_config=ResponseHeadersPolicyConfig.CorsConfig {
            access_control_allow_credentials
            access_control_allow_headers.items*=AccessControlAllowHeaders.Items
            access_control_allow_methods.items*=AccessControlAllowMethods.Items
            access_control_allow_origins.items*=AccessControlAllowOrigins.Items
            access_control_max_age_sec origin_override }
        """,
        tags="",
    ),
    "aws_codeartifact_domain": TypeMap(
        "AWS::CodeArtifact::Domain",
        "domain=DomainName encryption_key",
    ),
    "aws_codebuild_report_group": TypeMap(
        "AWS::CodeBuild::ReportGroup",
        """
            export_config { type=ExportConfigType s3_destination { bucket encryption_key
            encryption_disabled packaging path } } name type delete_reports
        """,
    ),
    "aws_dms_replication_subnet_group": TypeMap(
        "AWS::DMS::ReplicationSubnetGroup",
        """
            replication_subnet_group_id=ReplicationSubnetGroupIdentifier
            replication_subnet_group_description subnet_ids*
        """,
    ),
    "aws_docdb_subnet_group": TypeMap(
        "AWS::DocDB::DBSubnetGroup",
        "description=DBSubnetGroupDescription name=DBSubnetGroupName subnet_ids*",
    ),
    "aws_docdb_global_cluster": TypeMap(
        "AWS::DocDB::GlobalCluster",
        """
            global_cluster_identifier deletion_protection engine engine_version
            source_db_cluster_identifier=SourceDBClusterIdentifier storage_encrypted
        """,
    ),
    "aws_docdb_cluster_snapshot": TypeMap(
        "AWS::DocDB::DBClusterSnapshot",
        """
            db_cluster_identifier=DBClusterIdentifier
            db_cluster_snapshot_identifier=DBClusterSnapshotIdentifier
        """,
        code="rds_snapshot",
        tags="",
    ),
    "aws_neptune_cluster_snapshot": TypeMap(
        "AWS::Neptune::DBClusterSnapshot",
        """
            db_cluster_identifier=DBClusterIdentifier
            db_cluster_snapshot_identifier=DBClusterSnapshotIdentifier
        """,
        code="rds_snapshot",
        tags="",
    ),
    "aws_neptune_cluster_parameter_group": TypeMap(
        "AWS::Neptune::DBClusterParameterGroup",
        "parameter*:parameters=Parameters family description name",
    ),
    "aws_neptune_subnet_group": TypeMap(
        "AWS::Neptune::DBSubnetGroup",
        "description=DBSubnetGroupDescription name=DBSubnetGroupName subnet_ids*",
    ),
    "aws_memorydb_snapshot": TypeMap(
        "AWS::MemoryDB::Snapshot",
        "cluster_name kms_key_arn=KmsKeyId name=SnapshotName",
    ),
    "aws_key_pair": TypeMap(
        "AWS::EC2::KeyPair",
        "public_key=PublicKeyMaterial key_name",
    ),
    "aws_ec2_transit_gateway_vpc_attachment": TypeMap(
        "AWS::EC2::TransitGatewayVpcAttachment",
        """
            appliance_mode_support=Options.ApplianceModeSupport
            dns_support=Options.DnsSupport ipv6_support=Options.Ipv6Support
            security_group_referencing_support=Options.SecurityGroupReferencingSupport
            subnet_ids* transit_gateway_id vpc_id
        """,
        absent="AddSubnetIds RemoveSubnetIds",
    ),
    "aws_ecs_task_set": TypeMap(
        "AWS::ECS::TaskSet",
        """
            network_configuration=NetworkConfiguration.AwsVpcConfiguration { subnets*
            security_groups* assign_public_ip:upenabled } load_balancer*=LoadBalancers {
            container_name container_port target_group_arn } cluster service task_definition
            capacity_provider_strategy* { capacity_provider weight base } external_id
            launch_type platform_version scale { unit value } service_registries* {
            registry_arn container_name container_port port }
        """,
    ),
    "aws_eks_fargate_profile": TypeMap(
        "AWS::EKS::FargateProfile",
        """
            subnet_ids*=Subnets selector*=Selectors { namespace } cluster_name
            fargate_profile_name pod_execution_role_arn
        """,
    ),
    "aws_globalaccelerator_accelerator": TypeMap(
        "AWS::GlobalAccelerator::Accelerator",
        "name enabled ip_addresses* ip_address_type",
    ),
    "aws_glue_dev_endpoint": TypeMap(
        "AWS::Glue::DevEndpoint",
        """
            name=EndpointName role_arn arguments extra_jars_s3_path
            extra_python_libs_s3_path glue_version number_of_nodes number_of_workers
            public_key public_keys* security_configuration security_group_ids* subnet_id
            worker_type
        """,
    ),
    "aws_imagebuilder_component": TypeMap(
        "AWS::ImageBuilder::Component",
        """
            name platform version change_description data description kms_key_id
            supported_os_versions* uri
        """,
    ),
    "aws_imagebuilder_image_recipe": TypeMap(
        "AWS::ImageBuilder::ImageRecipe",
        """
            component*=Components { component_arn }
            user_data_base64=AdditionalInstanceConfiguration.UserDataOverride name
            parent_image version ami_tags block_device_mapping*=BlockDeviceMappings {
            device_name ebs { delete_on_termination encrypted iops kms_key_id snapshot_id
            throughput volume_size volume_type } no_device virtual_name } description
            working_directory
        """,
    ),
    "aws_imagebuilder_infrastructure_configuration": TypeMap(
        "AWS::ImageBuilder::InfrastructureConfiguration",
        """
            instance_profile_name name description instance_metadata_options {
            http_put_response_hop_limit http_tokens } instance_types* key_pair logging {
            s3_logs { s3_bucket_name s3_key_prefix } } placement { availability_zone host_id
            host_resource_group_arn tenancy } resource_tags security_group_ids*
            sns_topic_arn subnet_id terminate_instance_on_failure
        """,
    ),
    "aws_imagebuilder_distribution_configuration": TypeMap(
        "AWS::ImageBuilder::DistributionConfiguration",
        """
            distribution*=Distributions { region ami_distribution_configuration { ami_tags
            description kms_key_id launch_permission=LaunchPermissionConfiguration {
            organizational_unit_arns* organization_arns* user_groups* user_ids* } name
            target_account_ids* } container_distribution_configuration { target_repository {
            repository_name service } container_tags* description }
            fast_launch_configuration*=FastLaunchConfigurations { account_id enabled
            launch_template { launch_template_id launch_template_name
            launch_template_version } max_parallel_launches snapshot_configuration {
            target_resource_count } }
            launch_template_configuration*=LaunchTemplateConfigurations { launch_template_id
            account_id } license_configuration_arns*
            ssm_parameter_configuration*=SsmParameterConfigurations { parameter_name
            ami_account_id data_type } } name description
        """,
    ),
    "aws_mskconnect_connector": TypeMap(
        "AWS::KafkaConnect::Connector",
        """
            name=ConnectorName description=ConnectorDescription worker_configuration {
            arn=WorkerConfigurationArn revision } plugin*=Plugins { custom_plugin {
            arn=CustomPluginArn revision } } capacity { autoscaling=AutoScaling {
            max_worker_count min_worker_count mcu_count scale_in_policy {
            cpu_utilization_percentage } scale_out_policy { cpu_utilization_percentage } }
            provisioned_capacity { worker_count mcu_count } } connector_configuration
            kafka_cluster { apache_kafka_cluster { bootstrap_servers vpc { security_groups*
            subnets* } } } kafka_cluster_client_authentication { authentication_type }
            kafka_cluster_encryption_in_transit { encryption_type }
            kafkaconnect_version=KafkaConnectVersion service_execution_role_arn log_delivery
            { worker_log_delivery { cloudwatch_logs=CloudWatchLogs { enabled log_group }
            firehose { enabled delivery_stream } s3 { enabled bucket prefix } } }
        """,
    ),
    "aws_kendra_index": TypeMap(
        "AWS::Kendra::Index",
        """
            name role_arn capacity_units { query_capacity_units storage_capacity_units }
            description edition server_side_encryption_configuration { kms_key_id }
            user_context_policy user_token_configurations* { json_token_type_configuration {
            group_attribute_field user_name_attribute_field } jwt_token_type_configuration {
            key_location claim_regex group_attribute_field issuer url=URL
            user_name_attribute_field } }
        """,
    ),
    "aws_kinesis_video_stream": TypeMap(
        "AWS::KinesisVideo::Stream",
        "name data_retention_in_hours device_name kms_key_id media_type",
    ),
    "aws_lightsail_database": TypeMap(
        "AWS::Lightsail::Database",
        """
            blueprint_id=RelationalDatabaseBlueprintId bundle_id=RelationalDatabaseBundleId
            master_password=MasterUserPassword backup_retention_enabled=BackupRetention
            master_database_name master_username relational_database_name availability_zone
            preferred_backup_window preferred_maintenance_window publicly_accessible
        """,
    ),
    "aws_lightsail_instance": TypeMap(
        "AWS::Lightsail::Instance",
        """
            name=InstanceName add_on*=AddOns { type=AddOnType status } availability_zone
            blueprint_id bundle_id key_pair_name user_data
        """,
    ),
    "aws_cloudwatch_log_resource_policy": TypeMap(
        "AWS::Logs::ResourcePolicy",
        "policy_document:json policy_name",
        tags="",
    ),
    "aws_mwaa_environment": TypeMap(
        "AWS::MWAA::Environment",
        """
            dag_s3_path execution_role_arn name network_configuration { security_group_ids*
            subnet_ids* } source_bucket_arn airflow_configuration_options airflow_version
            endpoint_management environment_class kms_key logging_configuration {
            dag_processing_logs { enabled log_level } scheduler_logs { enabled log_level }
            task_logs { enabled log_level } webserver_logs { enabled log_level } worker_logs
            { enabled log_level } } max_webservers max_workers min_webservers min_workers
            plugins_s3_object_version plugins_s3_path requirements_s3_object_version
            requirements_s3_path schedulers startup_script_s3_object_version
            startup_script_s3_path webserver_access_mode weekly_maintenance_window_start
            worker_replacement_strategy
        """,
    ),
    "aws_opensearchserverless_collection": TypeMap(
        "AWS::OpenSearchServerless::Collection",
        "name description standby_replicas type",
    ),
    "aws_s3control_multi_region_access_point": TypeMap(
        "AWS::S3::MultiRegionAccessPoint",
        """
            details.name=Name details.region*=Regions { bucket bucket_account_id }
            details.public_access_block=PublicAccessBlockConfiguration { block_public_acls
            block_public_policy ignore_public_acls restrict_public_buckets }
        """,
        tags="",
    ),
    "aws_s3_directory_bucket": TypeMap(
        "AWS::S3Express::DirectoryBucket",
        "bucket=BucketName location.name=LocationName data_redundancy",
    ),
    "aws_s3tables_table_bucket": TypeMap(
        "AWS::S3Tables::TableBucket",
        """
            name=TableBucketName encryption_configuration { kms_key_arn=KMSKeyArn
            sse_algorithm=SSEAlgorithm }
        """,
    ),
    "aws_sesv2_configuration_set": TypeMap(
        "AWS::SES::ConfigurationSet",
        """
            configuration_set_name=Name delivery_options { max_delivery_seconds
            sending_pool_name tls_policy } reputation_options { reputation_metrics_enabled }
            sending_options { sending_enabled } suppression_options { suppressed_reasons* }
            tracking_options { custom_redirect_domain https_policy } vdm_options {
            dashboard_options { engagement_metrics } guardian_options {
            optimized_shared_delivery } }
        """,
    ),
    "aws_servicecatalog_portfolio": TypeMap(
        "AWS::ServiceCatalog::Portfolio",
        "name=DisplayName provider_name description",
    ),
    "aws_timestreamwrite_database": TypeMap(
        "AWS::Timestream::Database",
        "database_name kms_key_id",
    ),
}
