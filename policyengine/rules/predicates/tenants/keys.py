"""``tenant.own_key``: whose data does a key encrypt?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam.values import reference, resource_arn
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.tenants.names import tenant_of
from policyengine.rules.predicates.tenants.table import ENCRYPTED

_EXPECTED: Final = "the data of one tenant"
_ALIAS: Final = "AWS::KMS::Alias"
_S3: Final = "BucketEncryption.ServerSideEncryptionConfiguration"
_PLACES: Final = {
    "AWS::S3::Bucket": f"{_S3}.ServerSideEncryptionByDefault.KMSMasterKeyID",
    "AWS::DynamoDB::Table": "SSESpecification.KMSMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
}


def own_key(subject: Subject, *, tag: str, name: str) -> Answer:
    """TRUE when the key encrypts the data of one tenant at most."""
    names, doubt = _names(subject)
    own = tenant_of(subject.resource, tag, name)
    whose: dict[str, str] = {own: "the key itself"} if isinstance(own, str) else {}
    doubt = doubt or (own if isinstance(own, Unresolved) else None)
    for type_ in ENCRYPTED:
        table: Any = subject.tables(type_)
        if isinstance(table, Unresolved):
            doubt = doubt or table
            continue
        if isinstance(table, OpenList) and subject.resource.file is None:
            doubt = doubt or table.more
        for resource in table:
            uses = [v for v in _keys(resource) if reference(v) in names or isinstance(v, Unresolved)]
            known = [v for v in uses if reference(v) in names]
            tenant = tenant_of(resource, tag, name) if uses else None
            if known and isinstance(tenant, str):
                whose.setdefault(tenant, resource.id)
            elif isinstance(tenant, str | Unresolved):
                unsure = tenant if isinstance(tenant, Unresolved) else next(iter(uses))
                doubt = doubt or (unsure if isinstance(unsure, Unresolved) else None)
    shown = ", ".join(f"{tenant} ({what})" for tenant, what in sorted(whose.items()))
    if len(whose) > 1:
        return Answer(FALSE, (Evidence((), f"tenants {shown}", _EXPECTED, "value_mismatch"),))
    if doubt is not None:
        return Answer(UNKNOWN, (Evidence((), doubt, _EXPECTED, doubt.reason),))
    return Answer(TRUE, (Evidence((), shown or "nobody's data", _EXPECTED, "requirement_met"),))


def _names(subject: Subject) -> tuple[set[str], Unresolved | None]:
    """Return what others call the key: its id, its ARN, its aliases."""
    key = subject.resource
    arn = resource_arn(key)
    own_id = key.properties.get("KeyId")
    found = {key.id, *(n for n in (own_id, arn) if isinstance(n, str))}
    if isinstance(own_id, Unresolved):
        return found, own_id
    table: Any = subject.tables(_ALIAS)
    if isinstance(table, Unresolved):
        return found, table
    own = set(found)
    doubt = table.more if isinstance(table, OpenList) and key.file is None else None
    for alias in table:
        target, name = alias.properties.get("TargetKeyId"), alias.properties.get("AliasName")
        if reference(target) in own:
            names = (alias.id, name, resource_arn(alias))
            found.update(n for n in names if isinstance(n, str))
            doubt = doubt or (name if isinstance(name, Unresolved) else None)
            if isinstance(arn, str) and isinstance(name, str):
                found.add(f"{arn.rpartition(':')[0]}:{name}")
        elif isinstance(target, Unresolved) and reference(target) is None:
            doubt = doubt or target
    return found, doubt


def _keys(resource: Resource) -> Iterator[Any]:
    """Yield what names the key of a resource."""
    yield from _walk(resource.properties, _PLACES.get(resource.type, "KmsKeyId").split("."))


def _walk(value: Any, steps: list[str]) -> Iterator[Any]:
    if isinstance(value, Unresolved) or not steps:
        if value is not None:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item, steps)
        if isinstance(value, OpenList):
            yield value.more
    elif isinstance(value, dict):
        found = value.get(steps[0])
        if found is None and isinstance(value, OpenDict):
            yield value.more
        elif found is not None:
            yield from _walk(found, steps[1:])
