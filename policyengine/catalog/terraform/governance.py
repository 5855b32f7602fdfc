"""AWS Config, Organizations and Systems Manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_config_configuration_recorder": TypeMap(
        "AWS::Config::ConfigurationRecorder",
        """
            role_arn=RoleARN name recording_group { all_supported
            exclusion_by_resource_types { resource_types* } include_global_resource_types
            recording_strategy { use_only } resource_types* } recording_mode {
            recording_frequency recording_mode_override*=RecordingModeOverrides {
            recording_frequency resource_types* description } }
        """,
        tags="",
    ),
    "aws_config_configuration_recorder_status": (
        Merge("AWS::Config::ConfigurationRecorder", "name", "is_enabled=Status.Recording"),
    ),
    "aws_config_delivery_channel": TypeMap(
        "AWS::Config::DeliveryChannel",
        """
            snapshot_delivery_properties=ConfigSnapshotDeliveryProperties {
            delivery_frequency } s3_bucket_name name s3_key_prefix s3_kms_key_arn
            sns_topic_arn=SnsTopicARN
        """,
        tags="",
    ),
    "aws_config_config_rule": TypeMap(
        "AWS::Config::ConfigRule",
        """
            name=ConfigRuleName source { owner custom_policy_details { policy_runtime
            policy_text enable_debug_log_delivery } source_detail*=SourceDetails {
            event_source maximum_execution_frequency message_type } source_identifier }
            description evaluation_mode*=EvaluationModes { mode } input_parameters:json
            maximum_execution_frequency scope { compliance_resource_id
            compliance_resource_types* tag_key tag_value }
        """,
    ),
    "aws_config_configuration_aggregator": TypeMap(
        "AWS::Config::ConfigurationAggregator",
        """
            name=ConfigurationAggregatorName
            account_aggregation_source*=AccountAggregationSources { account_ids*
            all_regions=AllAwsRegions regions*=AwsRegions } organization_aggregation_source
            { role_arn all_regions=AllAwsRegions regions*=AwsRegions }
        """,
    ),
    "aws_organizations_organization": TypeMap(
        "AWS::Organizations::Organization",
        "feature_set",
        code="organization",
        sets="PolicyTypes",
        tags="",
    ),
    "aws_organizations_organizational_unit": TypeMap(
        "AWS::Organizations::OrganizationalUnit",
        "name parent_id",
    ),
    "aws_organizations_account": TypeMap(
        "AWS::Organizations::Account",
        "name=AccountName parent_id*=ParentIds email role_name",
    ),
    "aws_organizations_policy": TypeMap(
        "AWS::Organizations::Policy",
        "content:json name description type",
    ),
    "aws_organizations_policy_attachment": (
        Merge("AWS::Organizations::Policy", "policy_id", "target_id*=TargetIds", append=("TargetIds",)),
    ),
    "aws_ssm_parameter": TypeMap(
        "AWS::SSM::Parameter",
        """
            insecure_value=Value value value_wo=Value name type allowed_pattern data_type
            description tier
        """,
        absent="Policies",
    ),
    "aws_ssm_document": TypeMap(
        "AWS::SSM::Document",
        "content:json document_type name document_format target_type version_name",
    ),
    "aws_ssm_association": TypeMap(
        "AWS::SSM::Association",
        """
            output_location=OutputLocation.S3Location { s3_bucket_name=OutputS3BucketName
            s3_key_prefix=OutputS3KeyPrefix s3_region=OutputS3Region } name
            apply_only_at_cron_interval association_name automation_target_parameter_name
            calendar_names* compliance_severity document_version max_concurrency max_errors
            parameters schedule_expression sync_compliance targets* { key values* }
            wait_for_success_timeout_seconds
        """,
        absent="InstanceId",
    ),
    "aws_ssm_patch_baseline": TypeMap(
        "AWS::SSM::PatchBaseline",
        """
            approval_rule*=ApprovalRules.PatchRules { approve_after_days approve_until_date
            compliance_level enable_non_security patch_filter*=PatchFilterGroup.PatchFilters
            { key values* } } global_filter*=GlobalFilters.PatchFilters { key values* } name
            approved_patches* approved_patches_compliance_level
            approved_patches_enable_non_security
            available_security_updates_compliance_status description operating_system
            rejected_patches* rejected_patches_action source*=Sources { configuration name
            products* }
        """,
    ),
    "aws_ssm_patch_group": (
        Merge("AWS::SSM::PatchBaseline", "baseline_id", "patch_group*=PatchGroups", append=("PatchGroups",)),
    ),
    "aws_ssm_maintenance_window": TypeMap(
        "AWS::SSM::MaintenanceWindow",
        """
            cutoff duration name schedule allow_unassociated_targets description enabled end_date
            schedule_offset schedule_timezone start_date
        """,
    ),
    "aws_ssm_maintenance_window_task": TypeMap(
        "AWS::SSM::MaintenanceWindowTask",
        """
            cutoff_behavior description max_concurrency max_errors name priority service_role_arn
            targets* { key values* } task_arn task_type window_id
            task_invocation_parameters {
                automation_parameters=MaintenanceWindowAutomationParameters {
                    document_version parameter:parametervalues=Parameters }
                lambda_parameters=MaintenanceWindowLambdaParameters { client_context payload qualifier }
                run_command_parameters=MaintenanceWindowRunCommandParameters {
                    cloudwatch_config=CloudWatchOutputConfig { cloudwatch_log_group_name=CloudWatchLogGroupName
                        cloudwatch_output_enabled=CloudWatchOutputEnabled }
                    comment document_hash document_hash_type document_version
                    notification_config { notification_arn notification_events* notification_type }
                    output_s3_bucket=OutputS3BucketName output_s3_key_prefix=OutputS3KeyPrefix
                    parameter:parametervalues=Parameters service_role_arn timeout_seconds }
                step_functions_parameters=MaintenanceWindowStepFunctionsParameters { input name } }
        """,
        absent="LoggingInfo TaskParameters",
        tags="",
    ),
    "aws_ssm_maintenance_window_target": TypeMap(
        "AWS::SSM::MaintenanceWindowTarget",
        "description name owner_information resource_type targets* { key values* } window_id",
        tags="",
    ),
    "aws_ssm_service_setting": TypeMap(
        "AWS::SSM::ServiceSetting",
        "setting_id setting_value",
        tags="",
    ),
    "aws_iam_account_password_policy": TypeMap(
        "AWS::::Account",
        """
            minimum_password_length=PasswordPolicy.MinimumPasswordLength
            require_symbols=PasswordPolicy.RequireSymbols
            require_numbers=PasswordPolicy.RequireNumbers
            require_uppercase_characters=PasswordPolicy.RequireUppercaseCharacters
            require_lowercase_characters=PasswordPolicy.RequireLowercaseCharacters
            max_password_age=PasswordPolicy.MaxPasswordAge
            password_reuse_prevention=PasswordPolicy.PasswordReusePrevention
            hard_expiry=PasswordPolicy.HardExpiry
        """,
        partial=True,
    ),
}
