"""The principals of a live account as the graph of escalations takes them, made once for all who ask."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from policyengine.iam.escalation_world import World
from policyengine.model.resource import Coverage, Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.iam import carrier_forms, carriers
from policyengine.rules.iam.attached import GROUP, MANAGED
from policyengine.rules.iam.everybody import is_caller
from policyengine.rules.iam.graph import world_of
from policyengine.rules.iam.held import record_of
from policyengine.rules.iam.principals import KINDS, PrincipalRecord, caller_arn

if TYPE_CHECKING:
    from policyengine.iam.organization import Organization

_ACCOUNTS: Final = 4


@dataclass(frozen=True, slots=True)
class AccountWorld:
    """``people`` are the users, roles and groups with their ``records``. ``dropped``: why there are others, whose names
    no principal can have. INVARIANT: ``objects`` are those whose identities are the key."""

    objects: tuple[Any, ...]
    world: World
    people: Sequence[Resource]
    records: Sequence[PrincipalRecord]
    dropped: Unresolved | None


_KEPT: Final[OrderedDict[tuple[str | int, ...], AccountWorld]] = OrderedDict()


def account_world(
    account: str, tables: Mapping[str, Any], running: Mapping[str, Any], organization: Organization | None
) -> AccountWorld:
    """Return the world of an account. ``tables``: of ``KINDS`` and managed policies, by type; ``running``: as
    ``running`` finds them. None of the resources is of code or has branches."""
    objects = (organization, *(tables[type_] for type_ in (*KINDS, MANAGED)), *running.values())
    key: tuple[str | int, ...] = (account, *map(id, objects))
    known = _KEPT.get(key)
    if known is None:
        known = _KEPT[key] = _made(account, objects, tables, running, organization)
        if len(_KEPT) > _ACCOUNTS:
            _KEPT.popitem(last=False)
    return known


def _made(
    account: str,
    objects: tuple[Any, ...],
    tables: Mapping[str, Any],
    running: Mapping[str, Any],
    organization: Organization | None,
) -> AccountWorld:
    people = [r for type_ in KINDS for r in _listed(tables[type_])]
    records = [record_of(tables[MANAGED], tables[GROUP], resource) for resource in people]
    callers = [record for record in records if record.kind == "group" or is_caller(caller_arn(record)[0])]
    world = world_of(callers, carried(running, callers, account), organization)
    return AccountWorld(objects, world, people, records, unspellable(records, callers))


def _listed(table: Any) -> Sequence[Resource]:
    return table if isinstance(table, list) else ()


def unspellable(records: Sequence[PrincipalRecord], callers: Sequence[PrincipalRecord]) -> Unresolved | None:
    """Return why there are others than those who can call; None where all can."""
    if len(callers) == len(records):
        return None
    return Unresolved("unsupported", "a principal has a name that none can have")


def carried(running: Mapping[str, Any], records: Sequence[PrincipalRecord], account: str) -> carriers.Carried:
    """Return what runs with the roles; a table that is complete covers its type in the whole account."""
    runs, coverage = carriers.Carriers(), set[tuple[str, str, str]]()
    for type_, table in running.items():
        if isinstance(table, Unresolved):
            continue
        if not isinstance(table, OpenList):
            coverage.add((account, "every region", type_))
        for resource in table if type_ in carrier_forms.TYPES else ():
            runs.add(resource)
    covered: Coverage = frozenset(coverage)
    return runs.carried(records, covered)
