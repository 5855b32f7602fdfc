"""Runs a mapping over the tree of a Terraform resource and gives canonical properties.

Empty strings, empty lists and empty maps are how Terraform's state writes "not set"; they become
absence, as in a template that leaves the property out. A block that is there stays, even empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from policyengine.catalog.terraform.converters import CONVERTERS
from policyengine.catalog.terraform.language import Field
from policyengine.model.resource import Path
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.sources.terraform.values import Pending

_DEEPEST_JSON = 128

Trace = dict[Path, Path]
"""Canonical path -> path below the resource's ``after``."""


class Mapper:
    """Maps trees; ``trace`` records where each canonical value came from, when it is a dict."""

    def __init__(self, trace: Trace | None = None) -> None:
        self._trace = trace

    def note(self, out: Path, at: Path) -> None:
        """Record that the canonical value at ``out`` came from ``at``."""
        if self._trace is not None:
            self._trace.setdefault(out, at)

    def map(self, fields: Sequence[Field], tree: Any, at: Path = (), out: Path = ()) -> dict[str, Any]:
        """Return the properties that ``fields`` make of ``tree`` (JSON, Unresolved and OpenList leaves)."""
        found: dict[str, Any] = {}
        for field in fields:
            source, origin = _step(tree, field.source, at)
            value = self._value(field, source, origin, (*out, *field.target))
            if value is not None and _put(found, field.target, value) and self._trace is not None:
                self._trace.setdefault((*out, *field.target), origin)
        return found

    def _value(self, field: Field, source: Any, at: Path, out: Path) -> Any:
        if source is None or source == "":
            return None
        if isinstance(source, Pending):
            return source.many() if field.many and field.fields is None else source.scalar()
        if isinstance(source, Unresolved):
            return source
        if field.fields is not None:
            return self._block(field, source, at, out)
        for name in field.converters:
            before = source
            source = _json(source) if name == "json" else _convert(name, source)
            if source is None or isinstance(source, Unresolved):
                return source
            if isinstance(before, list) and isinstance(source, dict):
                source = _open(before, settle(source))
        if field.many and not isinstance(source, list):
            source = [source]
        if source in ([], {}):
            return None
        return self._plain(source, at, out)

    def _block(self, field: Field, source: Any, at: Path, out: Path) -> Any:
        blocks = source if isinstance(source, list) else [source]
        if not blocks:
            return None
        assert field.fields is not None  # the caller looked
        if not field.many:
            first = blocks[0]
            below = (*at, 0) if isinstance(source, list) else at
            return self._one(field.fields, first, below, out)
        return [
            self._one(field.fields, block, (*at, n) if isinstance(source, list) else at, (*out, n))
            for n, block in enumerate(blocks)
        ]

    def _one(self, fields: Sequence[Field], block: Any, at: Path, out: Path) -> Any:
        if isinstance(block, Pending):
            return block.scalar()
        if not isinstance(block, dict):
            return block if isinstance(block, Unresolved) else _wrong(block, "a block")
        if self._trace is not None:
            self._trace.setdefault(out, at)
        return self.map(fields, block, at, out)

    def _plain(self, value: Any, at: Path, out: Path) -> Any:
        if isinstance(value, list) and self._trace is not None:
            for n in range(len(value)):
                self._trace.setdefault((*out, n), (*at, n))
        return settle(value)


def _open(blocks: list[Any], found: dict[str, Any]) -> Any:
    """Return a map made of blocks by their names, open where a block or its name is not known."""
    for block in blocks:
        name = block.get("name") if isinstance(block, dict) else block
        if isinstance(name, Pending | Unresolved):
            more = name.scalar() if isinstance(name, Pending) else name
            return OpenDict(found, more) if found else more
    return found


def settle(value: Any) -> Any:
    """Return a value as the model knows it: no Pending, no nulls."""
    if isinstance(value, Pending):
        return value.scalar()
    if isinstance(value, OpenList | OpenDict):
        return value
    if isinstance(value, list):
        return [settle(v) for v in value if v is not None]
    if isinstance(value, dict):
        return {k: settle(v) for k, v in value.items() if v is not None}
    return value


def _step(tree: Any, source: Sequence[str], at: Path) -> tuple[Any, Path]:
    """Follow a dotted source through single blocks."""
    value = tree
    for position, name in enumerate(source):
        if position and isinstance(value, list):
            value, at = (value[0] if value else None), (*at, 0)
        if isinstance(value, Pending | Unresolved):
            return value, at
        value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            return None, at
        at = (*at, name)
    return value, at


def _put(found: dict[str, Any], target: Sequence[str], value: Any) -> bool:
    """Set a nested property unless a field before has set it; say whether it was set."""
    place = found
    for step in target[:-1]:
        below = place.setdefault(step, {})
        if not isinstance(below, dict):
            return False
        place = below
    if target[-1] in place:
        known = place[target[-1]]
        if isinstance(known, dict) and isinstance(value, dict):
            for key, inner in value.items():
                known.setdefault(key, inner)
        return False
    place[target[-1]] = value
    return True


def put(properties: dict[str, Any], dotted: str, value: Any) -> None:
    """Set a property by its dotted path unless it has a value."""
    _put(properties, dotted.split("."), value)


def _convert(name: str, value: Any) -> Any:
    conversion = CONVERTERS[name]
    assert conversion is not None  # only `json` has none, and it never comes here
    return conversion(value)


def _json(value: Any) -> Any:
    """Parse JSON text; never repeats the text in a message, since it may hold a secret."""
    if not isinstance(value, str):
        return value
    return parse_json(value)


def parse_json(text: str) -> Any:
    """Return the value of JSON text, or Unresolved when it is none or nested too deep."""
    if text.count("[") + text.count("{") > _DEEPEST_JSON and _depth(text) > _DEEPEST_JSON:
        return Unresolved("unsupported", f"JSON nested deeper than {_DEEPEST_JSON}", present=True)
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return Unresolved("unsupported", "the text is no JSON", present=True)
    return None if value is None else settle(value)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _depth(text: str) -> int:
    """Return an upper bound of the nesting: brackets inside strings count too."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _wrong(value: Any, wanted: str) -> Unresolved:
    kind = "a list" if isinstance(value, list) else type(value).__name__
    return Unresolved("unsupported", f"{kind} where {wanted} should be", present=True)


def fill_gaps(properties: dict[str, Any], gaps: Mapping[Path, Sequence[str]], terraform_type: str) -> None:
    """Mark what the mapping does not cover as Unresolved, so that only knowledge counts as absence.

    ``gaps`` maps the path of an object (a list's elements have no step) to the property names below it
    that the mapping of this type never sets although the canonical type has them.
    """
    unknown = Unresolved("unsupported", f"not read from `{terraform_type}`")
    for path, names in gaps.items():
        for place in _objects(properties, path):
            for name in names:
                place.setdefault(name, unknown)


def _objects(value: Any, path: Path) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for element in value for found in _objects(element, path)]
    if not isinstance(value, dict):
        return []
    if not path:
        return [value]
    below = value.get(str(path[0]))
    return _objects(below, path[1:]) if below is not None else []
