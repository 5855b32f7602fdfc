"""Bytes of a file to the JSON values in it, one at a time: memory is that of one item, not of the file.

AWS Config delivers ``{"fileVersion": ..., "configSnapshotId": ..., "configurationItems": [...]}``, gzip-compressed
(https://docs.aws.amazon.com/config/latest/developerguide/example-s3-config-snapshot.html); the lists in answers of its
API have other names. Brackets are counted outside strings to find where a value ends; each value is then read by the
reader of snapshot lines, with its bounds on depth, duplicate keys and numbers.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any, Final, NamedTuple

from policyengine.model.location import Location
from policyengine.sources.snapshot.files import Packing, unpack
from policyengine.sources.snapshot.lines import decode_line
from policyengine.sources.snapshot.problems import LineError

MAX_RATIO: Final = 200
"""Beyond its first 64 MiB a gzip file may expand to so many times its size; snapshots do to about twenty times."""
GZIP_MAGIC: Final = b"\x1f\x8b"
MAX_ITEM: Final = 16 << 20
"""Bytes of one item; AWS Config's own notifications stop at 256 KB, and S3 holds what is larger."""
LISTS: Final = frozenset(
    {
        "configurationItems",
        "ConfigurationItems",
        "baseConfigurationItems",
        "BaseConfigurationItems",
        "Results",
    }
)
"""The keys that hold lists of items: files, GetResourceConfigHistory, Batch*, Select*."""
SNAPSHOT_KEY: Final = "configSnapshotId"
_TOO_LARGE: Final = f"an item is over the limit of {MAX_ITEM >> 20} MiB"
_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r\n"
_NEXT: Final = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]|\\.)*+")*+([\[\]{}])', re.DOTALL)
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_SCALAR: Final = re.compile(rb"[^,\]}\s]*+")
_POSITION: Final = re.compile(r"no JSON at character ([0-9]+): ")


class Piece(NamedTuple):
    """One JSON value of a file. ``key`` names the list it is an element of; "" for an element of a bare list,
    None for the whole document."""

    value: Any
    key: str | None
    place: Location


class PieceError(Exception):
    """A value that cannot be read; ``last`` says that nothing after it can be either."""

    def __init__(self, message: str, place: Location, *, last: bool) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.last = last


