"""Lines of a file that was written by us, plain, gzip or zstd, in constant memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

_BLOCK: Final = 1 << 18
MAX_LINE: Final = 256 << 20
"""Bytes of one line; a row is some hundred bytes and what a rule says of one resource."""
MAX_WINDOW: Final = 128 << 20


class StreamError(Exception):
    """The file cannot be read to its end; what came before was given."""


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file without line feeds; what it is packed with is told by its name.

    Raises StreamError for a file that cannot be read, is damaged, or has a line over :data:`MAX_LINE`.
    """
    try:
        with path.open("rb") as file:
            yield from cut_lines(_blocks(file, path.suffix))
    except OSError as error:
        raise StreamError(f"cannot be read: {(error.strerror or 'error').lower()}") from error


def cut_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines without line feeds; the last counts also without one."""
    rest = b""
    for block in blocks:
        lines = (rest + block).split(b"\n") if b"\n" in block else [rest + block]
        rest = lines.pop()
        if len(rest) > MAX_LINE:
            raise StreamError(f"has a line over {MAX_LINE >> 20} MiB")
        yield from lines
    if rest:
        yield rest


def _blocks(file: BinaryIO, suffix: str) -> Iterator[bytes]:
    if suffix == ".zst":
        import zstandard  # only where a file is packed with it

        unpacker: Any = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()
        yield from _unpacked(file, unpacker, zstandard.ZstdError)
    elif suffix == ".gz":
        yield from _unpacked(file, zlib.decompressobj(31), zlib.error)
    else:
        while block := file.read(_BLOCK):
            yield block


def _unpacked(file: BinaryIO, unpacker: Any, problem: type[Exception]) -> Iterator[bytes]:
    """One frame, and nothing after it."""
    try:
        while block := file.read(_BLOCK):
            if unpacker.eof:
                raise StreamError("goes on after its end")
            if out := unpacker.decompress(block):
                yield out
    except problem as error:
        raise StreamError(f"is damaged: {error}") from None
    if not unpacker.eof or unpacker.unused_data:
        raise StreamError("is cut short" if not unpacker.eof else "goes on after its end")
