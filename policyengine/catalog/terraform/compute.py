"""Amazon EC2 instances, volumes, images and what launches them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_instance": TypeMap(
        "AWS::EC2::Instance",
        """
            ami=ImageId vpc_security_group_ids*=SecurityGroupIds
            placement_group=PlacementGroupName private_ip=PrivateIpAddress
            hibernation=HibernationOptions.Configured launch_template { id=LaunchTemplateId
            name=LaunchTemplateName version } user_data user_data_base64=UserData
            availability_zone cpu_options { core_count threads_per_core }
            credit_specification { cpu_credits=CPUCredits } disable_api_termination
            ebs_optimized enclave_options { enabled } host_id host_resource_group_arn
            iam_instance_profile instance_initiated_shutdown_behavior instance_type
            ipv6_address_count ipv6_addresses* key_name metadata_options { http_endpoint
            http_protocol_ipv6 http_put_response_hop_limit http_tokens
            instance_metadata_tags } monitoring private_dns_name_options {
            enable_resource_name_dns_aaaa_record=EnableResourceNameDnsAAAARecord
            enable_resource_name_dns_a_record hostname_type } security_groups*
            source_dest_check subnet_id tenancy
        """,
        code="instance",
        sets="BlockDeviceMappings NetworkInterfaces",
        absent="""
            KernelId RamdiskId Affinity AdditionalInfo ElasticGpuSpecifications
            ElasticInferenceAccelerators LicenseSpecifications SsmAssociations
            PropagateTagsToVolumeOnCreation Volumes
        """,
    ),
    "aws_launch_template": TypeMap(
        "AWS::EC2::LaunchTemplate",
        """
            name=LaunchTemplateName description=VersionDescription
            ram_disk_id=LaunchTemplateData.RamDiskId
            vpc_security_group_ids*=LaunchTemplateData.SecurityGroupIds
            security_group_names*=LaunchTemplateData.SecurityGroups
            block_device_mappings*=LaunchTemplateData.BlockDeviceMappings { device_name
            no_device:text virtual_name ebs { delete_on_termination encrypted iops
            kms_key_id snapshot_id throughput volume_size volume_type
            volume_initialization_rate } }
            iam_instance_profile=LaunchTemplateData.IamInstanceProfile { arn name }
            network_interfaces*=LaunchTemplateData.NetworkInterfaces {
            security_groups*=Groups associate_carrier_ip_address associate_public_ip_address
            connection_tracking_specification { tcp_established_timeout udp_stream_timeout
            udp_timeout } delete_on_termination description device_index
            ena_srd_specification { ena_srd_enabled ena_srd_udp_specification {
            ena_srd_udp_enabled } } interface_type ipv4_prefix_count ipv4_prefixes*
            ipv6_address_count ipv6_addresses* ipv6_prefix_count ipv6_prefixes*
            network_card_index network_interface_id primary_ipv6 private_ip_address
            subnet_id }
            capacity_reservation_specification=LaunchTemplateData.CapacityReservationSpecification
            { capacity_reservation_preference capacity_reservation_target {
            capacity_reservation_id capacity_reservation_resource_group_arn } }
            cpu_options=LaunchTemplateData.CpuOptions { amd_sev_snp core_count
            threads_per_core } credit_specification=LaunchTemplateData.CreditSpecification {
            cpu_credits } disable_api_stop=LaunchTemplateData.DisableApiStop
            disable_api_termination=LaunchTemplateData.DisableApiTermination
            ebs_optimized=LaunchTemplateData.EbsOptimized
            enclave_options=LaunchTemplateData.EnclaveOptions { enabled }
            hibernation_options=LaunchTemplateData.HibernationOptions { configured }
            image_id=LaunchTemplateData.ImageId
            instance_initiated_shutdown_behavior=LaunchTemplateData.InstanceInitiatedShutdownBehavior
            instance_market_options=LaunchTemplateData.InstanceMarketOptions { market_type
            spot_options { block_duration_minutes instance_interruption_behavior max_price
            spot_instance_type valid_until } } instance_type=LaunchTemplateData.InstanceType
            kernel_id=LaunchTemplateData.KernelId key_name=LaunchTemplateData.KeyName
            license_specification*=LaunchTemplateData.LicenseSpecifications {
            license_configuration_arn }
            maintenance_options=LaunchTemplateData.MaintenanceOptions { auto_recovery }
            metadata_options=LaunchTemplateData.MetadataOptions { http_endpoint
            http_protocol_ipv6 http_put_response_hop_limit http_tokens
            instance_metadata_tags } monitoring=LaunchTemplateData.Monitoring { enabled }
            placement=LaunchTemplateData.Placement { affinity availability_zone group_id
            group_name host_id host_resource_group_arn partition_number spread_domain
            tenancy } private_dns_name_options=LaunchTemplateData.PrivateDnsNameOptions {
            enable_resource_name_dns_aaaa_record=EnableResourceNameDnsAAAARecord
            enable_resource_name_dns_a_record hostname_type }
            user_data=LaunchTemplateData.UserData
        """,
        code="launch_template",
        sets="LaunchTemplateData.TagSpecifications",
    ),
    "aws_launch_configuration": TypeMap(
        "AWS::AutoScaling::LaunchConfiguration",
        """
            name=LaunchConfigurationName enable_monitoring=InstanceMonitoring user_data
            user_data_base64=UserData image_id instance_type associate_public_ip_address
            ebs_optimized iam_instance_profile key_name metadata_options { http_endpoint
            http_put_response_hop_limit http_tokens } placement_tenancy security_groups*
            spot_price
        """,
        code="block_devices",
        sets="BlockDeviceMappings",
        absent="ClassicLinkVPCId ClassicLinkVPCSecurityGroups InstanceId KernelId RamDiskId",
        tags="",
    ),
    "aws_autoscaling_group": TypeMap(
        "AWS::AutoScaling::AutoScalingGroup",
        """
            name=AutoScalingGroupName default_cooldown:text=Cooldown
            launch_configuration=LaunchConfigurationName launch_template=LaunchTemplate {
            id=LaunchTemplateId name=LaunchTemplateName version }
            load_balancers*=LoadBalancerNames
            protect_from_scale_in=NewInstancesProtectedFromScaleIn min_size:text
            max_size:text desired_capacity:text vpc_zone_identifier*=VPCZoneIdentifier
            availability_zones* availability_zone_distribution {
            capacity_distribution_strategy } capacity_rebalance
            capacity_reservation_specification { capacity_reservation_preference
            capacity_reservation_target { capacity_reservation_ids*
            capacity_reservation_resource_group_arns* } } context default_instance_warmup
            desired_capacity_type health_check_grace_period health_check_type
            instance_maintenance_policy { max_healthy_percentage min_healthy_percentage }
            max_instance_lifetime mixed_instances_policy { launch_template {
            launch_template_specification { launch_template_id launch_template_name version
            } override*=Overrides { instance_requirements { accelerator_count { max min }
            accelerator_manufacturers* accelerator_names*
            accelerator_total_memory_mib=AcceleratorTotalMemoryMiB { max min }
            accelerator_types* allowed_instance_types* bare_metal
            baseline_ebs_bandwidth_mbps { max min } burstable_performance cpu_manufacturers*
            excluded_instance_types* instance_generations* local_storage
            local_storage_types* max_spot_price_as_percentage_of_optimal_on_demand_price
            memory_gib_per_vcpu=MemoryGiBPerVCpu { max min } memory_mib=MemoryMiB { max min
            } network_bandwidth_gbps { max min } network_interface_count { max min }
            on_demand_max_price_percentage_over_lowest_price require_hibernate_support
            spot_max_price_percentage_over_lowest_price
            total_local_storage_gb=TotalLocalStorageGB { max min } vcpu_count=VCpuCount {
            max min } } instance_type launch_template_specification { launch_template_id
            launch_template_name version } weighted_capacity } } instances_distribution {
            on_demand_allocation_strategy on_demand_base_capacity
            on_demand_percentage_above_base_capacity spot_allocation_strategy
            spot_instance_pools spot_max_price } } placement_group
            service_linked_role_arn=ServiceLinkedRoleARN tag*=Tags { key propagate_at_launch
            value } target_group_arns*=TargetGroupARNs termination_policies*
            traffic_source*=TrafficSources { identifier type }
        """,
        absent="AvailabilityZoneIds InstanceId",
        tags="",
    ),
    "aws_ebs_volume": TypeMap(
        "AWS::EC2::Volume",
        """
            type=VolumeType availability_zone encrypted iops kms_key_id multi_attach_enabled
            outpost_arn size snapshot_id throughput volume_initialization_rate
        """,
        absent="AutoEnableIO SourceVolumeId AvailabilityZoneId",
    ),
    "aws_volume_attachment": TypeMap(
        "AWS::EC2::VolumeAttachment",
        "device_name=Device instance_id volume_id",
        tags="",
    ),
    "aws_ebs_snapshot": TypeMap(
        "AWS::EC2::Snapshot",
        "volume_id description storage_tier",
        code="snapshot",
    ),
    "aws_ebs_snapshot_copy": TypeMap(
        "AWS::EC2::Snapshot",
        "description encrypted kms_key_id storage_tier",
    ),
    "aws_ami": TypeMap(
        "AWS::EC2::Image",
        "name",
        code="block_devices",
    ),
    "aws_ami_copy": TypeMap(
        "AWS::EC2::Image",
        "name",
        code="ami_copy",
    ),
    "aws_ami_launch_permission": Merge(
        "AWS::EC2::Image",
        "image_id",
        """
            account_id=LaunchPermissions.UserId group=LaunchPermissions.Group
            organization_arn=LaunchPermissions.OrganizationArn
            organizational_unit_arn=LaunchPermissions.OrganizationalUnitArn
        """,
        append=("LaunchPermissions",),
    ),
    "aws_snapshot_create_volume_permission": Merge(
        "AWS::EC2::Snapshot",
        "snapshot_id",
        "account_id=CreateVolumePermissions.UserId",
        append=("CreateVolumePermissions",),
    ),
    "aws_ebs_encryption_by_default": TypeMap(
        "PolicyEngine::Account::Region",
        "enabled=EbsEncryptionByDefault",
        partial=True,
    ),
    "aws_ebs_default_kms_key": TypeMap(
        "PolicyEngine::Account::Region",
        "key_arn=EbsDefaultKmsKeyId",
        partial=True,
    ),
    "aws_ec2_image_block_public_access": TypeMap(
        "PolicyEngine::Account::Region",
        "state=ImageBlockPublicAccess.State",
        partial=True,
    ),
    "aws_ec2_instance_metadata_defaults": TypeMap(
        "PolicyEngine::Account::Region",
        """
            http_tokens=InstanceMetadataDefaults.HttpTokens
            http_put_response_hop_limit=InstanceMetadataDefaults.HttpPutResponseHopLimit
            http_endpoint=InstanceMetadataDefaults.HttpEndpoint
            instance_metadata_tags=InstanceMetadataDefaults.InstanceMetadataTags
        """,
        partial=True,
    ),
    "aws_ec2_serial_console_access": TypeMap(
        "PolicyEngine::Account::Region",
        "enabled=SerialConsoleAccessEnabled",
        partial=True,
    ),
    "aws_dlm_lifecycle_policy": TypeMap(
        "AWS::DLM::LifecyclePolicy",
        """
            description execution_role_arn policy_details { action*=Actions {
            cross_region_copy* { encryption_configuration { cmk_arn encrypted } target
            retain_rule { interval interval_unit } } name } copy_tags create_interval
            event_source { parameters { description_regex event_type snapshot_owner* } type
            } exclusions { exclude_boot_volumes exclude_tags* exclude_volume_types* }
            extend_deletion parameters { exclude_boot_volume no_reboot } policy_language
            policy_type resource_locations* resource_type resource_types* retain_interval
            schedule*=Schedules { create_rule { cron_expression interval interval_unit
            location scripts* { execution_handler execute_operation_on_script_failure
            execution_handler_service execution_timeout maximum_retry_count stages* } times*
            } name retain_rule { count interval interval_unit } archive_rule {} copy_tags
            cross_region_copy_rule*=CrossRegionCopyRules { encrypted cmk_arn copy_tags
            deprecate_rule { interval interval_unit } retain_rule { interval interval_unit }
            target target_region } deprecate_rule { count interval interval_unit }
            fast_restore_rule { availability_zones* count interval interval_unit }
            share_rule*=ShareRules { target_accounts* unshare_interval unshare_interval_unit
            } tags_to_add* variable_tags* } target_tags* } default_policy state
        """,
    ),
    "aws_workspaces_workspace": TypeMap(
        "AWS::WorkSpaces::Workspace",
        """
            bundle_id directory_id user_name root_volume_encryption_enabled
            user_volume_encryption_enabled volume_encryption_key workspace_properties {
            compute_type_name root_volume_size_gib running_mode
            running_mode_auto_stop_timeout_in_minutes user_volume_size_gib }
        """,
    ),
    "aws_workspaces_directory": TypeMap(
        "AWS::WorkSpaces::Directory",
        """
            active_directory_config { domain_name service_account_secret_arn }
            certificate_based_auth_properties { certificate_authority_arn status }
            directory_id ip_group_ids* saml_properties { relay_state_parameter_name status
            user_access_url } self_service_permissions=SelfservicePermissions {
            change_compute_type increase_volume_size rebuild_workspace restart_workspace
            switch_running_mode } subnet_ids* tenancy user_identity_type
            workspace_access_properties { device_type_android
            device_type_chromeos=DeviceTypeChromeOs device_type_ios device_type_linux
            device_type_osx device_type_web device_type_windows
            device_type_zeroclient=DeviceTypeZeroClient } workspace_creation_properties {
            custom_security_group_id default_ou enable_internet_access
            enable_maintenance_mode user_enabled_as_local_administrator }
            workspace_directory_description workspace_directory_name workspace_type
        """,
    ),
    "aws_elastic_beanstalk_environment": TypeMap(
        "AWS::ElasticBeanstalk::Environment",
        """
            application=ApplicationName name=EnvironmentName solution_stack_name
            platform_arn template_name version_label tier=Tier.Name cname_prefix=CNAMEPrefix
            setting*=OptionSettings { namespace name=OptionName value resource=ResourceName
            }
        """,
    ),
    "aws_batch_compute_environment": TypeMap(
        "AWS::Batch::ComputeEnvironment",
        """
            type compute_resources { max_vcpus=MaxvCpus subnets* type allocation_strategy
            bid_percentage desired_vcpus=DesiredvCpus ec2_configuration* { image_id_override
            image_kubernetes_version image_type } ec2_key_pair image_id instance_role
            instance_type*=InstanceTypes launch_template { launch_template_id
            launch_template_name version } min_vcpus=MinvCpus placement_group
            security_group_ids* spot_iam_fleet_role tags } eks_configuration {
            eks_cluster_arn kubernetes_namespace } service_role state update_policy {
            job_execution_timeout_minutes terminate_jobs_on_update }
        """,
    ),
    "aws_appstream_fleet": TypeMap(
        "AWS::AppStream::Fleet",
        """
            name instance_type description disconnect_timeout_in_seconds display_name
            enable_default_internet_access fleet_type iam_role_arn idle_disconnect_timeout_in_seconds
            image_arn image_name max_sessions_per_instance max_user_duration_in_seconds stream_view
            compute_capacity { desired_instances desired_sessions } domain_join_info { directory_name
            organizational_unit_distinguished_name } vpc_config { security_group_ids* subnet_ids* }
        """,
    ),
    "aws_batch_job_definition": TypeMap(
        "AWS::Batch::JobDefinition",
        """
            name=JobDefinitionName type platform_capabilities* propagate_tags scheduling_priority parameters
            retry_strategy { attempts evaluate_on_exit* { action on_exit_code on_reason on_status_reason } }
            timeout { attempt_duration_seconds } eks_properties { pod_properties { dns_policy host_network
            service_account_name share_process_namespace containers* { image name args* command*
            image_pull_policy security_context { privileged
            read_only_root_file_system=ReadOnlyRootFilesystem run_as_group run_as_non_root run_as_user } }
            init_containers* { image name args* command* image_pull_policy security_context { privileged
            read_only_root_file_system=ReadOnlyRootFilesystem run_as_group run_as_non_root run_as_user } }
            } }
        """,
        code="batch_job_definition",
        sets="ContainerProperties NodeProperties",
    ),
    "aws_amplify_app": TypeMap(
        "AWS::Amplify::App",
        """
            name build_spec compute_role_arn custom_headers description
            enable_branch_auto_deletion iam_service_role_arn=IAMServiceRole platform repository
            environment_variables:pairs custom_rule*=CustomRules { source target condition status }
            access_token oauth_token cache_config { type } job_config { build_compute_type }
            enable_auto_branch_creation=AutoBranchCreationConfig.EnableAutoBranchCreation
            auto_branch_creation_patterns*=AutoBranchCreationConfig.AutoBranchCreationPatterns
        """,
    ),
    "aws_apprunner_service": TypeMap(
        "AWS::AppRunner::Service",
        """
            service_name source_configuration { authentication_configuration {
            access_role_arn connection_arn } auto_deployments_enabled code_repository {
            repository_url source_code_version { type value } code_configuration {
            configuration_source code_configuration_values { runtime build_command port
            runtime_environment_secrets* runtime_environment_variables* start_command } }
            source_directory } image_repository { image_identifier image_repository_type
            image_configuration { port runtime_environment_secrets*
            runtime_environment_variables* start_command } } }
            auto_scaling_configuration_arn encryption_configuration { kms_key }
            health_check_configuration { healthy_threshold interval path protocol timeout
            unhealthy_threshold } instance_configuration { cpu instance_role_arn memory }
            network_configuration { egress_configuration { egress_type vpc_connector_arn }
            ingress_configuration { is_publicly_accessible } ip_address_type }
            observability_configuration { observability_enabled
            observability_configuration_arn }
        """,
    ),
}
