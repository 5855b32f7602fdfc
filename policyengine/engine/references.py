"""What may name a resource, and what a value may name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.catalog import registry
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved

ACROSS: Final = "organization"
"""The scope of relations that reach across accounts."""


def values_at(resource: Resource, steps: list[str]) -> Iterator[Any]:
    """Yield the values at a dotted path of a resource; a first step ``related`` enters its satellites."""
    if steps[0] == "related":
        return leaves(resource.related, steps[1:])
    return leaves(resource.properties, steps)


def leaves(value: Any, steps: list[str]) -> Iterator[Any]:
    """Yield the values at a dotted path, through lists; the doubt of an open list is one."""
    if isinstance(value, list):
        for element in value:
            yield from leaves(element, steps)
        if value.__class__ is OpenList:
            yield value.more
    elif not steps:
        yield value
    elif isinstance(value, Unresolved):
        yield value.part()
    elif isinstance(value, dict):
        found = value.get(steps[0], value.more if isinstance(value, OpenDict) else ABSENT)
        if found is not ABSENT:
            yield from leaves(found, steps[1:])


def names_of(resource: Resource) -> tuple[str, ...]:
    """Return every string that may name a resource: id, ARN, naming properties."""
    names = {resource.id}
    if resource.arn:
        names.add(resource.arn)
    for prop in registry.names(resource.type):
        value = resource.properties.get(prop)
        if isinstance(value, str):
            names.add(value)
    return tuple(sorted(names))


def candidate_names(value: str) -> tuple[str, ...]:
    """Return what a reference may mean: itself, and the last part of an ARN."""
    if not value.startswith("arn:"):
        return (value,)
    tail = value.split(":", 5)[-1]
    return tuple(dict.fromkeys((value, tail, tail.rsplit("/", 1)[-1], tail.rsplit(":", 1)[-1])))


def is_elsewhere(value: str, resource: Resource, scope: str) -> bool:
    """Whether an ARN names a resource outside the account or region that a relation looks in.

    There the last part of the ARN may be the name of another resource, and finding nothing says nothing.
    """
    parts = value.split(":", 5)
    if resource.file is not None or scope == ACROSS or parts[0] != "arn" or len(parts) < 6:
        return False
    region, account = parts[3], parts[4]
    if account and resource.account and account != resource.account:
        return True
    return scope == "account-region" and bool(region) and resource.region not in (region, "global", None)
