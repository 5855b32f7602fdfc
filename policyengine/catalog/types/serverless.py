"""Lambda, API Gateway and AppSync."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    LOG_GROUP,
    ROLE,
    cfn,
    depends,
    doc,
    extra,
    groups,
    into,
    is_,
    kms_key,
    of,
    off,
    subnets,
    to,
)

_FUNCTION = cfn("resource-lambda-function")
_MAPPING = doc("lambda/latest/api/API_CreateEventSourceMapping")
_METHOD_SETTING = cfn("properties-apigateway-stage-methodsetting")
_REST_API = cfn("resource-apigateway-restapi")
_FUNCTION_TYPE = "AWS::Lambda::Function"
_WEB_ACLS = into("AWS::WAFv2::WebACLAssociation", "ResourceArn", "web_acl_associations")

TYPES = (
    TypeSpec(
        _FUNCTION_TYPE,
        names=("FunctionName", "Arn"),
        defaults=(
            is_("Timeout", 3, _FUNCTION),
            is_("MemorySize", 128, _FUNCTION),
            is_("PackageType", "Zip", doc("lambda/latest/api/API_CreateFunction")),
            is_("TracingConfig.Mode", "PassThrough", doc("lambda/latest/dg/services-xray")),
        ),
        satellites=(
            into("AWS::Lambda::Permission", "FunctionName", "permissions"),
            into("AWS::Lambda::ResourcePolicy", "ResourceArn", "policies"),
        ),
        relations=(
            to("role", ROLE, "Role", one=True, scope="account"),
            subnets("VpcConfig.SubnetIds"),
            groups("VpcConfig.SecurityGroupIds"),
            kms_key("KmsKeyArn"),
            to("dead_letter_queue", "AWS::SQS::Queue", "DeadLetterConfig.TargetArn", one=True),
            of("urls", "AWS::Lambda::Url", "TargetFunctionArn"),
            of("event_invoke_configs", "AWS::Lambda::EventInvokeConfig", "FunctionName"),
            of("event_source_mappings", "AWS::Lambda::EventSourceMapping", "FunctionName"),
            to("log_group", LOG_GROUP, "LoggingConfig.LogGroup", one=True),
            of("alarms", "AWS::CloudWatch::Alarm", "Dimensions.Value"),
            of("event_rules", "AWS::Events::Rule", "Targets.Arn"),
            to("code_signing", "AWS::Lambda::CodeSigningConfig", "CodeSigningConfigArn", one=True),
        ),
        extra=extra(LastModified="string", State="string"),
        secrets=("Variables", "ZipFile"),
    ),
    TypeSpec(
        "AWS::Lambda::CodeSigningConfig",
        names=("CodeSigningConfigArn", "CodeSigningConfigId"),
        defaults=(
            is_(
                "CodeSigningPolicies.UntrustedArtifactOnDeployment",
                "Warn",
                doc("lambda/latest/api/API_CodeSigningPolicies"),
            ),
        ),
    ),
    TypeSpec(
        "AWS::Lambda::Permission",
        relations=(to("function", _FUNCTION_TYPE, "FunctionName", one=True),),
    ),
    TypeSpec(
        "AWS::Lambda::Url",
        names=("FunctionUrl",),
        relations=(to("function", _FUNCTION_TYPE, "TargetFunctionArn", one=True),),
    ),
    TypeSpec(
        "AWS::Lambda::EventInvokeConfig",
        defaults=(
            is_("MaximumRetryAttempts", 2, doc("lambda/latest/dg/invocation-async-error-handling")),
            is_("MaximumEventAgeInSeconds", 21600, doc("lambda/latest/dg/invocation-async-error-handling")),
        ),
        relations=(to("function", _FUNCTION_TYPE, "FunctionName", one=True),),
    ),
    TypeSpec(
        "AWS::Lambda::EventSourceMapping",
        names=("Id",),
        defaults=(
            is_("Enabled", True, doc("lambda/latest/api/API_CreateEventSourceMapping")),
            depends("MaximumRetryAttempts", _MAPPING, "infinite, but none for Kafka in queue mode"),
            is_("MaximumRecordAgeInSeconds", -1, _MAPPING),
        ),
        relations=(
            to("function", _FUNCTION_TYPE, "FunctionName", one=True),
            to("queue", "AWS::SQS::Queue", "EventSourceArn", one=True),
            to("stream", "AWS::Kinesis::Stream", "EventSourceArn", one=True),
        ),
    ),
    TypeSpec(
        "AWS::ApiGateway::RestApi",
        names=("RestApiId", "Name"),
        defaults=(
            is_(
                "EndpointConfiguration.Types",
                ["EDGE"],
                cfn("properties-apigateway-restapi-endpointconfiguration"),
            ),
            is_("DisableExecuteApiEndpoint", False, _REST_API),
        ),
        relations=(
            of("stages", "AWS::ApiGateway::Stage", "RestApiId"),
            of("methods", "AWS::ApiGateway::Method", "RestApiId"),
            to("vpc_endpoints", "AWS::EC2::VPCEndpoint", "EndpointConfiguration.VpcEndpointIds"),
        ),
    ),
    TypeSpec(
        "AWS::ApiGateway::Stage",
        names=("StageName",),
        defaults=(
            *off(cfn("resource-apigateway-stage"), "TracingEnabled", "CacheClusterEnabled"),
            *off(
                _METHOD_SETTING,
                "MethodSettings.CacheDataEncrypted",
                "MethodSettings.CachingEnabled",
                "MethodSettings.MetricsEnabled",
                "MethodSettings.DataTraceEnabled",
            ),
            is_("MethodSettings.LoggingLevel", "OFF", _METHOD_SETTING),
        ),
        satellites=(_WEB_ACLS,),
        relations=(
            to("api", "AWS::ApiGateway::RestApi", "RestApiId", one=True),
            to("web_acls", "AWS::WAFv2::WebACL", "related.web_acl_associations.WebACLArn"),
        ),
        extra=extra(WebAclArn="string"),
    ),
    TypeSpec(
        "AWS::ApiGateway::Method",
        defaults=(is_("ApiKeyRequired", False, cfn("resource-apigateway-method")),),
        relations=(to("api", "AWS::ApiGateway::RestApi", "RestApiId", one=True),),
    ),
    TypeSpec(
        "AWS::ApiGateway::DomainName",
        names=("DomainName",),
        defaults=(
            is_(
                "SecurityPolicy",
                "TLS_1_2",
                doc("apigateway/latest/developerguide/apigateway-security-policies-list"),
            ),
        ),
        relations=(
            to("certificate", "AWS::CertificateManager::Certificate", "RegionalCertificateArn", one=True),
            to(
                "edge_certificate",
                "AWS::CertificateManager::Certificate",
                "CertificateArn",
                one=True,
                scope="account",
            ),
        ),
    ),
    TypeSpec("AWS::ApiGateway::Account", names=("Id",)),
    TypeSpec(
        "AWS::ApiGatewayV2::Api",
        names=("ApiId", "Name"),
        defaults=(is_("DisableExecuteApiEndpoint", False, cfn("resource-apigatewayv2-api")),),
        relations=(
            of("stages", "AWS::ApiGatewayV2::Stage", "ApiId"),
            of("routes", "AWS::ApiGatewayV2::Route", "ApiId"),
        ),
    ),
    TypeSpec(
        "AWS::ApiGatewayV2::Stage",
        names=("StageName",),
        defaults=(is_("AutoDeploy", False, cfn("resource-apigatewayv2-stage")),),
        satellites=(_WEB_ACLS,),
        relations=(to("api", "AWS::ApiGatewayV2::Api", "ApiId", one=True),),
    ),
    TypeSpec(
        "AWS::ApiGatewayV2::Route",
        names=("RouteId",),
        defaults=(
            is_("AuthorizationType", "NONE", cfn("resource-apigatewayv2-route")),
            is_("ApiKeyRequired", False, cfn("resource-apigatewayv2-route")),
        ),
        relations=(to("api", "AWS::ApiGatewayV2::Api", "ApiId", one=True),),
    ),
    TypeSpec(
        "AWS::ApiGatewayV2::DomainName",
        names=("DomainName",),
        defaults=(
            is_(
                "DomainNameConfigurations.SecurityPolicy",
                "TLS_1_2",
                doc("apigateway/latest/developerguide/apigateway-security-policies-list"),
            ),
        ),
        relations=(
            to(
                "certificates",
                "AWS::CertificateManager::Certificate",
                "DomainNameConfigurations.CertificateArn",
            ),
        ),
    ),
    TypeSpec(
        "AWS::AppSync::GraphQLApi",
        names=("ApiId", "Arn"),
        defaults=(
            is_("Visibility", "GLOBAL", doc("appsync/latest/APIReference/API_CreateGraphqlApi")),
            is_("XrayEnabled", False, cfn("resource-appsync-graphqlapi")),
            is_("IntrospectionConfig", "ENABLED", doc("appsync/latest/APIReference/API_CreateGraphqlApi")),
        ),
        satellites=(_WEB_ACLS,),
        relations=(
            of("caches", "AWS::AppSync::ApiCache", "ApiId"),
            to("web_acls", "AWS::WAFv2::WebACL", "related.web_acl_associations.WebACLArn"),
        ),
    ),
)
