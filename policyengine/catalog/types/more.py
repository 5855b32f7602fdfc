"""Services with a type or two each: data, media, directories, images and the edge of the network."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    BUCKET,
    KMS_KEY,
    VPC,
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

_MWAA_LOGS = cfn("properties-mwaa-environment-moduleloggingconfiguration")
_MWAA_MODULES = ("DagProcessingLogs", "SchedulerLogs", "TaskLogs", "WebserverLogs", "WorkerLogs")
_MRAP = doc("AmazonS3/latest/userguide/multi-region-access-point-block-public-access")

TYPES = (
    TypeSpec(
        "AWS::MWAA::Environment",
        names=("Name", "Arn"),
        defaults=(
            *off(_MWAA_LOGS, *(f"LoggingConfiguration.{module}.Enabled" for module in _MWAA_MODULES)),
            is_("WebserverAccessMode", "PRIVATE_ONLY", doc("mwaa/latest/API/API_CreateEnvironment")),
        ),
        relations=(
            kms_key("KmsKey"),
            subnets("NetworkConfiguration.SubnetIds"),
            groups("NetworkConfiguration.SecurityGroupIds"),
        ),
    ),
    TypeSpec("AWS::DocDBElastic::Cluster", names=("ClusterArn",), relations=(kms_key(),)),
    TypeSpec(
        "AWS::NeptuneGraph::Graph",
        names=("GraphId", "GraphArn", "GraphName"),
        defaults=(
            is_("DeletionProtection", True, cfn("resource-neptunegraph-graph")),
            is_("ReplicaCount", 1, cfn("resource-neptunegraph-graph")),
        ),
        relations=(kms_key("KmsKeyIdentifier"),),
    ),
    TypeSpec("AWS::APS::Workspace", names=("WorkspaceId", "Arn"), relations=(kms_key("KmsKeyArn"),)),
    TypeSpec(
        "AWS::Comprehend::EntityRecognizer",
        names=("Arn",),
        relations=(kms_key("ModelKmsKeyId", "model_key"), kms_key("VolumeKmsKeyId", "volume_key")),
    ),
    TypeSpec(
        "AWS::Connect::InstanceStorageConfig",
        names=("AssociationId",),
        relations=(
            kms_key("S3Config.EncryptionConfig.KeyId"),
            kms_key("KinesisVideoStreamConfig.EncryptionConfig.KeyId", "video_key"),
        ),
    ),
    TypeSpec("AWS::Timestream::Database", names=("DatabaseName", "Arn"), relations=(kms_key(),)),
    TypeSpec(
        "AWS::Cassandra::Table",
        names=("TableName",),
        defaults=off(doc("keyspaces/latest/APIReference/API_CreateTable"), "PointInTimeRecoveryEnabled"),
        relations=(kms_key("EncryptionSpecification.KmsKeyIdentifier"),),
    ),
    TypeSpec(
        "AWS::Kendra::Index",
        names=("Id", "Arn"),
        relations=(kms_key("ServerSideEncryptionConfiguration.KmsKeyId"),),
    ),
    TypeSpec("AWS::KinesisVideo::Stream", names=("Name", "Arn"), relations=(kms_key(),)),
    TypeSpec(
        "AWS::AppFlow::ConnectorProfile",
        names=("ConnectorProfileName", "ConnectorProfileArn"),
        relations=(kms_key("KMSArn"),),
        secrets=(
            "ApiKey",
            "ApiToken",
            "AccessToken",
            "ClientSecret",
            "Password",
            "RefreshToken",
            "SecretKey",
        ),
    ),
    TypeSpec("AWS::AppFlow::Flow", names=("FlowName", "FlowArn"), relations=(kms_key("KMSArn"),)),
    TypeSpec(
        "AWS::ACMPCA::CertificateAuthority", names=("Arn",), extra=extra(Status="string", NotAfter="string")
    ),
    TypeSpec(
        "AWS::DirectoryService::MicrosoftAD",
        names=("DirectoryId",),
        relations=(to("vpc", VPC, "VpcSettings.VpcId", one=True), subnets("VpcSettings.SubnetIds")),
        secrets=("Password",),
    ),
    TypeSpec(
        "AWS::GlobalAccelerator::Accelerator",
        names=("AcceleratorArn", "Name"),
        is_global=True,
        defaults=(
            is_("Enabled", True, cfn("resource-globalaccelerator-accelerator")),
            is_("FlowLogsEnabled", False, cfn("resource-globalaccelerator-accelerator")),
        ),
    ),
    TypeSpec(
        "AWS::SES::ConfigurationSet",
        names=("Name",),
        defaults=(
            is_(
                "DeliveryOptions.TlsPolicy",
                "OPTIONAL",
                cfn("properties-ses-configurationset-deliveryoptions"),
            ),
        ),
    ),
    TypeSpec(
        "AWS::KafkaConnect::Connector",
        names=("ConnectorArn", "ConnectorName"),
        secrets=("ConnectorConfiguration",),
    ),
    TypeSpec(
        "AWS::ImageBuilder::Component",
        names=("Arn", "Name"),
        relations=(kms_key(),),
    ),
    TypeSpec("AWS::ImageBuilder::ContainerRecipe", names=("Arn", "Name"), relations=(kms_key(),)),
    TypeSpec("AWS::ImageBuilder::ImagePipeline", names=("Arn", "Name")),
    TypeSpec(
        "AWS::ImageBuilder::DistributionConfiguration",
        names=("Arn", "Name"),
        relations=(to("kms_keys", KMS_KEY, "Distributions.AmiDistributionConfiguration.KmsKeyId"),),
    ),
    TypeSpec(
        "AWS::ImageBuilder::ImageRecipe",
        names=("Arn", "Name"),
        defaults=(
            depends(
                "BlockDeviceMappings.Ebs.Encrypted",
                doc("ebs/latest/userguide/encryption-by-default"),
                "it follows the account's encryption by default in the region, and the parent image",
            ),
        ),
        relations=(to("kms_keys", KMS_KEY, "BlockDeviceMappings.Ebs.KmsKeyId"),),
    ),
    TypeSpec(
        "AWS::ImageBuilder::InfrastructureConfiguration",
        names=("Arn", "Name"),
        relations=(groups("SecurityGroupIds"), to("subnet", "AWS::EC2::Subnet", "SubnetId", one=True)),
    ),
    TypeSpec(
        "AWS::OpenSearchServerless::Collection",
        names=("Id", "Arn", "Name"),
        relations=(kms_key("KmsKeyArn"),),
    ),
    TypeSpec(
        "AWS::S3Express::DirectoryBucket",
        names=("BucketName", "Arn"),
        satellites=(into("AWS::S3Express::BucketPolicy", "Bucket", "policies"),),
    ),
    TypeSpec(
        "AWS::S3Tables::TableBucket",
        names=("TableBucketARN", "TableBucketName"),
        satellites=(into("AWS::S3Tables::TableBucketPolicy", "TableBucketARN", "policies"),),
    ),
    TypeSpec("AWS::ApplicationAutoScaling::ScalableTarget", names=("ResourceId",)),
    TypeSpec("AWS::ServiceCatalog::Portfolio", names=("Id",), extra=extra(SharedAccountIds="list:string")),
    TypeSpec(
        "AWS::CloudFormation::Stack",
        names=("StackId",),
        defaults=(
            is_(
                "EnableTerminationProtection",
                False,
                doc("AWSCloudFormation/latest/APIReference/API_CreateStack"),
            ),
        ),
        extra=(
            ("StackName", "string"),
            ("StackStatus", "string"),
            ("EnableTerminationProtection", "boolean"),
            ("RoleARN", "string"),
            ("DriftInformation.StackDriftStatus", "string"),
        ),
    ),
    TypeSpec(
        "AWS::Lightsail::Instance",
        names=("InstanceName", "InstanceArn"),
    ),
    TypeSpec(
        "AWS::Lightsail::Database",
        names=("RelationalDatabaseName",),
        defaults=(
            depends("PubliclyAccessible", cfn("resource-lightsail-database"), "the page names no default"),
        ),
        secrets=("MasterUserPassword",),
    ),
    TypeSpec(
        "AWS::EKS::FargateProfile", names=("FargateProfileName", "Arn"), relations=(subnets("Subnets"),)
    ),
    TypeSpec(
        "AWS::Backup::RecoveryPoint",
        names=("RecoveryPointArn",),
        relations=(
            to("vault", "AWS::Backup::BackupVault", "BackupVaultName", one=True),
            kms_key("EncryptionKeyArn"),
        ),
        extra=(
            *extra(
                RecoveryPointArn="string",
                BackupVaultName="string",
                ResourceArn="string",
                ResourceType="string",
                Status="string",
                CreationDate="string",
                IsEncrypted="boolean",
                EncryptionKeyArn="string",
            ),
            ("Lifecycle.DeleteAfterDays", "integer"),
        ),
    ),
    TypeSpec(
        "AWS::Neptune::DBClusterSnapshot",
        names=("DBClusterSnapshotIdentifier", "DBClusterSnapshotArn"),
        defaults=(
            depends("StorageEncrypted", doc("neptune/latest/userguide/encrypt"), "it follows the cluster"),
        ),
        relations=(to("cluster", "AWS::Neptune::DBCluster", "DBClusterIdentifier", one=True), kms_key()),
        extra=extra(
            DBClusterSnapshotIdentifier="string",
            DBClusterSnapshotArn="string",
            DBClusterIdentifier="string",
            SnapshotCreateTime="string",
            SnapshotType="string",
            StorageEncrypted="boolean",
            KmsKeyId="string",
            RestoreAccounts="list:string",
        ),
    ),
    TypeSpec(
        "AWS::DocDB::DBClusterSnapshot",
        names=("DBClusterSnapshotIdentifier", "DBClusterSnapshotArn"),
        defaults=(
            depends(
                "StorageEncrypted",
                doc("documentdb/latest/developerguide/db-cluster-encryption"),
                "it follows the cluster",
            ),
        ),
        relations=(to("cluster", "AWS::DocDB::DBCluster", "DBClusterIdentifier", one=True), kms_key()),
        extra=extra(
            DBClusterSnapshotIdentifier="string",
            DBClusterSnapshotArn="string",
            DBClusterIdentifier="string",
            SnapshotCreateTime="string",
            SnapshotType="string",
            StorageEncrypted="boolean",
            KmsKeyId="string",
            RestoreAccounts="list:string",
        ),
    ),
    TypeSpec(
        "AWS::DocDB::GlobalCluster",
        names=("GlobalClusterIdentifier", "GlobalClusterArn"),
        defaults=(
            *off(doc("documentdb/latest/developerguide/API_CreateGlobalCluster"), "DeletionProtection"),
            depends(
                "StorageEncrypted",
                doc("documentdb/latest/developerguide/API_CreateGlobalCluster"),
                "it follows the source cluster",
            ),
        ),
    ),
    TypeSpec("AWS::DocDB::DBSubnetGroup", names=("DBSubnetGroupName",), relations=(subnets("SubnetIds"),)),
    TypeSpec(
        "AWS::Neptune::DBClusterParameterGroup",
        names=("Name",),
        relations=(of("clusters", "AWS::Neptune::DBCluster", "DBClusterParameterGroupName"),),
        extra=(("Parameters", "map:string"),),
    ),
    TypeSpec("AWS::Neptune::DBSubnetGroup", names=("DBSubnetGroupName",), relations=(subnets("SubnetIds"),)),
    TypeSpec(
        "AWS::DMS::ReplicationSubnetGroup",
        names=("ReplicationSubnetGroupIdentifier",),
        relations=(subnets("SubnetIds"),),
    ),
    TypeSpec(
        "AWS::ECS::TaskSet",
        names=("Id",),
        defaults=(
            is_(
                "NetworkConfiguration.AwsVpcConfiguration.AssignPublicIp",
                "DISABLED",
                cfn("properties-ecs-taskset-awsvpcconfiguration"),
            ),
        ),
    ),
    TypeSpec(
        "AWS::Glue::DevEndpoint",
        names=("EndpointName",),
        relations=(
            to(
                "security_configuration",
                "AWS::Glue::SecurityConfiguration",
                "SecurityConfiguration",
                one=True,
            ),
        ),
    ),
    *(
        TypeSpec(
            f"AWS::SageMaker::{kind}JobDefinition",
            names=("JobDefinitionArn", "JobDefinitionName"),
            defaults=off(
                doc("sagemaker/latest/APIReference/API_MonitoringNetworkConfig"),
                "NetworkConfig.EnableInterContainerTrafficEncryption",
                "NetworkConfig.EnableNetworkIsolation",
            ),
            relations=(
                kms_key(f"{kind}JobOutputConfig.KmsKeyId", "output_key"),
                kms_key("JobResources.ClusterConfig.VolumeKmsKeyId", "volume_key"),
            ),
        )
        for kind in ("DataQuality", "ModelBias", "ModelExplainability", "ModelQuality")
    ),
    TypeSpec(
        "AWS::S3::MultiRegionAccessPoint",
        names=("Name", "Alias"),
        is_global=True,
        satellites=(into("AWS::S3::MultiRegionAccessPointPolicy", "MrapName", "policies"),),
        defaults=tuple(
            is_(f"PublicAccessBlockConfiguration.{flag}", True, _MRAP)
            for flag in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        ),
    ),
    TypeSpec("AWS::MemoryDB::Snapshot", names=("SnapshotName", "Arn"), relations=(kms_key(),)),
    TypeSpec(
        "AWS::Events::Endpoint",
        names=("Name", "Arn"),
        defaults=(
            is_(
                "ReplicationConfig.State",
                "ENABLED",
                doc("eventbridge/latest/APIReference/API_CreateEndpoint"),
            ),
        ),
    ),
    TypeSpec("AWS::Logs::ResourcePolicy", names=("PolicyName",)),
    TypeSpec("AWS::CloudFront::ResponseHeadersPolicy", names=("Id",), is_global=True),
    TypeSpec("AWS::EC2::KeyPair", names=("KeyName", "KeyPairId"), secrets=("PublicKeyMaterial",)),
    TypeSpec(
        "AWS::EC2::TransitGatewayVpcAttachment",
        names=("Id",),
        relations=(
            to("vpc", VPC, "VpcId", one=True),
            to("transit_gateway", "AWS::EC2::TransitGateway", "TransitGatewayId", one=True),
            subnets("SubnetIds"),
        ),
    ),
    TypeSpec(
        "AWS::AppSync::ApiCache",
        names=("Id",),
        defaults=off(cfn("resource-appsync-apicache"), "AtRestEncryptionEnabled", "TransitEncryptionEnabled"),
        relations=(to("api", "AWS::AppSync::GraphQLApi", "ApiId", one=True),),
    ),
    TypeSpec(
        "AWS::AppStream::Fleet",
        names=("Name", "Arn"),
        defaults=(
            depends(
                "EnableDefaultInternetAccess", cfn("resource-appstream-fleet"), "the page names no default"
            ),
        ),
        relations=(subnets("VpcConfig.SubnetIds"), groups("VpcConfig.SecurityGroupIds")),
    ),
    TypeSpec("AWS::AutoScaling::ScalingPolicy", names=("PolicyName", "Arn")),
    TypeSpec(
        "AWS::StorageGateway::FileShare",
        names=("FileShareARN",),
        relations=(kms_key("KMSKey"), to("bucket", BUCKET, "LocationARN", one=True)),
        extra=extra(
            FileShareARN="string",
            FileShareType="string",
            KMSEncrypted="boolean",
            KMSKey="string",
            LocationARN="string",
        ),
    ),
)
