"""Which branches of the undecided conditions matter to which resource."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from policyengine.catalog import registry
from policyengine.sources.cloudformation.conditions import Branch, Conditions
from policyengine.sources.cloudformation.template import Declared
from policyengine.sources.cloudformation.usage import Usage


class Plan(NamedTuple):
    """The branches to evaluate a resource in; ``complete`` is False when there are too many."""

    branches: list[Branch]
    complete: bool


def plan_branches(
    resources: Iterable[Declared], usages: Mapping[str, Usage], conditions: Conditions
) -> dict[str, Plan]:
    """Return resource id -> plan.

    A resource is looked at together with its satellites, the parents it is a satellite of, and
    resources that the catalog relates it to and that are linked to it by a reference: a branch of
    one then picks the branch of the others. When these allow too many combinations, the resource
    with its satellites, then the resource alone.
    """
    declared = list(resources)
    if not conditions.undecided:
        return {d.id: Plan([{}], True) for d in declared}
    own = {d.id: _own(d, usages[d.id], conditions) for d in declared}
    folded, related = _links(declared, usages)
    families = _components(own, folded)
    wide: dict[tuple[str, ...], list[frozenset[str]]] = {}
    plans: dict[str, Plan] = {}
    for resource in declared:
        family = families[resource.id]
        if family not in wide:
            near = set(family).union(*(related.get(member, ()) for member in family))
            wide[family] = [_union(own, near), _union(own, family)]
        plans[resource.id] = _plan([*wide[family], own[resource.id]], conditions)
    return plans


def _plan(choices: list[frozenset[str]], conditions: Conditions) -> Plan:
    for names in choices:
        branches = conditions.branches(names)
        if branches is not None:
            return Plan(branches, True)
    return Plan([{}], False)


def _own(declared: Declared, usage: Usage, conditions: Conditions) -> frozenset[str]:
    names = set(usage.conditions)
    condition = declared.raw.get("Condition")
    if isinstance(condition, str):
        names.add(condition)
    return frozenset(names & conditions.undecided)


def _union(own: Mapping[str, frozenset[str]], members: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(own[member] for member in members))


def _links(
    declared: list[Declared], usages: Mapping[str, Usage]
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return who is folded with whom, and who is related to whom, both ways round."""
    types = {d.id: d.type for d in declared}
    satellites = registry.satellites()
    folded: dict[str, set[str]] = defaultdict(set)
    related: dict[str, set[str]] = defaultdict(set)
    for one in declared:
        parents = {parent for parent, _ in satellites.get(one.type, ())}
        for name in usages[one.id].references:
            other = types.get(name)
            if other is None or name == one.id:
                continue
            if other in parents:
                folded[one.id].add(name)
                folded[name].add(one.id)
            elif other in _neighbours(one.type) or one.type in _neighbours(other):
                related[one.id].add(name)
                related[name].add(one.id)
    return folded, related


@cache
def _neighbours(type_: str) -> frozenset[str]:
    spec = registry.spec(type_)
    return frozenset(r.to for r in spec.relations) if spec else frozenset()


def _components(ids: Iterable[str], links: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    """Return id -> the members of its connected component."""
    found: dict[str, tuple[str, ...]] = {}
    for start in ids:
        if start in found:
            continue
        seen = {start}
        waiting = [start]
        while waiting:
            for name in links.get(waiting.pop(), ()):
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
        members = tuple(sorted(seen))
        found.update(dict.fromkeys(members, members))
    return found
