"""What a resource says, as something to compare: without order of keys, with other names put in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenList, Unresolved

Naming = Callable[[str], Any]
"""What stands for the logical id or address of a resource of the same source."""


def same_name(name: str) -> str:
    """Leave names as they are."""
    return name


def content(resource: Resource, naming: Naming = same_name) -> Any:
    """Return everything of a resource but its identity and places, as JSON.

    Unknown values that are written the same are the same; names in references go through ``naming``.
    """
    return {
        "type": resource.type,
        "properties": _plain(resource.properties, naming),
        "tags": _plain(resource.tags, naming),
        "related": _plain(resource.related, naming),
        "branches": [
            [sorted((branch.branch or {}).items()), _plain(branch.properties, naming), _plain(branch.tags, naming)]
            for branch in resource.variants
        ],
    }  # fmt: skip


def digest(resource: Resource, naming: Naming = same_name) -> bytes:
    """Return SHA-256 over ``content``."""
    text = json.dumps(content(resource, naming), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def leaves(resource: Resource, naming: Naming = same_name) -> Iterator[tuple[str, str]]:
    """Yield (path without places in lists, value as text) of everything a resource says."""
    for name, value in (("", resource.properties), ("tags", resource.tags), ("related", resource.related)):
        yield from _leaves(_plain(value, naming), name)


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (logical id or address, attribute) of every reference to a resource of the same source."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from references(inner)
        if isinstance(value, OpenList):
            yield from references(value.more)
    elif isinstance(value, Unresolved):
        if value.target is not None:
            yield value.target
        for gap in value.gaps:
            yield from references(gap)


def steps(path: Path) -> tuple[str, ...]:
    """Return a path without places in lists."""
    return tuple(step for step in path if isinstance(step, str))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield path, json.dumps(value, sort_keys=True)


def _plain(value: Any, naming: Naming) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner, naming) for key, inner in value.items()}
    if isinstance(value, OpenList):
        return [*(_plain(inner, naming) for inner in value), _plain(value.more, naming)]
    if isinstance(value, list | tuple):
        return [_plain(inner, naming) for inner in value]
    if isinstance(value, Unresolved):
        return _unknown(value, naming)
    if isinstance(value, Resource):
        return content(value, naming)
    return value


def _unknown(value: Unresolved, naming: Naming) -> Any:
    found: dict[str, Any] = {}
    if value.target is not None:
        name, attribute = value.target
        found["\0target"] = [naming(name), attribute]
    if value.parts is not None and (value.gaps or found):
        found["\0parts"] = [list(value.parts), [_unknown(gap, naming) for gap in value.gaps]]
    return found or {"\0unknown": [value.reason, value.detail]}
