"""Two resources with one identity are an error that names both.

Hashes of identities are kept while resources stream by; only when some occur twice are the sources
read once more, and only the identities with those hashes are remembered.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.resource import Resource

MAX_DUPLICATES = 100
"""Errors listed; one more says how many there are besides."""


class Identities:
    """The hashes of the identities of a run, and which of them came twice."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._twice: set[int] = set()

    def add(self, hashes: array[int]) -> None:
        """Take the hashes of one piece."""
        new = set(hashes)
        self._twice |= self._seen & new
        self._seen |= new
        if len(new) < len(hashes):
            counted = Counter(hashes)
            self._twice.update(value for value, number in counted.items() if number > 1)

    def errors(self, sources: Sequence[Any]) -> list[PolicyEngineError]:
        """Return an error for each resource whose identity another one had before it."""
        if not self._twice:
            return []
        found: list[PolicyEngineError] = []
        more = 0
        for error in self._duplicates(sources):
            if len(found) < MAX_DUPLICATES:
                found.append(error)
            else:
                more += 1
        if more:
            message = f"{more:,} more resources have the identity of another one; they are not listed"
            found.append(InputError(message, code="duplicate_identity"))
        return found

    def _duplicates(self, sources: Sequence[Any]) -> Iterator[InputError]:
        first: dict[tuple[str, str, str, str], str] = {}
        for source in sources:
            for resource in source.resources():
                if hash(resource.identity) not in self._twice:
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
