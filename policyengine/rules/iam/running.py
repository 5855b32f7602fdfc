"""What runs with the roles of an account, read so that only what decides that counts as read.

A function's tags, memory or code may change without consequence for who can act as its role. INVARIANT: what
:mod:`policyengine.rules.iam.carriers` reads of a resource is named here.
"""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam import carrier_forms
from policyengine.rules.predicates.api import Narrow, Subject

TYPES: Final = tuple(sorted(carrier_forms.TYPES))


def _tables(subject: Subject, _argument: str | None) -> dict[str, Any]:
    return {type_: subject.tables(type_) for type_ in TYPES}


def _seen(subject: Subject, _argument: str | None) -> list[Any]:
    found: list[Any] = []
    for type_, table in _tables(subject, None).items():
        found.append(type_)
        if isinstance(table, Unresolved):
            found.append(table)
            continue
        found.append(table.more if isinstance(table, OpenList) else None)
        found.append([_read(resource) for resource in sorted(table, key=_called)])
    return found


def _called(resource: Resource) -> tuple[str, ...]:
    """Return what resources are sorted by: ``carriers`` finds the same in any order."""
    return (resource.id, resource.arn or "", resource.account or "", resource.region or "")


def _read(resource: Resource) -> tuple[Any, ...]:
    properties = resource.properties
    read = [(name, properties[name]) for name in carrier_forms.READ if name in properties]
    more = properties.more if isinstance(properties, OpenDict) else None
    return (resource.id, resource.arn, resource.account, resource.region, read, more)


RUNNING: Final = Narrow("iam.running", _tables, _seen, of_place=True)
"""Finds the tables by their types; of their resources nothing but what ``carriers`` reads may be used."""
