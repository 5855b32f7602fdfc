"""The one place to ask the catalog: what a type has, defaults to, relates to, and is tagged by.

Everything but :func:`schema` is cheap: the declarations of a service are imported when one of its types
is asked for, the generated files in ``data/`` are read when first needed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from policyengine.catalog.modules import Modules
from policyengine.catalog.schema import Kind, Node, Schema, parse_kind, split_path, transplant
from policyengine.catalog.spec import Default, Relation, Satellite, TypeSpec

__all__ = [
    "Default", "Handlers", "Kind", "Relation", "Satellite", "Schema", "TagProperty", "TypeSpec", "covered",
    "declared_types", "default", "handlers",
    "names", "relation", "relations", "satellites", "schema", "schema_data", "schema_origin", "secrets", "spec",
    "tag_property", "taggable", "taggable_types", "top_level",
]  # fmt: skip


class TagProperty(NamedTuple):
    """How a type carries its tags: ``shape`` is ``list`` (of ``{Key, Value}``) or ``map``.

    ``name`` is the property, dotted, ``*`` for the elements of a list on the way: ``Tags``,
    ``HostedZoneTags``, ``Tags.Items``, and for two types ``TagSpecifications.*.Tags``.
    """

    name: str
    shape: str


def _module(name: str) -> dict[str, TypeSpec]:
    declared: tuple[TypeSpec, ...] = import_module(f"policyengine.catalog.types.{name}").TYPES
    return {d.name: d for d in declared}


@cache
def _types() -> Modules[TypeSpec]:
    from policyengine.catalog.types import MODULES

    return Modules(MODULES, _module)


def declared_types() -> dict[str, TypeSpec]:
    """Import every module and return all declarations: what the generated index is made from.

    Raises ValueError for a type that is declared twice or in a module not listed for its service.
    """
    return _types().all()


@cache
def _data(name: str) -> Any:
    with open(os.path.join(os.path.dirname(__file__), "data", name), "rb") as file:  # noqa: PTH118, PTH120, PTH123  # pathlib takes longer to import
        return json.load(file)


def schema_data() -> Mapping[str, Any]:
    """Return type -> compact registry schema, of covered types and their satellites (``catalog/schema.py``)."""
    types: Mapping[str, Any] = _data("schemas.json")["types"]
    return types


def schema_origin() -> Mapping[str, str]:
    """Return ``schema_date`` and ``cfn_lint``: where the generated files come from."""
    return {key: value for key, value in _data("schemas.json").items() if key != "types"}


class Handlers(NamedTuple):
    """How the Cloud Control API reads a type.

    ``list`` and ``read`` are the IAM actions its handlers need, None where the type has no such handler;
    ``needs`` the properties a listing must be told; ``write_only`` dotted paths it never gives.
    """

    list: tuple[str, ...] | None
    read: tuple[str, ...] | None
    needs: tuple[str, ...]
    write_only: tuple[str, ...]


def handlers(type: str) -> Handlers:
    """Return how Cloud Control reads a type; no handlers for a type the registry does not have."""
    found = _data("handlers.json")["types"].get(type, {})
    actions = {name: tuple(found[name]) if name in found else None for name in ("list", "read")}
    return Handlers(
        actions["list"], actions["read"], tuple(found.get("needs", ())), tuple(found.get("wo", ()))
    )


@cache
def spec(type: str) -> TypeSpec | None:
    """Return our declarations for a type; None when it is not covered."""
    return _types().find(type)


@cache
def covered() -> tuple[str, ...]:
    """Return the types we have declarations for, sorted."""
    return tuple(_data("index.json")["covered"])


@cache
def _tag_properties() -> dict[str, TagProperty]:
    return {
        type: TagProperty(name, shape)
        for name, shapes in _data("taggable.json")["types"].items()
        for shape, types in shapes.items()
        for type in types
    }


def tag_property(type: str) -> TagProperty | None:
    """Return where a type's tags stand; None when the registry says it cannot be tagged."""
    return _tag_properties().get(type)


def taggable(type: str) -> bool:
    """Say whether a type can be tagged, covered by us or not."""
    return type in _tag_properties()


@cache
def taggable_types() -> frozenset[str]:
    """Return every type that can be tagged."""
    return frozenset(_tag_properties())


@cache
def satellites() -> Mapping[str, tuple[tuple[str, Satellite], ...]]:
    """Return satellite type -> ((type it is folded into, how), …)."""
    return {
        type: tuple((parent, Satellite(type, by, into)) for parent, by, into in parents)
        for type, parents in _data("index.json")["satellites"].items()
    }


def names(type: str) -> tuple[str, ...]:
    """Return the properties whose value names a resource of this type."""
    found = spec(type)
    return found.names if found else ()


def secrets(type: str) -> frozenset[str]:
    """Return the last path segments whose values are never shown."""
    found = spec(type)
    return frozenset(found.secrets) if found else frozenset()


@cache
def _relations(type: str) -> dict[str, Relation]:
    found = spec(type)
    return {r.name: r for r in found.relations} if found else {}


def relation(type: str, name: str) -> Relation | None:
    """Return a relation of a type by name; None when there is none of that name."""
    return _relations(type).get(name)


def relations(type: str) -> tuple[str, ...]:
    """Return the names of a type's relations, for suggestions."""
    return tuple(_relations(type))


@cache
def _defaults(type: str) -> dict[str, Default]:
    found = spec(type)
    return {".".join(split_path(d.path)): d for d in found.defaults} if found else {}


def default(type: str, path: tuple[str, ...] | str) -> Default | None:
    """Return what AWS does when the property at ``path`` is absent; None when we state nothing.

    ``path`` is a tuple of steps, or the steps joined with dots (quotes around a step are dropped).
    Lists are stepped through without a step of their own; a step ``*`` for their elements is ignored.
    """
    text = path if isinstance(path, str) else ".".join(path)
    return _defaults(type).get(text.replace('"', "").replace(".*", ""))


@cache
def schema(type: str) -> Schema | None:
    """Return the property tree of a covered type; None for any other. Reads the big schema file."""
    declared = spec(type)
    if declared is None:
        return None
    types = schema_data()
    extra: dict[str, Node] = {path: parse_kind(kind) for path, kind in declared.extra}
    found = Schema(type, types.get(type, {}), extra)
    for name in declared.related:
        found.add_related(name, "j", {})
    for satellite in declared.satellites:
        name = satellite.into.removeprefix("related.")
        if name != satellite.into:
            found.add_related(name, *_satellite_node(satellite.type, types))
    return found


@lru_cache(maxsize=1024)  # files may name any number of types
def top_level(type: str) -> tuple[str, ...]:
    """Return the top-level properties of a type, sorted; () for one that is not covered."""
    found = schema(type)
    return tuple(name for name in found.children() if name != "related") if found is not None else ()


def _satellite_node(type: str, types: Mapping[str, Any]) -> tuple[Node, dict[str, Node]]:
    properties, definitions = transplant(types[type], type)
    own = spec(type)
    for path, kind in own.extra if own else ():
        properties[path] = parse_kind(kind)
    return properties, definitions
