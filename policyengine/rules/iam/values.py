"""From what sources know to what ``iam`` knows: unresolved values, places, ARNs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policyengine.iam.opaque import Opaque, PartText
from policyengine.model.account_id import is_account_id
from policyengine.model.resource import Path, Resource, json_pointer
from policyengine.model.values import OpenDict, OpenList, Unresolved


def opaque(value: Unresolved) -> Opaque:
    """Return an unresolved value as ``iam`` takes it, with the known parts of a text."""
    reason = value.describe()
    if value.parts is None:
        return Opaque(reason, present=value.present)
    return PartText(reason, value.parts, present=value.present)


def known(value: Any) -> Any:
    """Return a value with Opaque for what is not known: the same object where everything is.

    A list that may go on ends with an Opaque; an object that may have more keys is one.
    """
    kind = value.__class__
    if kind is str or kind is int or kind is bool:
        return value
    if kind is Unresolved:
        return opaque(value)
    if kind is OpenDict:
        return opaque(value.more)
    if kind is dict:
        found = {key: known(item) for key, item in value.items()}
        return value if all(found[key] is value[key] for key in value) else found
    if isinstance(value, list):
        items = [known(item) for item in value]
        if isinstance(value, OpenList):
            return [*items, opaque(value.more)]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def place(resource: Resource, path: Path = ()) -> str:
    """Return where something stands, for a reader: file and position, or account, region, type and id."""
    tail = json_pointer(path)
    if resource.file is not None:
        return f"{resource.locate(path) or resource.file} {resource.id}{tail}"
    where = "/".join(part for part in (resource.account, resource.region) if part)
    return f"{where} {resource.type} {resource.id}{tail}".strip()


def along(resource: Resource, path: Path) -> Iterator[Any]:
    """Yield the values a path leads through: the resource's properties (with ``related``) first, then as
    far as there is something."""
    at: Any = {**resource.properties, "related": resource.related}
    yield at
    for step in path:
        if isinstance(at, dict):
            at = at.get(str(step))
        elif isinstance(at, list) and isinstance(step, int) and step < len(at):
            at = at[step]
        else:
            return
        yield at


def gaps(value: Any) -> Iterator[Unresolved]:
    """Yield what is not known inside a value."""
    if isinstance(value, Unresolved):
        yield value
    elif isinstance(value, OpenDict | OpenList):
        yield value.more
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from gaps(item)


def reference(value: Any) -> str | None:
    """Return what a value names: a text, or the id of the resource it refers to and nothing else."""
    if isinstance(value, str):
        return value
    if isinstance(value, Unresolved) and value.target is not None and value.parts is None:
        return value.target[0]
    return None


def scope_of(file: str | None, account: str | None) -> str:
    """Return what names are unique within: a file of code, an account."""
    return f"file {file}" if file is not None else account or ""


def account_id(resource: Resource) -> str | None:
    """Return the account a resource is in; None where its source does not say it, or shows what is none."""
    account = resource.account
    return account if account is not None and is_account_id(account) else None


def resource_arn(resource: Resource) -> str | Opaque:
    """Return the ARN of a resource: given, or made of what is known where the form has no random part."""
    if resource.arn:
        return resource.arn
    properties = resource.properties
    for key in ("Arn", "PolicyArn", "TopicArn", "RepositoryArn", "BackupVaultArn", "DomainArn"):
        if isinstance(properties.get(key), str):
            return str(properties[key])
    if resource.id.startswith("arn:"):
        return resource.id
    made = _made(resource)
    return made if made is not None else Opaque(f"the ARN of `{resource.id}` is not known")


_IAM = {
    "AWS::IAM::Role": ("role", "RoleName"),
    "AWS::IAM::User": ("user", "UserName"),
    "AWS::IAM::Group": ("group", "GroupName"),
    "AWS::IAM::ManagedPolicy": ("policy", "ManagedPolicyName"),
}
_NAMED = {
    "AWS::S3::Bucket": ("s3", "BucketName", ""),
    "AWS::SQS::Queue": ("sqs", "QueueName", ""),
    "AWS::SNS::Topic": ("sns", "TopicName", ""),
    "AWS::ECR::Repository": ("ecr", "RepositoryName", "repository/"),
    "AWS::DynamoDB::Table": ("dynamodb", "TableName", "table/"),
    "AWS::Lambda::Function": ("lambda", "FunctionName", "function:"),
    "AWS::KMS::Key": ("kms", "KeyId", "key/"),
    "AWS::EFS::FileSystem": ("elasticfilesystem", "FileSystemId", "file-system/"),
}


def partition(resource: Resource) -> str:
    """Return the partition a region belongs to; the commercial one where no region says otherwise."""
    region = resource.region or ""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _made(resource: Resource) -> str | None:
    properties = resource.properties
    if resource.type in _IAM:
        kind, name_key = _IAM[resource.type]
        name, path = _name(resource, name_key), properties.get("Path", "/")
        account = account_id(resource)
        if name is None or account is None or not isinstance(path, str):
            return None
        return f"arn:{partition(resource)}:iam::{account}:{kind}{path or '/'}{name}"
    if resource.type not in _NAMED:
        return None
    service, name_key, prefix = _NAMED[resource.type]
    name = _name(resource, name_key)
    if name is None:
        return None
    if service == "s3":
        return f"arn:{partition(resource)}:s3:::{name}"
    account = account_id(resource)
    if account is None or resource.region is None:
        return None
    return f"arn:{partition(resource)}:{service}:{resource.region}:{account}:{prefix}{name}"


def _name(resource: Resource, key: str) -> str | None:
    name = resource.properties.get(key)
    if isinstance(name, str):
        return name or None  # AWS takes no empty name: what shows one does not know it
    # the id of code is a logical name, which no ARN holds
    return resource.id if name is None and resource.file is None and "/" not in resource.id else None
