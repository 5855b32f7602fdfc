"""Which collector collects a type: a module of declarations per family, imported when asked for.

A type without a declaration of ours is read through Cloud Control where the registry says that it can be
listed and read there; others cannot be collected, and say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Final

from policyengine.catalog import registry
from policyengine.catalog.modules import Modules
from policyengine.sources.live.spec import AnyCollector, RegistryCollector

MODULES: Final[dict[str, tuple[str, ...]]] = {
    "account": ("AWS::",),
    "apis": ("AWS::ApiGateway", "AWS::ApiGatewayV2", "AWS::AppSync"),
    "dynamodb": ("AWS::DAX", "AWS::DynamoDB", "AWS::Timestream"),
    "cognito": ("AWS::Cognito",),
    "detection": (
        "AWS::AccessAnalyzer",
        "AWS::Detective",
        "AWS::GuardDuty",
        "AWS::Macie",
        "AWS::SecurityHub",
        "AWS::Shield",
    ),
    "balancing": ("AWS::ElasticLoadBalancing", "AWS::ElasticLoadBalancingV2"),
    "scaling": ("AWS::AutoScaling",),
    "desktops": ("AWS::AppStream", "AWS::DirectoryService", "AWS::WorkSpaces"),
    "platforms": ("AWS::AppRunner", "AWS::Batch", "AWS::Lightsail", "AWS::Transfer", "AWS::VpcLattice"),
    "cloudfront": ("AWS::CloudFront",),
    "firewalls": ("AWS::GlobalAccelerator", "AWS::NetworkFirewall", "AWS::WAFv2"),
    "route53": ("AWS::Route53", "AWS::Route53Resolver"),
    "ec2": ("AWS::EC2",),
    "ec2_connections": ("AWS::EC2",),
    "ec2_instances": ("AWS::EC2",),
    "ec2_network": ("AWS::EC2",),
    "files": ("AWS::EFS", "AWS::FSx"),
    "functions": ("AWS::Lambda",),
    "containers": ("AWS::ECS", "AWS::EKS"),
    "images": ("AWS::ECR",),
    "builds": ("AWS::CodeBuild", "AWS::CodeDeploy", "AWS::CodePipeline", "AWS::CodeStarNotifications"),
    "sources": ("AWS::CodeArtifact", "AWS::CodeCommit"),
    "streams": ("AWS::Kinesis", "AWS::KinesisFirehose", "AWS::MSK"),
    "messaging": ("AWS::SNS", "AWS::SQS"),
    "monitoring": ("AWS::CloudWatch", "AWS::Logs", "AWS::Oam", "AWS::XRay"),
    "workflows": ("AWS::StepFunctions",),
    "events": ("AWS::Events", "AWS::EventSchemas", "AWS::Scheduler"),
    "iam": ("AWS::IAM",),
    "iam_more": ("AWS::IAM",),
    "identity_center": ("AWS::SSO",),
    "glue": ("AWS::Glue",),
    "keys": ("AWS::KMS", "AWS::SecretsManager", "AWS::CertificateManager", "AWS::ACMPCA"),
    "organizations": ("AWS::Organizations",),
    "region": ("PolicyEngine::Account",),
    "analytics": ("AWS::Athena", "AWS::EMR", "AWS::LakeFormation"),
    "applications": ("AWS::ImageBuilder", "AWS::SES", "AWS::ServiceCatalog"),
    "assistants": ("AWS::Kendra", "AWS::Lex", "AWS::QBusiness"),
    "backup": ("AWS::Backup",),
    "bedrock": ("AWS::Bedrock", "AWS::BedrockAgentCore"),
    "caches": ("AWS::ElastiCache", "AWS::MemoryDB"),
    "connect": ("AWS::Connect",),
    "deployments": ("AWS::CloudFormation", "AWS::ElasticBeanstalk"),
    "documents": ("AWS::DocDB", "AWS::Neptune"),
    "keyspaces": ("AWS::Cassandra",),
    "rds": ("AWS::RDS",),
    "sagemaker": ("AWS::SageMaker",),
    "search": ("AWS::Elasticsearch", "AWS::OpenSearchServerless", "AWS::OpenSearchService"),
    "storage": ("AWS::DMS", "AWS::Glacier", "AWS::NeptuneGraph", "AWS::S3Tables", "AWS::StorageGateway"),
    "warehouses": ("AWS::Redshift", "AWS::RedshiftServerless"),
    "vectors": ("AWS::S3Vectors",),
    "s3": ("AWS::S3", "AWS::S3ObjectLambda"),
    "sharing": ("AWS::RAM", "AWS::RolesAnywhere"),
    "ssm": ("AWS::SSM",),
    "ssm_policies": ("AWS::SSM",),
    "trails": ("AWS::CloudTrail", "AWS::Config"),
}
"""Module of ``collectors/`` -> the services whose types it declares."""


TOLD_AS: Final[dict[str, str]] = {
    "AWS::ApiGatewayV2::DomainName": "AWS::ApiGateway::DomainName",
    "AWS::DocDB::DBSubnetGroup": "AWS::RDS::DBSubnetGroup",
    "AWS::DynamoDB::GlobalTable": "AWS::DynamoDB::Table",
    "AWS::Elasticsearch::Domain": "AWS::OpenSearchService::Domain",
    "AWS::KMS::ReplicaKey": "AWS::KMS::Key",
    "AWS::Neptune::DBSubnetGroup": "AWS::RDS::DBSubnetGroup",
}
"""Types whose resources AWS lists with those of another, as which they are collected, once: subnet groups serve RDS,
Neptune and DocumentDB alike, a replica of a global table is a table of its region, the OpenSearch API has the
domains of both engines, KMS lists replicas among the keys, and both APIs of API Gateway have the same domain names."""


def _module(name: str) -> dict[str, AnyCollector]:
    declared: Iterable[AnyCollector] = import_module(
        f"policyengine.sources.live.collectors.{name}"
    ).COLLECTORS
    return {type: collector for collector in declared for type in collector.types}


_DECLARED: Final = Modules(MODULES, _module)


@cache
def collector_of(type: str) -> AnyCollector | None:
    """Return what collects a type; None when nothing can, or it is told as another (``TOLD_AS``)."""
    if type in TOLD_AS:
        return None
    found = _DECLARED.find(type)
    if found is not None:
        return found
    handlers = registry.handlers(type)
    if handlers.list is None or handlers.read is None or handlers.needs:
        return None
    return RegistryCollector(type)


def satellite_of(type: str) -> tuple[str, ...]:
    """Return the types whose collectors bring a satellite along, folded in."""
    parents = (parent for parent, _ in registry.satellites().get(type, ()))
    return tuple(p for p in parents if type in getattr(collector_of(p), "also", {}))


def all_declared() -> dict[str, AnyCollector]:
    """Import every module and return type -> collector.

    Raises ValueError for a type that is declared twice, in a module not listed for its service, or told as another.
    """
    found = _DECLARED.all()
    for type in TOLD_AS.keys() & found.keys():
        raise ValueError(f"`{type}` is declared, and told as `{TOLD_AS[type]}`")
    return found
