"""What the rules in use ask about other resources: which types side tables must hold, and of them how much.

A type that relations reach across accounts only by name needs no table of every such resource: those
that somebody names are enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from policyengine.engine.references import ACROSS
from policyengine.engine.rule import predicate_names
from policyengine.engine.world import INDIRECT
from policyengine.rules.predicates.table import PREDICATES


class Reach(NamedTuple):
    """Types that are reached, by how far and in which way.

    ``local``: within the account. ``whole``: across accounts, all of the type. ``named``: type -> (type
    that asks, path to the names) for those reached across accounts by name only.
    """

    local: frozenset[str]
    whole: frozenset[str]
    named: Mapping[str, frozenset[tuple[str, str]]]


def reach_of(forms: Iterable[Mapping[str, Any]]) -> Reach:
    """Return what these rules reach."""
    local: set[str] = set()
    whole: set[str] = set()
    named: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for variant in (variant for form in forms for variant in form["variants"]):
        for tree in (variant["when"], variant["require"]):
            for name in predicate_names(tree):
                predicate = PREDICATES[name]
                local.update(predicate.needs_about(variant["types"]))
                whole.update(predicate.wide)
        for relation in variant["with"].values():
            type_ = relation["to"]
            if relation["scope"] != ACROSS:
                local.add(type_)
            elif _by_name(relation, variant):
                named[type_].update((asking, relation["via"]) for asking in variant["types"])
            else:
                whole.add(type_)
    for known in (local, whole):
        known.update(INDIRECT[type_][0] for type_ in known & INDIRECT.keys())
    return Reach(
        frozenset(local),
        frozenset(whole),
        {type_: frozenset(asking) for type_, asking in named.items() if type_ not in whole},
    )


def _by_name(relation: Mapping[str, Any], variant: Mapping[str, Any]) -> bool:
    """Whether a relation looks up names, and the types that hold them are known."""
    return (
        relation["via"] is not None
        and relation["key"] is None
        and relation["to"] not in INDIRECT
        and "taggable" not in variant["types"]
    )
