"""Containers: ECR, ECS and EKS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_ecr_repository": TypeMap(
        "AWS::ECR::Repository",
        """
            name=RepositoryName
            image_tag_mutability_exclusion_filter*=ImageTagMutabilityExclusionFilters {
            filter=ImageTagMutabilityExclusionFilterValue
            filter_type=ImageTagMutabilityExclusionFilterType } force_delete=EmptyOnDelete
            encryption_configuration { encryption_type kms_key }
            image_scanning_configuration { scan_on_push } image_tag_mutability
        """,
    ),
    "aws_ecr_repository_policy": (
        Merge("AWS::ECR::Repository", "repository", "policy:json=RepositoryPolicyText"),
    ),
    "aws_ecr_lifecycle_policy": (
        Merge("AWS::ECR::Repository", "repository", "policy=LifecyclePolicy.LifecyclePolicyText"),
    ),
    "aws_ecr_registry_scanning_configuration": TypeMap(
        "AWS::ECR::RegistryScanningConfiguration",
        """
            scan_type rule*=Rules { repository_filter*=RepositoryFilters { filter
            filter_type } scan_frequency }
        """,
        tags="",
    ),
    "aws_ecrpublic_repository": TypeMap(
        "AWS::ECR::PublicRepository",
        "repository_name",
    ),
    "aws_ecs_cluster": TypeMap(
        "AWS::ECS::Cluster",
        """
            name=ClusterName setting*=ClusterSettings { name value } configuration {
            execute_command_configuration { log_configuration {
            s3_bucket_encryption_enabled=S3EncryptionEnabled cloud_watch_encryption_enabled
            cloud_watch_log_group_name s3_bucket_name s3_key_prefix } kms_key_id logging }
            managed_storage_configuration { fargate_ephemeral_storage_kms_key_id kms_key_id
            } } capacity_providers* service_connect_defaults { namespace }
        """,
    ),
    "aws_ecs_cluster_capacity_providers": (
        Merge(
            "AWS::ECS::Cluster",
            "cluster_name",
            "capacity_providers* default_capacity_provider_strategy* { base capacity_provider weight }",
        ),
    ),
    "aws_ecs_service": TypeMap(
        "AWS::ECS::Service",
        """
            name=ServiceName network_configuration=NetworkConfiguration.AwsvpcConfiguration
            { subnets* security_groups* assign_public_ip:upenabled } iam_role=Role
            deployment_maximum_percent=DeploymentConfiguration.MaximumPercent
            deployment_minimum_healthy_percent=DeploymentConfiguration.MinimumHealthyPercent
            deployment_circuit_breaker=DeploymentConfiguration.DeploymentCircuitBreaker {
            enable rollback } ordered_placement_strategy*=PlacementStrategies { type field }
            load_balancer*=LoadBalancers { container_name container_port target_group_arn
            elb_name=LoadBalancerName } availability_zone_rebalancing
            capacity_provider_strategy* { capacity_provider base weight } cluster
            deployment_controller { type } desired_count
            enable_ecs_managed_tags=EnableECSManagedTags enable_execute_command
            force_new_deployment health_check_grace_period_seconds launch_type
            placement_constraints* { type expression } platform_version propagate_tags
            scheduling_strategy service_connect_configuration { enabled log_configuration {
            log_driver options secret_option*=SecretOptions { name value_from } } namespace
            service*=Services { port_name discovery_name ingress_port_override timeout {
            idle_timeout_seconds per_request_timeout_seconds } tls { kms_key role_arn } } }
            service_registries* { registry_arn container_name container_port port }
            task_definition volume_configuration*=VolumeConfigurations {
            managed_ebs_volume=ManagedEBSVolume { role_arn encrypted
            file_system_type=FilesystemType iops kms_key_id snapshot_id tag_specifications*
            { resource_type propagate_tags tags* } throughput volume_initialization_rate
            volume_type } name } vpc_lattice_configurations* { port_name role_arn
            target_group_arn }
        """,
    ),
    "aws_ecs_task_definition": TypeMap(
        "AWS::ECS::TaskDefinition",
        """
            cpu:text memory:text volume*=Volumes { host_path=Host.SourcePath
            configure_at_launch=ConfiguredAtLaunch name docker_volume_configuration {
            autoprovision driver driver_opts labels scope }
            efs_volume_configuration=EFSVolumeConfiguration { file_system_id=FilesystemId
            authorization_config { access_point_id iam=IAM } root_directory
            transit_encryption transit_encryption_port }
            fsx_windows_file_server_volume_configuration=FSxWindowsFileServerVolumeConfiguration
            { authorization_config { credentials_parameter domain } file_system_id
            root_directory } } family enable_fault_injection ephemeral_storage {
            size_in_gib=SizeInGiB } execution_role_arn ipc_mode network_mode pid_mode
            placement_constraints* { type expression } proxy_configuration { container_name
            type } requires_compatibilities* runtime_platform { cpu_architecture
            operating_system_family } task_role_arn
        """,
        code="task_definition",
        sets="ContainerDefinitions",
        absent="InferenceAccelerators",
    ),
    "aws_eks_cluster": TypeMap(
        "AWS::EKS::Cluster",
        """
            vpc_config=ResourcesVpcConfig { subnet_ids* security_group_ids*
            endpoint_private_access endpoint_public_access public_access_cidrs* }
            enabled_cluster_log_types*:logtypes=Logging.ClusterLogging.EnabledTypes name
            role_arn access_config { authentication_mode
            bootstrap_cluster_creator_admin_permissions } bootstrap_self_managed_addons
            compute_config { enabled node_pools* node_role_arn }
            control_plane_scaling_config { tier } deletion_protection encryption_config* {
            provider { key_arn } resources* } kubernetes_network_config {
            elastic_load_balancing { enabled } ip_family service_ipv4_cidr } outpost_config
            { control_plane_instance_type outpost_arns* control_plane_placement { group_name
            } } remote_network_config { remote_node_networks* { cidrs* }
            remote_pod_networks* { cidrs* } } storage_config { block_storage { enabled } }
            upgrade_policy { support_type } version zonal_shift_config { enabled }
        """,
        absent="Force RollbackConfig",
    ),
    "aws_eks_node_group": TypeMap(
        "AWS::EKS::Nodegroup",
        """
            node_role_arn=NodeRole subnet_ids*=Subnets remote_access {
            source_security_group_ids*=SourceSecurityGroups ec2_ssh_key } cluster_name
            scaling_config { desired_size max_size min_size } ami_type capacity_type
            disk_size instance_types* labels launch_template { version id name }
            node_group_name=NodegroupName node_repair_config { enabled
            max_parallel_nodes_repaired_count max_parallel_nodes_repaired_percentage
            max_unhealthy_node_threshold_count max_unhealthy_node_threshold_percentage
            node_repair_config_overrides* { min_repair_wait_time_mins
            node_monitoring_condition node_unhealthy_reason repair_action } }
            release_version taint*=Taints { effect key value } update_config {
            max_unavailable max_unavailable_percentage } version
        """,
    ),
}
