"""Folding satellites into the resource they belong to, so that a rule sees one thing.

What is a satellite of what is declared in the catalog. The parent is found by reference, ARN,
naming property or physical id, branch by branch where the source has branches.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Final

from policyengine.catalog import registry
from policyengine.catalog.spec import Satellite
from policyengine.model.leaves import leaves
from policyengine.model.location import Location
from policyengine.model.resource import Locator, Path, Resource
from policyengine.model.suppression import note_references, references_of
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved

_HOLE: Final = re.compile(r"\$\{[A-Za-z0-9:.]+\}")
_PARAMETER: Final = re.compile(r"Ref: [A-Za-z0-9:]+")


@dataclass(slots=True)
class _Share:
    """What one declaration brings to one parent: satellites for certain, and reasons for doubt."""

    declared: Satellite
    satellites: list[Resource] = field(default_factory=list)
    doubts: list[Unresolved] = field(default_factory=list)


def fold(resources: Iterable[Resource]) -> list[Resource]:
    """Return the resources in their order, satellites taken into their parents.

    A satellite whose parent is not among ``resources`` stays a resource. A satellite whose parent
    reference is not known stays one too, and every parent it may belong to gets an
    :class:`OpenList` with the reason. Elements keep their own places: the parent's ``locate``
    answers for them. Resources are not changed; parents that receive something are new objects.
    """
    everything = list(resources)
    declared = registry.satellites()
    if not any(r.type in declared for r in everything):
        return everything
    parents = _Parents(everything)
    shares: dict[int, dict[Satellite, _Share]] = defaultdict(dict)
    result: list[Resource] = []
    for resource in everything:
        if resource.type in declared:
            left = _place(resource, declared[resource.type], parents, shares)
            if left is not None:
                result.append(left)
        else:
            result.append(resource)
    return [_receive(r, shares[id(r)].values()) if id(r) in shares else r for r in result]


class _Parents:
    """The resources that satellites may belong to, by type and by name."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        wanted = {parent for found in registry.satellites().values() for parent, _ in found}
        self.by_type: dict[str, list[Resource]] = defaultdict(list)
        self.by_id: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self.by_name: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        self.nameless: dict[str, list[Resource]] = defaultdict(list)
        for resource in resources:
            if resource.type in wanted:
                self._add(resource)

    def _add(self, resource: Resource) -> None:
        type_ = resource.type
        self.by_type[type_].append(resource)
        self.by_id[type_, resource.id].append(resource)
        # in code the id is a logical id or an address, which no literal value names
        names = set() if resource.file is not None else {resource.id}
        for branch in (resource, *resource.variants):
            if branch.arn:
                names.add(branch.arn)
            for prop in registry.names(type_):
                value = branch.properties.get(prop, ABSENT)
                if isinstance(value, str):
                    names.add(value)
                elif isinstance(value, Unresolved):
                    self.nameless[type_].append(resource)
                    written = _written(value)
                    if written is not None:
                        names.add(written)
        for name in names:
            self.by_name[type_, name].append(resource)

    def named(self, type_: str, value: Any, satellite: Resource) -> tuple[list[Resource], list[Resource]]:
        """Return the parents a value names, and those it may name."""
        if isinstance(value, Unresolved):
            if value.target is not None:
                return self._near(self.by_id.get((type_, value.target[0]), ()), satellite), []
            same = self._near(self.by_name.get((type_, _written(value) or ""), ()), satellite)
            if same:
                return same, []
            return [], self._near(self.by_type.get(type_, ()), satellite)
        if not isinstance(value, str):
            return [], []
        for name in _names_in(value):
            found = self._near(self.by_name.get((type_, name), ()), satellite)
            if found:
                return found, []
        return [], self._near(self.nameless.get(type_, ()), satellite)

    def _near(self, found: Sequence[Resource], satellite: Resource) -> list[Resource]:
        return [parent for parent in found if parent is not satellite and _same_place(parent, satellite)]


def _written(value: Unresolved) -> str | None:
    """Return a text of a template that parameters are unknown of: wherever it stands it means the same."""
    if value.reason != "unresolved_reference":
        return None
    if value.parts is None:
        return value.detail if _PARAMETER.fullmatch(value.detail) else None
    same = tuple(_HOLE.sub("\0", value.detail).split("\0")) == value.parts
    return value.detail if same and len(value.parts) > 1 else None


def _names_in(value: str) -> Iterator[str]:
    """Yield what a literal may name: itself, and the last part of an ARN."""
    yield value
    if value.startswith("arn:"):
        yield value.rsplit(":", 1)[-1]
        yield value.rsplit("/", 1)[-1]


def _same_place(parent: Resource, satellite: Resource) -> bool:
    if parent.file is not None or satellite.file is not None:
        return parent.file == satellite.file
    if parent.account != satellite.account:
        return False
    return parent.region == satellite.region or "global" in (parent.region, satellite.region)


