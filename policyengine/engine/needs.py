"""What rules read of each type, so that only those calls are made that some rule needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policyengine.catalog import registry
from policyengine.engine.rule import predicate_names
from policyengine.engine.world import INDIRECT
from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.table import PREDICATES

Form = Mapping[str, Any]
Paths = dict[str, set[str]]
ANY = "*"


def needs_of(forms: Iterable[Form]) -> dict[str, frozenset[str]]:
    """Return type -> the dotted paths rules read (``tags``, ``related.NAME.…`` too), ``*`` where it may be any of it.

    Lists are stepped through without a step. The pseudo-type ``taggable`` stands for every type that can be
    tagged. A predicate that does not say what it reads reads everything of what it looks at.
    """
    found: Paths = {}
    for form in forms:
        for variant in form["variants"]:
            _of_variant(variant, found)
    return {type: frozenset(paths) for type, paths in found.items()}


def top_names(needs: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return the same by top-level names: ``Encryption`` for ``Encryption.Key``, ``related.policies``."""
    return {type: frozenset(_top(path) for path in paths) for type, paths in needs.items()}


def _top(path: str) -> str:
    steps = path.split(".")
    return ".".join(steps[:2]) if steps[0] == "related" else steps[0]


def _of_variant(variant: Form, found: Paths) -> None:
    types = tuple(variant["types"])
    for type in types:
        found.setdefault(type, set())
    for relation in variant["with"].values():
        found.setdefault(relation["to"], set())
        _of_relation(relation, types, found)
    for tree in (variant["when"], variant["require"]):
        if tree is not None:
            _of_tree(tree, types, variant["with"], (), found)
        for name in predicate_names(tree):
            _of_tables(PREDICATES[name], types, found)


def _of_tables(predicate: Predicate, types: tuple[str, ...], found: Paths) -> None:
    """What a predicate looks up in side tables it may read whole, and what stands behind that."""
    for type in (*predicate.wide, *predicate.needs_about(types)):
        behind = INDIRECT[type][0] if type in INDIRECT else type
        _add(found, (type, behind), ANY)


def _of_relation(relation: Form, types: tuple[str, ...], found: Paths) -> None:
    if relation["to"] in INDIRECT:
        alias, target = INDIRECT[relation["to"]]
        for name in (target, *registry.names(alias)):
            _add(found, (alias,), name)
    if relation["via"]:
        _add(found, types, relation["via"])
        for name in (relation["key"],) if relation["key"] else registry.names(relation["to"]):
            _add(found, (relation["to"],), name)
    elif relation["by"]:
        _add(found, (relation["to"],), relation["by"])


def _of_tree(
    tree: Form, types: tuple[str, ...], relations: Mapping[str, Form], base: tuple[str, ...], found: Paths
) -> None:
    """``base`` is the path of the list whose elements the check is about."""
    operation = tree["op"]
    if operation == "predicate":
        _of_predicate(tree, types, relations, base, found)
        return
    for child in tree.get("checks", ()):
        _of_tree(child, types, relations, base, found)
    if "root" not in tree:
        return
    asked, path = _path(tree, types, relations, base)
    if path:
        _add(found, asked, ".".join(path))
    if tree.get("check"):
        _of_tree(tree["check"], asked, relations, path, found)


def _path(
    tree: Form, types: tuple[str, ...], relations: Mapping[str, Form], base: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    root, steps = tree["root"], tuple(str(step) for step in tree["steps"] if step != "*")
    if root == "with":
        return (relations[steps[0]]["to"],), steps[1:]
    if root == "tags":
        return types, ("tags",)
    if root == "resource":
        return types, ("tags",) if steps[:1] == ("tags",) else ()
    if root == "related":
        return types, ("related", *steps)
    return types, (*base, *steps) if root == "element" or not tree.get("in_resource", True) else steps


def _of_predicate(
    tree: Form, types: tuple[str, ...], relations: Mapping[str, Form], base: tuple[str, ...], found: Paths
) -> None:
    predicate = PREDICATES[tree["name"]]
    for name, value in tree["args"].items():
        kind = predicate.args[name].kind
        if kind == "path":
            steps = [str(step) for step in value["path"] if step != "*"]
            _add(found, types, ".".join((*base, *steps)))
        elif kind == "alias":
            found.setdefault(relations[value]["to"], set()).add(ANY)
        elif name == predicate.reads_at:
            for path in value:
                _add(found, types, ".".join((*base, path)))
    for type in types:
        reads = predicate.reads(type) if callable(predicate.reads) else predicate.reads
        for path in (ANY,) if reads is None else reads:
            _add(found, (type,), path)


def _add(found: Paths, types: Iterable[str], path: str) -> None:
    for type in types:
        found.setdefault(type, set()).add(path.replace('"', ""))
