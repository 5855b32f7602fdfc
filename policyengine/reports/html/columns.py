"""Columns of the page's data: small numbers and lines of text, each its own deflate stream, written as base64.

A column is compressed while it is filled, so that memory holds only what came out of the compressor. The formats,
which ``report.js`` reads back:

- :class:`Numbers`: unsigned LEB128, one after the other;
- :class:`Texts`: UTF-8 lines, each ended by LF (text in the page never holds a line end);
- :class:`Words`: lines as in :class:`Texts`, each distinct one once, and a number for each use: 0 for the next new
  line, else how many lines back from the end of those known so far.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from typing import Final

_FLUSH: Final = 1 << 16
_LEVEL: Final = 9
_CHUNK: Final = 3 << 14
"""Bytes that become one piece of base64: a multiple of three, so that pieces join."""
_KNOWN_CHARS: Final = 24_000_000
"""Characters of distinct lines that :class:`Words` remembers; then it forgets, and lines may repeat."""


class Packed:
    """Bytes going in, base64 of a zlib stream (RFC 1950) coming out."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._zip = zlib.compressobj(_LEVEL, zlib.DEFLATED, 15, 9)
        self._made = bytearray()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._pending += data
        if len(self._pending) > _FLUSH:
            self._push()

    def _push(self) -> None:
        self._made += self._zip.compress(self._pending)
        self._pending.clear()

    def base64(self) -> Iterator[str]:
        """Yield the column as pieces of base64. Nothing can be appended afterwards."""
        self._push()
        self._made += self._zip.flush()
        for start in range(0, len(self._made), _CHUNK):
            yield base64.b64encode(self._made[start : start + _CHUNK]).decode("ascii")


class Numbers(Packed):
    """Numbers from 0 up."""

    def add(self, number: int) -> None:
        """Append a number; ValueError for one below 0."""
        if number < 0x80:
            self._pending.append(number)
        else:
            while number >= 0x80:
                self._pending.append(number & 0x7F | 0x80)
                number >>= 7
            self._pending.append(number)
        if len(self._pending) > _FLUSH:
            self._push()


class Texts(Packed):
    """Lines of text."""

    def add(self, line: str) -> None:
        """Append a line, which must not hold a line end."""
        self.write(line.encode("utf-8") + b"\n")


class Words:
    """Lines that repeat."""

    def __init__(self) -> None:
        self.lines = Texts()
        self.uses = Numbers()
        self.count = 0
        self._known: dict[str, int] = {}
        self._chars = 0

    def add(self, line: str) -> None:
        """Append a use of ``line``."""
        at = self._known.get(line)
        if at is not None:
            self.uses.add(self.count - at)
            return
        if self._chars > _KNOWN_CHARS:
            self._known.clear()
            self._chars = 0
        self._known[line] = self.count
        self._chars += len(line)
        self.count += 1
        self.lines.add(line)
        self.uses.add(0)
