"""Which call in CloudTrail is about which resource: what says that something should be looked at again.

A record only triggers: nothing in it but the name of the resource is believed. Parameters are written as CloudTrail
writes them, in lower camel case, differently for each service
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html). A record whose
name is not found is told and left to AWS Config's own events and the sweep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

ACCOUNT: Final = "AWS::::Account"
REGION: Final = "PolicyEngine::Account::Region"


class About(NamedTuple):
    """``path`` is the dotted place of the resource's name in the record's detail, lists stepped through; "" for what an
    account or region has one of. ``new``: the call makes it, so whoever does may not be done."""

    type: str
    path: str
    new: bool = False


def _about(
    service: str, type: str, path: str, *names: str, new: bool = False
) -> dict[tuple[str, str], About]:
    return {(f"{service}.amazonaws.com", name): About(type, path, new) for name in names}


CALLS: Final[Mapping[tuple[str, str], About]] = {
    **_about(
        "ec2", "AWS::EC2::SecurityGroup", "requestParameters.groupId",
        "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress",
    ),
    **_about(
        "ec2", "AWS::EC2::SecurityGroup", "requestParameters.ModifySecurityGroupRulesRequest.GroupId",
        "ModifySecurityGroupRules",
    ),
    **_about("ec2", "AWS::EC2::SecurityGroup", "responseElements.groupId", "CreateSecurityGroup", new=True),
    **_about("ec2", "AWS::EC2::Instance", "responseElements.instancesSet.items.instanceId", "RunInstances", new=True),
    **_about(
        "ec2", "AWS::EC2::Instance", "requestParameters.ModifyInstanceMetadataOptionsRequest.InstanceId",
        "ModifyInstanceMetadataOptions",
    ),
    **_about("ec2", "AWS::EC2::Snapshot", "requestParameters.snapshotId", "ModifySnapshotAttribute"),
    **_about("ec2", "AWS::EC2::Image", "requestParameters.imageId", "ModifyImageAttribute"),
    **_about("ec2", "AWS::EC2::VPC", "responseElements.vpc.vpcId", "CreateVpc", new=True),
    **_about("ec2", REGION, "", "DisableEbsEncryptionByDefault"),
    **_about("s3", "AWS::S3::Bucket", "requestParameters.bucketName", "CreateBucket", new=True),
    **_about(
        "s3", "AWS::S3::Bucket", "requestParameters.bucketName",
        "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketAcl", "PutBucketPublicAccessBlock",
        "DeleteBucketPublicAccessBlock", "PutBucketEncryption", "DeleteBucketEncryption", "PutBucketVersioning",
    ),
    **_about("s3", ACCOUNT, "", "PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock"),
    **_about("rds", "AWS::RDS::DBInstance", "requestParameters.dBInstanceIdentifier", "CreateDBInstance", new=True),
    **_about("rds", "AWS::RDS::DBInstance", "requestParameters.dBInstanceIdentifier", "ModifyDBInstance"),
    **_about("rds", "AWS::RDS::DBSnapshot", "requestParameters.dBSnapshotIdentifier", "ModifyDBSnapshotAttribute"),
    **_about("kms", "AWS::KMS::Key", "responseElements.keyMetadata.keyId", "CreateKey", new=True),
    **_about("kms", "AWS::KMS::Key", "requestParameters.keyId", "DisableKeyRotation"),
    **_about("sqs", "AWS::SQS::Queue", "responseElements.queueUrl", "CreateQueue", new=True),
    **_about("sqs", "AWS::SQS::Queue", "requestParameters.queueUrl", "SetQueueAttributes"),
    **_about("sns", "AWS::SNS::Topic", "responseElements.topicArn", "CreateTopic", new=True),
    **_about("sns", "AWS::SNS::Topic", "requestParameters.topicArn", "SetTopicAttributes"),
    **_about("logs", "AWS::Logs::LogGroup", "requestParameters.logGroupName", "CreateLogGroup", new=True),
    **_about("logs", "AWS::Logs::LogGroup", "requestParameters.logGroupName", "PutRetentionPolicy", "DeleteRetentionPolicy"),
    **_about("cloudtrail", "AWS::CloudTrail::Trail", "requestParameters.name", "StopLogging", "UpdateTrail"),
    **_about("cloudtrail", ACCOUNT, "", "DeleteTrail"),
    **_about("guardduty", REGION, "", "DeleteDetector", "UpdateDetector"),
    **_about("iam", "AWS::IAM::User", "requestParameters.userName", "CreateUser", new=True),
    **_about("iam", "AWS::IAM::User", "requestParameters.userName", "CreateAccessKey", "AttachUserPolicy", "PutUserPolicy"),
    **_about("iam", "AWS::IAM::Role", "requestParameters.roleName", "CreateRole", new=True),
    **_about("iam", "AWS::IAM::Role", "requestParameters.roleName", "AttachRolePolicy", "PutRolePolicy"),
    **_about("iam", ACCOUNT, "", "UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"),
    **_about("codebuild", "AWS::CodeBuild::Project", "requestParameters.name", "CreateProject", new=True),
    **_about("codebuild", "AWS::CodeBuild::Project", "requestParameters.name", "UpdateProject"),
    **_about("bedrock", REGION, "", "DeleteModelInvocationLoggingConfiguration", "PutModelInvocationLoggingConfiguration"),
}  # fmt: skip
"""(event source, event name) -> what it is about."""


def names_in(detail: Mapping[str, Any], path: str) -> list[str]:
    """Return the texts at a dotted path of a record, none where it leads nowhere."""
    return [
        value for value in _at(detail, path.split(".")) if isinstance(value, str) and 0 < len(value) <= 2048
    ]


def _at(value: Any, steps: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from _at(each, steps)
    elif not steps:
        yield value
    elif isinstance(value, Mapping):
        yield from _at(value.get(steps[0]), steps[1:])
