"""Fitting what an API or AWS Config says into the canonical shape of a type.

Names differ by case (``kmsKeyId``, ``dBInstanceIdentifier``), maps come as lists of pairs and documents as
text; what the canonical shape does not have is left out. Everything else needs a rename in the collector's
declaration, or code.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

from policyengine.catalog import registry
from policyengine.catalog.schema import Node, Schema
from policyengine.model.values import OpenList, Unresolved
from policyengine.sources.snapshot.lines import decode_line
from policyengine.sources.snapshot.problems import LineError

Json = dict[str, Any]
Renames = Mapping[str, str]
"""Dotted path of the API, lists stepped through -> dotted path from the same object on; ``""`` leaves it out."""

NO_RENAMES: Final[Renames] = {}
_MAX_DOCUMENT: Final = 1_000_000
_MAX_DEPTH: Final = 100
_KEYS: Final = ("key", "tagkey", "name", "parameterkey", "parametername")
_VALUES: Final = ("value", "tagvalue", "parametervalue")


def fit(type: str, item: Mapping[str, Any], renames: Renames = NO_RENAMES, *, below: str = "") -> Json:
    """Return ``item`` as properties of a type; ``below`` is the path of the object it belongs to.

    Raises KeyError for a type or path the catalog does not have.
    """
    schema = registry.schema(type)
    node = schema.find(tuple(below.split(".")) if below else ()) if schema is not None else None
    if schema is None or node is None:
        raise KeyError(f"the catalog has no `{below or type}` of `{type}`")
    while isinstance(node, list):
        node = schema.resolve(node[0])
    if node == "j":
        return {name: _scalar(value, "j") for name, value in item.items() if value is not None}
    return _Fitter(schema, renames).object(item, node, "")


def fit_value(type: str, path: str, value: Any, renames: Renames = NO_RENAMES) -> Any:
    """Return ``value`` in the shape of the property at a dotted path. Raises KeyError as :func:`fit`."""
    schema = registry.schema(type)
    node = schema.find(tuple(path.split("."))) if schema is not None else None
    if schema is None or node is None:
        raise KeyError(f"the catalog has no `{path}` of `{type}`")
    return _Fitter(schema, renames).value(value, node, "")


class _Fitter:
    def __init__(self, schema: Schema, renames: Renames) -> None:
        self._schema = schema
        self._renames = renames

    def value(self, value: Any, node: Node, path: str) -> Any:
        node = self._schema.resolve(node)
        if isinstance(value, Unresolved):
            return value
        if isinstance(node, list):
            return self._list(value, node[0], path)
        if isinstance(node, dict):
            if not node:  # declared as an object and no more: whatever stands in it
                return _scalar(value, "j")
            if "*" in node:
                return self._map(value, node, path)
            if isinstance(value, list):  # one object where a list is given: the shapes do not meet
                return [self.value(element, node, path) for element in value if element is not None]
            return self.object(value, node, path) if isinstance(value, Mapping) else _scalar(value, "j")
        return _scalar(value, node)

    def object(self, item: Mapping[str, Any], node: Mapping[str, Node], path: str) -> Json:
        names = _by_case(tuple(node))
        fitted: Json = {}
        for name, value in item.items():
            if value is None:
                continue
            at = f"{path}.{name}" if path else name
            target = self._renames.get(at)
            if target is None:
                own = name if name in node else names.get(name.casefold())
                if own is not None:
                    fitted[own] = self.value(value, node[own], at)
            elif target:
                self._put(fitted, node, target, value, at)
        return fitted

    def _put(self, fitted: Json, node: Mapping[str, Node], target: str, value: Any, at: str) -> None:
        *steps, last = target.split(".")
        here: Node = node
        for step in steps:
            here = self._schema.resolve(here[step])
            fitted = fitted.setdefault(step, {})
        fitted[last] = self.value(value, here[last], at)

    def _list(self, value: Any, element: Node, path: str) -> Any:
        if isinstance(value, Mapping):
            items = value.get("Items", value.get("items"))
            if isinstance(items, list):  # CloudFront: {"Quantity": 2, "Items": [...]}
                value = items
            elif "Quantity" in value or "quantity" in value:
                return []
            else:
                return [self.value(value, element, path)]
        if not isinstance(value, list | tuple | set):
            return [self.value(value, element, path)]
        fitted = [self.value(each, element, path) for each in value if each is not None]
        return OpenList(fitted, value.more) if isinstance(value, OpenList) else fitted

    def _map(self, value: Any, node: Mapping[str, Node], path: str) -> Any:
        """Free keys, of which some may be declared."""
        if isinstance(value, list):
            pairs = [_pair(each) for each in value]
            if None not in pairs:
                value = dict(pair for pair in pairs if pair is not None)
        if not isinstance(value, Mapping):
            return _scalar(value, "j")
        return {
            str(key): self.value(each, node.get(str(key), node["*"]), path)
            for key, each in value.items()
            if each is not None
        }


def properties_by_case(type: str) -> Mapping[str, str]:
    """Return lower-case name -> top-level property of a type, where only one has those letters."""
    return _by_case(registry.top_level(type))


@cache
def _by_case(names: tuple[str, ...]) -> dict[str, str]:
    """Lower-case name -> name, where only one name has those letters."""
    found: dict[str, str] = {}
    twice = set()
    for name in names:
        key = name.casefold()
        if found.setdefault(key, name) != name:
            twice.add(key)
    return {key: name for key, name in found.items() if key not in twice}


def _pair(element: Any) -> tuple[str, Any] | None:
    if not isinstance(element, Mapping):
        return None
    found = {str(key).casefold(): value for key, value in element.items()}
    key = next((found[name] for name in _KEYS if name in found), None)
    value = next((found[name] for name in _VALUES if name in found), None)
    return (key, value) if isinstance(key, str) else None


def _scalar(value: Any, node: Node) -> Any:
    """Dates as RFC 3339 in UTC, bytes as base64, a document as what it says; the rest as it is."""
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {str(key): _scalar(each, "j") for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple | set):
        return [_scalar(each, "j") for each in value if each is not None]
    if node == "j" and isinstance(value, str):
        return document(value)
    if not isinstance(value, str | int | float | bool) and hasattr(value, "read"):
        raise TypeError("a stream is no property: read it in the collector")
    return value


def document(text: str) -> Any:
    """Return the JSON object or list that a text holds, percent-encoded or not; other text as it is.

    IAM's answers and AWS Config percent-encode policy documents (RFC 3986). What two readers would read
    differently, or no snapshot can hold, stays a text: a key that stands twice, a number that is not finite, half
    of a surrogate pair.
    """
    start = text.lstrip()[:3]
    if start.startswith(("%7B", "%7b")):
        text = unquote(text)
        start = "{"
    if not start.startswith(("{", "[")) or len(text) > _MAX_DOCUMENT or _depth(text) > _MAX_DEPTH:
        return text
    try:
        return decode_line(text.encode())
    except (LineError, UnicodeEncodeError):
        return text


def _depth(text: str) -> int:
    """At least how deep the brackets of a text nest; those within strings count too."""
    depth = deepest = 0
    for char in text:
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 text in UTC, to the second."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def tags_of(value: Any) -> dict[str, str]:
    """Return tags as a map, from a map or a list of pairs in any spelling; what is no pair is left out."""
    if isinstance(value, Mapping):
        return {str(key): "" if each is None else str(each) for key, each in value.items()}
    pairs = [_pair(each) for each in value] if isinstance(value, list) else []
    return {pair[0]: "" if pair[1] is None else str(pair[1]) for pair in pairs if pair is not None}
