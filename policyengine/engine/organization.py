"""Which OUs stand above each account, from the organisation's own resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from policyengine.model.resource import Resource

ORGANIZATION_TYPES: Final = frozenset(
    {"AWS::Organizations::Account", "AWS::Organizations::OrganizationalUnit"}
)


def units_above(resources: Iterable[Resource]) -> dict[str, tuple[str, ...]]:
    """Return account id -> ids of the OUs above it, nearest first, the root last.

    An account whose parent is not known has no entry; a chain ends where a parent is not known and
    where it would go round in a circle.
    """
    parents: dict[str, str] = {}
    accounts: dict[str, str] = {}
    for resource in resources:
        properties = resource.properties
        if resource.type == "AWS::Organizations::Account":
            parent = _first(properties.get("ParentIds"))
            account = properties.get("AccountId", resource.id)
            if isinstance(account, str) and parent is not None:
                accounts[account] = parent
        else:
            parent = _first([properties.get("ParentId")])
            if parent is not None:
                parents[resource.id] = parent
    return {account: _chain(parent, parents) for account, parent in accounts.items()}


def _first(values: Any) -> str | None:
    found = values[0] if isinstance(values, list) and values else None
    return found if isinstance(found, str) else None


def _chain(start: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    chain = [start]
    while chain[-1] in parents and parents[chain[-1]] not in chain:
        chain.append(parents[chain[-1]])
    return tuple(chain)
