"""The accounts of an organisation, and sessions in them by an assumed role."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from policyengine.aws.account import Account


class Member(NamedTuple):
    """An account of the organisation. ``state`` is AWS's (``ACTIVE``, ``SUSPENDED``, ``PENDING_CLOSURE``)."""

    id: str
    name: str
    state: str


def members(account: Account, region: str, *, ous: Collection[str] = ()) -> list[Member]:
    """Return the accounts of the organisation by id; with ``ous`` those at or below them. Raises CallFailure.

    ``account`` is the management account or a delegated administrator
    (https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html).
    """
    if not ous:
        found = _accounts(account, region, "ListAccounts", {})
    else:
        found = (member for ou in ous for member in _below(account, region, ou))
    return sorted({member.id: member for member in found}.values())


def _below(account: Account, region: str, parent: str) -> Iterator[Member]:
    arguments = {"ParentId": parent}
    yield from _accounts(account, region, "ListAccountsForParent", arguments)
    for page in account.pages("organizations", "ListOrganizationalUnitsForParent", arguments, region):
        for unit in page.get("OrganizationalUnits", ()):
            yield from _below(account, region, unit["Id"])


def _accounts(account: Account, region: str, operation: str, arguments: dict[str, str]) -> Iterator[Member]:
    for page in account.pages("organizations", operation, arguments, region):
        for found in page.get("Accounts", ()):
            # `State` replaces `Status`, which AWS removes in September 2026
            state = found.get("State") or found.get("Status") or "ACTIVE"
            yield Member(found["Id"], found.get("Name", ""), state)


def role_arn(partition: str, account: str, role: str) -> str:
    """Return the ARN of a role by name, with its path if it has one."""
    return f"arn:{partition}:iam::{account}:role/{role.removeprefix('/')}"
