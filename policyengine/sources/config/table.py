"""Which declaration an item has: a module for each family of services, imported when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from policyengine.catalog.modules import Modules
from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType

MODULES: Final[dict[str, tuple[str, ...]]] = {
    "storage": ("AWS::S3", "AWS::EFS"),
    "ec2": ("AWS::EC2",),
    "scaling": ("AWS::AutoScaling", "AWS::ElasticLoadBalancing", "AWS::ElasticLoadBalancingV2"),
    "databases": ("AWS::RDS", "AWS::Redshift", "AWS::DynamoDB"),
    "iam": ("AWS::IAM", "AWS::KMS"),
    "compute": ("AWS::Lambda", "AWS::ECS", "AWS::EKS", "AWS::ECR"),
    "pipelines": ("AWS::CodeBuild", "AWS::CodePipeline"),
    "messaging": ("AWS::SNS", "AWS::SQS", "AWS::CloudTrail"),
    "edge": ("AWS::ApiGateway", "AWS::ApiGatewayV2", "AWS::CloudFront", "AWS::ACM"),
    "stacks": ("AWS::CloudFormation", "AWS::ElasticBeanstalk"),
    "services": (
        "AWS::AmazonMQ",
        "AWS::Backup",
        "AWS::CloudWatch",
        "AWS::Kinesis",
        "AWS::MSK",
        "AWS::SageMaker",
        "AWS::SecretsManager",
    ),
    "search": ("AWS::Elasticsearch", "AWS::OpenSearch"),
}
"""Module ``types_NAME`` -> the services, by AWS Config's names, whose types it declares."""


def type_of(item: Item) -> ConfigType | None:
    """Return the declaration for an item; None where the names of the registry are all there is to go by."""
    found = declaration(item.type)
    if found is not None and found.kinds:
        suffix = found.kinds.get(str(item.configuration.get("engine", "")).casefold())
        return declaration(f"{item.type}/{suffix}") if suffix else found
    return found


def declaration(name: str) -> ConfigType | None:
    """Return the declaration of one of AWS Config's types."""
    return _DECLARED.find(name)


def all_declared() -> dict[str, ConfigType]:
    """Return every declaration by AWS Config's name. Raises ValueError for one in a module not listed for it."""
    return _DECLARED.all()


def _module(name: str) -> dict[str, ConfigType]:
    declared: tuple[ConfigType, ...] = import_module(f"policyengine.sources.config.types_{name}").TYPES
    return {d.config or d.type: d for d in declared}


_DECLARED: Final = Modules(MODULES, _module)
