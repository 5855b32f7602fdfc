"""Builds, repositories, deployments, packages and code signing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

_CONNECTION: Final = "name=ConnectionName host_arn provider_type"

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_codebuild_webhook": (
        Merge(
            "AWS::CodeBuild::Project",
            "project_name",
            """
                branch_filter=Triggers.BranchFilter build_type=Triggers.BuildType
                filter_group*=Triggers.FilterGroups
                pull_request_build_policy=Triggers.PullRequestBuildPolicy {
                requires_comment_approval approver_roles* }
                scope_configuration=Triggers.ScopeConfiguration { domain name scope }
            """,
            constants={"Triggers.Webhook": True},
            code="codebuild_webhook",
        ),
    ),
    "aws_codebuild_source_credential": TypeMap(
        "AWS::CodeBuild::SourceCredential", "auth_type server_type token user_name=Username", tags=""
    ),
    "aws_codebuild_fleet": TypeMap(
        "AWS::CodeBuild::Fleet",
        """
            name base_capacity compute_type environment_type fleet_service_role image_id overflow_behavior
            vpc_config=FleetVpcConfig { security_group_ids* subnets* vpc_id }
        """,
    ),
    "aws_codepipeline_webhook": TypeMap(
        "AWS::CodePipeline::Webhook",
        """
            name authentication target_action target_pipeline
            authentication_configuration { allowed_ip_range=AllowedIPRange secret_token }
            filter*=Filters { json_path match_equals }
        """,
    ),
    "aws_codedeploy_app": TypeMap("AWS::CodeDeploy::Application", "name=ApplicationName compute_platform"),
    "aws_codedeploy_deployment_config": TypeMap(
        "AWS::CodeDeploy::DeploymentConfig",
        """
            deployment_config_name compute_platform minimum_healthy_hosts { type value }
            traffic_routing_config { type
            time_based_canary { interval=CanaryInterval percentage=CanaryPercentage }
            time_based_linear { interval=LinearInterval percentage=LinearPercentage } }
            zonal_config { first_zone_monitor_duration_in_seconds monitor_duration_in_seconds
            minimum_healthy_hosts_per_zone { type value } }
        """,
        tags="",
    ),
    "aws_codedeploy_deployment_group": TypeMap(
        "AWS::CodeDeploy::DeploymentGroup",
        """
            app_name=ApplicationName deployment_group_name service_role_arn deployment_config_name
            alarm_configuration { alarms*:names=Alarms enabled ignore_poll_alarm_failure }
            auto_rollback_configuration { enabled events* } autoscaling_groups*=AutoScalingGroups
            blue_green_deployment_config=BlueGreenDeploymentConfiguration {
            deployment_ready_option { action_on_timeout wait_time_in_minutes }
            green_fleet_provisioning_option { action }
            terminate_blue_instances_on_deployment_success { action termination_wait_time_in_minutes } }
            deployment_style { deployment_option deployment_type }
            ecs_service*=ECSServices { cluster_name service_name } outdated_instances_strategy
            termination_hook_enabled trigger_configuration*=TriggerConfigurations { trigger_events* trigger_name
            trigger_target_arn }
        """,
    ),
    "aws_codecommit_approval_rule_template": TypeMap(
        "AWS::CodeCommit::ApprovalRuleTemplate",
        "name=ApprovalRuleTemplateName content:json=ApprovalRuleTemplateContent",
        tags="",
    ),
    "aws_codecommit_approval_rule_template_association": (
        Merge(
            "AWS::CodeCommit::ApprovalRuleTemplate",
            "approval_rule_template_name",
            "",
            code="approval_rule_template_association",
            append=("RepositoryNames",),
        ),
    ),
    "aws_codecommit_trigger": (
        Merge(
            "AWS::CodeCommit::Repository",
            "repository_name",
            "trigger*=Triggers { name destination_arn events* branches* custom_data }",
        ),
    ),
    "aws_codeartifact_repository": TypeMap(
        "AWS::CodeArtifact::Repository",
        """
            domain=DomainName repository=RepositoryName description domain_owner
            external_connections*:connectionnames=ExternalConnections upstream*:repositorynames=Upstreams
        """,
    ),
    "aws_codeartifact_domain_permissions_policy": (
        Merge("AWS::CodeArtifact::Domain", "domain", "policy_document:json=PermissionsPolicyDocument"),
    ),
    "aws_codeartifact_repository_permissions_policy": (
        Merge(
            "AWS::CodeArtifact::Repository", "repository", "policy_document:json=PermissionsPolicyDocument"
        ),
    ),
    "aws_codeconnections_connection": TypeMap("AWS::CodeConnections::Connection", _CONNECTION),
    "aws_codestarconnections_connection": TypeMap("AWS::CodeStarConnections::Connection", _CONNECTION),
    "aws_codestarnotifications_notification_rule": TypeMap(
        "AWS::CodeStarNotifications::NotificationRule",
        """
            name detail_type event_type_ids* resource status
            target*=Targets { address=TargetAddress type=TargetType }
        """,
    ),
    "aws_signer_signing_profile": TypeMap(
        "AWS::Signer::SigningProfile",
        "platform_id name=ProfileName signature_validity_period { type value }",
    ),
    "aws_lambda_code_signing_config": TypeMap(
        "AWS::Lambda::CodeSigningConfig",
        """
            description allowed_publishers { signing_profile_version_arns* }
            policies=CodeSigningPolicies { untrusted_artifact_on_deployment }
        """,
    ),
    "aws_ecr_registry_policy": TypeMap("AWS::ECR::RegistryPolicy", "policy:json=PolicyText", tags=""),
    "aws_ecr_replication_configuration": TypeMap(
        "AWS::ECR::ReplicationConfiguration",
        """
            replication_configuration { rule*=Rules { destination*=Destinations { region registry_id }
            repository_filter*=RepositoryFilters { filter filter_type } } }
        """,
        tags="",
    ),
    "aws_ecr_pull_through_cache_rule": TypeMap(
        "AWS::ECR::PullThroughCacheRule",
        "ecr_repository_prefix upstream_registry_url credential_arn custom_role_arn upstream_repository_prefix",
        tags="",
    ),
    "aws_ecr_repository_creation_template": TypeMap(
        "AWS::ECR::RepositoryCreationTemplate",
        """
            applied_for* prefix custom_role_arn description encryption_configuration { encryption_type kms_key }
            image_tag_mutability lifecycle_policy repository_policy
        """,
        tags="",
    ),
    "aws_imagebuilder_image_pipeline": TypeMap(
        "AWS::ImageBuilder::ImagePipeline",
        """
            name infrastructure_configuration_arn container_recipe_arn description distribution_configuration_arn
            enhanced_image_metadata_enabled execution_role image_recipe_arn
            image_scanning_configuration { image_scanning_enabled
            ecr_configuration { container_tags* repository_name } }
            image_tests_configuration { image_tests_enabled timeout_minutes }
            schedule { schedule_expression pipeline_execution_start_condition timezone } status
            workflow*=Workflows { workflow_arn on_failure parallel_group }
        """,
    ),
}
