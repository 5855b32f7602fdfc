"""SageMaker and Bedrock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_sagemaker_notebook_instance": TypeMap(
        "AWS::SageMaker::NotebookInstance",
        """
            name=NotebookInstanceName security_groups*=SecurityGroupIds
            volume_size=VolumeSizeInGB instance_type role_arn additional_code_repositories*
            default_code_repository direct_internet_access
            instance_metadata_service_configuration {
            minimum_instance_metadata_service_version } kms_key_id lifecycle_config_name
            platform_identifier root_access subnet_id
        """,
        absent="AcceleratorTypes",
    ),
    "aws_sagemaker_domain": TypeMap(
        "AWS::SageMaker::Domain",
        """
            default_user_settings { execution_role security_groups* } auth_mode domain_name
            subnet_ids* vpc_id app_network_access_type app_security_group_management
            domain_settings { docker_settings { enable_docker_access
            vpc_only_trusted_accounts* } execution_role_identity_config
            r_studio_server_pro_domain_settings { domain_execution_role_arn
            default_resource_spec { instance_type lifecycle_config_arn
            sagemaker_image_arn=SageMakerImageArn
            sagemaker_image_version_arn=SageMakerImageVersionArn } r_studio_connect_url
            r_studio_package_manager_url } security_group_ids* } kms_key_id tag_propagation
        """,
    ),
    "aws_sagemaker_endpoint_configuration": TypeMap(
        "AWS::SageMaker::EndpointConfig",
        """
            kms_key_arn=KmsKeyId name=EndpointConfigName production_variants* {
            container_startup_health_check_timeout_in_seconds core_dump_config {
            destination_s3_uri kms_key_id } enable_ssm_access=EnableSSMAccess
            inference_ami_version initial_instance_count initial_variant_weight
            instance_type managed_instance_scaling { max_instance_count min_instance_count
            status } model_data_download_timeout_in_seconds model_name routing_config {
            routing_strategy } serverless_config { max_concurrency
            memory_size_in_mb=MemorySizeInMB provisioned_concurrency } variant_name
            volume_size_in_gb=VolumeSizeInGB } async_inference_config { output_config {
            s3_output_path kms_key_id notification_config { error_topic
            include_inference_response_in* success_topic } s3_failure_path } client_config {
            max_concurrent_invocations_per_instance } } data_capture_config {
            capture_options* { capture_mode } destination_s3_uri initial_sampling_percentage
            capture_content_type_header { csv_content_types* json_content_types* }
            enable_capture kms_key_id } execution_role_arn
        """,
    ),
    "aws_sagemaker_model": TypeMap(
        "AWS::SageMaker::Model",
        """
            name=ModelName execution_role_arn container*=Containers { container_hostname
            environment image image_config { repository_access_mode repository_auth_config {
            repository_credentials_provider_arn } } inference_specification_name mode
            model_data_source { s3_data_source { compression_type s3_data_type s3_uri
            model_access_config { accept_eula } } } model_data_url model_package_name
            multi_model_config { model_cache_setting } } enable_network_isolation
            inference_execution_config { mode } primary_container { container_hostname
            environment image image_config { repository_access_mode repository_auth_config {
            repository_credentials_provider_arn } } inference_specification_name mode
            model_data_source { s3_data_source { compression_type s3_data_type s3_uri
            model_access_config { accept_eula } } } model_data_url model_package_name
            multi_model_config { model_cache_setting } } vpc_config { security_group_ids*
            subnets* }
        """,
    ),
    "aws_bedrock_guardrail": TypeMap(
        "AWS::Bedrock::Guardrail",
        """
            cross_region_config.guardrail_profile_identifier=CrossRegionConfig.GuardrailProfileArn
            blocked_input_messaging blocked_outputs_messaging name content_policy_config {
            filters_config* { input_strength output_strength type input_action input_enabled
            input_modalities* output_action output_enabled output_modalities* } }
            contextual_grounding_policy_config { filters_config* { threshold type } }
            description kms_key_arn sensitive_information_policy_config {
            pii_entities_config* { action type input_action input_enabled output_action
            output_enabled } regexes_config* { action name pattern description input_action
            input_enabled output_action output_enabled } } topic_policy_config {
            topics_config* { definition name type examples* } } word_policy_config {
            managed_word_lists_config* { type input_action input_enabled output_action
            output_enabled } words_config* { text input_action input_enabled output_action
            output_enabled } }
        """,
    ),
    "aws_bedrock_inference_profile": TypeMap(
        "AWS::Bedrock::ApplicationInferenceProfile",
        "name=InferenceProfileName description model_source { copy_from }",
    ),
    "aws_bedrockagent_agent": TypeMap(
        "AWS::Bedrock::Agent",
        """
            agent_name agent_resource_role_arn foundation_model agent_collaboration
            customer_encryption_key_arn description guardrail_configuration {
            guardrail_identifier guardrail_version }
            idle_session_ttl_in_seconds=IdleSessionTTLInSeconds instruction
            memory_configuration { enabled_memory_types* storage_days }
        """,
    ),
    "aws_bedrockagent_knowledge_base": TypeMap(
        "AWS::Bedrock::KnowledgeBase",
        """
            name role_arn description knowledge_base_configuration { type
            vector_knowledge_base_configuration { embedding_model_arn
            embedding_model_configuration { bedrock_embedding_model_configuration {
            dimensions embedding_data_type } } supplemental_data_storage_configuration {} }
            } storage_configuration { type opensearch_serverless_configuration {
            collection_arn vector_index_name field_mapping { metadata_field text_field
            vector_field } } pinecone_configuration { connection_string
            credentials_secret_arn field_mapping { metadata_field text_field } namespace }
            rds_configuration { credentials_secret_arn database_name resource_arn table_name
            field_mapping { metadata_field primary_key_field text_field vector_field
            custom_metadata_field } } }
        """,
    ),
    "aws_bedrockagent_data_source": TypeMap(
        "AWS::Bedrock::DataSource",
        """
            knowledge_base_id name data_deletion_policy data_source_configuration { type
            confluence_configuration { crawler_configuration { filter_configuration { type
            pattern_object_filter { filters* { object_type exclusion_filters*
            inclusion_filters* } } } } source_configuration { auth_type
            credentials_secret_arn host_type host_url } } s3_configuration { bucket_arn
            bucket_owner_account_id inclusion_prefixes* } salesforce_configuration {
            crawler_configuration { filter_configuration { type pattern_object_filter {
            filters* { object_type exclusion_filters* inclusion_filters* } } } }
            source_configuration { auth_type credentials_secret_arn host_url } }
            share_point_configuration { crawler_configuration { filter_configuration { type
            pattern_object_filter { filters* { object_type exclusion_filters*
            inclusion_filters* } } } } source_configuration { auth_type
            credentials_secret_arn domain host_type site_urls* tenant_id } }
            web_configuration { crawler_configuration { crawler_limits { max_pages
            rate_limit } exclusion_filters* inclusion_filters* scope user_agent }
            source_configuration { url_configuration { seed_urls* { url } } } } }
            description server_side_encryption_configuration { kms_key_arn }
        """,
    ),
    "aws_bedrock_model_invocation_logging_configuration": TypeMap(
        "PolicyEngine::Account::Region",
        """
            logging_config.cloudwatch_config.log_group_name=BedrockModelInvocationLogging.CloudWatchLogGroupName
            logging_config.s3_config.bucket_name=BedrockModelInvocationLogging.S3BucketName
            logging_config.cloudwatch_config.large_data_delivery_s3_config.bucket_name=BedrockModelInvocationLogging.LargeDataDeliveryS3BucketName
            logging_config.text_data_delivery_enabled=BedrockModelInvocationLogging.TextDataDeliveryEnabled
            logging_config.image_data_delivery_enabled=BedrockModelInvocationLogging.ImageDataDeliveryEnabled
            logging_config.embedding_data_delivery_enabled=BedrockModelInvocationLogging.EmbeddingDataDeliveryEnabled
            logging_config.video_data_delivery_enabled=BedrockModelInvocationLogging.VideoDataDeliveryEnabled
        """,
        partial=True,
    ),
    "aws_bedrock_custom_model": TypeMap(
        "AWS::Bedrock::CustomModel",
        """
            custom_model_name=ModelName base_model_identifier=BaseModelArn customization_type
            custom_model_kms_key_id=ModelKmsKeyArn output_data_config { s3_uri }
            training_data_config { s3_uri } vpc_config { security_group_ids* subnet_ids* }
        """,
    ),
    "aws_bedrock_provisioned_model_throughput": TypeMap(
        "AWS::Bedrock::ProvisionedModelThroughput",
        "provisioned_model_name model_arn model_units commitment_duration",
    ),
    "aws_bedrockagent_flow": TypeMap(
        "AWS::Bedrock::Flow",
        """
            name execution_role_arn customer_encryption_key_arn description definition {
            node*=Nodes { name type configuration { agent { agent_alias_arn } knowledge_base {
            knowledge_base_id model_id guardrail_configuration { guardrail_identifier
            guardrail_version } number_of_results } lambda_function { lambda_arn } lex {
            bot_alias_arn locale_id } prompt { guardrail_configuration { guardrail_identifier
            guardrail_version } source_configuration { inline { model_id template_type }
            resource { prompt_arn } } } } } }
        """,
        absent="DefinitionString DefinitionS3Location DefinitionSubstitutions",
    ),
    "aws_bedrockagent_prompt": TypeMap(
        "AWS::Bedrock::Prompt",
        """
            name customer_encryption_key_arn default_variant description variant*=Variants {
            name template_type model_id gen_ai_resource { agent { agent_identifier } } }
        """,
    ),
    "aws_bedrockagentcore_agent_runtime": TypeMap(
        "AWS::BedrockAgentCore::Runtime",
        """
            agent_runtime_name role_arn description authorizer_configuration {
            custom_jwt_authorizer=CustomJWTAuthorizer { discovery_url allowed_audience*
            allowed_clients* } } network_configuration { network_mode network_mode_config {
            security_groups* subnets* } } protocol_configuration.server_protocol=ProtocolConfiguration
            environment_variables agent_runtime_artifact { container_configuration {
            container_uri } }
        """,
    ),
    "aws_bedrockagentcore_browser": TypeMap(
        "AWS::BedrockAgentCore::BrowserCustom",
        """
            name description execution_role_arn network_configuration { network_mode vpc_config {
            security_groups* subnets* } } recording=RecordingConfig { enabled s3_location {
            bucket prefix } }
        """,
    ),
    "aws_bedrockagentcore_code_interpreter": TypeMap(
        "AWS::BedrockAgentCore::CodeInterpreterCustom",
        """
            name description execution_role_arn network_configuration { network_mode vpc_config {
            security_groups* subnets* } }
        """,
    ),
    "aws_bedrockagentcore_gateway": TypeMap(
        "AWS::BedrockAgentCore::Gateway",
        """
            name role_arn description authorizer_type protocol_type exception_level kms_key_arn
            authorizer_configuration { custom_jwt_authorizer=CustomJWTAuthorizer { discovery_url
            allowed_audience* allowed_clients* } }
        """,
    ),
    "aws_bedrockagentcore_memory": TypeMap(
        "AWS::BedrockAgentCore::Memory",
        "name description encryption_key_arn event_expiry_duration memory_execution_role_arn",
    ),
    "aws_qbusiness_application": TypeMap(
        "AWS::QBusiness::Application",
        """
            display_name description identity_center_instance_arn iam_service_role_arn=RoleArn
            attachments_configuration { attachments_control_mode } encryption_configuration {
            kms_key_id }
        """,
        absent="IdentityType",
    ),
    "aws_kendra_data_source": TypeMap(
        "AWS::Kendra::DataSource",
        """
            index_id name type description role_arn language_code schedule
            configuration=DataSourceConfiguration { s3_configuration { bucket_name
            access_control_list_configuration { key_path } inclusion_prefixes* }
            template_configuration { template:json } }
        """,
    ),
    "aws_opensearchserverless_security_policy": TypeMap(
        "AWS::OpenSearchServerless::SecurityPolicy",
        "name type policy:json description",
        tags="",
    ),
    "aws_iam_service_specific_credential": Merge(
        "AWS::IAM::User",
        "user_name",
        "",
        append=("ServiceSpecificCredentials",),
        code="service_specific_credential",
    ),
}
