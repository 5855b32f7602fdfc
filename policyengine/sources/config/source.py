"""Files of AWS Config as one source: of all items of a resource only the newest counts.

An item in a snapshot or history file says that a resource is there; that a resource is missing from them says nothing,
because a recorder leaves out types, regions and what it has not seen change. The source therefore covers nothing.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.location import Location
from policyengine.model.resource import NO_COVERAGE, Coverage, Resource
from policyengine.sources.config.item import GONE, Item, ItemError, items_of, read_item
from policyengine.sources.config.mapping import exists, to_resource
from policyengine.sources.config.stream import PieceError, Pieces, inflate
from policyengine.sources.config.table import declaration
from policyengine.sources.snapshot.files import StreamError, read_blocks

MAX_ERRORS: Final = 1000
"""Errors listed; one more says that there are others."""
_BUCKETS: Final = 64


class ConfigFile(NamedTuple):
    """A file and how messages call it."""

    path: Path
    name: str


class ConfigSource:
    """Implements :class:`~policyengine.sources.base.Source`.

    Items are read one at a time. Beside them, eight bytes are held for each item, and the age of the newest item for
    each resource that has several.
    """

    kind = "config"

    def __init__(self, target: str, files: list[ConfigFile]) -> None:
        self.target = target
        self.files = files
        self.coverage: Coverage = NO_COVERAGE
        self.errors: list[PolicyEngineError] = []
        self.skipped: Counter[str] = Counter()
        self.notes: list[str] = []
        self.redact: Callable[[Resource], Resource] | None = None
        """Takes secrets out of each resource before it is given, where somebody asks for that."""
        self._told: set[str] = set()
        self._newest: dict[int, tuple[tuple[str, int, str], int]] | None = None

    @property
    def paths(self) -> list[Path]:
        """The files that are read, in order."""
        return [file.path for file in self.files]

    def prepare(self) -> None:
        """Find out which resources have several items, once for all readings."""
        if self._newest is None:
            self._newest = self._find_newest()

    def resources(self) -> Iterator[Resource]:
        """Yield every resource that exists, as its newest item shows it."""
        self.prepare()
        self.skipped = Counter()
        yield from self._resources(None)

    def scan_types(self, types: Collection[str]) -> Iterator[Resource]:
        """Yield the resources of these types only."""
        self.prepare()
        yield from self._resources(frozenset(types))

    def _resources(self, types: frozenset[str] | None) -> Iterator[Resource]:
        for number, item, place in self._items():
            if types is not None and not types.intersection(_types_of(item)):
                continue
            if not self._is_newest(number, item):
                self._skip(types, "older item of a resource")
                continue
            try:
                if exists(item):
                    resource = to_resource(item)
                    if types is None or resource.type in types:
                        yield resource if self.redact is None else self.redact(resource)
                else:
                    deleted = item.status in GONE
                    self._skip(types, "deleted resource" if deleted else "resource that is not recorded")
            except ItemError as problem:
                self._tell(str(problem), place)

    def history(
        self, types: Collection[str] | None = None, accounts: Collection[str] | None = None
    ) -> Iterator[tuple[Item, Resource | None]]:
        """Yield every item, older ones too, in the order of the files; only of these accounts, and what may be of one of
        these types, where they are given. None stands beside one that shows no resource (its status says why)."""
        wanted = None if types is None else frozenset(types)
        for _, item, place in self._items():
            if (accounts is None or item.account in accounts) and (
                wanted is None or not wanted.isdisjoint(_types_of(item))
            ):
                try:
                    yield item, to_resource(item) if exists(item) else None
                except ItemError as problem:
                    self._tell(str(problem), place)

    def _skip(self, types: frozenset[str] | None, reason: str) -> None:
        if types is None:
            self.skipped[reason] += 1

    # -- several items of one resource ------------------------------------------------------------------

    def _find_newest(self) -> dict[int, tuple[tuple[str, int, str], int]]:
        """Return the newest item of those resources that have several: digest -> (age, number of the item)."""
        if self._is_snapshot():
            return {}
        buckets = [array("q") for _ in range(_BUCKETS)]
        for _, item, _ in self._items():
            digest = _digest(item)
            buckets[digest % _BUCKETS].append(digest)
        twice = {d for bucket in buckets for d, count in Counter(bucket).items() if count > 1}
        newest: dict[int, tuple[tuple[str, int, str], int]] = {}
        if twice:
            for number, item, _ in self._items():
                digest = _digest(item)
                if digest in twice and (digest not in newest or newest[digest] < (item.order, number)):
                    newest[digest] = (item.order, number)
        return newest

    def _is_snapshot(self) -> bool:
        """Whether there is one file, a snapshot: it holds one item of each resource, and is read once less."""
        if len(self.files) != 1:
            return False
        try:
            pieces = Pieces(inflate(read_blocks(self.files[0].path)), self.files[0].name)
            next(iter(pieces), None)
        except StreamError:  # reading it will say so
            return False
        return pieces.is_snapshot

    def _is_newest(self, number: int, item: Item) -> bool:
        found = self._newest.get(_digest(item)) if self._newest else None
        return found is None or found[1] == number

    # -- reading ----------------------------------------------------------------------------------------

    def _items(self) -> Iterator[tuple[int, Item, Location]]:
        """Yield the items with their numbers and places; what cannot be read is told once."""
        number = 0
        for file in self.files:
            try:
                for piece in Pieces(inflate(read_blocks(file.path)), file.name):
                    if isinstance(piece, PieceError):
                        self._tell(piece.message, piece.place)
                        continue
                    try:
                        for raw in items_of(piece.value):
                            number += 1
                            yield number, read_item(raw), piece.place
                    except ItemError as problem:
                        self._tell(str(problem), piece.place)
            except StreamError as problem:
                self._tell(str(problem), Location(file.name), code="unreadable")

    def _tell(self, message: str, place: Location, code: str = "bad_item") -> None:
        error = InputError(message, place, code=code)
        text = str(error)
        if text in self._told or len(self._told) > MAX_ERRORS:
            return
        self._told.add(text)
        if len(self._told) > MAX_ERRORS:
            error = InputError(
                f"more than {MAX_ERRORS} errors; the others are not listed", Location(self.target)
            )
        self.errors.append(error)


def _types_of(item: Item) -> tuple[str, ...]:
    """The canonical types an item may turn out to have."""
    declared = declaration(item.type)
    if declared is None:
        return (item.type,)
    others = (declaration(f"{item.type}/{suffix}") for suffix in declared.kinds.values())
    return (declared.type, *(other.type for other in others if other is not None))


def _digest(item: Item) -> int:
    text = "\0".join(item.identity).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)


def open_config(path: Path, name: str) -> ConfigSource:
    """Return a file of AWS Config, called ``name`` in messages. Raises InputError when it cannot be opened."""
    try:
        with path.open("rb"):
            pass
    except OSError as problem:
        from policyengine.sources.snapshot.files import reason_of

        message = f"cannot be read: {reason_of(problem)}"
        raise InputError(message, Location(name), code="unreadable") from None
    return ConfigSource(name, [ConfigFile(path, name)])
