"""EC2 instances, their storage and images, and Auto Scaling."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    KMS_KEY,
    ROLE,
    SUBNET,
    VPC,
    cfn,
    depends,
    doc,
    every,
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

_IMDS = doc("AWSEC2/latest/APIReference/API_InstanceMetadataOptionsRequest")
_IMDS_TEMPLATE = doc("AWSEC2/latest/APIReference/API_LaunchTemplateInstanceMetadataOptionsRequest")
_IMDS_NOTE = "it follows the image's ImdsSupport and the account's instance metadata defaults"
_IMDS_GROUP = doc("autoscaling/ec2/APIReference/API_InstanceMetadataOptions")
_EBS = doc("ebs/latest/userguide/encryption-by-default")
_EBS_NOTE = "it follows the account's encryption by default in the region, and the snapshot or image"
_RUN = doc("AWSEC2/latest/APIReference/API_RunInstances")
_VOLUME = doc("AWSEC2/latest/APIReference/API_CreateVolume")
_ASG = cfn("resource-autoscaling-autoscalinggroup")
_MAPPING = "BlockDeviceMappings.Ebs"

BACKUP = (
    ("BackupProtection.LastBackupTime", "string"),
    ("BackupProtection.LastBackupVaultArn", "string"),
    ("BackupProtection.LatestRestoreJobCreationDate", "string"),
    ("BackupProtection.LatestRestoreRecoveryPointCreationDate", "string"),
    ("BackupProtection.LatestRestoreExecutionTimeMinutes", "number"),
)
"""AWS Backup ``DescribeProtectedResource`` for the resource."""

TYPES = (
    TypeSpec(
        "AWS::EC2::Instance",
        names=("InstanceId",),
        defaults=(
            depends("MetadataOptions.HttpTokens", _IMDS, _IMDS_NOTE),
            is_("MetadataOptions.HttpEndpoint", "enabled", _IMDS),
            is_("MetadataOptions.InstanceMetadataTags", "disabled", _IMDS),
            depends("MetadataOptions.HttpPutResponseHopLimit", _IMDS, _IMDS_NOTE),
            is_("DisableApiTermination", False, _RUN, unless=("LaunchTemplate",)),
            is_("EbsOptimized", False, _RUN, unless=("LaunchTemplate",)),
            is_("Monitoring", False, cfn("resource-ec2-instance"), unless=("LaunchTemplate",)),
            is_("SourceDestCheck", True, cfn("resource-ec2-instance")),
            depends(f"{_MAPPING}.Encrypted", _EBS, _EBS_NOTE),
            is_(f"{_MAPPING}.VolumeType", "gp2", doc("AWSEC2/latest/APIReference/API_EbsBlockDevice")),
            depends(
                "NetworkInterfaces.AssociatePublicIpAddress",
                _RUN,
                "it follows the subnet's MapPublicIpOnLaunch",
            ),
            is_("PropagateTagsToVolumeOnCreation", False, cfn("resource-ec2-instance")),
            is_("Tenancy", "default", cfn("resource-ec2-instance"), unless=("LaunchTemplate",)),
        ),
        satellites=(
            into("AWS::EC2::VolumeAttachment", "InstanceId", "volume_attachments"),
            into("AWS::EC2::EIPAssociation", "InstanceId", "eip_associations"),
        ),
        relations=(
            to("subnet", SUBNET, "SubnetId", one=True),
            to("vpc", VPC, "VpcId", one=True),
            groups("SecurityGroupIds"),
            groups("SecurityGroups", "named_security_groups"),
            groups("NetworkInterfaces.GroupSet", "interface_security_groups"),
            subnets("NetworkInterfaces.SubnetId", "interface_subnets"),
            to("network_interfaces", "AWS::EC2::NetworkInterface", "NetworkInterfaces.NetworkInterfaceId"),
            to("image", "AWS::EC2::Image", "ImageId", one=True),
            to("launch_template", "AWS::EC2::LaunchTemplate", "LaunchTemplate.LaunchTemplateId", one=True),
            to("volumes", "AWS::EC2::Volume", "Volumes.VolumeId"),
            to(
                "instance_profile",
                "AWS::IAM::InstanceProfile",
                "IamInstanceProfile",
                one=True,
                scope="account",
            ),
            of("alarms", "AWS::CloudWatch::Alarm", "Dimensions.Value"),
        ),
        extra=(
            ("LaunchTime", "string"),
            ("StateName", "string"),
            ("StateTransitionTime", "string"),
            ("Platform", "string"),
            ("SsmPingStatus", "string"),
            ("PatchState.FailedCount", "integer"),
            ("PatchState.MissingCount", "integer"),
            ("PatchState.CriticalNonCompliantCount", "integer"),
            ("PatchState.OperationEndTime", "string"),
            *BACKUP,
        ),
        related=("ssm_associations",),
        secrets=("UserData",),
    ),
    TypeSpec(
        "AWS::EC2::Volume",
        names=("VolumeId",),
        defaults=(
            depends("Encrypted", _EBS, _EBS_NOTE),
            is_("VolumeType", "gp2", _VOLUME),
            is_("MultiAttachEnabled", False, cfn("resource-ec2-volume")),
        ),
        satellites=(into("AWS::EC2::VolumeAttachment", "VolumeId", "attachments"),),
        relations=(
            kms_key(),
            to("instances", "AWS::EC2::Instance", "related.attachments.InstanceId"),
            to("snapshot", "AWS::EC2::Snapshot", "SnapshotId", one=True),
            of("snapshots", "AWS::EC2::Snapshot", "VolumeId"),
            every("lifecycle_policies", "AWS::DLM::LifecyclePolicy"),
        ),
        extra=(("State", "string"), ("CreateTime", "string"), *BACKUP),
    ),
    TypeSpec(
        "AWS::EC2::Snapshot",
        names=("SnapshotId",),
        defaults=(depends("Encrypted", _EBS, _EBS_NOTE),),
        relations=(
            to("volume", "AWS::EC2::Volume", "VolumeId", one=True),
            kms_key(),
            of("images", "AWS::EC2::Image", "BlockDeviceMappings.Ebs.SnapshotId"),
        ),
        extra=(
            *extra(
                SnapshotId="string",
                VolumeId="string",
                OwnerId="string",
                Encrypted="boolean",
                KmsKeyId="string",
                StartTime="string",
                State="string",
                StorageTier="string",
                VolumeSize="integer",
                Description="string",
                Public="boolean",
            ),
            ("CreateVolumePermissions", "list:object"),
            ("CreateVolumePermissions.Group", "string"),
            ("CreateVolumePermissions.UserId", "string"),
        ),
    ),
    TypeSpec(
        "AWS::EC2::Image",
        names=("ImageId", "Name"),
        defaults=(depends(f"{_MAPPING}.Encrypted", _EBS, _EBS_NOTE),),
        relations=(
            of("instances", "AWS::EC2::Instance", "ImageId"),
            to("snapshots", "AWS::EC2::Snapshot", "BlockDeviceMappings.Ebs.SnapshotId"),
            to("kms_keys", KMS_KEY, "BlockDeviceMappings.Ebs.KmsKeyId"),
        ),
        extra=(
            *extra(
                ImageId="string",
                Name="string",
                OwnerId="string",
                Public="boolean",
                State="string",
                CreationDate="string",
                DeprecationTime="string",
                ImdsSupport="string",
                LastLaunchedTime="string",
                Platform="string",
            ),
            ("LaunchPermissions", "list:object"),
            ("LaunchPermissions.Group", "string"),
            ("LaunchPermissions.UserId", "string"),
            ("BlockDeviceMappings", "list:object"),
            ("BlockDeviceMappings.DeviceName", "string"),
            ("BlockDeviceMappings.Ebs.Encrypted", "boolean"),
            ("BlockDeviceMappings.Ebs.SnapshotId", "string"),
            ("BlockDeviceMappings.Ebs.KmsKeyId", "string"),
        ),
    ),
    TypeSpec(
        "AWS::EC2::LaunchTemplate",
        names=("LaunchTemplateId", "LaunchTemplateName"),
        defaults=(
            depends("LaunchTemplateData.MetadataOptions.HttpTokens", _IMDS_TEMPLATE, _IMDS_NOTE),
            is_("LaunchTemplateData.MetadataOptions.HttpEndpoint", "enabled", _IMDS_TEMPLATE),
            is_("LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit", 1, _IMDS_TEMPLATE),
            is_(
                "LaunchTemplateData.DisableApiTermination",
                False,
                cfn("properties-ec2-launchtemplate-launchtemplatedata"),
            ),
            depends(f"LaunchTemplateData.{_MAPPING}.Encrypted", _EBS, _EBS_NOTE),
            depends(
                "LaunchTemplateData.NetworkInterfaces.AssociatePublicIpAddress",
                _RUN,
                "it follows the subnet's MapPublicIpOnLaunch",
            ),
        ),
        relations=(
            groups("LaunchTemplateData.SecurityGroupIds"),
            groups("LaunchTemplateData.NetworkInterfaces.Groups", "interface_security_groups"),
            to("image", "AWS::EC2::Image", "LaunchTemplateData.ImageId", one=True),
            of(
                "auto_scaling_groups", "AWS::AutoScaling::AutoScalingGroup", "LaunchTemplate.LaunchTemplateId"
            ),
        ),
        secrets=("UserData",),
    ),
    TypeSpec(
        "AWS::AutoScaling::AutoScalingGroup",
        names=("AutoScalingGroupName", "AutoScalingGroupARN"),
        defaults=(is_("HealthCheckType", "EC2", _ASG), is_("CapacityRebalance", False, _ASG)),
        relations=(
            subnets("VPCZoneIdentifier"),
            to("launch_template", "AWS::EC2::LaunchTemplate", "LaunchTemplate.LaunchTemplateId", one=True),
            to(
                "mixed_launch_template",
                "AWS::EC2::LaunchTemplate",
                "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateId",
                one=True,
            ),
            to(
                "launch_configuration",
                "AWS::AutoScaling::LaunchConfiguration",
                "LaunchConfigurationName",
                one=True,
            ),
            to("target_groups", "AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupARNs"),
            to("classic_load_balancers", "AWS::ElasticLoadBalancing::LoadBalancer", "LoadBalancerNames"),
        ),
    ),
    TypeSpec(
        "AWS::AutoScaling::LaunchConfiguration",
        names=("LaunchConfigurationName",),
        defaults=(
            is_("MetadataOptions.HttpTokens", "optional", _IMDS_GROUP),
            is_("MetadataOptions.HttpEndpoint", "enabled", _IMDS_GROUP),
            is_("MetadataOptions.HttpPutResponseHopLimit", 1, _IMDS_GROUP),
            depends(f"{_MAPPING}.Encrypted", _EBS, _EBS_NOTE),
            depends(
                "AssociatePublicIpAddress",
                cfn("resource-autoscaling-launchconfiguration"),
                "it follows the subnet",
            ),
            is_("InstanceMonitoring", True, cfn("resource-autoscaling-launchconfiguration")),
            *off(cfn("resource-autoscaling-launchconfiguration"), "EbsOptimized"),
        ),
        relations=(
            groups("SecurityGroups"),
            of("auto_scaling_groups", "AWS::AutoScaling::AutoScalingGroup", "LaunchConfigurationName"),
        ),
        secrets=("UserData",),
    ),
    TypeSpec(
        "AWS::DLM::LifecyclePolicy",
        names=("PolicyId",),
        relations=(
            to("role", ROLE, "ExecutionRoleArn", one=True),
            to("copy_keys", KMS_KEY, "PolicyDetails.Schedules.CrossRegionCopyRules.CmkArn"),
            to(
                "event_copy_keys",
                KMS_KEY,
                "PolicyDetails.Actions.CrossRegionCopy.EncryptionConfiguration.CmkArn",
            ),
        ),
    ),
)
