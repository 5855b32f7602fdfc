"""The tags of a resource as one map, from the property its type carries them in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from policyengine.catalog import registry
from policyengine.model.values import OpenDict, OpenList, Unresolved

Tags = dict[str, Any]


@lru_cache(maxsize=4096)
def tag_steps(type: str) -> tuple[str, ...] | None:
    """Return the steps to a type's tags (``*`` for list elements); None when it cannot be tagged."""
    found = registry.tag_property(type)
    return tuple(found.name.split(".")) if found else None


def read_tags(type: str, properties: Mapping[str, Any]) -> Tags | Unresolved | None:
    """Return key -> value (a string or Unresolved) as the properties say.

    None when the registry says the type cannot be tagged. Where some keys are not known, an
    OpenDict of those that are; Unresolved when no key is known, or when the property has a shape
    that cannot be read as tags.
    """
    steps = tag_steps(type)
    if steps is None:
        return None
    tags: Tags = {}
    more: Unresolved | None = None
    for found in _at(properties, steps):
        problem = _add(tags, found)
        more = more or problem
    if more is None:
        return tags
    return OpenDict(tags, more) if tags else more


def _at(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    if value is None:
        return
    if not steps or isinstance(value, Unresolved):
        yield value
    elif steps[0] == "*":
        yield from _elements(value, steps[1:])
    elif isinstance(value, dict):
        if steps[0] in value:
            yield from _at(value[steps[0]], steps[1:])
        elif hasattr(value, "more"):
            yield value.more
    else:
        yield value


def _elements(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    if not isinstance(value, list):
        yield value
        return
    for element in value:
        yield from _at(element, steps)
    if isinstance(value, OpenList):
        yield value.more


def _add(tags: Tags, found: Any) -> Unresolved | None:
    """Add one property's tags; return why the keys are not known, if they are not."""
    if isinstance(found, Unresolved):
        return found
    if isinstance(found, dict):
        for key, value in found.items():
            tags[key] = _text(value)
        more = getattr(found, "more", None)
        return more if isinstance(more, Unresolved) else None
    if not isinstance(found, list):
        return Unresolved("unsupported", f"tags are {json_kind(found)}, not a list or an object")
    more = found.more if isinstance(found, OpenList) else None
    for element in found:
        problem = _add_element(tags, element)
        more = more or problem
    return more


def _add_element(tags: Tags, element: Any) -> Unresolved | None:
    if isinstance(element, Unresolved):
        return element
    key = element.get("Key") if isinstance(element, dict) else None
    if isinstance(key, Unresolved):
        return key
    if not isinstance(key, str):
        return Unresolved("unsupported", "a tag is not written as `{Key, Value}`")
    tags[key] = _text(element.get("Value", ""))
    return None


def _text(value: Any) -> Any:
    """CloudFormation accepts numbers and booleans where a tag's value stands; AWS stores text."""
    if isinstance(value, str):
        return value
    if isinstance(value, Unresolved):
        return value.certain()  # the key is written, so the tag exists
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return Unresolved("unsupported", f"the value of a tag is {json_kind(value)}, not a string", present=True)


def json_kind(value: Any) -> str:
    """Return what a JSON value is, with its article, in a user's words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"
