"""Queues, topics, events, logs, alarms and trails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Emit, Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_sqs_queue": TypeMap(
        "AWS::SQS::Queue",
        """
            max_message_size=MaximumMessageSize
            message_retention_seconds=MessageRetentionPeriod name=QueueName
            receive_wait_time_seconds=ReceiveMessageWaitTimeSeconds
            visibility_timeout_seconds=VisibilityTimeout content_based_deduplication
            deduplication_scope delay_seconds fifo_queue fifo_throughput_limit
            kms_data_key_reuse_period_seconds kms_master_key_id redrive_allow_policy:json
            redrive_policy:json sqs_managed_sse_enabled
        """,
        emit=(
            Emit("AWS::SQS::QueuePolicy", "policy", "policy:json=PolicyDocument", "Queues", link_list=True),
        ),
    ),
    "aws_sqs_queue_policy": TypeMap(
        "AWS::SQS::QueuePolicy",
        "queue_url*=Queues policy:json=PolicyDocument",
        tags="",
    ),
    "aws_sqs_queue_redrive_policy": (Merge("AWS::SQS::Queue", "queue_url", "redrive_policy:json"),),
    "aws_sqs_queue_redrive_allow_policy": (
        Merge("AWS::SQS::Queue", "queue_url", "redrive_allow_policy:json"),
    ),
    "aws_sns_topic": TypeMap(
        "AWS::SNS::Topic",
        """
            name=TopicName archive_policy:json content_based_deduplication display_name
            fifo_throughput_scope fifo_topic kms_master_key_id signature_version
            tracing_config
        """,
        code="sns_topic",
        sets="DeliveryStatusLogging",
        emit=(
            Emit(
                "AWS::SNS::TopicPolicy",
                "policy",
                "policy:json=PolicyDocument",
                "Topics",
                by="arn",
                link_list=True,
            ),
        ),
        absent="Subscription MaximumMessageSize",
    ),
    "aws_sns_topic_policy": TypeMap(
        "AWS::SNS::TopicPolicy",
        "arn*=Topics policy:json=PolicyDocument",
        tags="",
    ),
    "aws_sns_topic_data_protection_policy": (
        Merge("AWS::SNS::Topic", "arn", "policy:json=DataProtectionPolicy"),
    ),
    "aws_sns_topic_subscription": TypeMap(
        "AWS::SNS::Subscription",
        """
            endpoint protocol topic_arn delivery_policy:json filter_policy:json
            filter_policy_scope raw_message_delivery redrive_policy:json replay_policy:json
            subscription_role_arn
        """,
        tags="",
    ),
    "aws_cloudwatch_log_group": TypeMap(
        "AWS::Logs::LogGroup",
        """
            name=LogGroupName deletion_protection_enabled kms_key_id log_group_class
            retention_in_days:zerounset=RetentionInDays
        """,
        absent="BearerTokenAuthenticationEnabled ResourcePolicyDocument FieldIndexPolicies",
    ),
    "aws_cloudwatch_log_data_protection_policy": (
        Merge("AWS::Logs::LogGroup", "log_group_name", "policy_document:json=DataProtectionPolicy"),
    ),
    "aws_cloudwatch_log_metric_filter": TypeMap(
        "AWS::Logs::MetricFilter",
        """
            name=FilterName pattern=FilterPattern
            metric_transformation*=MetricTransformations { name=MetricName
            namespace=MetricNamespace value=MetricValue default_value:number unit
            dimensions:keyvalue } log_group_name apply_on_transformed_logs
        """,
        tags="",
        absent="EmitSystemFieldDimensions FieldSelectionCriteria",
    ),
    "aws_cloudwatch_log_subscription_filter": TypeMap(
        "AWS::Logs::SubscriptionFilter",
        "name=FilterName destination_arn filter_pattern log_group_name distribution role_arn",
        tags="",
    ),
    "aws_cloudwatch_metric_alarm": TypeMap(
        "AWS::CloudWatch::Alarm",
        """
            dimensions:pairs=Dimensions metric_query*=Metrics { id account_id expression
            label period return_data metric=MetricStat { metric_name=Metric.MetricName
            namespace=Metric.Namespace dimensions:pairs=Metric.Dimensions period stat unit }
            } alarm_name comparison_operator evaluation_periods actions_enabled
            alarm_actions* alarm_description datapoints_to_alarm
            evaluate_low_sample_count_percentiles=EvaluateLowSampleCountPercentile
            extended_statistic insufficient_data_actions* metric_name namespace
            ok_actions*=OKActions period statistic threshold threshold_metric_id
            treat_missing_data unit
        """,
    ),
    "aws_cloudwatch_composite_alarm": TypeMap(
        "AWS::CloudWatch::CompositeAlarm",
        """
            actions_suppressor.alarm=ActionsSuppressor
            actions_suppressor.extension_period=ActionsSuppressorExtensionPeriod
            actions_suppressor.wait_period=ActionsSuppressorWaitPeriod alarm_name alarm_rule
            actions_enabled alarm_actions* alarm_description insufficient_data_actions*
            ok_actions*=OKActions
        """,
    ),
    "aws_cloudwatch_event_rule": TypeMap(
        "AWS::Events::Rule",
        """
            is_enabled:ruleenabled=State state description event_bus_name event_pattern:json
            name role_arn schedule_expression
        """,
        code="event_rule",
    ),
    "aws_cloudwatch_event_target": (
        Merge("AWS::Events::Rule", "rule", "", code="event_target", append=("Targets",)),
    ),
    "aws_cloudwatch_event_bus": TypeMap(
        "AWS::Events::EventBus",
        """
            name dead_letter_config { arn } description event_source_name kms_key_identifier
            log_config { include_detail level }
        """,
    ),
    "aws_cloudwatch_event_bus_policy": TypeMap(
        "AWS::Events::EventBusPolicy",
        "event_bus_name policy:json=Statement",
        tags="",
    ),
    "aws_scheduler_schedule": TypeMap(
        "AWS::Scheduler::Schedule",
        """
            target { input arn role_arn dead_letter_config { arn } ecs_parameters {
            task_definition_arn capacity_provider_strategy* { capacity_provider base weight
            } enable_ecs_managed_tags=EnableECSManagedTags enable_execute_command group
            launch_type network_configuration {} placement_constraints* { type expression }
            placement_strategy* { type field } platform_version propagate_tags reference_id
            tags* task_count } eventbridge_parameters=EventBridgeParameters { detail_type
            source } kinesis_parameters { partition_key } retry_policy {
            maximum_event_age_in_seconds maximum_retry_attempts }
            sagemaker_pipeline_parameters=SageMakerPipelineParameters {
            pipeline_parameter*=PipelineParameterList { name value } } sqs_parameters {
            message_group_id } } flexible_time_window { mode maximum_window_in_minutes }
            schedule_expression description end_date group_name kms_key_arn name
            schedule_expression_timezone start_date state
        """,
        tags="",
    ),
    "aws_cloudtrail": TypeMap(
        "AWS::CloudTrail::Trail",
        """
            name=TrailName cloud_watch_logs_group_arn=CloudWatchLogsLogGroupArn
            enable_logging=IsLogging s3_bucket_name
            advanced_event_selector*=AdvancedEventSelectors { field_selector*=FieldSelectors
            { field ends_with* equals* not_ends_with* not_equals* not_starts_with*
            starts_with* } name } cloud_watch_logs_role_arn enable_log_file_validation
            event_selector*=EventSelectors { data_resource*=DataResources { type values* }
            exclude_management_event_sources* include_management_events read_write_type }
            include_global_service_events insight_selector*=InsightSelectors { insight_type
            } is_multi_region_trail is_organization_trail kms_key_id=KMSKeyId s3_key_prefix
            sns_topic_name
        """,
    ),
    "aws_cloudtrail_event_data_store": TypeMap(
        "AWS::CloudTrail::EventDataStore",
        """
            name advanced_event_selector*=AdvancedEventSelectors {
            field_selector*=FieldSelectors { ends_with* equals* field not_ends_with*
            not_equals* not_starts_with* starts_with* } name } billing_mode kms_key_id
            multi_region_enabled organization_enabled retention_period
            termination_protection_enabled
        """,
    ),
    "aws_sfn_state_machine": TypeMap(
        "AWS::StepFunctions::StateMachine",
        """
            name=StateMachineName type=StateMachineType definition=DefinitionString
            logging_configuration { include_execution_data level
            log_destination=Destinations.CloudWatchLogsLogGroup.LogGroupArn } role_arn
            encryption_configuration { kms_data_key_reuse_period_seconds kms_key_id type }
            tracing_configuration { enabled }
        """,
        code="state_machine",
        absent="Definition DefinitionS3Location DefinitionSubstitutions",
    ),
}
