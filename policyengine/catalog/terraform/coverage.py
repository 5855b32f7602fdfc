"""What a mapping can say: the difference between "Terraform sets nothing" and "we do not read it"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from policyengine.catalog import registry
from policyengine.catalog import terraform as tables
from policyengine.catalog.schema import Schema
from policyengine.catalog.terraform.language import Field

Tree = dict[str, Any]
"""Property -> the tree below it; an empty tree is a whole value, read with all that is in it."""

Path = tuple[str | int, ...]
"""Steps; the elements of a list have no step of their own."""


def _add(tree: Tree, path: Sequence[str], below: Tree | None = None) -> None:
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
    tree.setdefault(path[-1], {}).update(below or {})


def _of_fields(fields: Sequence[Field], tree: Tree) -> Tree:
    for field in fields:
        _add(tree, field.target, _of_fields(field.fields, {}) if field.fields is not None else {})
    return tree


@cache
def settable(terraform_type: str) -> Mapping[str, Any]:
    """Return the tree of canonical properties that plans with this type can set, parts included."""
    mapped = tables.mapping(terraform_type)
    if mapped is None:
        return {}
    tree = _of_fields(mapped.fields, {})
    for part in tables.parts_of(mapped.to):
        _of_fields(part.fields, tree)
        for path in (*part.append, *part.constants):
            _add(tree, path.split("."))
    attributes = (mapped.attributes[0],) if mapped.attributes else ()
    physical = (mapped.physical,) if mapped.physical else ()
    for path in (*mapped.constants, *mapped.sets.split(), *attributes, *physical):
        _add(tree, path.split("."))
    return tree


def supports(terraform_type: str, path: Path) -> bool:
    """Say whether a plan can set the canonical property at ``path``.

    True too for what Terraform has no way to set: leaving it out is then certain.
    """
    mapped = tables.mapping(terraform_type)
    if mapped is not None and any(
        ".".join(map(str, path[:n])) in mapped.absent.split() for n in range(1, len(path) + 1)
    ):
        return True
    tree: Any = settable(terraform_type)
    for step in path:
        if step not in tree:
            return False
        tree = tree[step]
        if not tree:
            return True
    return True


@cache
def gaps(terraform_type: str) -> Mapping[Path, tuple[str, ...]]:
    """Return object path -> canonical properties that the mapping of this type never sets.

    Properties AWS fills in (read-only) and those the registry does not have are left out: templates
    cannot show them either, and every source treats their absence alike.
    """
    mapped = tables.mapping(terraform_type)
    if mapped is None or mapped.partial:
        return {}
    schema = registry.schema(mapped.to)
    if schema is None:
        return {}
    extra = {path.split(".")[0] for path in schema.extra}
    tag = registry.tag_property(mapped.to)
    tags = tag.name.split(".")[0] if tag else "Tags"
    apart = {*schema.read_only, *extra, *mapped.absent.split(), tags, "Tags", "related"}
    found: dict[Path, tuple[str, ...]] = {}
    _gaps_below(schema, settable(terraform_type), (), frozenset(apart), found)
    return found


def _gaps_below(
    schema: Schema,
    tree: Mapping[str, Any],
    path: Path,
    apart: frozenset[str],
    found: dict[Path, tuple[str, ...]],
) -> None:
    names = schema.children(tuple(map(str, path)))
    if names and (tree or not path):
        missing = tuple(n for n in names if n not in tree and ".".join(map(str, (*path, n))) not in apart)
        if missing:
            found[path] = missing
    for name, below in tree.items():
        if below:
            _gaps_below(schema, below, (*path, name), apart, found)
