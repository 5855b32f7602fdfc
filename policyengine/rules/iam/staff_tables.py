"""The staff of the account, or file of code, that a rule's subject is in: put together from what its source shows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, Unresolved
from policyengine.rules.iam.account_world import account_world, carried, unspellable
from policyengine.rules.iam.deliveries import BESIDE
from policyengine.rules.iam.everybody import is_caller
from policyengine.rules.iam.graph import world_of
from policyengine.rules.iam.organizations import members_of
from policyengine.rules.iam.principals import KINDS, TYPES, PrincipalRecord, Principals, caller_arn
from policyengine.rules.iam.reader import Reader
from policyengine.rules.iam.running import RUNNING
from policyengine.rules.iam.staff import Staff
from policyengine.rules.iam.standins import ACCOUNT, filled, own_arn
from policyengine.rules.iam.values import account_id
from policyengine.rules.predicates.api import Subject

if TYPE_CHECKING:
    from policyengine.iam.organization import Organization

NEEDS: Final = tuple(sorted(TYPES))
"""The types whose resources say who there is and what each may do."""
_KEPT_STAFF: Final = 4
_KEPT: Final[OrderedDict[tuple[int, ...], tuple[Any, Staff]]] = OrderedDict()


def staff_of(subject: Subject) -> Staff:
    """Return who there is in the subject's account, read once for all that ask."""
    known: Any = subject.answers.get(Staff)
    if known is not None:
        found: Staff = known
        return found
    code = subject.resource.file is not None
    tables = [subject.tables(type_) for type_ in (*NEEDS, *(BESIDE if code else ()))]
    running = subject.look(RUNNING)
    members = members_of(subject)
    organization = None if members is None or isinstance(members, Unresolved) else members.organization
    key = (
        id(organization),
        *map(id, tables),
        *map(id, running.values()),
        id(subject.resource) if code else 0,
    )
    kept = _KEPT.get(key)
    if kept is None:
        # INVARIANT: an entry holds the objects whose identity is its key
        held = (organization, tables, running, subject.resource)
        kept = _KEPT[key] = (held, _staff(tables, running, organization, subject.resource))
        if len(_KEPT) > _KEPT_STAFF:
            _KEPT.popitem(last=False)
    subject.answers[Staff] = kept[1]
    return kept[1]


def _alone(resource: Resource) -> Resource:
    """Return one branch of a resource by itself, of code with the ARN that stands for it wherever it is named."""
    if resource.file is None:
        return replace(resource, variants=()) if resource.variants else resource
    return replace(resource, variants=(), arn=own_arn(resource), account=account_id(resource) or ACCOUNT)


def _staff(
    tables: Sequence[Any], running: Mapping[str, Any], organization: Organization | None, own: Resource
) -> Staff:
    known: dict[str, Sequence[Resource]] = {}
    opens: dict[str, Unresolved] = {}
    for type_, table in zip((*NEEDS, *BESIDE), tables, strict=False):
        known[type_] = () if isinstance(table, Unresolved) else table
        open_ = table if isinstance(table, Unresolved) else getattr(table, "more", None)
        if open_ is not None:
            opens[type_] = open_
    more = next((opens[type_] for type_ in (*KINDS, *NEEDS) if type_ in opens), None)
    people: Sequence[Resource]
    if own.file is not None:
        people = [_alone(r) for type_ in KINDS for r in known[type_]]
        records: Sequence[PrincipalRecord] = _of_code(people, known, own)
        callers = [r for r in records if r.kind == "group" or is_caller(caller_arn(r)[0])]
        dropped = unspellable(records, callers)
        world = world_of(callers, carried(running, callers, own.account or ""), organization)
    else:
        by_type = dict(zip(NEEDS, tables, strict=True))
        account = account_world(own.account or "", by_type, running, organization)
        world, people, records, dropped = account.world, account.people, account.records, account.dropped
    tags: dict[str, Mapping[str, Any] | None] = {}
    for resource, record in zip(people, records, strict=True):
        unknown = resource.tags is None or isinstance(resource.tags, Unresolved | OpenDict)
        tags[caller_arn(record)[0]] = None if unknown else resource.tags  # type: ignore[assignment]  # narrowed above
    more = more or dropped
    return Staff(world, tags, more, own.file is not None)


def _of_code(
    people: Sequence[Resource], known: Mapping[str, Sequence[Resource]], own: Resource
) -> list[PrincipalRecord]:
    """Return the principals of a file of code, with what their policies refer to filled in."""
    beside = {own.id: own, **{r.id: r for resources in known.values() for r in resources}}
    gathered = Principals(Reader(lambda of, value: filled(value, of, beside)))
    for resource in people:
        gathered.add(resource)
    for type_ in TYPES - KINDS.keys():
        for resource in known[type_]:
            gathered.add(_alone(resource))
    return list(gathered.records())
