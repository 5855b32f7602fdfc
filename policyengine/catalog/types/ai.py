"""Bedrock beyond the registry, AgentCore, Q Business and the stores that retrieval reads.

``AWS::Bedrock::CustomModel`` and its like are not in the registry: their properties are named after the
fields of the Bedrock API (https://docs.aws.amazon.com/bedrock/latest/APIReference/).
"""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import ROLE, cfn, extra, is_, kms_key, to

_CUSTOM_MODEL = "AWS::Bedrock::CustomModel"
_APPLICATION = "AWS::QBusiness::Application"

TYPES = (
    TypeSpec(
        _CUSTOM_MODEL,
        names=("ModelName", "ModelArn"),
        relations=(kms_key("ModelKmsKeyArn"),),
        extra=(
            *extra(
                ModelArn="string",
                ModelName="string",
                BaseModelArn="string",
                CustomizationType="string",
                ModelKmsKeyArn="string",
                ModelStatus="string",
                CreationTime="string",
            ),
            ("TrainingDataConfig.S3Uri", "string"),
            ("OutputDataConfig.S3Uri", "string"),
            ("VpcConfig.SubnetIds", "list:string"),
            ("VpcConfig.SecurityGroupIds", "list:string"),
        ),
    ),
    TypeSpec(
        "AWS::Bedrock::ImportedModel",
        names=("ModelName", "ModelArn"),
        relations=(kms_key("ModelKmsKeyArn"),),
        extra=(
            *extra(
                ModelArn="string", ModelName="string", ModelArchitecture="string", ModelKmsKeyArn="string"
            ),
            ("ModelDataSource.S3DataSource.S3Uri", "string"),
        ),
    ),
    TypeSpec(
        "AWS::Bedrock::ProvisionedModelThroughput",
        names=("ProvisionedModelName", "ProvisionedModelArn"),
        extra=extra(
            ProvisionedModelName="string",
            ProvisionedModelArn="string",
            ModelArn="string",
            FoundationModelArn="string",
            ModelUnits="integer",
            CommitmentDuration="string",
            Status="string",
        ),
    ),
    TypeSpec(
        "AWS::Bedrock::CustomModelDeployment",
        names=("ModelDeploymentName", "CustomModelDeploymentArn"),
        extra=extra(
            ModelDeploymentName="string",
            CustomModelDeploymentArn="string",
            ModelArn="string",
            Status="string",
        ),
    ),
    TypeSpec(
        "AWS::Bedrock::MarketplaceModelEndpoint",
        names=("EndpointArn",),
        extra=extra(
            EndpointArn="string", ModelSourceIdentifier="string", Status="string", EndpointStatus="string"
        ),
    ),
    TypeSpec("AWS::Bedrock::IntelligentPromptRouter", names=("PromptRouterName", "PromptRouterArn")),
    TypeSpec("AWS::BedrockMantle::Project", names=("Id", "Arn")),
    TypeSpec(
        "AWS::BedrockAgentCore::Runtime",
        names=("AgentRuntimeId", "AgentRuntimeArn", "AgentRuntimeName"),
        relations=(to("role", ROLE, "RoleArn", one=True, scope="account"),),
    ),
    TypeSpec(
        "AWS::BedrockAgentCore::Gateway",
        names=("GatewayIdentifier", "GatewayArn"),
        relations=(kms_key("KmsKeyArn"),),
    ),
    TypeSpec(
        "AWS::BedrockAgentCore::BrowserCustom",
        names=("BrowserId", "BrowserArn"),
        defaults=(is_("RecordingConfig.Enabled", False, cfn("resource-bedrockagentcore-browsercustom")),),
    ),
    TypeSpec(
        "AWS::BedrockAgentCore::CodeInterpreterCustom",
        names=("CodeInterpreterId", "CodeInterpreterArn"),
    ),
    TypeSpec("AWS::BedrockAgentCore::Harness", names=("HarnessId", "Arn")),
    TypeSpec(
        "AWS::S3Vectors::VectorBucket",
        names=("VectorBucketArn", "VectorBucketName"),
        relations=(kms_key("EncryptionConfiguration.KmsKeyArn"),),
    ),
    TypeSpec("AWS::S3Vectors::Index", names=("IndexArn",)),
    TypeSpec("AWS::OpenSearchServerless::SecurityPolicy", names=("Name",), extra=(("Policy", "json"),)),
    TypeSpec(
        _APPLICATION,
        names=("ApplicationId", "ApplicationArn"),
        relations=(kms_key("EncryptionConfiguration.KmsKeyId"),),
    ),
    TypeSpec("AWS::QBusiness::Index", names=("IndexArn", "IndexId")),
    TypeSpec(
        "AWS::QBusiness::DataSource",
        names=("DataSourceArn", "DataSourceId"),
        relations=(to("application", _APPLICATION, "ApplicationId", one=True),),
    ),
    TypeSpec(
        "AWS::Kendra::DataSource",
        names=("Id", "Arn"),
        relations=(to("index", "AWS::Kendra::Index", "IndexId", one=True),),
    ),
)
