"""What the AWS Security Finding Format calls resources, and where their findings belong.

The names are those of botocore's model of Security Hub (``ResourceDetails``), which are the types AWS supports
(https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources.html); any other type is ``Other``.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

OTHER: Final = "Other"
NAMES: Final = (
    "AwsAmazonMqBroker", "AwsApiGatewayRestApi", "AwsApiGatewayStage", "AwsApiGatewayV2Api", "AwsApiGatewayV2Stage",
    "AwsAppSyncGraphQlApi", "AwsAthenaWorkGroup", "AwsAutoScalingAutoScalingGroup", "AwsAutoScalingLaunchConfiguration",
    "AwsBackupBackupPlan", "AwsBackupBackupVault", "AwsBackupRecoveryPoint", "AwsCertificateManagerCertificate",
    "AwsCloudFormationStack", "AwsCloudFrontDistribution", "AwsCloudTrailTrail", "AwsCloudWatchAlarm",
    "AwsCodeBuildProject", "AwsDmsEndpoint", "AwsDmsReplicationInstance", "AwsDmsReplicationTask", "AwsDynamoDbTable",
    "AwsEc2ClientVpnEndpoint", "AwsEc2Eip", "AwsEc2Instance", "AwsEc2LaunchTemplate", "AwsEc2NetworkAcl",
    "AwsEc2NetworkInterface", "AwsEc2RouteTable", "AwsEc2SecurityGroup", "AwsEc2Subnet", "AwsEc2TransitGateway",
    "AwsEc2Volume", "AwsEc2Vpc", "AwsEc2VpcEndpointService", "AwsEc2VpcPeeringConnection", "AwsEc2VpnConnection",
    "AwsEcrRepository", "AwsEcsCluster", "AwsEcsService", "AwsEcsTask", "AwsEcsTaskDefinition", "AwsEfsAccessPoint",
    "AwsEksCluster", "AwsElasticBeanstalkEnvironment", "AwsElasticsearchDomain", "AwsElbLoadBalancer",
    "AwsElbv2LoadBalancer", "AwsEventSchemasRegistry", "AwsEventsEndpoint", "AwsEventsEventbus", "AwsGuardDutyDetector",
    "AwsIamAccessKey", "AwsIamGroup", "AwsIamPolicy", "AwsIamRole", "AwsIamUser", "AwsKinesisStream", "AwsKmsKey",
    "AwsLambdaFunction", "AwsLambdaLayerVersion", "AwsMskCluster", "AwsNetworkFirewallFirewall",
    "AwsNetworkFirewallFirewallPolicy", "AwsNetworkFirewallRuleGroup", "AwsOpenSearchServiceDomain", "AwsRdsDbCluster",
    "AwsRdsDbClusterSnapshot", "AwsRdsDbInstance", "AwsRdsDbSecurityGroup", "AwsRdsDbSnapshot",
    "AwsRdsEventSubscription", "AwsRedshiftCluster", "AwsRoute53HostedZone", "AwsS3AccessPoint",
    "AwsS3AccountPublicAccessBlock", "AwsS3Bucket", "AwsSageMakerNotebookInstance", "AwsSecretsManagerSecret",
    "AwsSnsTopic", "AwsSqsQueue", "AwsStepFunctionStateMachine", "AwsWafRateBasedRule", "AwsWafRegionalRateBasedRule",
    "AwsWafRegionalRule", "AwsWafRegionalRuleGroup", "AwsWafRegionalWebAcl", "AwsWafRule", "AwsWafRuleGroup",
    "AwsWafWebAcl", "AwsWafv2RuleGroup", "AwsWafv2WebAcl",
)  # fmt: skip
_SPELT_OTHERWISE: Final = {
    "AWS::ElasticLoadBalancing::LoadBalancer": "AwsElbLoadBalancer",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "AwsElbv2LoadBalancer",
    "AWS::IAM::ManagedPolicy": "AwsIamPolicy",
    "AWS::StepFunctions::StateMachine": "AwsStepFunctionStateMachine",
}
_BY_LETTERS: Final = {name.lower(): name for name in NAMES}

HOME: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""Partition -> where findings about global resources go: the region of its global services
(https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html)."""
_PARTITIONS: Final = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-iso-", "aws-iso"),
)
_REGION: Final = re.compile(r"[a-z]{2,6}(?:-[a-z]{1,12}){1,2}-[0-9]{1,2}", re.ASCII)
_REGION_LENGTH: Final = 16


class Place(NamedTuple):
    """Where a finding is imported: the partition and the region of the Security Hub that takes it."""

    partition: str
    region: str


def asff_type(type_: str) -> str:
    """Return the ASFF name of a CloudFormation type, ``Other`` for a type it has no name for."""
    return _SPELT_OTHERWISE.get(type_) or _BY_LETTERS.get(type_.replace("::", "").lower(), OTHER)


def is_region(text: str | None) -> bool:
    """Whether a text is spelt like a region of AWS that the format takes (at most 16 characters)."""
    return text is not None and len(text) <= _REGION_LENGTH and _REGION.fullmatch(text) is not None


def place_of(region: str | None, arn: str | None) -> Place:
    """Return where a finding about a resource belongs; what is in no region (``global``) belongs to the partition's home."""
    if region is not None and is_region(region):
        return Place(next((p for start, p in _PARTITIONS if region.startswith(start)), "aws"), region)
    named = arn.split(":")[1] if arn and arn.startswith("arn:") and arn.count(":") > 1 else "aws"
    partition = named if named in HOME else "aws"
    return Place(partition, HOME[partition])
