"""Whether a change of one resource can change what a rule sees from another: by the names that relations follow.

Where a rule reads all resources of a type, every change of one may.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policyengine.engine.references import candidate_names, leaves, names_of, values_at
from policyengine.engine.rule import predicate_names
from policyengine.engine.world import INDIRECT
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.rules.predicates.table import PREDICATES

Relation = Mapping[str, Any]
_ALIAS = "alias/"
"""What names of KMS aliases hold: which key one stands for, another resource says
(https://docs.aws.amazon.com/kms/latest/developerguide/alias-about.html)."""
Links = Sequence[Relation] | None
"""The relations by which a rule reaches a type; None where it reads all of them."""


def links_of(variant: Mapping[str, Any], type_: str, about: str) -> Links:
    """Return how a rule's variant finds resources of the type ``about`` from one of ``type_``."""
    for tree in (variant["when"], variant["require"]):
        for name in predicate_names(tree):
            predicate = PREDICATES[name]
            if about in predicate.wide or about in predicate.needs_about((type_,)):
                return None
            if any(
                INDIRECT.get(each, ("",))[0] == about
                for each in (*predicate.wide, *predicate.needs_about((type_,)))
            ):
                return None
    relations = list(variant["with"].values())
    if any(INDIRECT.get(relation["to"], ("",))[0] == about for relation in relations):
        return None
    found = [relation for relation in relations if relation["to"] == about]
    if any(relation["via"] is None and relation["by"] is None for relation in found):
        return None
    return found


class Changed:
    """A resource before and after, to be asked whom it concerns."""

    def __init__(self, before: Resource | None, after: Resource | None) -> None:
        self.states = [state for state in (before, after) if state is not None]
        self._named: dict[str, frozenset[str] | None] = {}

    def concerns(self, resource: Resource, links: Links) -> bool:
        """Whether a rule with these links may see it from ``resource``."""
        return links is None or any(self._follows(relation, resource) for relation in links)

    def _follows(self, relation: Relation, resource: Resource) -> bool:
        if relation["via"] is None:
            named = self._by(relation["by"])
            return named is None or not named.isdisjoint(names_of(resource))
        names = self._names() | self._keys(relation["key"])
        found = _names_in(values_at(resource, relation["via"].split(".")))
        through = relation["to"] in INDIRECT
        return any(name in names or (through and _ALIAS in name) for name in found)

    def _names(self) -> set[str]:
        return {name for state in self.states for name in names_of(state)}

    def _keys(self, key: str | None) -> set[str]:
        if key is None:
            return set()
        found = (value for state in self.states for value in leaves(state.properties, key.split(".")))
        return {value for value in found if isinstance(value, str)}

    def _by(self, path: str) -> frozenset[str] | None:
        """What it names at a path; None where that is not known, so that it may be anything."""
        if path not in self._named:
            values = [value for state in self.states for value in values_at(state, path.split("."))]
            doubtful = any(isinstance(value, Unresolved) for value in values)
            self._named[path] = None if doubtful else frozenset(_names_in(iter(values)))
        return self._named[path]


def _names_in(values: Iterator[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield from candidate_names(value)
        elif isinstance(value, Unresolved) and value.target is not None:
            yield value.target[0]
