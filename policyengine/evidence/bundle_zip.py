"""A zip that is a function of its members: stored, sorted, fixed times, one encoding of every header.

A zip says much of a member twice (local header, central directory) and leaves gaps between members free; readers differ
in what they believe. So nothing of it is believed: from names, sizes and CRCs alone follow all other bytes, and
:func:`compare` computes them anew and holds every one against the file. What Python's ``zipfile`` or ``unzip`` then read is
what was signed.

(APPNOTE.TXT 6.3.9 sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3.)
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import BinaryIO, Final, NamedTuple

MAX_32: Final = 0xFFFF_FFFF
MAX_16: Final = 0xFFFF
MAX_PATH: Final = 200
MAX_MEMBERS: Final = 200_000
BLOCK: Final = 1 << 20

_PATH: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,9}")
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{name}{n}" for name in ("com", "lpt") for n in range(10)}
)
_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_END_64: Final = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR: Final = struct.Struct("<4sIQI")
_DATE: Final = 0x21  # 1980-01-01, the first a zip can say
_MADE_BY: Final = 3 << 8 | 45  # Unix, so that the mode below is read as one
_MODE: Final = 0o100644 << 16


class Stored(NamedTuple):
    """A member as its headers describe it: where its header begins, name, size and CRC-32."""

    offset: int
    path: str
    size: int
    crc: int

    @property
    def data(self) -> int:
        """Where its bytes begin."""
        return self.offset + header_size(self.path, self.size)

    @property
    def end(self) -> int:
        """Where the next member begins."""
        return self.data + self.size


def path_problem(path: str) -> str | None:
    """Return why a path cannot be a member's; None for one that can.

    Relative, of ASCII letters, digits, ``.``, ``_``, ``-`` in at most ten steps, none of which begins with a dot, ends
    with one or is a device of Windows: the same file on every system, and never outside the folder.
    """
    if len(path) > MAX_PATH:
        return f"it is longer than {MAX_PATH} characters"
    if not _PATH.fullmatch(path):
        return "a member is called by letters, digits, `.`, `_`, `-` and `/`, relative and without steps like `..`"
    for step in path.split("/"):
        if step.endswith(".") or step.partition(".")[0].lower() in _DEVICES:
            return f"`{step}` is another file, or none, on some systems"
    return None


def paths_problem(paths: Sequence[str]) -> tuple[str, str] | None:
    """Return the first member that cannot be there beside the others, and why. ``paths`` are in the order of the zip."""
    if len(paths) > MAX_MEMBERS:
        return "the zip", f"it has more than {MAX_MEMBERS:,} members"
    folded: dict[str, str] = {}
    folders: dict[str, str] = {}
    last = ""
    for path in paths:
        problem = path_problem(path)
        if problem is None and path <= last:
            problem = "it is there twice" if path == last else f"it stands after `{last}`; members are sorted"
        lower = path.lower()
        if problem is None and lower in folded:
            problem = f"it is the same file as `{folded[lower]}` where case does not matter"
        if problem is not None:
            return path[:MAX_PATH], problem
        folded[lower] = last = path
        parent = lower.rpartition("/")[0]
        while parent and parent not in folders:
            folders[parent] = path
            parent = parent.rpartition("/")[0]
    for lower, path in folded.items():
        if lower in folders:
            return path, f"it is a folder too, that of `{folders[lower]}`"
    return None


def header_size(path: str, size: int) -> int:
    """Return how long a member's local header is, in bytes."""
    return _LOCAL.size + len(path) + (20 if size >= MAX_32 else 0)


def local_header(member: Stored) -> bytes:
    """Return the bytes before a member's content."""
    big = member.size >= MAX_32
    said = MAX_32 if big else member.size
    extra = struct.pack("<HHQQ", 1, 16, member.size, member.size) if big else b""
    name = member.path.encode("ascii")
    head = _LOCAL.pack(
        b"PK\3\4", 45 if big else 10, 0, 0, 0, _DATE, member.crc, said, said, len(name), len(extra)
    )
    return head + name + extra


def tail(members: Sequence[Stored]) -> Iterator[bytes]:
    """Yield everything after the last member: central directory and end records."""
    begin = members[-1].end if members else 0
    size = 0
    for member in members:
        record = _central(member)
        size += len(record)
        yield record
    number = len(members)
    if number >= MAX_16 or size >= MAX_32 or begin >= MAX_32:
        yield _END_64.pack(b"PK\6\6", 44, _MADE_BY, 45, 0, 0, number, number, size, begin)
        yield _LOCATOR.pack(b"PK\6\7", 0, begin + size, 1)
    short = min(number, MAX_16)
    yield _END.pack(b"PK\5\6", 0, 0, short, short, min(size, MAX_32), min(begin, MAX_32), 0)


