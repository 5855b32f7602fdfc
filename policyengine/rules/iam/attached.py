"""Which of the managed policies and groups of an account decide for one principal.

A role depends on the few that it names or that name it; the other policies of the account may change without
consequence for it. INVARIANT: whatever :class:`~policyengine.rules.iam.principals.Principals` finds for a principal
among the resources of the two tables is among those named here.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any, Final

from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.iam.principals import KINDS, commercial, items_of, names_of
from policyengine.rules.iam.values import known, reference, resource_arn
from policyengine.rules.predicates.api import Narrow, Subject

MANAGED: Final = "AWS::IAM::ManagedPolicy"
GROUP: Final = "AWS::IAM::Group"
_ATTACHED: Final = (("Roles", "role"), ("Users", "user"), ("Groups", "group"))
_LISTS: Final = (
    "ManagedPolicyArns",
    "ManagedPolicies",
    "CustomerManagedPolicyReferences",
    "PermissionsBoundary",
)
"""Where principals and permission sets name managed policies."""
_TABLES: Final = 2


class _Index:
    """The resources of two tables by what names them, or by whom they name. INVARIANT: it holds the tables."""

    def __init__(self, managed: Any, groups: Any) -> None:
        self.tables = (managed, groups)
        self.policies: dict[str, list[Resource]] = defaultdict(list)
        self.groups: dict[str, list[Resource]] = defaultdict(list)
        self.attached: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self.anywhere: dict[str, list[Resource]] = defaultdict(list)
        for table in self.tables:
            for resource in table if isinstance(table, list) else ():
                if resource.type == MANAGED:
                    self._add(resource)
                elif resource.type == GROUP:
                    for name in names_of(resource, "GroupName"):
                        self.groups[name].append(resource)

    def _add(self, policy: Resource) -> None:
        for called in (policy.id, resource_arn(policy)):
            if isinstance(called, str):
                self.policies[called].append(policy)
        for key, kind in _ATTACHED:
            for item in items_of(policy.properties.get(key)):
                name = reference(item)
                if name is None:
                    self.anywhere[kind].append(policy)
                else:
                    self.attached[kind, name].append(policy)

    def of(self, principal: Resource) -> Iterator[Any]:
        """Yield what decides for a principal or a permission set, in an order of its own."""
        for key in _LISTS:
            for item in _each(principal.properties.get(key)):
                yield self.policies.get(_name(item) or "")
        kind = KINDS.get(principal.type)
        if kind is None:
            return
        for name in sorted(names_of(principal, f"{kind.capitalize()}Name")):
            yield self.attached.get((kind, name))
        yield self.anywhere.get(kind)
        if kind == "user":
            for item in _memberships(principal):
                for group in self.groups.get(reference(item) or "", ()):
                    yield [group, *self.of(group)]


def _each(value: Any) -> Iterator[Any]:
    """Yield what names a policy: items, and what an object holds."""
    for item in items_of(value):
        yield item
        if isinstance(item, dict):
            yield from item.values()


def _name(item: Any) -> str | None:
    """Return the name as ``Principals`` looks it up."""
    name = reference(item)
    return commercial(known(item)) if name is None and isinstance(item, Unresolved) else name


def _memberships(user: Resource) -> Iterator[Any]:
    yield from items_of(user.properties.get("Groups"))
    for addition in items_of(user.related.get("group_additions")):
        yield addition.get("GroupName") if isinstance(addition, dict) else addition


_KEPT: Final[OrderedDict[tuple[int, int], _Index]] = OrderedDict()


def _index(managed: Any, groups: Any) -> _Index:
    found = _KEPT.get((id(managed), id(groups)))
    if found is None:
        found = _KEPT[id(managed), id(groups)] = _Index(managed, groups)
        if len(_KEPT) > _TABLES:
            _KEPT.popitem(last=False)
    return found


def _tables(subject: Subject, _argument: str | None) -> tuple[Any, Any]:
    return subject.tables(MANAGED), subject.tables(GROUP)


def _seen(subject: Subject, _argument: str | None) -> list[Any]:
    """Return what decides, and why there may be more."""
    tables = _tables(subject, None)
    open_ = [table if isinstance(table, Unresolved) else _more(table) for table in tables]
    return [*open_, *_index(*tables).of(subject.resource)]


def _more(table: Any) -> Any:
    return table.more if isinstance(table, OpenList) else None


def deciding_for(principal: Resource, managed: Any, groups: Any) -> list[Any]:
    """Return the managed policies and groups of tables that decide for a principal."""
    return list(_index(managed, groups).of(principal))


def named_by(principal: Resource, key: str, managed: Any, groups: Any) -> list[Resource]:
    """Return the managed policies of a table that a property of a principal names."""
    policies = _index(managed, groups).policies
    items = _each(principal.properties.get(key))
    return [policy for item in items for policy in policies.get(_name(item) or "", ())]


ATTACHED: Final = Narrow("iam.attached", _tables, _seen)
"""Finds the two tables, to be asked about the subject's resource and no other."""
