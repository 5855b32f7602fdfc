"""Some resources of a snapshot judged, with the side tables that the whole snapshot gives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from policyengine.model.resource import Coverage, Resource
from policyengine.model.values import Unresolved

Identity = tuple[str, str, str, str]


class Narrowed:
    """A source of which only some resources are judged, with the side tables that all of it gives. ``types`` are theirs."""

    def __init__(self, source: Any, types: Iterable[str]) -> None:
        self._source = source
        self._types = frozenset(types)

    @property
    def coverage(self) -> Coverage:
        """What the source covers: reading it may show that it is less than was promised."""
        covered: Coverage = self._source.coverage
        return covered

    @property
    def failed(self) -> dict[tuple[str, str, str], Unresolved]:
        """Why types are not covered."""
        return dict(getattr(self._source, "failed", None) or {})

    def scan_types(self, types: Collection[str], shard: Any = None) -> Iterator[Resource]:
        """Yield the resources of these types, wanted or not: for side tables."""
        found: Iterator[Resource] = (
            self._source.scan_types(types) if shard is None else self._source.scan_types(types, shard)
        )
        return found


class Only(Narrowed):
    """A source that gives ``scan_types`` and ``groups``, of which only the resources of some identities are to be judged.

    Accounts of which no resource is wanted are not read again; what relations reach is, as from the source itself. It has
    no ``count``: what is judged is not what tables hold.
    """

    def __init__(self, source: Any, identities: Collection[Identity], types: Iterable[str]) -> None:
        super().__init__(source, types)
        self._identities = frozenset(identities)
        self._accounts = {identity[0] for identity in identities}

    @property
    def kind(self) -> str:
        """The kind of the source."""
        return str(self._source.kind)

    @property
    def target(self) -> str:
        """The target of the source."""
        return str(self._source.target)

    def groups(self) -> list[list[Any]]:
        """Return the shards by account, of the accounts that hold what is wanted or may hold it."""
        account_of = self._source.account_of
        found: list[list[Any]] = self._source.groups()
        if "" in self._accounts:  # what code declares has no account in its identity
            return found
        return [group for group in found if any(account_of(s) in (None, *self._accounts) for s in group)]

    def read_shard(self, shard: Any) -> Iterator[Resource]:
        """Yield what is wanted of one piece."""
        return (r for r in self.scan_types(self._types, shard) if r.identity in self._identities)

    def resources(self) -> Iterator[Resource]:
        """Yield what is wanted, in order."""
        for group in self.groups():
            for shard in group:
                yield from self.read_shard(shard)
