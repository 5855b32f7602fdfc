"""Typed parameters: checking a value against its declaration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 60
"""Characters of a wrong value that a message shows."""


def check_value(declaration: Mapping[str, Any], value: Any) -> str | None:
    """Return what is wrong with a value, or None.

    ``declaration`` has ``type`` and may have ``minimum``, ``maximum`` and ``enum``. ``json`` accepts
    anything, ``list:json`` any list.
    """
    kind: str = declaration["type"]
    if kind.startswith("list:"):
        if not isinstance(value, list):
            return f"expected a list, found {_shown(value)}"
        element = {**declaration, "type": kind[5:]}
        return next((p for p in (check_value(element, v) for v in value) if p), None)
    if not _has_type(kind, value):
        return f"expected {_ARTICLES[kind]}, found {_shown(value)}"
    minimum, maximum, enum = (declaration.get(k) for k in ("minimum", "maximum", "enum"))
    if minimum is not None and value < minimum:
        return f"{_shown(value)} is below the minimum {minimum}"
    if maximum is not None and value > maximum:
        return f"{_shown(value)} is above the maximum {maximum}"
    if enum is not None and value not in enum:
        return f"{_shown(value)} is not one of {', '.join(map(str, enum))}"
    return None


def _shown(value: Any) -> str:
    text = str(value)
    return f"`{text[:LONGEST]}…`" if len(text) > LONGEST else f"`{text}`"


_ARTICLES = {
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
    "json": "a value",
}


def _has_type(kind: str, value: Any) -> bool:
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    return True
