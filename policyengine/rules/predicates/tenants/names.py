"""Whose a resource is: the value of a tag, or the part of its name that a pattern calls ``{tenant}``."""

from __future__ import annotations

from typing import Final

from policyengine.iam.glob import compile_glob
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.api import Answer, Subject

_NAMES: Final = (
    "RoleName", "BucketName", "TableName", "QueueName", "Name", "DBInstanceIdentifier", "DBClusterIdentifier",
    "LogGroupName", "FileSystemName",
)  # fmt: skip
_EXPECTED: Final = "a tenant, by its tag or its name"


def named(subject: Subject, *, tag: str, name: str) -> Answer:
    """TRUE when the resource belongs to a tenant."""
    found = tenant_of(subject.resource, tag, name)
    if isinstance(found, Unresolved):
        return Answer(UNKNOWN, (Evidence(("tags",), found, _EXPECTED, found.reason),))
    if found is None:
        return Answer(FALSE, (Evidence(("tags",), ABSENT, _EXPECTED, "missing"),))
    return Answer(TRUE, (Evidence(("tags",), found, _EXPECTED, "requirement_met"),))


def tenant_of(resource: Resource, tag: str, pattern: str) -> str | Unresolved | None:
    """Return the tenant a resource belongs to, None where it belongs to none; the tag goes before the name."""
    doubt: Unresolved | None = None
    if tag:
        tags = resource.tags
        value = tags if isinstance(tags, Unresolved) else (tags or {}).get(tag, getattr(tags, "more", None))
        if isinstance(value, str) and value.strip():
            return value.strip()
        doubt = value if isinstance(value, Unresolved) else None
    if pattern:
        name = _name(resource)
        found = name if isinstance(name, Unresolved) else in_name(name, pattern)
        if isinstance(found, str):
            return found
        doubt = doubt or (found if isinstance(found, Unresolved) else None)
    return doubt


def in_name(name: str, pattern: str) -> str | None:
    """Return the tenant in a name: the longest run of letters and digits where the pattern has ``{tenant}``."""
    head, _, tail = pattern.partition("{tenant}")
    if not name.startswith(head):
        return None
    rest = name[len(head) :]
    length = next((at for at, c in enumerate(rest) if not c.isalnum()), len(rest))
    return rest[:length] if length and compile_glob(tail)(rest[length:]) else None


def _name(resource: Resource) -> str | Unresolved:
    for key in _NAMES:
        value = resource.properties.get(key)
        if isinstance(value, str | Unresolved):
            return value
    return resource.id.rpartition(":")[2] if resource.id.startswith("arn:") else resource.id
