"""SageMaker and Bedrock."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import ROLE, VPC, doc, groups, is_, kms_key, of, subnets, to

_NOTEBOOK = doc("sagemaker/latest/APIReference/API_CreateNotebookInstance")

TYPES = (
    TypeSpec(
        "AWS::SageMaker::NotebookInstance",
        names=("NotebookInstanceName", "NotebookInstanceArn"),
        defaults=(
            is_(
                "DirectInternetAccess",
                "Enabled",
                doc("sagemaker/latest/dg/appendix-additional-considerations"),
            ),
            is_("RootAccess", "Enabled", _NOTEBOOK),
            is_("VolumeSizeInGB", 5, _NOTEBOOK),
            is_(
                "InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion",
                "1",
                doc("sagemaker/latest/APIReference/API_InstanceMetadataServiceConfiguration"),
            ),
        ),
        relations=(
            kms_key(),
            to("subnet", "AWS::EC2::Subnet", "SubnetId", one=True),
            groups("SecurityGroupIds"),
            to("role", ROLE, "RoleArn", one=True, scope="account"),
        ),
    ),
    TypeSpec(
        "AWS::SageMaker::EndpointConfig",
        names=("EndpointConfigName", "EndpointConfigArn"),
        relations=(kms_key(),),
    ),
    TypeSpec(
        "AWS::SageMaker::Domain",
        names=("DomainId", "DomainArn"),
        defaults=(
            is_(
                "AppNetworkAccessType",
                "PublicInternetOnly",
                doc("sagemaker/latest/APIReference/API_CreateDomain"),
            ),
        ),
        relations=(kms_key(), to("vpc", VPC, "VpcId", one=True), subnets("SubnetIds")),
    ),
    TypeSpec(
        "AWS::SageMaker::Model",
        names=("ModelName", "ModelArn"),
        defaults=(
            is_("EnableNetworkIsolation", False, doc("sagemaker/latest/dg/mkt-algo-model-internet-free")),
        ),
        relations=(subnets("VpcConfig.Subnets"), groups("VpcConfig.SecurityGroupIds")),
    ),
    TypeSpec(
        "AWS::Bedrock::Agent",
        names=("AgentId", "AgentArn"),
        relations=(
            kms_key("CustomerEncryptionKeyArn"),
            to(
                "guardrail", "AWS::Bedrock::Guardrail", "GuardrailConfiguration.GuardrailIdentifier", one=True
            ),
            to("role", ROLE, "AgentResourceRoleArn", one=True, scope="account"),
        ),
    ),
    TypeSpec(
        "AWS::Bedrock::Guardrail", names=("GuardrailId", "GuardrailArn"), relations=(kms_key("KmsKeyArn"),)
    ),
    TypeSpec(
        "AWS::Bedrock::KnowledgeBase",
        names=("KnowledgeBaseId", "KnowledgeBaseArn"),
        relations=(
            of("data_sources", "AWS::Bedrock::DataSource", "KnowledgeBaseId"),
            kms_key(
                "KnowledgeBaseConfiguration.ManagedKnowledgeBaseConfiguration"
                ".ServerSideEncryptionConfiguration.KmsKeyArn"
            ),
            to("role", ROLE, "RoleArn", one=True, scope="account"),
        ),
    ),
    TypeSpec(
        "AWS::Bedrock::DataSource",
        names=("DataSourceId",),
        relations=(
            to("knowledge_base", "AWS::Bedrock::KnowledgeBase", "KnowledgeBaseId", one=True),
            kms_key("ServerSideEncryptionConfiguration.KmsKeyArn"),
            to("bucket", "AWS::S3::Bucket", "DataSourceConfiguration.S3Configuration.BucketArn", one=True),
        ),
    ),
    TypeSpec("AWS::Bedrock::Flow", names=("Id", "Arn"), relations=(kms_key("CustomerEncryptionKeyArn"),)),
    TypeSpec("AWS::Bedrock::Prompt", names=("Id", "Arn"), relations=(kms_key("CustomerEncryptionKeyArn"),)),
    TypeSpec(
        "AWS::Bedrock::DataAutomationProject",
        names=("ProjectName", "ProjectArn"),
        relations=(kms_key("KmsKeyId"),),
    ),
    TypeSpec(
        "AWS::BedrockAgentCore::Memory",
        names=("MemoryId", "MemoryArn"),
        relations=(kms_key("EncryptionKeyArn"),),
    ),
    TypeSpec(
        "AWS::Bedrock::EnforcedGuardrailConfiguration",
        names=("ConfigId",),
        relations=(to("guardrail", "AWS::Bedrock::Guardrail", "GuardrailIdentifier", one=True),),
    ),
    TypeSpec(
        "AWS::Bedrock::ApplicationInferenceProfile",
        names=("InferenceProfileId", "InferenceProfileArn", "InferenceProfileIdentifier"),
    ),
    TypeSpec("AWS::SageMaker::ProcessingJob", names=("ProcessingJobName", "ProcessingJobArn")),
)
