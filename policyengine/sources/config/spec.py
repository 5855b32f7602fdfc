"""How AWS Config's items of a type become the canonical resource: a declaration for each type (docs/aws-config.md).

Names that differ only by case fit by themselves. A property that an item lacks is not known, unless ``recorded`` says
that AWS Config records it where there is one: then there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from policyengine.sources.config.item import Item
from policyengine.sources.shaping import NO_RENAMES, Renames

Json = dict[str, Any]
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Part(NamedTuple):
    """An entry of ``supplementaryConfiguration``.

    ``into`` is the canonical dotted path it is put at; ``related.NAME`` takes a list of satellites. ``shape`` is given
    what was recorded and the item; None means that there is nothing, which is known then.
    """

    name: str
    into: str
    rename: Renames = NO_RENAMES
    shape: Callable[[Any, Item], Any] | None = None


class ConfigType(NamedTuple):
    """One type.

    ``config`` is AWS Config's name where it is not ``type``; a name with ``/`` is one of the ``kinds`` of another.
    ``id`` is the canonical property whose value users know the resource by, or a template
    (``{RestApiId}|{StageName}``); without it the first naming property of the catalog.
    ``rename`` leads from dotted names of the item, in any case, to canonical ones. ``shape`` makes what is fitted from
    an item: ABSENT in it is known to be absent, None is not said. ``parts`` are what stands beside the configuration.
    ``recorded`` are top-level properties (``related.NAME`` too) that AWS Config records wherever the resource has
    them. ``unknown`` are dotted paths, lists stepped through, that are not known where an item lacks them although the
    object they belong to was recorded.
    """

    type: str
    config: str = ""
    id: str = ""
    rename: Renames = NO_RENAMES
    shape: Callable[[Item], Json] | None = None
    parts: tuple[Part, ...] = ()
    recorded: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    kinds: Mapping[str, str] = _NONE
    """Value of ``configuration.engine`` -> the suffix of the declaration, e.g. ``docdb``."""


def said(found: Json, given: Json, sources: Mapping[str, str]) -> Json:
    """Return what a shape made, without what it made of names that the item lacks: nothing is known of those.

    ``sources`` leads from a made name to the item's, in any case.
    """
    there = {name.casefold() for name in given}
    return {name: value for name, value in found.items() if sources.get(name, "").casefold() in {*there, ""}}


def first(value: Any) -> Any:
    """Return the one element of a list, or what is no list; None of an empty one."""
    if isinstance(value, list):
        return value[0] if value else None
    return value


def each(value: Any, name: str) -> list[Any]:
    """Return ``element[name]`` of a list of objects, elements that are texts as they are."""
    if not isinstance(value, list):
        return []
    found = [element.get(name) if isinstance(element, dict) else element for element in value]
    return [one for one in found if one is not None]


def objects(value: Any) -> list[Json]:
    """Return the objects among the elements of a list."""
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def under(value: Any, *names: str) -> Any:
    """Return what stands below names, one after the other; None where nothing does."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def flag(value: Any) -> Any:
    """Return the boolean that a text stands for; other values as they are."""
    if isinstance(value, str) and value.casefold() in ("true", "false"):
        return value.casefold() == "true"
    return value
