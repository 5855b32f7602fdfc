"""Our declarations about each type, by service. Adding a line here is what registers a module.

The modules are imported when a type of one of their services is asked for, not before.
"""

from __future__ import annotations

from collections.abc import Mapping

MODULES: Mapping[str, tuple[str, ...]] = {
    "account": ("AWS::", "PolicyEngine::Account"),
    "analytics": (
        "AWS::Athena",
        "AWS::DMS",
        "AWS::EMR",
        "AWS::EMRServerless",
        "AWS::Elasticsearch",
        "AWS::Glue",
        "AWS::LakeFormation",
        "AWS::OpenSearchService",
        "AWS::Redshift",
        "AWS::RedshiftServerless",
    ),
    "applications": ("AWS::Cognito", "AWS::Transfer", "AWS::WorkSpaces"),
    "cache": ("AWS::ElastiCache", "AWS::MemoryDB"),
    "containers": ("AWS::AppRunner", "AWS::Batch", "AWS::ECR", "AWS::ECS", "AWS::EKS"),
    "data": ("AWS::DAX", "AWS::DocDB", "AWS::DynamoDB", "AWS::EFS", "AWS::FSx", "AWS::Neptune"),
    "ec2_compute": ("AWS::AutoScaling", "AWS::DLM", "AWS::EC2"),
    "ec2_network": ("AWS::EC2", "AWS::NetworkFirewall"),
    "edge": ("AWS::CloudFront", "AWS::Route53", "AWS::Route53Resolver", "AWS::WAFv2"),
    "elb": ("AWS::ElasticLoadBalancing", "AWS::ElasticLoadBalancingV2"),
    "identity": ("AWS::IAM", "AWS::Organizations", "AWS::SSO"),
    "logging": ("AWS::CloudTrail", "AWS::CloudWatch", "AWS::Config", "AWS::Logs"),
    "machine_learning": ("AWS::Bedrock", "AWS::SageMaker"),
    "messaging": (
        "AWS::AmazonMQ",
        "AWS::Events",
        "AWS::Kinesis",
        "AWS::KinesisFirehose",
        "AWS::MSK",
        "AWS::SNS",
        "AWS::SQS",
        "AWS::Scheduler",
        "AWS::StepFunctions",
    ),
    "operations": (
        "AWS::Backup",
        "AWS::CodeBuild",
        "AWS::CodeCommit",
        "AWS::CodePipeline",
        "AWS::ElasticBeanstalk",
        "AWS::SSM",
    ),
    "rds": ("AWS::RDS",),
    "s3": ("AWS::S3",),
    "security": (
        "AWS::AccessAnalyzer",
        "AWS::CertificateManager",
        "AWS::Detective",
        "AWS::GuardDuty",
        "AWS::KMS",
        "AWS::Macie",
        "AWS::SecretsManager",
        "AWS::SecurityHub",
        "AWS::Shield",
    ),
    "serverless": ("AWS::ApiGateway", "AWS::ApiGatewayV2", "AWS::AppSync", "AWS::Lambda"),
}
"""Module -> the services whose types it declares in its ``TYPES``."""
