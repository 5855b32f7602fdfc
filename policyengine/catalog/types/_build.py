"""Short forms for the declarations in this package. No facts live here."""

from __future__ import annotations

from typing import Any

from policyengine.catalog.spec import Default, Relation, Satellite, Scope

KMS_KEY = "AWS::KMS::Key"
SUBNET = "AWS::EC2::Subnet"
GROUP = "AWS::EC2::SecurityGroup"
VPC = "AWS::EC2::VPC"
ROLE = "AWS::IAM::Role"
TOPIC = "AWS::SNS::Topic"
LOG_GROUP = "AWS::Logs::LogGroup"
BUCKET = "AWS::S3::Bucket"


def doc(page: str) -> str:
    """Return the address of a page of the AWS documentation."""
    return f"https://docs.aws.amazon.com/{page}.html"


def cfn(page: str) -> str:
    """Return the address of a page of the CloudFormation template reference.

    Its property texts are the descriptions of the registry schemas, from which the facts were read.
    """
    return doc(f"AWSCloudFormation/latest/TemplateReference/aws-{page}")


def is_(
    path: str, value: Any, source: str, since: str | None = None, unless: tuple[str, ...] = ()
) -> Default:
    """Declare what holds when ``path`` is absent."""
    return Default(path, source, value=value, since=since, unless=unless)


def off(source: str, *paths: str) -> tuple[Default, ...]:
    """Declare several booleans that are false when absent."""
    return tuple(Default(path, source, value=False) for path in paths)


def depends(path: str, source: str, note: str, since: str | None = None, deployed: Any = None) -> Default:
    """Declare a property whose default cannot be told from the resource alone."""
    return Default(path, source, depends=True, note=note, since=since, deployed=deployed)


def to(
    name: str,
    type: str,
    via: str,
    *,
    one: bool = False,
    key: str | None = None,
    scope: Scope = "account-region",
) -> Relation:
    """Declare a forward relation: the value at ``via`` names resources of ``type``."""
    return Relation(name, type, scope, via=via, key=key, many=not one)


def of(
    name: str,
    type: str,
    by: str,
    *,
    one: bool = False,
    key: str | None = None,
    scope: Scope = "account-region",
) -> Relation:
    """Declare a reverse relation: resources of ``type`` whose path ``by`` names this one."""
    return Relation(name, type, scope, by=by, key=key, many=not one)


def every(name: str, type: str, scope: Scope = "account-region") -> Relation:
    """Declare a relation to all resources of ``type`` in a scope."""
    return Relation(name, type, scope)


def kms_key(via: str = "KmsKeyId", name: str = "kms_key") -> Relation:
    """Declare the relation to the one KMS key that ``via`` names (by id, ARN or alias)."""
    return to(name, KMS_KEY, via, one=True)


def groups(via: str, name: str = "security_groups") -> Relation:
    """Declare the relation to security groups."""
    return to(name, GROUP, via)


def subnets(via: str, name: str = "subnets") -> Relation:
    """Declare the relation to subnets."""
    return to(name, SUBNET, via)


def into(type: str, by: str, name: str) -> Satellite:
    """Declare a satellite that is folded into ``related.<name>``."""
    return Satellite(type, by, f"related.{name}")


def extra(**kinds: str) -> tuple[tuple[str, str], ...]:
    """Declare extra properties without dots in their names."""
    return tuple(kinds.items())
