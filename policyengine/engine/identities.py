"""Two resources with one identity are an error that names both.

Eight bytes of each identity are kept while resources stream by; only when some occur twice are the
sources read once more, and only the identities with those digests are remembered.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, Final

from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.resource import Resource

MAX_DUPLICATES = 100
"""Errors listed; one more says how many there are besides."""

_BUCKETS: Final = 64
"""Digests are compared a bucket at a time: as Python numbers they take five times the room."""


def _in_every_process(identity: tuple[str, str, str, str]) -> int:
    text = "\0".join(identity).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little", signed=True)


digest: Final[Callable[[tuple[str, str, str, str]], int]] = hash if hasattr(os, "fork") else _in_every_process
"""Returns 64 bits of an identity, the same in every process of a run.

Forked processes (see ``pool``) share the seed of ``hash``, which takes a tenth of the time.
"""


class Identities:
    """The digests of the identities of a run, eight bytes each."""

    def __init__(self) -> None:
        self._seen = [array("q") for _ in range(_BUCKETS)]

    def add(self, digests: array[int]) -> None:
        """Take the digests of one piece."""
        seen = self._seen
        for value in digests:
            seen[value % _BUCKETS].append(value)

    def twice(self) -> frozenset[int]:
        """Return the digests that came more than once."""
        found: set[int] = set()
        for bucket in self._seen:
            if len(set(bucket)) < len(bucket):
                found.update(value for value, number in Counter(bucket).items() if number > 1)
        return frozenset(found)

    def errors(self, sources: Sequence[Any]) -> list[PolicyEngineError]:
        """Return an error for each resource whose identity another one had before it."""
        twice = self.twice()
        if not twice:
            return []
        found: list[PolicyEngineError] = []
        more = 0
        for error in _duplicates(sources, twice):
            if len(found) < MAX_DUPLICATES:
                found.append(error)
            else:
                more += 1
        if more:
            message = f"{more:,} more resources have the identity of another one; they are not listed"
            found.append(InputError(message, code="duplicate_identity"))
        return found


def _duplicates(sources: Sequence[Any], twice: frozenset[int]) -> Iterator[InputError]:
    first: dict[tuple[str, str, str, str], str] = {}
    for source in sources:
        for resource in source.resources():
            if digest(resource.identity) not in twice:
                continue
            here = resource.locate(())
            place = str(here) if here is not None else str(source.target)
            if resource.identity in first:
                yield _error(resource, first[resource.identity], str(source.target))
            else:
                first[resource.identity] = place


def _error(resource: Resource, first: str, target: str) -> InputError:
    account, region, type_, id_ = resource.identity
    place = resource.locate(())
    message = f"two resources have one identity: {type_ or resource.type} `{id_}`"
    message += f" in {account} {region}" if account else ""
    message += f"; the first stands in `{first}`" + ("" if place else f", another in `{target}`")
    return InputError(message, place, code="duplicate_identity")