def _place(
    resource: Resource,
    declared: Sequence[tuple[str, Satellite]],
    parents: _Parents,
    shares: dict[int, dict[Satellite, _Share]],
) -> Resource | None:
    """Hand a satellite to its parents; return what stays a resource of its own."""
    homeless: list[Resource] = []
    for branch in (resource, *resource.variants):
        found = False
        for type_, satellite in declared:
            for _, value in leaves(branch.properties, satellite.by.split(".")):
                certain, possible = parents.named(type_, value, resource)
                for parent in certain:
                    _share(shares, parent, satellite).satellites.append(branch)
                    found = True
                for parent in possible:
                    doubt = value if isinstance(value, Unresolved) else _name_doubt(resource)
                    _share(shares, parent, satellite).doubts.append(doubt)
        if not found:
            homeless.append(branch)
    if len(homeless) == 1 + len(resource.variants):
        return resource
    return replace(homeless[0], variants=tuple(homeless[1:])) if homeless else None


def _name_doubt(resource: Resource) -> Unresolved:
    return Unresolved("unresolved_reference", f"`{resource.id}` may belong to this resource")


def _share(shares: dict[int, dict[Satellite, _Share]], parent: Resource, satellite: Satellite) -> _Share:
    return shares[id(parent)].setdefault(satellite, _Share(satellite))


def _receive(parent: Resource, shares: Iterable[_Share]) -> Resource:
    """Return the parent, every branch of it, with its shares taken in."""
    given = list(shares)
    branches = [_receive_in_branch(branch, given) for branch in (parent, *parent.variants)]
    received = replace(branches[0], variants=tuple(branches[1:]))
    references = [each for share in given for s in share.satellites for each in references_of(s)]
    if references:  # what fails may stand in the satellite, and is found on its parent
        note_references(received, references)
    return received


def _receive_in_branch(parent: Resource, shares: Sequence[_Share]) -> Resource:
    properties, related = parent.properties, parent.related
    places: dict[Path, Locator] = {}
    for share in shares:
        taken, doubts = _in_branch(share, parent)
        if not taken and not doubts:
            continue
        steps = tuple(share.declared.into.split("."))
        if steps[0] == "related":
            related, start = _append(related, steps[1:], taken, doubts)
        else:
            properties, start = _append(properties, steps, taken, doubts)
        for index, satellite in enumerate(taken, start):
            places[(*steps, index)] = satellite.locate
    locate = _Places(parent.locate, places) if places else parent.locate
    return replace(parent, properties=properties, related=related, locate=locate)


def _in_branch(share: _Share, parent: Resource) -> tuple[list[Resource], list[Unresolved]]:
    """Return the satellites that are surely there in a parent's branch, and the doubts."""
    agreeing = [s for s in share.satellites if _agree(s.branch, parent.branch)]
    known = (parent.branch or {}).keys()
    certain = [s for s in agreeing if s.branch is None or s.branch.keys() <= known]
    distinct = list({id(s): s for s in certain}.values())
    doubts = list(share.doubts)
    if len(certain) != len(agreeing):
        doubts.append(Unresolved("too_many_branches", f"`{share.declared.type}` differs between branches"))
    return distinct, doubts


def _agree(first: Mapping[str, bool] | None, second: Mapping[str, bool] | None) -> bool:
    if not first or not second:
        return True
    return all(second.get(name, value) == value for name, value in first.items())


def _append(
    root: dict[str, Any], steps: Sequence[str], taken: Sequence[Resource], doubts: Sequence[Unresolved]
) -> tuple[dict[str, Any], int]:
    """Return a copy of ``root`` with elements added to the list at ``steps``, and the first index."""
    root = copy(root)
    at = root
    for step in steps[:-1]:
        inner = at.get(step, getattr(at, "more", ABSENT))
        if isinstance(inner, Unresolved):
            inner = OpenDict({}, inner)
        made: dict[str, Any] = copy(inner) if isinstance(inner, dict) else {}
        at[step] = made
        at = made
    old = at.get(steps[-1], getattr(at, "more", ABSENT))
    elements, more = _elements(old)
    start = len(elements)
    elements += [satellite.properties for satellite in taken]
    more = more or (doubts[0] if doubts else None)
    at[steps[-1]] = elements if more is None else OpenList(elements, more)
    return root, start


def _elements(value: Any) -> tuple[list[Any], Unresolved | None]:
    if value is ABSENT:
        return [], None
    if isinstance(value, Unresolved):
        return [], value
    if isinstance(value, list):
        return list(value), value.more if isinstance(value, OpenList) else None
    return [value], None


class _Places:
    """Locator of a parent: folded elements answer for themselves."""

    __slots__ = ("_folded", "_own")

    def __init__(self, own: Locator, folded: Mapping[Path, Locator]) -> None:
        self._own = own
        self._folded = folded

    def __call__(self, path: Path) -> Location | None:
        for length in range(len(path), 0, -1):
            found = self._folded.get(path[:length])
            if found is not None:
                return found(path[length:])
        return self._own(path)
