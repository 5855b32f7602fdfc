"""What a property names in the network, read so that the other resources of its table do not count as read."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.predicates.api import Narrow, Subject
from policyengine.rules.predicates.net.group_entries import GROUP, names

SUBNET: Final = "AWS::EC2::Subnet"
VPC: Final = "AWS::EC2::VPC"
ROUTE_TABLE: Final = "AWS::EC2::RouteTable"
TYPES: Final = (
    SUBNET, VPC, ROUTE_TABLE, "AWS::EC2::InternetGateway", "AWS::EC2::NetworkAcl", GROUP,
    "AWS::EC2::NetworkInterface", "AWS::RDS::DBSubnetGroup", "AWS::RDS::DBCluster",
)  # fmt: skip
"""Types of which a few are looked for by their names; of others the whole table counts as read."""


class Named(NamedTuple):
    """What a name was found to be; ``table`` is Unresolved where the type was not collected."""

    table: Unresolved | list[Resource]
    found: Resource | None


def named(subject: Subject, type_: str, value: Any) -> Named:
    """Return the resource of the subject's account and region that a value of a property names."""
    if isinstance(value, str) and type_ in TYPES:
        found: Named = subject.look(NAMED, f"{type_} {value}")
        return found
    return _in_table(subject.tables(type_), value)


def _in_table(table: Any, value: Any) -> Named:
    if isinstance(table, Unresolved):
        return Named(table, None)
    # nearly every reference is an id, and comparing only ids is ten times faster
    by_id = next((r for r in table if r.id == value), None) if isinstance(value, str) else None
    return Named(table, by_id or next((r for r in table if names(value, r)), None))


def _find(subject: Subject, argument: str | None) -> Named:
    type_, _, value = (argument or "").partition(" ")
    return _in_table(subject.tables(type_), value)


def _seen(subject: Subject, argument: str | None) -> list[Any]:
    table, found = _find(subject, argument)
    if isinstance(table, Unresolved):
        return [table]
    return [table.more if isinstance(table, OpenList) else None, found]


NAMED: Final = Narrow("net.named", _find, _seen, of_place=True)
"""Finds what is called as the argument says, a type and a name. INVARIANT: of a table that is a list only whether it
is one may be used; the resource that was found is all that is read of it."""
