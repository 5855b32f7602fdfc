"""Texts with ``{Path}`` in braces, filled from an item of an API's answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


class MissingValueError(Exception):
    """An item lacks what a template names: AWS's answer is not what its model says."""


def at_path(value: Any, path: str) -> Any:
    """Return what stands at a dotted path; None where nothing does. A list on the way: its elements' values."""
    if not path:
        return value
    for index, step in enumerate(steps := path.split(".")):
        if isinstance(value, list):
            rest = ".".join(steps[index:])
            found = [at_path(element, rest) for element in value]
            return [
                each
                for part in found
                for each in (part if isinstance(part, list) else [part])
                if each is not None
            ]
        value = value.get(step) if isinstance(value, Mapping) else None
        if value is None:
            return None
    return value


def all_at(value: Any, path: str) -> list[Any]:
    """Return what stands at a dotted path as a list: [] where nothing does."""
    found = at_path(value, path)
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def fill(template: Any, item: Mapping[str, Any], place: Mapping[str, str]) -> Any:
    """Return the template with its names filled in, from ``place`` first (account, region, partition).

    A text that is one name gives the value itself, of any type. Raises MissingValueError.
    """
    if isinstance(template, Mapping):
        return {key: fill(value, item, place) for key, value in template.items()}
    if isinstance(template, list | tuple):
        return [fill(value, item, place) for value in template]
    if not isinstance(template, str) or "{" not in template:
        return template
    if template.startswith("{") and template.find("}") == len(template) - 1:
        return _named(template[1:-1], item, place)
    text = []
    for index, piece in enumerate(template.split("{")):
        name, brace, rest = piece.partition("}")
        if index == 0:
            text.append(piece)
        elif not brace:
            raise ValueError(f"`{template}` has a brace that is not closed")
        else:
            text.append(f"{_named(name, item, place)}{rest}")
    return "".join(text)


def names_in(template: Any) -> list[str]:
    """Return the names in a template, without those of the place."""
    if isinstance(template, Mapping):
        return [name for value in template.values() for name in names_in(value)]
    if isinstance(template, list | tuple):
        return [name for value in template for name in names_in(value)]
    if not isinstance(template, str):
        return []
    found = (piece.partition("}")[0] for piece in template.split("{")[1:])
    return [name for name in found if name not in ("account", "region", "partition")]


def _named(name: str, item: Mapping[str, Any], place: Mapping[str, str]) -> Any:
    value = place[name] if name in place else at_path(item, name)
    if value is None:
        raise MissingValueError(f"the answer has no `{name}`")
    return value
