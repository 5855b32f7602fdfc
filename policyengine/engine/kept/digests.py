"""What other resources looked like, as short texts: the same text, the same for every rule."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from policyengine.engine.world import INDIRECT, World
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved

SIZE: Final = 16
"""Bytes of a digest: nobody finds two contents of one digest, even if he tries."""

Relation = Mapping[str, Any]


class UndigestedError(Exception):
    """Something was read of which nobody can tell later whether it is the same."""


def digest_of(value: Any) -> bytes:
    """Return what stands for what a rule read: resources, lists of them, and why there may be more.

    Raises UndigestedError for a resource whose source gave no digest, and for other objects.
    """
    hasher = blake2b(digest_size=SIZE)
    _add(hasher.update, value)
    return hasher.digest()


def text_of(value: Any) -> str:
    """Return the same as a text; raises UndigestedError."""
    return digest_of(value).hex()


def _add(update: Any, value: Any) -> None:
    kind = value.__class__
    if kind is Resource:
        update(b"r" + _own(value))
    elif kind is list or kind is OpenList or kind is tuple:
        update(b"(")
        for item in value:
            _add(update, item)
        update(b")")
        if kind is OpenList:
            _add(update, value.more)
    elif kind is str:
        encoded = value.encode("utf-8", "surrogatepass")
        update(b"s%d:" % len(encoded) + encoded)
    elif kind is Unresolved:
        _add(update, ("?", value.reason, value.detail, value.present, value.target, value.parts, value.gaps))
    elif kind is dict or kind is OpenDict:
        _add(update, [part for pair in value.items() for part in pair])
        _add(update, value.more if kind is OpenDict else None)
    elif value is None or value is ABSENT or kind is bool or kind is int or kind is float:
        update(b"c" + repr(value).encode() + b";")
    else:
        raise UndigestedError(kind.__name__)


def _own(resource: Resource) -> bytes:
    if not resource.digest or resource.branch is not None or resource.variants:
        raise UndigestedError(resource.type)
    return resource.digest


class Tables:
    """The digests of the tables of one world; each is made once, whoever asks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_place: dict[tuple[str | None, ...], str] = {}
        self._by_list: dict[int, tuple[Any, str]] = {}

    def of(self, type_: str, scope: str, resource: Resource) -> str:
        """Return the digest of what stands in a scope of a resource; raises UndigestedError."""
        place = (type_, scope, resource.account, resource.region)
        known = self._by_place.get(place)
        if known is None:
            known = self._by_place[place] = self._made(type_, scope, resource)
        return known

    def _made(self, type_: str, scope: str, resource: Resource) -> str:
        """INVARIANT: a list of an organisation is read once, not for each of its accounts."""
        found = self._world.table(type_, resource, scope)
        known = self._by_list.get(id(found))
        if known is None:
            known = self._by_list[id(found)] = (found, text_of(found))
        return known[1]

    def behind(self, relation: Relation, resource: Resource) -> str:
        """Return the digest of all that a relation chooses from: what it reaches depends on nothing else."""
        to, scope = relation["to"], relation["scope"]
        aliases = INDIRECT.get(to)
        own = self.of(to, scope, resource)
        return own if aliases is None else f"{own}{self.of(aliases[0], scope, resource)}"
