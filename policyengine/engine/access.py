"""Reading a value from a resource or an element along a compiled path.

A getter is called ``get(scope, subject)`` where ``scope`` is a :class:`Resource` (the subject of
the rule, or a related one) or an element of a list. It returns a JSON value, ABSENT, Unresolved,
or :class:`Mistyped` when a step meets something that cannot be stepped into.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from policyengine.model.resource import Resource, attribute
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved
from policyengine.rules.predicates.api import Subject

PLAIN: Final = frozenset({str, bool, int, float, dict, list})
"""Classes of known values: a set of classes is asked faster than ``isinstance``."""

Getter = Callable[[Any, Subject], Any]
Steps = tuple[str, ...]


class Mistyped:
    """A value on the way whose type is not the one the path needs."""

    __slots__ = ("at", "value", "wanted")

    def __init__(self, value: Any, wanted: str, at: Steps = ()) -> None:
        self.value = value
        self.wanted = wanted
        self.at = at


def walk(value: Any, steps: Sequence[str]) -> Any:
    """Step through nested objects; ABSENT and Unresolved end the walk."""
    for position, step in enumerate(steps):
        if value.__class__ is dict or isinstance(value, dict):
            found = value.get(step, ABSENT)
            if found is ABSENT:
                return value.more if value.__class__ is OpenDict else ABSENT
            value = found
        elif value.__class__ is Unresolved:
            return value.part()
        elif value is ABSENT:
            return value
        else:
            return Mistyped(value, "object", tuple(steps[:position]))
    return value


def getter(root: str, steps: Steps, *, in_resource: bool) -> Getter:
    """Return the getter for a path.

    ``root`` is ``properties``, ``element``, ``tags``, ``related``, ``with`` or ``resource``;
    ``in_resource`` says whether ``scope`` is a Resource.
    """
    if root == "properties":
        return _property_getter(steps) if in_resource else _element_getter(steps)
    if root == "element":
        return _element_getter(steps)
    if root == "tags":
        return _tag_getter(steps)
    if root == "related":
        return lambda scope, _s: walk(scope.related, steps)
    if root == "resource":
        return _resource_getter(steps)
    return _alias_getter(steps)


def _property_getter(steps: Steps) -> Getter:
    if len(steps) == 1:
        name = steps[0]

        def get_one(scope: Any, _subject: Subject) -> Any:
            found = scope.properties.get(name, ABSENT)
            return walk(scope.properties, steps) if found is ABSENT else found

        return get_one
    return lambda scope, _subject: walk(scope.properties, steps)


def _element_getter(steps: Steps) -> Getter:
    if not steps:
        return lambda scope, _subject: scope
    return lambda scope, _subject: walk(scope, steps)


def _tag_getter(steps: Steps) -> Getter:
    if len(steps) == 1:
        key = steps[0]

        def get_one(scope: Any, _subject: Subject) -> Any:
            tags = scope.tags
            if tags.__class__ is dict:
                return tags.get(key, ABSENT)
            return ABSENT if tags is None else walk(tags, steps)

        return get_one

    def get(scope: Any, _subject: Subject) -> Any:
        tags = scope.tags
        return ABSENT if tags is None else walk(tags, steps)

    return get


def _resource_getter(steps: Steps) -> Getter:
    name = steps[0]
    return lambda scope, _subject: attribute(scope, name)


def _alias_getter(steps: Steps) -> Getter:
    """``with.alias`` gives the list; further steps need at most one related resource."""
    alias, rest = steps[0], steps[1:]

    def get(_scope: Any, subject: Subject) -> Any:
        found = subject.related(alias)
        if not rest or isinstance(found, Unresolved):
            return found
        if found.__class__ is OpenList:
            return found.more
        if len(found) > 1:
            return Mistyped(len(found), "one related resource", (alias,))
        return read_resource(found[0], rest) if found else ABSENT

    return get


def read_resource(resource: Resource, steps: Sequence[str]) -> Any:
    """Read a path of a related resource: ``tags``, ``related``, ``resource`` or properties."""
    if steps[0] == "tags":
        return ABSENT if resource.tags is None else walk(resource.tags, steps[1:])
    if steps[0] == "related":
        return walk(resource.related, steps[1:])
    if steps[0] == "resource":
        return attribute(resource, steps[1])
    return walk(resource.properties, steps)
