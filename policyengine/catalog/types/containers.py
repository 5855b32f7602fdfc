"""ECR, ECS, EKS, App Runner and Batch."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    ROLE,
    cfn,
    depends,
    doc,
    extra,
    groups,
    is_,
    kms_key,
    of,
    off,
    subnets,
    to,
)

_REPOSITORY = doc("AmazonECR/latest/APIReference/API_CreateRepository")
_EKS = doc("eks/latest/APIReference/API_VpcConfigRequest")
_SERVICE = cfn("resource-ecs-service")
_TASK = cfn("resource-ecs-taskdefinition")
_CONTAINER = cfn("properties-ecs-taskdefinition-containerdefinition")

TYPES = (
    TypeSpec(
        "AWS::ECR::Repository",
        names=("RepositoryName", "Arn", "RepositoryUri"),
        defaults=(
            is_("ImageTagMutability", "MUTABLE", _REPOSITORY),
            is_(
                "ImageScanningConfiguration.ScanOnPush",
                False,
                doc("AmazonECR/latest/APIReference/API_ImageScanningConfiguration"),
            ),
            is_("EncryptionConfiguration.EncryptionType", "AES256", _REPOSITORY),
        ),
        relations=(kms_key("EncryptionConfiguration.KmsKey"),),
        extra=(
            ("ScanFrequency", "string"),
            ("ImageScanFindings.Critical", "integer"),
            ("ImageScanFindings.High", "integer"),
            ("NewestImage.PushedAt", "string"),
            ("NewestImage.ScanStatus", "string"),
        ),
    ),
    TypeSpec(
        "AWS::ECR::RegistryScanningConfiguration",
        names=("RegistryId",),
        defaults=(is_("ScanType", "BASIC", doc("AmazonECR/latest/userguide/image-scanning")),),
    ),
    TypeSpec("AWS::ECR::PublicRepository", names=("RepositoryName", "Arn")),
    TypeSpec("AWS::ECR::RegistryPolicy", names=("RegistryId",)),
    TypeSpec("AWS::ECR::ReplicationConfiguration", names=("RegistryId",)),
    TypeSpec("AWS::ECR::SigningConfiguration", names=("RegistryId",)),
    TypeSpec("AWS::ECR::PullThroughCacheRule", names=("EcrRepositoryPrefix",)),
    TypeSpec(
        "AWS::ECR::RepositoryCreationTemplate",
        names=("Prefix",),
        defaults=(
            is_(
                "ImageTagMutability",
                "MUTABLE",
                doc("AmazonECR/latest/APIReference/API_CreateRepositoryCreationTemplate"),
            ),
            is_(
                "EncryptionConfiguration.EncryptionType",
                "AES256",
                doc("AmazonECR/latest/APIReference/API_EncryptionConfigurationForRepositoryCreationTemplate"),
            ),
        ),
        relations=(kms_key("EncryptionConfiguration.KmsKey"),),
    ),
    TypeSpec(
        "AWS::ECS::Cluster",
        names=("ClusterName", "Arn"),
        defaults=(
            depends(
                "Settings.containerInsights",
                doc("AmazonECS/latest/APIReference/API_ClusterSetting"),
                "it follows the account's containerInsights setting",
            ),
            is_(
                "Configuration.ExecuteCommandConfiguration.Logging",
                "DEFAULT",
                cfn("properties-ecs-cluster-executecommandconfiguration"),
            ),
        ),
        relations=(
            of("services", "AWS::ECS::Service", "Cluster"),
            kms_key("Configuration.ExecuteCommandConfiguration.KmsKeyId"),
        ),
        extra=(("Settings", "map:string"),),
    ),
    TypeSpec(
        "AWS::ECS::Service",
        names=("ServiceArn", "ServiceName", "Name"),
        defaults=(
            is_(
                "NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp",
                "DISABLED",
                cfn("properties-ecs-service-awsvpcconfiguration"),
            ),
            is_("EnableExecuteCommand", False, _SERVICE),
            is_("PlatformVersion", "LATEST", _SERVICE),
            is_("PropagateTags", "NONE", _SERVICE),
            is_("SchedulingStrategy", "REPLICA", doc("AmazonECS/latest/APIReference/API_CreateService")),
            is_("DeploymentController.Type", "ECS", doc("AmazonECS/latest/APIReference/API_CreateService")),
            depends("DesiredCount", _SERVICE, "1 for a new service; an existing one keeps what it has"),
            is_(
                "DeploymentConfiguration.DeploymentCircuitBreaker.Enable",
                False,
                cfn("properties-ecs-service-deploymentcircuitbreaker"),
            ),
        ),
        relations=(
            to("cluster", "AWS::ECS::Cluster", "Cluster", one=True),
            to("task_definition", "AWS::ECS::TaskDefinition", "TaskDefinition", one=True),
            subnets("NetworkConfiguration.AwsvpcConfiguration.Subnets"),
            groups("NetworkConfiguration.AwsvpcConfiguration.SecurityGroups"),
            to("target_groups", "AWS::ElasticLoadBalancingV2::TargetGroup", "LoadBalancers.TargetGroupArn"),
        ),
    ),
    TypeSpec(
        "AWS::ECS::TaskDefinition",
        names=("TaskDefinitionArn", "Family"),
        defaults=(
            is_("NetworkMode", "bridge", _TASK, unless=("RequiresCompatibilities",)),
            *off(
                _CONTAINER,
                "ContainerDefinitions.Privileged",
                "ContainerDefinitions.ReadonlyRootFilesystem",
            ),
            is_(
                "Volumes.EFSVolumeConfiguration.TransitEncryption",
                "DISABLED",
                cfn("properties-ecs-taskdefinition-efsvolumeconfiguration"),
            ),
            depends(
                "ContainerDefinitions.LogConfiguration.Options.mode",
                doc("AmazonECS/latest/developerguide/ecs-account-settings"),
                "it follows the account's defaultLogDriverMode",
            ),
        ),
        relations=(
            to("task_role", ROLE, "TaskRoleArn", one=True, scope="account"),
            to("execution_role", ROLE, "ExecutionRoleArn", one=True, scope="account"),
        ),
        secrets=("Value",),
    ),
    TypeSpec(
        "AWS::ECS::Task",
        names=("TaskArn",),
        relations=(
            to("cluster", "AWS::ECS::Cluster", "ClusterArn", one=True),
            to("task_definition", "AWS::ECS::TaskDefinition", "TaskDefinitionArn", one=True),
        ),
        extra=extra(
            TaskArn="string",
            ClusterArn="string",
            TaskDefinitionArn="string",
            TaskRoleArn="string",
            EnableExecuteCommand="boolean",
            Group="string",
            LaunchType="string",
        ),
    ),
    TypeSpec(
        "AWS::EKS::Cluster",
        names=("Name", "Arn"),
        defaults=(
            is_("ResourcesVpcConfig.EndpointPublicAccess", True, _EKS),
            is_("ResourcesVpcConfig.EndpointPrivateAccess", False, _EKS),
            is_("ResourcesVpcConfig.PublicAccessCidrs", ["0.0.0.0/0"], _EKS),
            is_("DeletionProtection", False, doc("eks/latest/APIReference/API_CreateCluster")),
            is_(
                "UpgradePolicy.SupportType",
                "EXTENDED",
                doc("eks/latest/APIReference/API_UpgradePolicyRequest"),
            ),
            is_("Logging.ClusterLogging.EnabledTypes", [], cfn("properties-eks-cluster-logging")),
        ),
        relations=(
            subnets("ResourcesVpcConfig.SubnetIds"),
            groups("ResourcesVpcConfig.SecurityGroupIds"),
            to("role", ROLE, "RoleArn", one=True, scope="account"),
            of("nodegroups", "AWS::EKS::Nodegroup", "ClusterName"),
            to("kms_keys", "AWS::KMS::Key", "EncryptionConfig.Provider.KeyArn"),
        ),
        extra=extra(Status="string", PlatformVersion="string"),
    ),
    TypeSpec(
        "AWS::EKS::Nodegroup",
        names=("Id", "NodegroupName", "Arn"),
        relations=(
            to("cluster", "AWS::EKS::Cluster", "ClusterName", one=True),
            subnets("Subnets"),
            to("launch_template", "AWS::EC2::LaunchTemplate", "LaunchTemplate.Id", one=True),
        ),
    ),
    TypeSpec(
        "AWS::AppRunner::Service",
        names=("ServiceArn", "ServiceName"),
        defaults=(
            is_(
                "NetworkConfiguration.IngressConfiguration.IsPubliclyAccessible",
                True,
                cfn("properties-apprunner-service-ingressconfiguration"),
            ),
        ),
        relations=(kms_key("EncryptionConfiguration.KmsKey"),),
        secrets=("Value",),
    ),
    TypeSpec(
        "AWS::Batch::ComputeEnvironment",
        names=("ComputeEnvironmentArn", "ComputeEnvironmentName"),
        relations=(subnets("ComputeResources.Subnets"), groups("ComputeResources.SecurityGroupIds")),
    ),
    TypeSpec(
        "AWS::Batch::JobDefinition",
        names=("JobDefinitionArn",),
        defaults=off(
            doc("batch/latest/APIReference/API_ContainerProperties"), "ContainerProperties.Privileged"
        ),
        secrets=("Value",),
    ),
)
