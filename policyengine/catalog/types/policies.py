"""Policies that are resources of their own, and what else is shared with other accounts.

The types that are parts of another resource are folded into it; they are declared here too because one
that belongs to a resource of another stack stays by itself.
"""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import cfn, doc, into, is_

_LAYER = "AWS::Lambda::LayerVersion"

_PARTS = (
    ("AWS::S3::BucketPolicy", "Bucket"),
    ("AWS::S3::MultiRegionAccessPointPolicy", "MrapName"),
    ("AWS::S3Express::BucketPolicy", "Bucket"),
    ("AWS::S3Tables::TableBucketPolicy", "TableBucketARN"),
    ("AWS::SQS::QueuePolicy", "Id"),
    ("AWS::SQS::QueueInlinePolicy", "Queue"),
    ("AWS::SNS::TopicPolicy", "Id"),
    ("AWS::SNS::TopicInlinePolicy", "TopicArn"),
    ("AWS::SecretsManager::ResourcePolicy", "Id"),
    ("AWS::Kinesis::ResourcePolicy", "ResourceArn"),
    ("AWS::Events::EventBusPolicy", "StatementId"),
    ("AWS::Lambda::LayerVersionPermission", "Id"),
    ("AWS::Lambda::ResourcePolicy", "ResourceArn"),
    ("AWS::EC2::VPCEndpointServicePermissions", "ServiceId"),
)
_ALONE = (
    ("AWS::APS::ResourcePolicy", "WorkspaceArn"),
    ("AWS::Bedrock::ResourcePolicy", "ResourceArn"),
    ("AWS::BedrockAgentCore::ResourcePolicy", "ResourceArn"),
    ("AWS::CloudTrail::ResourcePolicy", "ResourceArn"),
    ("AWS::EventSchemas::RegistryPolicy", "Id"),
    ("AWS::IoT::Policy", "PolicyName"),
    ("AWS::Lex::ResourcePolicy", "Id"),
    ("AWS::Logs::Destination", "DestinationName"),
    ("AWS::MSK::ClusterPolicy", "ClusterArn"),
    ("AWS::MediaStore::Container", "ContainerName"),
    ("AWS::Oam::Sink", "Arn"),
    ("AWS::S3Express::AccessPoint", "Name"),
    ("AWS::S3ObjectLambda::AccessPointPolicy", "ObjectLambdaAccessPoint"),
    ("AWS::S3Tables::TablePolicy", "TableARN"),
    ("AWS::S3Vectors::VectorBucketPolicy", "VectorBucketArn"),
    ("AWS::SSM::ResourcePolicy", "PolicyId"),
    ("AWS::VpcLattice::ResourcePolicy", "ResourceArn"),
    ("AWS::XRay::ResourcePolicy", "PolicyName"),
)

TYPES = (
    *(TypeSpec(type_, names=(name,)) for type_, name in (*_PARTS, *_ALONE)),
    TypeSpec(
        _LAYER,
        names=("LayerVersionArn",),
        satellites=(into("AWS::Lambda::LayerVersionPermission", "LayerVersionArn", "permissions"),),
    ),
    TypeSpec(
        "AWS::KMS::ReplicaKey",
        names=("KeyId", "Arn"),
        defaults=(is_("Enabled", True, cfn("resource-kms-replicakey")),),
    ),
    TypeSpec(
        "AWS::SES::EmailIdentity",
        names=("EmailIdentity",),
        extra=(
            ("Policies", "list:object"),
            ("Policies.PolicyName", "string"),
            ("Policies.Policy", "json"),
        ),
    ),
    TypeSpec(
        "AWS::Glacier::Vault",
        names=("VaultName", "VaultARN"),
        extra=(("VaultName", "string"), ("VaultARN", "string"), ("Policy", "json")),
    ),
    TypeSpec(
        "AWS::RAM::ResourceShare",
        names=("Arn", "Name"),
        satellites=(into("AWS::RAM::PrincipalAssociation", "ResourceShareArn", "principals"),),
        defaults=(
            is_("AllowExternalPrincipals", True, doc("ram/latest/APIReference/API_CreateResourceShare")),
        ),
    ),
    TypeSpec("AWS::RAM::PrincipalAssociation", names=("Principal",)),
)
