"""The side tables behind ``with:`` and predicates that read other resources.

Only the types that selected rules reach are kept. A lookup that finds nothing is an empty list
where the source covers (account, region, type), and otherwise a list that may have more elements
(``not_collected``): absence is only said where somebody looked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.catalog import registry
from policyengine.engine.failed import Failed, why_not
from policyengine.engine.references import (
    ACROSS,
    candidate_names,
    is_elsewhere,
    leaves,
    names_of,
    values_at,
)
from policyengine.engine.reverse import Reverse
from policyengine.engine.scopes import Place, in_branch, in_scope, place_of
from policyengine.model.resource import NO_COVERAGE, Coverage, Resource, is_covered
from policyengine.model.values import OpenList, Unresolved

Relation = Mapping[str, Any]
"""The form of a catalog relation: keys to, scope, via, by, key, many."""

INDIRECT: Mapping[str, tuple[str, str]] = {"AWS::KMS::Key": ("AWS::KMS::Alias", "TargetKeyId")}
"""Type -> the type that names it by another name, and the property that says which one it means."""


_PLACES: Mapping[str, str] = {
    "self": "beside it", "account-region": "in its account and region", "account": "in its account",
    "organization": "in its organisation",
}  # fmt: skip


_ORGANIZATIONS: Final = "AWS::Organizations::"


class World:
    """Resources of the types that rules reach, indexed by what may name them.

    ``beyond`` is the world that answers what is asked across accounts, where this one holds a single
    account. ``across``: this is such a world; its lists are not told apart by account. ``failed`` is why
    types are not covered: (account, region, type) -> what the collector could not do.
    """

    def __init__(
        self,
        coverage: Coverage = NO_COVERAGE,
        beyond: World | None = None,
        *,
        across: bool = False,
        failed: Failed | None = None,
    ) -> None:
        self._failed = failed or {}
        self._beyond = beyond
        self._across = across
        self._by_type: dict[str, list[Resource]] = defaultdict(list)
        self._by_place: dict[tuple[str, Place], list[Resource]] = defaultdict(list)
        self._by_name: dict[tuple[str, str, Place], list[Resource]] = defaultdict(list)
        self._places: dict[Place, None] = {}
        self.cover(coverage)
        self._forget()

    def _forget(self) -> None:
        """Drop what was derived from the resources held."""
        self._tables: dict[str, dict[tuple[str | None, ...], list[Resource]]] = {}
        self._alike: dict[str, dict[tuple[int, ...], list[Resource]]] = {}
        self._reverse_indexes: dict[str, dict[tuple[str, bool], Reverse]] = {}
        self._organization: dict[str, tuple[list[Resource], bool]] = {}

    def _forget_type(self, type_: str) -> None:
        """Drop what was derived from the resources of one type, but for who names whom: that is kept up to date."""
        for made in (self._tables, self._alike, self._organization):
            made.pop(type_, None)

    def release(self) -> None:
        """Give up the resources; whoever still refers to this world (a cycle of closures) holds nothing big."""
        for held in (self._by_type, self._by_place, self._by_name):
            held.clear()
        self._forget()

    def cover(self, coverage: Coverage) -> None:
        """Say what was collected whole; reading a source may have shown that it is less than was promised."""
        self.coverage = coverage
        self._tables, self._alike = {}, {}
        self._all_covered: dict[str, bool] = {}
        beyond = self._beyond
        self._regions: dict[str, set[str]]
        if beyond is not None and beyond.coverage is coverage:
            self._regions = beyond._regions
        else:
            self._regions = _regions(coverage)

    def add(self, resource: Resource) -> None:
        """Take a resource, all its branches, into the tables."""
        for branch in (resource, *resource.variants):
            self._forget_type(branch.type)
            for index in self._reverse_indexes.get(branch.type, {}).values():
                index.add(branch)
            place = self._place(branch)
            self._places[place] = None
            self._by_type[branch.type].append(branch)
            if not self._across:
                self._by_place[branch.type, place].append(branch)
            for name in names_of(branch):
                self._by_name[branch.type, name, place].append(branch)

    def discard(self, resource: Resource) -> None:
        """Take out a resource, the very object that was added, all its branches. Raises ValueError where it is not there."""
        for branch in (resource, *resource.variants):
            self._forget_type(branch.type)
            for index in self._reverse_indexes.get(branch.type, {}).values():
                index.discard(branch)
            place = self._place(branch)
            self._by_type[branch.type].remove(branch)
            if not self._across:
                self._by_place[branch.type, place].remove(branch)
            for name in names_of(branch):
                self._by_name[branch.type, name, place].remove(branch)

    def _place(self, resource: Resource) -> Place:
        """Return what keeps resources apart, whatever the scope within an account: file, or account."""
        return None if self._across else place_of(resource)

    def related(self, relation: Relation, resource: Resource) -> list[Resource] | Unresolved:
        """Return the resources a relation reaches from one resource.

        For a relation that is not ``many``: a list of at most one, or Unresolved.
        """
        if relation["via"] is not None:
            found = self._forward(relation, resource)
        elif relation["by"] is not None:
            found = self._reverse(relation, resource)
        else:
            found = self.table(relation["to"], resource, relation["scope"])
        if not relation["many"] and found.__class__ is OpenList and not found:
            return found.more
        return found

    def table(self, type_: str, resource: Resource, scope: str = "account-region") -> list[Resource]:
        """Return every resource of a type in the scope of one resource, a list that must not be changed."""
        place = (scope, resource.file, resource.account, resource.region)
        tables = self._tables.setdefault(type_, {})
        known = tables.get(place)
        if known is not None:
            return known
        found, plain = self._held(type_, resource, scope)
        table = self._complete(in_branch(found, resource), type_, resource, scope)
        if plain:
            if table.__class__ is list:
                # regions see the same of what is global: what is made of a table is made once for all of them
                table = self._alike.setdefault(type_, {}).setdefault(tuple(map(id, table)), table)
            tables[place] = table
        return table

    def _home(self, scope: str) -> World:
        """Return the world that answers questions of a scope."""
        beyond = self._beyond
        return beyond if beyond is not None and scope == ACROSS else self

    def _held(self, type_: str, resource: Resource, scope: str) -> tuple[list[Resource], bool]:
        """Return the resources of a type in a scope, and whether none of them depends on a branch."""
        if scope == ACROSS and resource.file is None:
            return self._home(scope)._of_organization(type_)
        found = [r for r in self._candidates(type_, resource, scope) if in_scope(r, resource, scope)]
        return found, all(r.branch is None for r in found)

    def _of_organization(self, type_: str) -> tuple[list[Resource], bool]:
        """The same for every account that asks: a list for each would be quadratic in their number."""
        known = self._organization.get(type_)
        if known is None:
            found = [r for r in self._by_type.get(type_, ()) if r.file is None]
            known = self._organization[type_] = (found, all(r.branch is None for r in found))
        return known

    def _candidates(self, type_: str, resource: Resource, scope: str) -> Sequence[Resource]:
        """Return those of a type among which a scope chooses."""
        home = self._home(scope)
        if scope == ACROSS or home._across:
            return home._by_type.get(type_, ())
        return home._by_place.get((type_, place_of(resource)), ())

    def _names(self, type_: str, name: str, resource: Resource, scope: str) -> Sequence[Resource]:
        """Return what a name may mean among the candidates of a scope."""
        home = self._home(scope)
        if scope != ACROSS or home._across:
            return home._by_name.get((type_, name, home._place(resource)), ())
        return [r for place in home._places for r in home._by_name.get((type_, name, place), ())]

    def _forward(self, relation: Relation, resource: Resource) -> list[Resource]:
        found: list[Resource] = []
        more: Unresolved | None = None
        for value in values_at(resource, relation["via"].split(".")):
            hits, unknown = self._named(relation, value, resource)
            found += hits
            more = more or unknown
        distinct = list({id(r): r for r in found}.values())
        return OpenList(distinct, more) if more is not None else distinct

    def _named(
        self, relation: Relation, value: Any, resource: Resource
    ) -> tuple[list[Resource], Unresolved | None]:
        """Return the resources one value names, and why there may be others."""
        type_ = relation["to"]
        if isinstance(value, Unresolved):
            if value.target is None:
                return [], value
            name = value.target[0]
            hits = self._lookup(type_, name, resource, relation["scope"], relation["key"])
            hits = hits or self._behind(type_, name, resource, relation["scope"])
            hits = [r for r in hits if r.file == resource.file]
            return hits, None if hits else value
        if not isinstance(value, str):
            return [], Unresolved("unsupported", f"`{value}` names no resource")
        elsewhere = is_elsewhere(value, resource, relation["scope"])
        for name in (value,) if elsewhere else candidate_names(value):
            hits = self._lookup(type_, name, resource, relation["scope"], relation["key"])
            hits = hits or self._behind(type_, name, resource, relation["scope"])
            if hits:
                return hits, None
        if elsewhere or "alias/" in value or not self._covers(type_, resource, relation["scope"]):
            return [], why_not(self._failed, type_, resource, relation["scope"]) or Unresolved(
                "not_collected", f"{type_} `{value}`"
            )
        return [], None

    def _behind(self, type_: str, name: str, resource: Resource, scope: str) -> list[Resource]:
        """Return the one resource that an alias of this name stands for."""
        alias_type, target = INDIRECT.get(type_, ("", ""))
        aliases = self._lookup(alias_type, name, resource, scope, None) if alias_type else []
        if len(aliases) != 1:
            return []
        value = aliases[0].properties.get(target)
        if isinstance(value, Unresolved):
            names: tuple[str, ...] = (value.target[0],) if value.target else ()
        else:
            names = candidate_names(value) if isinstance(value, str) else ()
        found = (self._lookup(type_, n, resource, scope, None) for n in names)
        return next((hits for hits in found if hits), [])

    def _lookup(
        self, type_: str, name: str, resource: Resource, scope: str, key: str | None
    ) -> list[Resource]:
        if key is not None:
            steps = key.split(".")
            candidates = self._candidates(type_, resource, scope)
            hits: Sequence[Resource] = [r for r in candidates if name in tuple(leaves(r.properties, steps))]
        else:
            hits = self._names(type_, name, resource, scope)
        return in_branch([r for r in hits if in_scope(r, resource, scope)], resource)

    def _reverse(self, relation: Relation, resource: Resource) -> list[Resource]:
        type_, scope = relation["to"], relation["scope"]
        index = self._home(scope)._reverse_index(type_, relation["by"], across=scope == ACROSS)
        found = [r for r in index.naming(resource) if in_scope(r, resource, scope)]
        complete = self._complete(in_branch(found, resource), type_, resource, scope)
        doubtful = next((v for r, v in index.doubts(resource) if in_scope(r, resource, scope)), None)
        if doubtful is not None and complete.__class__ is not OpenList:
            return OpenList(complete, doubtful)
        return complete

    def _reverse_index(self, type_: str, by: str, *, across: bool) -> Reverse:
        indexes = self._reverse_indexes.setdefault(type_, {})
        index = indexes.get((by, across))
        if index is None:
            index = indexes[by, across] = Reverse(self._by_type.get(type_, ()), by, across)
        return index

    def _complete(self, found: list[Resource], type_: str, resource: Resource, scope: str) -> list[Resource]:
        if found.__class__ is OpenList or self._covers(type_, resource, scope):
            return found
        where = f"outside `{resource.file}`" if resource.file is not None else _PLACES[scope]
        why = why_not(self._failed, type_, resource, scope)
        return OpenList(found, why or Unresolved("not_collected", f"there may be {type_} {where}"))

    def _covers(self, type_: str, resource: Resource, scope: str) -> bool:
        account, region = resource.account, resource.region
        if resource.file is not None or account is None or region is None:
            return False
        if scope == ACROSS:
            return self._home(scope)._covers_all(type_)
        if scope == "account":
            regions = self._regions.get(account, set())
            return bool(regions) and all(self._covered(account, r, type_) for r in regions)
        if self._is_global(type_, region):  # what is global sees all regions, so all must have been looked at
            regions = self._regions.get(account, set()) - {"global"}
            return bool(regions) and all(self._covered(account, r, type_) for r in regions)
        return self._covered(account, region, type_)

    def _covers_all(self, type_: str) -> bool:
        """Whether a type was looked for in every account and region that was collected at all.

        What an organisation is made of, its management account shows for all.
        """
        known = self._all_covered.get(type_)
        if known is None and type_.startswith(_ORGANIZATIONS):
            homes = {(r.account, r.region) for r in self._by_type.get(f"{_ORGANIZATIONS}Organization", ())}
            known = any(t in (type_, "*") and (a, r) in homes for a, r, t in self.coverage)
            self._all_covered[type_] = known
        if known is None:
            places = ((a, r) for a, regions in self._regions.items() for r in regions)
            known = bool(self._regions) and all(self._covered(a, r, type_) for a, r in places)
            self._all_covered[type_] = known
        return known

    def _covered(self, account: str, region: str, type_: str) -> bool:
        """A type is looked for in its own region or, for global ones, under ``global``."""
        if is_covered(self.coverage, account, region, type_):
            return True
        return (region != "global" and (account, "global", type_) in self.coverage) or self._is_global(
            type_, region
        )

    def _is_global(self, type_: str, region: str) -> bool:
        """A regional type cannot be in the pseudo-region ``global``, so nothing is missing there."""
        spec = registry.spec(type_)
        return region == "global" and not (spec is not None and spec.is_global)


def _regions(coverage: Coverage) -> dict[str, set[str]]:
    regions: dict[str, set[str]] = defaultdict(set)
    for account, region, _type in coverage:
        regions[account].add(region)
    return regions
