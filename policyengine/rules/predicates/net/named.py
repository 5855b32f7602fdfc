"""What a property names in the network, read so that the other resources of its table do not count as read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.predicates.api import Narrow, Subject
from policyengine.rules.predicates.net.group_entries import GROUP, names, names_in

SUBNET: Final = "AWS::EC2::Subnet"
VPC: Final = "AWS::EC2::VPC"
ROUTE_TABLE: Final = "AWS::EC2::RouteTable"
TYPES: Final = (
    SUBNET, VPC, ROUTE_TABLE, "AWS::EC2::InternetGateway", "AWS::EC2::NetworkAcl", GROUP,
    "AWS::EC2::NetworkInterface", "AWS::RDS::DBSubnetGroup", "AWS::RDS::DBCluster",
)  # fmt: skip
"""Types of which a few are looked for by their names; of others the whole table counts as read."""


_MOST_KEPT: Final = 2 * len(TYPES)


class Named(NamedTuple):
    """What a name was found to be; ``table`` is Unresolved where the type was not collected."""

    table: Unresolved | list[Resource]
    found: Resource | None


def named(subject: Subject, type_: str, value: Any) -> Named:
    """Return the resource of the subject's account and region that a value of a property names."""
    if type_ in TYPES:
        found: Named
        if isinstance(value, str):
            found = subject.look(NAMED, f"{type_} {value}")
            return found
        if isinstance(value, Unresolved) and value.target is None:
            found = subject.look(NAMED, type_)
            return found
    return _in_table(subject.tables(type_), value)


def _in_table(table: Any, value: Any) -> Named:
    if isinstance(table, Unresolved):
        return Named(table, None)
    if isinstance(value, str):
        return Named(table, _by_name(table).get(value))
    return Named(table, next((r for r in table if names(value, r)), None))


_KEPT: Final[OrderedDict[int, tuple[list[Resource], dict[str, Resource]]]] = OrderedDict()
"""INVARIANT: an entry holds the table whose identity is its key."""


def _by_name(table: list[Resource]) -> Mapping[str, Resource]:
    """Return the resources of a table by what :func:`names` takes for theirs: an id before all other names, the first before the
    others."""
    known = _KEPT.get(id(table))
    if known is None:
        found: dict[str, Resource] = {}
        for resource in table:
            found.setdefault(resource.id, resource)
        for resource in table:
            for name in names_in(resource):
                found.setdefault(name, resource)
        known = _KEPT[id(table)] = (table, found)
        if len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
    return known[1]


def _find(subject: Subject, argument: str | None) -> Named:
    type_, _, value = (argument or "").partition(" ")
    return _in_table(subject.tables(type_), value or None)


def _seen(subject: Subject, argument: str | None) -> list[Any]:
    table, found = _find(subject, argument)
    if isinstance(table, Unresolved):
        return [table]
    return [table.more if isinstance(table, OpenList) else None, found]


NAMED: Final = Narrow("net.named", _find, _seen, of_place=True)
"""Finds what is called as the argument says, a type and a name; nothing where it is a type alone, because what is named is
not known. INVARIANT: of a table that is a list only whether it is one may be used; the resource that was found is all
that is read of it."""
