"""Reading the value at an argument of kind ``path``, shared by the predicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from policyengine.model.resource import Resource, attribute
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Subject


class Mistyped:
    """A value on the way that cannot be stepped into; no predicate takes it for a value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def read(subject: Subject, path: Sequence[str]) -> Any:
    """Return the value at ``path``: a JSON value, ABSENT, Unresolved or :class:`Mistyped`.

    Below a quantifier over plain elements the path starts at the element. Elsewhere it starts at
    the properties, unless its first step is ``tags``, ``related``, ``with`` or ``resource``.
    """
    if subject.where is not None:
        return walk(subject.where, path)
    if path and path[0] == "with":
        return _related(subject, path[1], path[2:])
    return _in_resource(subject.resource, path)


def walk(value: Any, steps: Sequence[str]) -> Any:
    """Step through objects; ABSENT and Unresolved end the walk, open objects answer ``more``."""
    for step in steps:
        if value is ABSENT:
            return value
        if isinstance(value, Unresolved):
            return value.part()
        if not isinstance(value, dict):
            return Mistyped(value)
        value = value[step] if step in value else getattr(value, "more", ABSENT)
    return value


def _in_resource(resource: Resource, path: Sequence[str]) -> Any:
    root, rest = (path[0], path[1:]) if path else ("", ())
    if root == "tags":
        return ABSENT if resource.tags is None else walk(resource.tags, rest)
    if root == "related":
        return walk(resource.related, rest)
    if root == "resource":
        return attribute(resource, rest[0])
    return walk(resource.properties, path)


def _related(subject: Subject, alias: str, rest: Sequence[str]) -> Any:
    """Read from the one related resource there may be; several are no object to step into."""
    found = subject.related(alias)
    if isinstance(found, Unresolved) or not rest:
        return found
    if isinstance(found, OpenList):
        return found.more
    if len(found) > 1:
        return Mistyped(f"{len(found)} resources")
    return _in_resource(found[0], rest) if found else ABSENT
