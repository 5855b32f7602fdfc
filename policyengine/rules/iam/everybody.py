"""The principals of a live account, looked at by their ARNs: one of them, or of all what they have in common.

What is asked about escalations is asked of few: most principals can go to nobody, and who can goes to some. So an
answer rests on those it came by, and on whom else there is, whom they trust and how they are bounded. Nothing here
loads the reasoning library: results are found to hold without it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from policyengine.iam.errors import PolicyError
from policyengine.iam.request import read_caller
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam.attached import GROUP, MANAGED, deciding_for, named_by
from policyengine.rules.iam.principals import KINDS, PrincipalRecord, caller_arn
from policyengine.rules.iam.values import resource_arn
from policyengine.rules.predicates.api import Narrow, Subject

TABLES: Final = (*KINDS, MANAGED)
_UNREAD: Final = frozenset({"Description", "MaxSessionDuration", "RoleLastUsed", "Tags"})
"""Properties of users, roles and groups that nothing about escalations depends on. INVARIANT: no code reads them
from what is consulted; a property that is not named here counts as read."""
_KEPT_INDEXES: Final = 2
_INDEXES: Final[OrderedDict[tuple[int, ...], tuple[Any, dict[str, list[Resource]]]]] = OrderedDict()
"""The principals of tables by their ARNs. INVARIANT: an entry holds the tables whose identities are its key."""


def open_tables(subject: Subject) -> list[Any]:
    """Return of each table why there may be more, None where it is whole."""
    found = [subject.tables(type_) for type_ in TABLES]
    return [t if isinstance(t, Unresolved) else t.more if isinstance(t, OpenList) else None for t in found]


def is_caller(arn: str) -> bool:
    """Say whether an ARN is one that a principal can have; a source may show a name that none has."""
    try:
        return read_caller(arn).kind in ("role", "user")
    except PolicyError:
        return False


def _open(subject: Subject, _argument: str | None) -> list[Any]:
    """Looks at everybody, so it is asked once for all of a place."""
    people = (arn for arn, found in _by_arn(subject).items() if found[0].type != GROUP)
    return [*open_tables(subject), not all(map(is_caller, people))]


def _tables(subject: Subject, _argument: str | None) -> list[Any]:
    return [subject.tables(type_) for type_ in TABLES]


OPEN: Final = Narrow("iam.open", lambda subject, _: open_tables(subject), _open, of_place=True)
"""Finds of the tables of principals and managed policies why there may be more; says whether a name is none, too."""


def _arn_of(resource: Resource) -> str:
    kind = KINDS[resource.type]
    name = resource.properties.get(f"{kind.capitalize()}Name")
    named = name if isinstance(name, str) else None
    record = PrincipalRecord(resource_arn(resource), resource.account, kind, resource.id, "", (), name=named)
    return caller_arn(record)[0]


def _by_arn(subject: Subject) -> dict[str, list[Resource]]:
    tables = [subject.tables(type_) for type_ in KINDS]
    key = tuple(map(id, tables))
    known = _INDEXES.get(key)
    if known is None:
        found: dict[str, list[Resource]] = {}
        for table in tables:
            for resource in table if isinstance(table, list) else ():
                found.setdefault(_arn_of(resource), []).append(resource)
        known = _INDEXES[key] = (tables, found)
        if len(_INDEXES) > _KEPT_INDEXES:
            _INDEXES.popitem(last=False)
    return known[1]


def _whole(subject: Subject, resource: Resource) -> list[Any]:
    """Return all of a principal that decides what it may do."""
    properties = resource.properties
    read = {key: value for key, value in properties.items() if key not in _UNREAD}
    more = properties.more if isinstance(properties, OpenDict) else None
    branches = [resource.branch, len(resource.variants)]
    tables = subject.tables(MANAGED), subject.tables(GROUP)
    return [*_called(resource), read, more, resource.related, branches, *deciding_for(resource, *tables)]


def _called(resource: Resource) -> list[Any]:
    return [resource.type, resource.id, resource.arn, resource.account]


def _seen(subject: Subject, argument: str | None) -> list[Any]:
    found = _by_arn(subject).get(argument or "", ())
    return [_whole(subject, resource) for resource in found]


PRINCIPAL: Final = Narrow("iam.principal", _tables, _seen, of_place=True)
"""Looks at all of the principal of an ARN; whether there may be more of it is what ``OPEN`` says."""


def _namesakes(subject: Subject, _argument: str | None) -> list[Any]:
    own = subject.resource
    others = (r for r in _by_arn(subject).get(_arn_of(own), ()) if r is not own)
    return [_whole(subject, other) for other in others]


NAMESAKES: Final = Narrow("iam.namesakes", _tables, _namesakes)
"""Looks at the other resources that are taken for the same principal."""


def _everybody(subject: Subject, _argument: str | None) -> list[Any]:
    tables = subject.tables(MANAGED), subject.tables(GROUP)
    return [
        [arn, [list(_common(resource, *tables)) for resource in resources]]
        for arn, resources in sorted(_by_arn(subject).items())  # who was read first does not matter
    ]


def _common(resource: Resource, managed: Any, groups: Any) -> Iterator[Any]:
    """Yield what is looked at of a principal that nobody comes by: whom it trusts, and what its boundary is called."""
    properties = resource.properties
    yield from _called(resource)
    for key in (
        f"{KINDS[resource.type].capitalize()}Name",
        "AssumeRolePolicyDocument",
        "PermissionsBoundary",
    ):
        yield properties.get(key)
    yield properties.more if isinstance(properties, OpenDict) else None
    yield [resource.branch, len(resource.variants)]
    for policy in named_by(resource, "PermissionsBoundary", managed, groups):
        yield [
            *_called(policy),
            policy.properties.get("ManagedPolicyName"),
            policy.properties.get("PolicyArn"),
        ]


EVERYBODY: Final = Narrow("iam.everybody", _tables, _everybody, of_place=True)
"""Looks at who there is, whom they trust, and whether and by which name they have a boundary."""
