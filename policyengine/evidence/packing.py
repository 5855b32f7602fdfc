"""gzip with one header, and reading it back in constant memory without believing what it says.

A gzip file may have a name, a time, comments, several members and bytes after its end (RFC 1952); tools differ in which
they read. Ours has the ten bytes of :data:`HEADER`, one member, and nothing after it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from policyengine.store import lines

HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no flags, no time, no level, unknown system (RFC 1952 section 2.3)."""
LEVEL: Final = 6
BLOCK: Final = 1 << 18


class PackedError(Exception):
    """A gzip member that is not what it has to be; the text says how, for one line of a message."""


class Packer:
    """Compresses what is written to it and hands it on to ``put``. ``end()`` has to be called."""

    def __init__(self, put: Callable[[bytes], object]) -> None:
        self._put = put
        self._deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._crc = 0
        self.size = 0
        """Bytes before compression, so far."""
        put(HEADER)

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._crc = zlib.crc32(data, self._crc)
        self.size += len(data)
        packed = self._deflate.compress(data)
        if packed:
            self._put(packed)

    def end(self) -> None:
        """Write the rest and the trailer."""
        self._put(self._deflate.flush())
        self._put(self._crc.to_bytes(4, "little") + (self.size & 0xFFFF_FFFF).to_bytes(4, "little"))


def unpacked(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield what a gzip file of ours holds, which has to be ``size`` bytes; never more than that.

    Raises PackedError for another header, damage, several members, bytes after the end, and another size.
    """
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    head, trailer, crc, got = b"", b"", 0, 0
    for block in blocks:
        if len(head) < len(HEADER):
            head += block
            if len(head) < len(HEADER):
                continue
            if not head.startswith(HEADER):
                raise PackedError("its gzip header is another than the one that is written")
            block, head = head[len(HEADER) :], HEADER
        if inflate.eof:
            trailer += block
        while block and not inflate.eof:
            try:
                data = inflate.decompress(block, BLOCK * 4)
            except zlib.error as problem:
                raise PackedError(f"it is damaged: {str(problem).lower()}") from None
            got += len(data)
            if got > size:
                raise PackedError(f"it expands to more than the {size:,} bytes that are listed")
            crc = zlib.crc32(data, crc)
            yield data
            block = inflate.unconsumed_tail
        if inflate.eof and not trailer:
            trailer = inflate.unused_data
        if len(trailer) > 8:
            raise PackedError("there is something after its gzip member")
    if not inflate.eof or len(trailer) != 8:
        raise PackedError("it ends too early")
    if trailer != crc.to_bytes(4, "little") + (got & 0xFFFF_FFFF).to_bytes(4, "little"):
        raise PackedError("its content is not what its checksum says")
    if got != size:
        raise PackedError(f"it expands to {got:,} bytes; {size:,} are listed")


def line_batches(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines of blocks, without their line feeds; the last need not end with one.

    Raises PackedError for a line of over :data:`~policyengine.store.lines.MAX_LINE` bytes.
    """
    try:
        yield from lines.line_batches(blocks)
    except lines.StreamError as problem:
        raise PackedError(f"it {problem}") from None
