"""Bytes of a snapshot file to lines, in constant memory, plain or zstd.

A block is at most a megabyte; lines are cut from blocks, never from the whole file. What a hostile
file can cost is bounded: a line by :data:`~policyengine.sources.snapshot.lines.MAX_LINE`, zstd
memory by the window, and what a zstd file may expand to by :data:`MAX_RATIO`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.sources.snapshot.lines import MAX_LINE

BLOCK: Final = 1 << 20
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
MAX_RATIO: Final = 1000
FREE_OUTPUT: Final = 64 << 20
"""A zstd file may expand to 64 MiB whatever its size, beyond that to 1000 times what was read."""
MAX_WINDOW: Final = 128 << 20
_FEED: Final = 2048
"""Bytes given to zstd at once: a block of 4 bytes expands to 128 KiB, so this stays under 64 MiB."""

Batch = tuple[int, list[bytes]]
"""Number of the first line, and the lines without their newlines."""


class StreamError(Exception):
    """The file cannot be read to its end; what came before was given."""


def read_blocks(path: Path, hasher: Any = None, start: int = 0, limit: int | None = None) -> Iterator[bytes]:
    """Yield the stored bytes from ``start`` on, feeding ``hasher``; raises StreamError."""
    try:
        with path.open("rb", buffering=0) as file:
            if start:
                file.seek(start)
            left = limit
            while block := file.read(BLOCK if left is None else min(BLOCK, left)):
                if hasher is not None:
                    hasher.update(block)
                if left is not None:
                    left -= len(block)
                yield block
    except OSError as problem:
        raise StreamError(f"cannot be read: {reason_of(problem)}") from None


def reason_of(problem: OSError) -> str:
    """Return the operating system's reason in lower case, e.g. ``permission denied``."""
    return (problem.strerror or type(problem).__name__).lower()


class Packing(NamedTuple):
    """A way to compress a file: ``new`` makes what reads one frame of it (``decompress``, ``eof``, ``unused_data``).

    ``feed`` is how many bytes it is given at once; beyond its first 64 MiB a file may expand to ``max_ratio`` times
    what was read of it; ``unended`` says of a file that is cut short what of it does not end.
    """

    name: str
    new: Callable[[], Any]
    error: type[Exception]
    feed: int
    max_ratio: int
    unended: str


def expand(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes, decompressed when they start with zstd's magic number.

    Raises StreamError for a corrupt or truncated frame and for a bomb.
    """
    source = iter(blocks)
    first = next(source, b"")
    whole = chain((first,), source)
    yield from unpack(whole, _zstd()) if first.startswith(ZSTD_MAGIC) else whole


def _zstd() -> Packing:
    import zstandard  # only when a snapshot is compressed

    def new() -> Any:
        return zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()

    return Packing("zstd", new, zstandard.ZstdError, _FEED, MAX_RATIO, "the last zstd frame does not end")


def unpack(blocks: Iterable[bytes], packing: Packing) -> Iterator[bytes]:
    """Yield the bytes of one frame after another. Raises StreamError for what is broken, cut short or a bomb."""
    frame: Any = None
    taken = given = 0
    for block in blocks:
        for at in range(0, len(block), packing.feed):
            data = block[at : at + packing.feed]
            taken += len(data)
            while data:
                frame = frame or packing.new()
                try:
                    out = frame.decompress(data)
                except packing.error as problem:
                    raise StreamError(f"is no valid {packing.name} file: {problem}") from None
                data = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
                given += len(out)
                if given > FREE_OUTPUT + packing.max_ratio * taken:
                    raise StreamError(f"expands to more than {packing.max_ratio} times its size; refused")
                if out:
                    yield out
    if frame is not None:
        raise StreamError(f"is truncated: {packing.unended}")


def cut_lines(blocks: Iterable[bytes], too_long: Callable[[int], None]) -> Iterator[Batch]:
    """Yield the lines of each block; a line over the limit is left out and told by its number.

    The last line counts whether or not a newline follows it.
    """
    number = 1
    tail: list[bytes] = []
    size = 0
    for block in blocks:
        head, newline, rest = block.partition(b"\n")
        size += len(head)
        if size <= MAX_LINE:
            tail.append(head)
        else:
            tail.clear()
        if not newline:
            continue
        if size > MAX_LINE:
            too_long(number)
            tail = [b""]
        lines = rest.split(b"\n")
        lines.insert(0, b"".join(tail))
        last = lines.pop()
        tail, size = [last], len(last)
        yield number, lines
        number += len(lines)
    if size > MAX_LINE:
        too_long(number)
    elif size:
        yield number, [b"".join(tail)]


def next_line(path: Path, offset: int) -> int:
    """Return the first position at or after ``offset`` where a line starts (or the file ends)."""
    if offset <= 0:
        return 0
    position = offset - 1
    for block in read_blocks(path, None, position):
        at = block.find(b"\n")
        if at >= 0:
            return position + at + 1
        position += len(block)
    return position


def count_newlines(path: Path, end: int) -> int:
    """Return how many newlines stand before ``end``, to number the lines of a range."""
    return sum(block.count(b"\n") for block in read_blocks(path, None, 0, end))
