"""Who names whom: relations that are looked up from their far end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from policyengine.engine.references import candidate_names, names_of, values_at
from policyengine.engine.scopes import Place, place_of
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved


class Reverse:
    """Who names whom through one path of one type; ``across``: also in other accounts."""

    def __init__(self, resources: Iterable[Resource], by: str, across: bool) -> None:
        self._across = across
        self._by_name: dict[tuple[str, Place], list[Resource]] = defaultdict(list)
        self._by_target: dict[tuple[str | None, str], list[Resource]] = defaultdict(list)
        self._doubtful: dict[Place, list[tuple[Resource, Unresolved]]] = defaultdict(list)
        self._steps = by.split(".")
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        """Take a resource in, after those that are there."""
        for value in values_at(resource, self._steps):
            for among in self._among(resource, value):
                among.append(resource)
            if _is_doubt(value):
                self._doubtful[self._place(resource)].append((resource, value))

    def discard(self, resource: Resource) -> None:
        """Take out a resource, the very object that was added, as it was then."""
        for value in values_at(resource, self._steps):
            for among in self._among(resource, value):
                among.remove(resource)
            if _is_doubt(value):
                place = self._place(resource)
                self._doubtful[place] = [one for one in self._doubtful[place] if one[0] is not resource]

    def _place(self, resource: Resource) -> Place:
        return None if self._across else place_of(resource)

    def _among(self, resource: Resource, value: Any) -> Iterator[list[Resource]]:
        """Yield the lists of those who name what a value of a resource names."""
        if isinstance(value, str):
            for name in candidate_names(value):
                yield self._by_name[name, self._place(resource)]
        elif isinstance(value, Unresolved) and value.target is not None:
            yield self._by_target[resource.file, value.target[0]]

    def naming(self, resource: Resource) -> list[Resource]:
        """Return the resources that name this one, in order, each once."""
        found = list(self._by_target.get((resource.file, resource.id), ()))
        place = self._place(resource)
        for name in names_of(resource):
            found += self._by_name.get((name, place), ())
        return list({id(r): r for r in found}.values())

    def doubts(self, resource: Resource) -> Sequence[tuple[Resource, Unresolved]]:
        """Return those of which it is not known whom they name."""
        return self._doubtful.get(self._place(resource), ())


def _is_doubt(value: Any) -> bool:
    """Whether a value may name anything."""
    return isinstance(value, Unresolved) and value.target is None
