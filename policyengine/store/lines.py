"""Lines of a file that was written by us, plain, gzip or zstd, in constant memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
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
            for lines in line_batches(_blocks(file, path.suffix)):
                yield from lines
    except OSError as error:
        raise StreamError(f"cannot be read: {(error.strerror or 'error').lower()}") from error


def readable_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file as far as it can be read: for what an error of the run already tells of the rest."""
    with suppress(StreamError):
        yield from read_lines(path)


def line_batches(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines of blocks, without their line feeds; the last need not end with one.

    Raises StreamError for a line of over :data:`MAX_LINE` bytes.
    """
    rest: list[bytes] = []
    held = 0
    for block in blocks:
        lines = block.split(b"\n")
        if len(lines) == 1:
            rest += [block] if block else []  # nothing is no line
            held += len(block)
            if held > MAX_LINE:
                raise StreamError(f"has a line of over {MAX_LINE:,} bytes")
            continue
        if rest:
            lines[0] = b"".join((*rest, lines[0]))
        last = lines.pop()
        rest, held = ([last], len(last)) if last else ([], 0)
        yield lines
    if rest:
        yield [b"".join(rest)]


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