def _central(member: Stored) -> bytes:
    big = member.size >= MAX_32
    far = member.offset >= MAX_32
    fields = ([member.size, member.size] if big else []) + ([member.offset] if far else [])
    extra = struct.pack(f"<HH{len(fields)}Q", 1, 8 * len(fields), *fields) if fields else b""
    said = MAX_32 if big else member.size
    name = member.path.encode("ascii")
    head = _CENTRAL.pack(
        b"PK\1\2", _MADE_BY, 45 if fields else 10, 0, 0, 0, _DATE, member.crc, said, said, len(name), len(extra),
        0, 0, 0, _MODE, MAX_32 if far else member.offset,
    )  # fmt: skip
    return head + name + extra


def write(out: BinaryIO, members: Iterable[tuple[str, int, int, BinaryIO]]) -> list[Stored]:
    """Write a zip of (path, size, CRC-32, content) in order; return where each stands.

    Raises ValueError where paths are not sorted or not possible, or content is not of its size: what would be written
    could not be verified.
    """
    stored: list[Stored] = []
    offset = 0
    for path, size, crc, content in members:
        member = Stored(offset, path, size, crc)
        out.write(local_header(member))
        left = size
        while left and (block := content.read(min(BLOCK, left))):
            out.write(block)
            left -= len(block)
        if left or content.read(1):
            raise ValueError(f"`{path}` changed while it was written")
        stored.append(member)
        offset = member.end
    problem = paths_problem([member.path for member in stored])
    if problem is not None:
        raise ValueError(f"`{problem[0]}`: {problem[1]}")
    out.writelines(tail(stored))
    return stored


def first_header(file: BinaryIO, offset: int, path: str, most: int) -> Stored | str:
    """Return the member that a header at ``offset`` describes, or why it is not ``path`` of at most ``most`` bytes.

    Only for the two members that nothing lists; :func:`compare` holds their headers against what they have to be.
    """
    file.seek(offset)
    raw = file.read(_LOCAL.size + len(path))
    if len(raw) < _LOCAL.size + len(path):
        return "the file ends before it"
    size: int = _LOCAL.unpack_from(raw)[8]
    if raw[:4] != b"PK\3\4" or raw[_LOCAL.size :] != path.encode():
        return f"expected the member `{path}` at byte {offset}"
    if size > most:
        return f"it says that it has {size:,} bytes; at most {most:,} are expected"
    return Stored(offset, path, size, 0)


class Read(NamedTuple):
    """What a member's bytes are: as they have to be described, and their SHA-256 in hexadecimal."""

    member: Stored
    sha256: str


def compare(file: BinaryIO, listed: Sequence[tuple[str, int]]) -> Iterator[Read | tuple[str, str]]:
    """Yield for each listed (path, size), in order, what its bytes are, or (where, what is wrong).

    Everything that is no content is computed from ``listed`` and the content's CRC-32, and held against the file: local
    headers, central directory, end records, and that the file ends there. After the first wrong header the places of
    what follows are unknown, and nothing more is yielded.
    """
    stored: list[Stored] = []
    offset = 0
    for path, size in listed:
        member = Stored(offset, path, size, 0)
        file.seek(offset)
        head = file.read(member.data - offset)
        crc, digest, got = _content(file, size)
        member = member._replace(crc=crc)
        if got != size:
            yield path, f"the file ends within it, {size - got:,} bytes before its end"
            return
        if head != local_header(member):
            yield path, _header_problem(head, member)
            return
        yield Read(member, digest)
        stored.append(member)
        offset = member.end
    file.seek(offset)
    for number, piece in enumerate(tail(stored)):
        found = file.read(len(piece))
        if found != piece:
            where = stored[number].path if number < len(stored) else "the zip"
            what = "its entry in the central directory is" if number < len(stored) else "the end records are"
            yield (
                where,
                f"{what} not what follows from the members, at byte {offset + _differs(found, piece)}",
            )
            return
        offset += len(piece)
    if file.read(1):
        yield "the zip", f"there are bytes after its end, from byte {offset} on"


def _content(file: BinaryIO, size: int) -> tuple[int, str, int]:
    crc, hasher, left = 0, sha256(), size
    while left and (block := file.read(min(BLOCK, left))):
        crc = zlib.crc32(block, crc)
        hasher.update(block)
        left -= len(block)
    return crc, hasher.hexdigest(), size - left


def _header_problem(head: bytes, member: Stored) -> str:
    """Words for a local header that is another: the CRC alone says that the content is."""
    expected = local_header(member)
    if head[:14] == expected[:14] and head[18:] == expected[18:]:
        return "its bytes are not those that its header has the CRC-32 of"
    at = _differs(head, expected)
    return f"its header is not what follows from the manifest, at byte {member.offset + at}"


def _differs(found: bytes, expected: bytes) -> int:
    return next(
        (at for at, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), len(found)
    )
