"""Code that names its own resource, account, region or partition: texts that stand for what is not known.

A bucket policy of a template says ``!GetAtt Bucket.Arn``, which is whatever ARN the bucket will have. Put
in place of such references, a name that nothing else has gives the same answers as the real one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from policyengine.iam.made_up import ACCOUNT as ACCOUNT
from policyengine.iam.made_up import NAME_PREFIX
from policyengine.iam.made_up import REGION as REGION
from policyengine.iam.opaque import Opaque
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam.values import account_id, partition, resource_arn

_HOLE: Final = re.compile(r"\$\{([^}]*)\}")
_ARNS: Final = {
    "AWS::S3::Bucket": "arn:{p}:s3:::{n}",
    "AWS::S3::AccessPoint": "arn:{p}:s3:{r}:{a}:accesspoint/{n}",
    "AWS::SQS::Queue": "arn:{p}:sqs:{r}:{a}:{n}",
    "AWS::SNS::Topic": "arn:{p}:sns:{r}:{a}:{n}",
    "AWS::KMS::Key": "arn:{p}:kms:{r}:{a}:key/{n}",
    "AWS::KMS::ReplicaKey": "arn:{p}:kms:{r}:{a}:key/{n}",
    "AWS::SecretsManager::Secret": "arn:{p}:secretsmanager:{r}:{a}:secret:{n}",
    "AWS::ECR::Repository": "arn:{p}:ecr:{r}:{a}:repository/{n}",
    "AWS::EFS::FileSystem": "arn:{p}:elasticfilesystem:{r}:{a}:file-system/{n}",
    "AWS::OpenSearchService::Domain": "arn:{p}:es:{r}:{a}:domain/{n}",
    "AWS::Elasticsearch::Domain": "arn:{p}:es:{r}:{a}:domain/{n}",
    "AWS::DynamoDB::Table": "arn:{p}:dynamodb:{r}:{a}:table/{n}",
    "AWS::DynamoDB::GlobalTable": "arn:{p}:dynamodb:{r}:{a}:table/{n}",
    "AWS::Events::EventBus": "arn:{p}:events:{r}:{a}:event-bus/{n}",
    "AWS::Lambda::Function": "arn:{p}:lambda:{r}:{a}:function:{n}",
    "AWS::Logs::LogGroup": "arn:{p}:logs:{r}:{a}:log-group:{n}",
    "AWS::Backup::BackupVault": "arn:{p}:backup:{r}:{a}:backup-vault:{n}",
    "AWS::ApiGateway::RestApi": "arn:{p}:execute-api:{r}:{a}:{n}",
    "AWS::CodeArtifact::Domain": "arn:{p}:codeartifact:{r}:{a}:domain/{n}",
    "AWS::CodePipeline::Pipeline": "arn:{p}:codepipeline:{r}:{a}:{n}",
    "AWS::CodeBuild::Project": "arn:{p}:codebuild:{r}:{a}:project/{n}",
    "AWS::CodeCommit::Repository": "arn:{p}:codecommit:{r}:{a}:{n}",
    "AWS::IAM::Role": "arn:{p}:iam::{a}:role/{n}",
    "AWS::IAM::User": "arn:{p}:iam::{a}:user/{n}",
    "AWS::IAM::Group": "arn:{p}:iam::{a}:group/{n}",
    "AWS::IAM::ManagedPolicy": "arn:{p}:iam::{a}:policy/{n}",
}
REFERRED_BY_ARN: Final = frozenset({"AWS::SNS::Topic", "AWS::IAM::ManagedPolicy"})
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ (return values)."""
NAMING: Final = (
    "BucketName", "QueueName", "TopicName", "RepositoryName", "TableName", "FunctionName", "RoleName", "UserName",
    "DomainName", "BackupVaultName", "LogGroupName", "Name", "GroupName", "ManagedPolicyName",
)  # fmt: skip
"""Properties that name a resource."""


