"""Policies that are resources of their own, and what else is shared with other accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_s3control_multi_region_access_point_policy": TypeMap(
        "AWS::S3::MultiRegionAccessPointPolicy",
        "details.name=MrapName details.policy:json=Policy",
        tags="",
    ),
    "aws_s3control_object_lambda_access_point_policy": TypeMap(
        "AWS::S3ObjectLambda::AccessPointPolicy",
        "name=ObjectLambdaAccessPoint policy:json=PolicyDocument",
        tags="",
    ),
    "aws_s3control_access_point_policy": (Merge("AWS::S3::AccessPoint", "access_point_arn", "policy:json"),),
    "aws_s3tables_table_bucket_policy": TypeMap(
        "AWS::S3Tables::TableBucketPolicy",
        "resource_policy:json table_bucket_arn=TableBucketARN",
        tags="",
    ),
    "aws_s3tables_table_policy": TypeMap(
        "AWS::S3Tables::TablePolicy",
        "resource_policy:json table_bucket_arn=TableBucketARN namespace name=TableName",
        tags="",
        absent="TableARN",
    ),
    "aws_s3vectors_vector_bucket_policy": TypeMap(
        "AWS::S3Vectors::VectorBucketPolicy",
        "policy:json vector_bucket_arn",
        tags="",
        absent="VectorBucketName",
    ),
    "aws_kms_replica_key": TypeMap(
        "AWS::KMS::ReplicaKey",
        """
            description enabled policy:json=KeyPolicy primary_key_arn
            deletion_window_in_days=PendingWindowInDays
        """,
    ),
    "aws_kms_grant": Merge(
        "AWS::KMS::Key",
        "key_id",
        """
            grantee_principal=Grants.GranteePrincipal retiring_principal=Grants.RetiringPrincipal
            operations*=Grants.Operations
        """,
        append=("Grants",),
    ),
    "aws_kinesis_resource_policy": TypeMap(
        "AWS::Kinesis::ResourcePolicy",
        "resource_arn policy:json=ResourcePolicy",
        tags="",
    ),
    "aws_glue_resource_policy": TypeMap(
        "PolicyEngine::Account::Region",
        "policy:json=GlueResourcePolicy",
        tags="",
        partial=True,
    ),
    "aws_cloudwatch_log_destination": TypeMap(
        "AWS::Logs::Destination",
        "name=DestinationName role_arn target_arn",
    ),
    "aws_cloudwatch_log_destination_policy": (
        Merge("AWS::Logs::Destination", "destination_name", "access_policy:json=DestinationPolicy"),
    ),
    "aws_ecrpublic_repository_policy": (
        Merge("AWS::ECR::PublicRepository", "repository_name", "policy:json=RepositoryPolicyText"),
    ),
    "aws_vpc_endpoint_policy": (
        Merge("AWS::EC2::VPCEndpoint", "vpc_endpoint_id", "policy:json=PolicyDocument"),
    ),
    "aws_vpc_endpoint_service_allowed_principal": TypeMap(
        "AWS::EC2::VPCEndpointServicePermissions",
        "vpc_endpoint_service_id=ServiceId principal_arn:list=AllowedPrincipals",
        tags="",
    ),
    "aws_lambda_layer_version": TypeMap(
        "AWS::Lambda::LayerVersion",
        """
            compatible_architectures* compatible_runtimes* description layer_name license_info
            s3_bucket=Content.S3Bucket s3_key=Content.S3Key
            s3_object_version=Content.S3ObjectVersion
        """,
        tags="",
    ),
    "aws_lambda_layer_version_permission": TypeMap(
        "AWS::Lambda::LayerVersionPermission",
        "action layer_name=LayerVersionArn organization_id principal",
        tags="",
    ),
    "aws_iot_policy": TypeMap("AWS::IoT::Policy", "name=PolicyName policy:json=PolicyDocument"),
    "aws_sesv2_email_identity": TypeMap(
        "AWS::SES::EmailIdentity",
        "email_identity configuration_set_name=ConfigurationSetAttributes.ConfigurationSetName",
    ),
    "aws_ses_domain_identity": TypeMap("AWS::SES::EmailIdentity", "domain=EmailIdentity", tags=""),
    "aws_ses_email_identity": TypeMap("AWS::SES::EmailIdentity", "email=EmailIdentity", tags=""),
    "aws_sesv2_email_identity_policy": Merge(
        "AWS::SES::EmailIdentity",
        "email_identity",
        "policy_name=Policies.PolicyName policy:json=Policies.Policy",
        append=("Policies",),
    ),
    "aws_ses_identity_policy": Merge(
        "AWS::SES::EmailIdentity",
        "identity",
        "name=Policies.PolicyName policy:json=Policies.Policy",
        append=("Policies",),
    ),
    "aws_glacier_vault": TypeMap("AWS::Glacier::Vault", "name=VaultName access_policy:json=Policy"),
    "aws_msk_cluster_policy": TypeMap("AWS::MSK::ClusterPolicy", "cluster_arn policy:json", tags=""),
    "aws_prometheus_resource_policy": TypeMap(
        "AWS::APS::ResourcePolicy",
        "workspace_id=WorkspaceArn policy_document:json",
        tags="",
    ),
    "aws_xray_resource_policy": TypeMap(
        "AWS::XRay::ResourcePolicy",
        "policy_document:json policy_name bypass_policy_lockout_check",
        tags="",
    ),
    "aws_vpclattice_resource_policy": TypeMap(
        "AWS::VpcLattice::ResourcePolicy",
        "resource_arn policy:json",
        tags="",
    ),
    "aws_oam_sink": TypeMap("AWS::Oam::Sink", "name"),
    "aws_oam_sink_policy": (Merge("AWS::Oam::Sink", "sink_identifier", "policy:json"),),
    "aws_schemas_registry_policy": TypeMap(
        "AWS::EventSchemas::RegistryPolicy",
        "registry_name policy:json",
        tags="",
        absent="RevisionId",
    ),
    "aws_media_store_container": TypeMap("AWS::MediaStore::Container", "name=ContainerName"),
    "aws_media_store_container_policy": (
        Merge("AWS::MediaStore::Container", "container_name", "policy:json"),
    ),
    "aws_ram_resource_share": TypeMap(
        "AWS::RAM::ResourceShare",
        "allow_external_principals name permission_arns*",
    ),
    "aws_ram_principal_association": TypeMap(
        "AWS::RAM::PrincipalAssociation",
        "principal resource_share_arn",
        tags="",
    ),
}