def inflate(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes, decompressed when they are gzip. Raises StreamError for what is broken, cut short or a bomb."""
    source = iter(blocks)
    first = next(source, b"")
    whole = chain((first,), source)
    yield from unpack(whole, _GZIP) if first.startswith(GZIP_MAGIC) else whole


_GZIP: Final = Packing(
    "gzip",
    partial(zlib.decompressobj, wbits=31),  # a file is one member or several, one after the other
    zlib.error,
    16 << 10,
    MAX_RATIO,
    "the gzip data does not end",
)


class Pieces:
    """The values of one file, in order; ``is_snapshot`` once a snapshot id was seen before the items."""

    def __init__(self, blocks: Iterable[bytes], name: str) -> None:
        self.name = name
        self.is_snapshot = False
        self._blocks = iter(blocks)
        self._buffer = b""
        self._at = 0
        self._line = 1
        self._column = 1
        self._kept: list[bytes] | None = None  # the text of the outermost object, while it may be an item

    def __iter__(self) -> Iterator[Piece | PieceError]:
        """Yield values, and errors in the place of those that cannot be read. Raises StreamError."""
        self._fill(len(_BOM))
        if self._buffer.startswith(_BOM):
            self._skip(len(_BOM))
            self._column = 1
        try:
            start = self._peek()
            if start == b"[":
                yield from self._elements("")
            elif start == b"{":
                yield from self._members()
            else:
                raise self._broken("is no JSON object or list")
            if self._peek():
                raise self._broken("more text follows the JSON")
        except PieceError as problem:
            yield problem

    # -- structure ------------------------------------------------------------------------------------

    def _members(self) -> Iterator[Piece | PieceError]:
        """The members of the outermost object: the elements of its list of items, else the object itself."""
        place = self._place()
        self._kept = []
        self._skip(1)
        kept, first = 0, True
        while self._peek() != b"}":
            if not first:
                self._expect(b",")
            first = False
            key = self._key()
            self._expect(b":")
            if key in LISTS and self._peek() == b"[":
                self._kept = None
                yield from self._elements(key)
                continue
            value = self._value()
            self.is_snapshot = self.is_snapshot or (key == SNAPSHOT_KEY and value != b"null")
            kept += len(value)
            if self._kept is not None and kept > MAX_ITEM:
                raise self._broken(_TOO_LARGE, place)
        self._skip(1)
        if self._kept is not None:
            yield self._decoded(b"".join(self._kept), None, place)

    def _elements(self, key: str) -> Iterator[Piece | PieceError]:
        self._skip(1)
        first = True
        while self._peek() != b"]":
            if not first:
                self._expect(b",")
                self._peek()
            first = False
            place = self._place()
            yield self._decoded(self._value(), key, place)
        self._skip(1)

    def _decoded(self, data: bytes, key: str | None, place: Location) -> Piece | PieceError:
        try:
            return Piece(decode_line(data), key, place)
        except LineError as problem:
            return PieceError(*_placed(str(problem), data, place), last=False)

    # -- tokens ---------------------------------------------------------------------------------------

    def _key(self) -> str:
        if self._peek() != b'"':
            raise self._broken("expected the name of a property")
        try:
            return str(decode_line(self._take_string()))
        except LineError as problem:
            raise self._broken(str(problem)) from None

    def _value(self) -> bytes:
        mark = self._peek()
        if not mark:
            raise self._cut_short()
        if mark in b"[{":
            return self._take(self._container())
        if mark == b'"':
            return self._take_string()
        while (found := _SCALAR.match(self._buffer, self._at)) and found.end() == len(self._buffer):
            if found.end() - self._at > 1000 or not self._more():
                break
        assert found is not None  # the pattern matches the empty text too
        if found.end() == self._at:
            raise self._broken("expected a value")
        return self._take(found.end())

    def _container(self) -> int:
        """Return where the object or list that begins here ends."""
        depth, at = 0, self._at
        while True:
            found = _NEXT.match(self._buffer, at)
            if found is None:
                at = self._grow(at)
                continue
            depth += 1 if found[1] in b"[{" else -1
            at = found.end()
            if depth == 0:
                return at
            if at - self._at > MAX_ITEM:
                raise self._broken(_TOO_LARGE)

    def _take_string(self) -> bytes:
        while (found := _STRING.match(self._buffer, self._at)) is None:
            self._grow(self._at)
        return self._take(found.end())

    def _grow(self, at: int) -> int:
        """Read more, at least as much as there is; return ``at`` in the new buffer. Raises PieceError at the end."""
        size = len(self._buffer) - self._at
        if size > MAX_ITEM:
            raise self._broken(_TOO_LARGE)
        before = self._at
        wanted = 2 * size
        grown = False
        while len(self._buffer) - self._at < wanted or not grown:
            if not self._more():
                break
            grown = True
        if not grown:
            raise self._cut_short()
        return at - before + self._at

    # -- the buffer -----------------------------------------------------------------------------------

    def _more(self) -> bool:
        block = next(self._blocks, None)
        while block == b"":
            block = next(self._blocks, None)
        if block is None:
            return False
        self._buffer = self._buffer[self._at :] + block
        self._at = 0
        return True

    def _fill(self, size: int) -> None:
        while len(self._buffer) - self._at < size and self._more():
            pass

    def _peek(self) -> bytes:
        """Return the next byte that is no white space, without taking it; b"" at the end."""
        while True:
            rest = self._at
            while rest < len(self._buffer) and self._buffer[rest] in _SPACE:
                rest += 1
            self._skip(rest - self._at)
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._more():
                return b""

    def _expect(self, mark: bytes) -> None:
        found = self._peek()
        if not found:
            raise self._cut_short()
        if found != mark:
            raise self._broken(f"expected `{mark.decode()}`, found `{found.decode('latin-1')}`")
        self._skip(1)

    def _take(self, end: int) -> bytes:
        taken = self._buffer[self._at : end]
        self._skip(end - self._at)
        return taken

    def _skip(self, number: int) -> None:
        end = self._at + number
        if self._kept is not None:
            self._kept.append(self._buffer[self._at : end])
        breaks = self._buffer.count(b"\n", self._at, end)
        if breaks:
            self._line += breaks
            self._column = end - self._buffer.rindex(b"\n", self._at, end)
        else:
            self._column += number
        self._at = end

    # -- errors ---------------------------------------------------------------------------------------

    def _place(self) -> Location:
        return Location(self.name, self._line, self._column)

    def _broken(self, message: str, place: Location | None = None) -> PieceError:
        return PieceError(message, place or self._place(), last=True)

    def _cut_short(self) -> PieceError:
        self._skip(len(self._buffer) - self._at)
        return self._broken("the file ends before its JSON does; is it truncated?")


def _placed(message: str, data: bytes, place: Location) -> tuple[str, Location]:
    """Turn "at character N" of a value into the line and column in the file."""
    found = _POSITION.match(message)
    if found is None:
        return message, place
    before = data.decode("utf-8", "replace")[: int(found[1]) - 1]
    line = (place.line or 1) + before.count("\n")
    start = before.rfind("\n") + 1
    column = len(before) - start + (1 if "\n" in before else place.column or 1)
    return "no JSON: " + message[found.end() :], Location(place.file, line, column)