def own_arn(resource: Resource) -> str | None:
    """Return the ARN of a resource, for code one that stands for it; None where its form is not known."""
    found = resource_arn(resource)
    if not isinstance(found, Opaque):
        return found
    return arn_named(resource, own_name(resource)) if resource.type in _ARNS else None


def arn_named(resource: Resource, name: str) -> str | None:
    """Return the ARN that a resource of this name has, account and region made up where code does not fix them."""
    form = _ARNS.get(resource.type)
    if form is None:
        return None
    return form.format(
        p=partition(resource), r=resource.region or REGION, a=account_id(resource) or ACCOUNT, n=name
    )


def own_name(resource: Resource) -> str:
    """Return the name of a resource, for code one that stands for it."""
    for key in NAMING:
        value = resource.properties.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, Unresolved):
            told = _told(value, resource, {})
            if told is not None:
                return told
    if resource.file is None:
        return resource.id
    return f"{NAME_PREFIX}{''.join(c for c in resource.id.lower() if c.isalnum())}"


def filled(value: Any, resource: Resource, beside: Mapping[str, Resource] | None = None) -> Any:
    """Return a document of code with its own resource, account, region and partition filled in.

    ``beside``: other resources of the same code by their ids, filled in too.
    """
    if isinstance(value, Unresolved):
        told = _told(value, resource, beside or {})
        if told is None:
            told = _itself(value, resource)
        if told is None and beside and value.target is not None and value.target[0] in beside:
            told = _itself(value, beside[value.target[0]])
        return value if told is None else told
    if isinstance(value, OpenDict):
        return value
    if isinstance(value, dict):
        return {key: filled(item, resource, beside) for key, item in value.items()}
    if isinstance(value, OpenList):
        return OpenList([filled(item, resource, beside) for item in value], value.more)
    if isinstance(value, list):
        return [filled(item, resource, beside) for item in value]
    return value


def _pseudo(resource: Resource) -> dict[str, str]:
    return {
        "AWS::AccountId": account_id(resource) or ACCOUNT,
        "AWS::Region": resource.region or REGION,
        "AWS::Partition": partition(resource),
        "AWS::URLSuffix": "amazonaws.com",
    }


def _told(value: Unresolved, resource: Resource, beside: Mapping[str, Resource]) -> str | None:
    """Return a text whose unknown parts are pseudo parameters or resources beside; None for any other."""
    known = _pseudo(resource)
    if value.detail.startswith("Ref: "):
        return known.get(value.detail[5:]) if value.parts is None else None
    if value.parts is None or tuple(_HOLE.sub("\0", value.detail).split("\0")) != value.parts:
        return None
    for name in _HOLE.findall(value.detail):
        if name not in known:
            id_, _, attribute = name.partition(".")
            told = _attribute(beside[id_], attribute or "Ref") if id_ in beside else None
            if told is None:
                return None
            known[name] = told
    return _HOLE.sub(lambda hole: known[hole.group(1)], value.detail)


def _itself(value: Unresolved, resource: Resource) -> str | None:
    """Return a text that refers to the resource itself and to nothing else that is not known."""
    if value.target is None or value.target[0] != resource.id or resource.file is None:
        return None
    found, parts = _attribute(resource, value.target[1]), value.parts
    if found is None or parts is None:
        return found
    if len(parts) == 3 and parts[0] == "arn:" and parts[1].startswith(":"):
        parts = (f"arn:{partition(resource)}{parts[1]}", parts[2])  # the other unknown part is the partition
    return found.join(parts) if len(parts) == 2 else None


def _attribute(resource: Resource, attribute: str) -> str | None:
    """Return what a reference to an attribute of a resource stands for: its ARN, its name, or nothing."""
    if attribute.lower() == "arn" or (attribute == "Ref" and resource.type in REFERRED_BY_ARN):
        return own_arn(resource)
    return own_name(resource) if attribute in ("Ref", "id", "bucket", "name", *NAMING) else None
