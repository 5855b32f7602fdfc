"""Whether a resource says the same on both sides, and which of its branches face each other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.review.access_tokens import Names
from policyengine.rules.iam.values import scope_of


def scope(resource: Resource) -> str:
    """Return what the names of a resource are unique within."""
    return scope_of(resource.file, resource.account)


def branches(resource: Resource | None) -> Sequence[Resource]:
    """Return a resource in each of its branches."""
    return () if resource is None else (resource, *resource.variants)


def counterparts(branch: Resource, others: Sequence[Resource]) -> list[Resource]:
    """Return the branches of the other side under the same conditions, else those that they do not exclude."""
    mine = dict(branch.branch or {})
    same = [other for other in others if dict(other.branch or {}) == mine]
    return same or [
        other
        for other in others
        if all(mine.get(name, value) == value for name, value in (other.branch or {}).items())
    ]


class Same:
    """Says whether two resources of both sides say the same, in the names of both."""

    def __init__(self, base: Names, head: Names) -> None:
        self._base = base
        self._head = head

    def resources(self, base: Resource, head: Resource) -> bool:
        """Say whether they do, all branches of them."""
        if len(base.variants) != len(head.variants):
            return False
        return all(
            dict(a.branch or {}) == dict(b.branch or {})
            and self._values(a.properties, b.properties, base, head)
            and self._values(a.related, b.related, base, head)
            for a, b in zip(branches(base), branches(head), strict=True)
        )

    def _values(self, a: Any, b: Any, base: Resource, head: Resource) -> bool:
        if type(a) is not type(b):
            return False
        if isinstance(a, Unresolved):
            return (a.reason, a.present) == (b.reason, b.present) and self._base.written(
                a, base.file
            ) == self._head.written(b, head.file)
        if isinstance(a, dict):
            same = a.keys() == b.keys() and all(
                self._values(item, b[key], base, head) for key, item in a.items()
            )
        elif isinstance(a, list):
            same = len(a) == len(b) and all(self._values(x, y, base, head) for x, y in zip(a, b, strict=True))
        else:
            return bool(a == b)
        more = getattr(a, "more", None), getattr(b, "more", None)
        return same and (more == (None, None) or self._values(*more, base, head))


_ENCODE: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=repr).encode


def canonical(value: Any) -> str:
    """Return a value as text, the same for the same value whatever the order of keys."""
    return _ENCODE(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Unresolved):
        return {"\0": [value.reason, value.detail, value.present, value.target, value.parts]}
    if isinstance(value, OpenDict):
        return {**{key: _plain(item) for key, item in value.items()}, "\0more": _plain(value.more)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, OpenList):
        return [*map(_plain, value), {"\0more": _plain(value.more)}]
    return [_plain(item) for item in value] if isinstance(value, list) else value
