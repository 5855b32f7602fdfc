"""The predicates about tenants: whose a resource is, who reaches whose, whose key encrypts what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_PLACE: Final = "{tenant}"
STORES: Final = (
    "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SecretsManager::Secret", "AWS::SQS::Queue",
)  # fmt: skip
"""What roles of other tenants may not reach."""
ENCRYPTED: Final = (
    "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::SQS::Queue",
    "AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::EFS::FileSystem", "AWS::Logs::LogGroup",
)  # fmt: skip
"""What may be encrypted with a key."""


def named(subject: Subject, *, tag: str, name: str) -> Answer:
    """TRUE when the resource belongs to a tenant."""
    from policyengine.rules.predicates.tenants import names as tenant_names

    return tenant_names.named(subject, tag=tag, name=name)


def isolated(subject: Subject, *, tag: str, name: str) -> Answer:
    """TRUE when the role reaches no bucket, table, key, secret or queue of another tenant."""
    from policyengine.rules.predicates.tenants import reach as tenant_reach

    return tenant_reach.isolated(subject, tag=tag, name=name)


def own_key(subject: Subject, *, tag: str, name: str) -> Answer:
    """TRUE when the key encrypts the data of one tenant at most."""
    from policyengine.rules.predicates.tenants import keys as tenant_keys

    return tenant_keys.own_key(subject, tag=tag, name=name)


def _problem(arguments: Mapping[str, Any]) -> str | None:
    pattern = arguments.get("name")
    if not isinstance(pattern, str) or pattern == "" or pattern.startswith("$"):
        return None
    head, place, _ = pattern.partition(_PLACE)
    if not place or pattern.count(_PLACE) != 1 or "*" in head or "?" in head:
        return f"`name: {pattern}` needs `{_PLACE}` once, and no wildcard before it"
    return None


_ARGS: Final = {
    "tag": Arg("string", False, "", "the tag whose value is the tenant"),
    "name": Arg("string", False, "", "a pattern of names with `{tenant}`, such as `app-{tenant}-*`"),
}

PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "tenant.named",
        named,
        "The resource belongs to a tenant, by its tag or by its name.",
        _ARGS,
        problem=_problem,
    ),
    Predicate(
        "tenant.isolated",
        isolated,
        "The role reaches no bucket, table, key, secret or queue of another tenant.",
        _ARGS,
        ("AWS::IAM::Role",),
        ("AWS::IAM::ManagedPolicy", "AWS::IAM::Group", *STORES),
        _problem,
    ),
    Predicate(
        "tenant.own_key",
        own_key,
        "The key encrypts the data of one tenant at most.",
        _ARGS,
        ("AWS::KMS::Key",),
        (*ENCRYPTED, "AWS::KMS::Alias"),
        _problem,
    ),
)
