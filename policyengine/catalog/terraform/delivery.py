"""Serverless, content delivery, APIs and pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_lambda_function": TypeMap(
        "AWS::Lambda::Function",
        """
            s3_bucket=Code.S3Bucket s3_key=Code.S3Key s3_object_version=Code.S3ObjectVersion
            image_uri=Code.ImageUri source_kms_key_arn=Code.SourceKMSKeyArn function_name
            role architectures* capacity_provider_config {
            lambda_managed_instances_capacity_provider_config { capacity_provider_arn
            execution_environment_memory_gib_per_vcpu=ExecutionEnvironmentMemoryGiBPerVCpu
            per_execution_environment_max_concurrency } } code_signing_config_arn
            dead_letter_config { target_arn } description durable_config { execution_timeout
            } environment { variables } ephemeral_storage { size }
            file_system_config*=FileSystemConfigs { arn local_mount_path } handler
            image_config { command* entry_point* working_directory } kms_key_arn layers*
            logging_config { log_format application_log_level log_group system_log_level }
            memory_size package_type reserved_concurrent_executions runtime snap_start {
            apply_on } tenancy_config { tenant_isolation_mode } timeout tracing_config {
            mode } vpc_config { security_group_ids* subnet_ids* ipv6_allowed_for_dual_stack
            }
        """,
        code="lambda_function",
        absent="FunctionScalingConfig PublishToLatestPublished",
    ),
    "aws_lambda_function_recursion_config": (
        Merge("AWS::Lambda::Function", "function_name", "recursive_loop"),
    ),
    "aws_lambda_runtime_management_config": (
        Merge(
            "AWS::Lambda::Function",
            "function_name",
            """
            update_runtime_on=RuntimeManagementConfig.UpdateRuntimeOn
            runtime_version_arn=RuntimeManagementConfig.RuntimeVersionArn
        """,
        ),
    ),
    "aws_lambda_permission": TypeMap(
        "AWS::Lambda::Permission",
        """
            action function_name principal event_source_token function_url_auth_type
            principal_org_id=PrincipalOrgID source_account source_arn
        """,
        tags="",
    ),
    "aws_lambda_function_url": TypeMap(
        "AWS::Lambda::Url",
        """
            function_name=TargetFunctionArn authorization_type=AuthType cors {
            allow_credentials allow_headers* allow_methods* allow_origins* expose_headers*
            max_age } invoke_mode qualifier
        """,
        tags="",
    ),
    "aws_lambda_event_source_mapping": TypeMap(
        "AWS::Lambda::EventSourceMapping",
        """
            destination_config.on_failure.destination_arn=DestinationConfig.OnFailure.Destination
            function_name amazon_managed_kafka_event_source_config { consumer_group_id
            schema_registry_config { access_config*=AccessConfigs { type uri=URI }
            event_record_format schema_registry_uri=SchemaRegistryURI
            schema_validation_config*=SchemaValidationConfigs { attribute } } } batch_size
            bisect_batch_on_function_error
            document_db_event_source_config=DocumentDBEventSourceConfig { database_name
            collection_name full_document } enabled event_source_arn filter_criteria {
            filter*=Filters { pattern } } function_response_types* kms_key_arn
            maximum_batching_window_in_seconds maximum_record_age_in_seconds
            maximum_retry_attempts metrics_config { metrics* } parallelization_factor
            provisioned_poller_config { maximum_pollers minimum_pollers } queues*
            scaling_config { maximum_concurrency } self_managed_kafka_event_source_config {
            consumer_group_id schema_registry_config { access_config*=AccessConfigs { type
            uri=URI } event_record_format schema_registry_uri=SchemaRegistryURI
            schema_validation_config*=SchemaValidationConfigs { attribute } } }
            starting_position starting_position_timestamp topics* tumbling_window_in_seconds
        """,
    ),
    "aws_lambda_function_event_invoke_config": TypeMap(
        "AWS::Lambda::EventInvokeConfig",
        """
            function_name destination_config { on_failure { destination } on_success {
            destination } } maximum_event_age_in_seconds maximum_retry_attempts qualifier
        """,
        tags="",
    ),
    "aws_cloudfront_distribution": TypeMap(
        "AWS::CloudFront::Distribution",
        """
            enabled=DistributionConfig.Enabled aliases*=DistributionConfig.Aliases
            comment=DistributionConfig.Comment
            default_root_object=DistributionConfig.DefaultRootObject
            http_version=DistributionConfig.HttpVersion
            is_ipv6_enabled=DistributionConfig.IPV6Enabled
            price_class=DistributionConfig.PriceClass web_acl_id=DistributionConfig.WebACLId
            staging=DistributionConfig.Staging
            continuous_deployment_policy_id=DistributionConfig.ContinuousDeploymentPolicyId
            anycast_ip_list_id=DistributionConfig.AnycastIpListId
            logging_config=DistributionConfig.Logging { bucket include_cookies prefix }
            restrictions.geo_restriction=DistributionConfig.Restrictions.GeoRestriction {
            restriction_type locations* }
            viewer_certificate=DistributionConfig.ViewerCertificate { acm_certificate_arn
            cloudfront_default_certificate=CloudFrontDefaultCertificate iam_certificate_id
            minimum_protocol_version ssl_support_method }
            custom_error_response*=DistributionConfig.CustomErrorResponses { error_code
            error_caching_min_ttl=ErrorCachingMinTTL response_code response_page_path }
            default_cache_behavior=DistributionConfig.DefaultCacheBehavior {
            allowed_methods* cached_methods* target_origin_id viewer_protocol_policy
            cache_policy_id compress default_ttl=DefaultTTL max_ttl=MaxTTL min_ttl=MinTTL
            field_level_encryption_id origin_request_policy_id realtime_log_config_arn
            response_headers_policy_id smooth_streaming trusted_key_groups* trusted_signers*
            function_association*=FunctionAssociations { event_type function_arn=FunctionARN
            } lambda_function_association*=LambdaFunctionAssociations { event_type
            include_body lambda_arn=LambdaFunctionARN } forwarded_values { query_string
            headers* query_string_cache_keys* cookies { forward whitelisted_names* } } }
            ordered_cache_behavior*=DistributionConfig.CacheBehaviors { path_pattern
            allowed_methods* cached_methods* target_origin_id viewer_protocol_policy
            cache_policy_id compress default_ttl=DefaultTTL max_ttl=MaxTTL min_ttl=MinTTL
            field_level_encryption_id origin_request_policy_id realtime_log_config_arn
            response_headers_policy_id smooth_streaming trusted_key_groups* trusted_signers*
            function_association*=FunctionAssociations { event_type function_arn=FunctionARN
            } lambda_function_association*=LambdaFunctionAssociations { event_type
            include_body lambda_arn=LambdaFunctionARN } forwarded_values { query_string
            headers* query_string_cache_keys* cookies { forward whitelisted_names* } } }
            origin*=DistributionConfig.Origins { domain_name origin_id=Id
            connection_attempts connection_timeout origin_path origin_access_control_id
            custom_header*=OriginCustomHeaders { name=HeaderName value=HeaderValue }
            custom_origin_config { http_port=HTTPPort https_port=HTTPSPort
            origin_protocol_policy origin_ssl_protocols*=OriginSSLProtocols
            origin_keepalive_timeout origin_read_timeout } s3_origin_config {
            origin_access_identity } origin_shield { enabled origin_shield_region }
            vpc_origin_config { vpc_origin_id } }
            origin_group*=DistributionConfig.OriginGroups.Items { origin_id=Id
            failover_criteria.status_codes*=FailoverCriteria.StatusCodes.Items
            member*=Members.Items { origin_id } }
        """,
        code="distribution",
    ),
    "aws_cloudfront_origin_access_control": TypeMap(
        "AWS::CloudFront::OriginAccessControl",
        """
            name=OriginAccessControlConfig.Name
            description=OriginAccessControlConfig.Description
            origin_access_control_origin_type=OriginAccessControlConfig.OriginAccessControlOriginType
            signing_behavior=OriginAccessControlConfig.SigningBehavior
            signing_protocol=OriginAccessControlConfig.SigningProtocol
        """,
        tags="",
    ),
    "aws_api_gateway_rest_api": TypeMap(
        "AWS::ApiGateway::RestApi",
        """
            api_key_source=ApiKeySourceType name binary_media_types* body:json description
            disable_execute_api_endpoint endpoint_configuration { types* ip_address_type
            vpc_endpoint_ids* } fail_on_warnings minimum_compression_size parameters
            policy:json
        """,
        absent="BodyS3Location CloneFrom Mode EndpointAccessMode SecurityPolicy",
    ),
    "aws_api_gateway_rest_api_policy": (Merge("AWS::ApiGateway::RestApi", "rest_api_id", "policy:json"),),
    "aws_api_gateway_stage": TypeMap(
        "AWS::ApiGateway::Stage",
        """
            xray_tracing_enabled=TracingEnabled deployment_id rest_api_id stage_name
            access_log_settings=AccessLogSetting { destination_arn format }
            cache_cluster_enabled cache_cluster_size canary_settings=CanarySetting {
            deployment_id percent_traffic stage_variable_overrides use_stage_cache }
            client_certificate_id description documentation_version variables
        """,
    ),
    "aws_api_gateway_method_settings": (
        Merge("AWS::ApiGateway::Stage", "stage_name", "", code="method_settings", append=("MethodSettings",)),
    ),
    "aws_api_gateway_method": TypeMap(
        "AWS::ApiGateway::Method",
        """
            authorization=AuthorizationType http_method resource_id rest_api_id
            api_key_required authorization_scopes* authorizer_id operation_name
            request_models request_parameters request_validator_id
        """,
        tags="",
    ),
    "aws_api_gateway_account": TypeMap(
        "AWS::ApiGateway::Account",
        "cloudwatch_role_arn=CloudWatchRoleArn",
        tags="",
    ),
    "aws_api_gateway_domain_name": TypeMap(
        "AWS::ApiGateway::DomainName",
        """
            domain_name certificate_arn endpoint_configuration { types* ip_address_type }
            mutual_tls_authentication { truststore_uri truststore_version }
            ownership_verification_certificate_arn regional_certificate_arn security_policy
        """,
        absent="EndpointAccessMode RoutingMode",
    ),
    "aws_apigatewayv2_api": TypeMap(
        "AWS::ApiGatewayV2::Api",
        """
            name protocol_type api_key_selection_expression body:json cors_configuration {
            allow_credentials allow_headers* allow_methods* allow_origins* expose_headers*
            max_age } credentials_arn description disable_execute_api_endpoint
            fail_on_warnings ip_address_type route_key route_selection_expression target
            version
        """,
        absent="BasePath BodyS3Location DisableSchemaValidation",
    ),
    "aws_apigatewayv2_stage": TypeMap(
        "AWS::ApiGatewayV2::Stage",
        """
            name=StageName api_id access_log_settings { destination_arn format } auto_deploy
            client_certificate_id default_route_settings { data_trace_enabled
            detailed_metrics_enabled logging_level throttling_burst_limit
            throttling_rate_limit } deployment_id description stage_variables
        """,
        code="api_v2_stage",
        sets="RouteSettings",
    ),
    "aws_apigatewayv2_route": TypeMap(
        "AWS::ApiGatewayV2::Route",
        """
            api_id route_key api_key_required authorization_scopes* authorization_type
            authorizer_id model_selection_expression operation_name request_models
            request_parameter*=RequestParameters { required }
            route_response_selection_expression target
        """,
        tags="",
    ),
    "aws_apigatewayv2_domain_name": TypeMap(
        "AWS::ApiGatewayV2::DomainName",
        """
            domain_name domain_name_configuration*=DomainNameConfigurations {
            certificate_arn endpoint_type security_policy ip_address_type
            ownership_verification_certificate_arn } mutual_tls_authentication {
            truststore_uri truststore_version }
        """,
    ),
    "aws_appsync_graphql_api": TypeMap(
        "AWS::AppSync::GraphQLApi",
        """
            authentication_type name
            additional_authentication_provider*=AdditionalAuthenticationProviders {
            authentication_type lambda_authorizer_config { authorizer_uri
            authorizer_result_ttl_in_seconds identity_validation_expression }
            openid_connect_config=OpenIDConnectConfig { issuer auth_ttl=AuthTTL client_id
            iat_ttl=IatTTL } user_pool_config { user_pool_id app_id_client_regex aws_region
            } } api_type enhanced_metrics_config { data_source_level_metrics_behavior
            operation_level_metrics_config resolver_level_metrics_behavior }
            introspection_config lambda_authorizer_config { authorizer_uri
            authorizer_result_ttl_in_seconds identity_validation_expression } log_config {
            cloudwatch_logs_role_arn=CloudWatchLogsRoleArn field_log_level
            exclude_verbose_content } merged_api_execution_role_arn
            openid_connect_config=OpenIDConnectConfig { issuer auth_ttl=AuthTTL client_id
            iat_ttl=IatTTL } query_depth_limit resolver_count_limit user_pool_config {
            default_action user_pool_id app_id_client_regex aws_region } visibility
            xray_enabled
        """,
    ),
    "aws_codebuild_project": TypeMap(
        "AWS::CodeBuild::Project",
        """
            build_timeout=TimeoutInMinutes queued_timeout=QueuedTimeoutInMinutes
            project_visibility=Visibility artifacts { type artifact_identifier
            encryption_disabled location name namespace_type override_artifact_name
            packaging path } environment { compute_type image type certificate docker_server
            { compute_type security_group_ids* } environment_variable*=EnvironmentVariables
            { name value type } fleet { fleet_arn } image_pull_credentials_type
            privileged_mode registry_credential { credential credential_provider } fleet {
            fleet_arn } } name
            service_role source { type auth { resource type } buildspec=BuildSpec
            build_status_config { context target_url } git_clone_depth git_submodules_config
            { fetch_submodules } insecure_ssl location report_build_status }
            auto_retry_limit badge_enabled build_batch_config { service_role
            combine_artifacts restrictions { compute_types_allowed* maximum_builds_allowed }
            timeout_in_mins } cache { location modes* type } concurrent_build_limit
            description encryption_key file_system_locations* { identifier location
            mount_options mount_point type } logs_config { cloudwatch_logs=CloudWatchLogs {
            group_name status stream_name } s3_logs { encryption_disabled location status }
            } resource_access_role secondary_artifacts* { artifact_identifier type
            encryption_disabled location name namespace_type override_artifact_name
            packaging path } secondary_sources* { source_identifier type auth { resource
            type } buildspec=BuildSpec build_status_config { context target_url }
            git_clone_depth git_submodules_config { fetch_submodules } insecure_ssl location
            report_build_status } secondary_source_version*=SecondarySourceVersions {
            source_identifier source_version } source_version vpc_config {
            security_group_ids* subnets* vpc_id }
        """,
    ),
    "aws_codepipeline": TypeMap(
        "AWS::CodePipeline::Pipeline",
        """
            stage*=Stages { name action*=Actions { name category=ActionTypeId.Category
            owner=ActionTypeId.Owner provider=ActionTypeId.Provider
            version=ActionTypeId.Version configuration input_artifacts*:names
            output_artifacts*:names region role_arn run_order namespace timeout_in_minutes }
            on_failure { result } } name role_arn execution_mode pipeline_type trigger*=Triggers { provider_type
            git_configuration { source_action_name pull_request* { events* branches { excludes* includes* }
            file_paths { excludes* includes* } } push* { branches { excludes* includes* } file_paths {
            excludes* includes* } tags { excludes* includes* } } } } variable*=Variables { name default_value
            description }
        """,
        code="pipeline",
        sets="ArtifactStore ArtifactStores",
        absent="DisableInboundStageTransitions",
    ),
    "aws_transfer_server": TypeMap(
        "AWS::Transfer::Server",
        """
            directory_id=IdentityProviderDetails.DirectoryId
            function=IdentityProviderDetails.Function
            invocation_role=IdentityProviderDetails.InvocationRole
            url=IdentityProviderDetails.Url
            sftp_authentication_methods=IdentityProviderDetails.SftpAuthenticationMethods
            certificate domain endpoint_details { address_allocation_ids*
            security_group_ids* subnet_ids* vpc_endpoint_id vpc_id } endpoint_type
            identity_provider_type logging_role post_authentication_login_banner
            pre_authentication_login_banner protocol_details { as2_transports* passive_ip
            set_stat_option tls_session_resumption_mode } protocols* s3_storage_options {
            directory_listing_optimization } security_policy_name
            structured_log_destinations* workflow_details { on_partial_upload* {
            execution_role workflow_id } on_upload* { execution_role workflow_id } }
        """,
    ),
}
