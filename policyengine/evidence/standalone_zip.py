"""The first part of the verifier that bundles carry: what a zip of ours is, byte by byte, and canonical JSON.

``standalone.py`` is the other; :func:`~policyengine.evidence.bundle_writer.own_texts` makes one file of both. Nothing but the
standard library, no syntax beyond 3.9.
"""

from __future__ import annotations

# -- a bundle's verify.py begins with what follows
import hashlib
import json
import re
import struct
import zlib
from typing import Any, BinaryIO

Json = dict[str, Any]
Key = tuple[str, bool]  # file, whether it is Ed25519
EDWARDS = bytes.fromhex("302a300506032b6570032100")
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
ENVELOPE, MANIFEST = "MANIFEST.dsse.json", "MANIFEST.json"
JOURNAL = "remediation/actions.ndjson"
RUN = "run/run.json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
MAX_32, MAX_16, MAX_LINE, BLOCK = 0xFFFFFFFF, 0xFFFF, 256 << 20, 1 << 18
CONTENT, SIGNATURE, CHAIN, SCHEMA = 10, 11, 12, 14
DIGEST = re.compile("[0-9a-f]{64}")
STEP = "[A-Za-z0-9_-][A-Za-z0-9._-]*"
PATH = re.compile(STEP + "(?:/" + STEP + "){0,9}")


class Wrong(Exception):
    """Something does not hold: exit code, where, what."""

    def __init__(self, code: int, where: str, text: str) -> None:
        super().__init__(f"{where}: {text}")
        self.code = code


def canonical(value: Any) -> str:
    """RFC 8785 for what bundles hold: no fractions."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float) or (isinstance(value, int) and abs(value) >= 1 << 53):
        raise ValueError("a number that is no integer of 53 bits")
    return json.dumps(value, ensure_ascii=False)


def strict(data: bytes, where: str) -> Any:
    """Return the value of JSON that has exactly its canonical text."""
    try:
        value = json.loads(data.decode("utf-8"))
        same = canonical(value).encode("utf-8") == data
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise Wrong(SCHEMA, where, "it is not canonical JSON")
    return value


def local_header(path: str, size: int, crc: int) -> bytes:
    """The bytes before a member's content."""
    big = size >= MAX_32
    said = MAX_32 if big else size
    extra = struct.pack("<HHQQ", 1, 16, size, size) if big else b""
    head = struct.pack(
        "<4sHHHHHIIIHH", b"PK\3\4", 45 if big else 10, 0, 0, 0, 0x21, crc, said, said, len(path), len(extra)
    )
    return head + path.encode("ascii") + extra


def central_entry(path: str, size: int, crc: int, offset: int) -> bytes:
    """A member's entry in the central directory."""
    numbers = ([size, size] if size >= MAX_32 else []) + ([offset] if offset >= MAX_32 else [])
    extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
    said = min(size, MAX_32)
    head = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 3 << 8 | 45, 45 if numbers else 10, 0, 0, 0, 0x21, crc, said, said,
        len(path), len(extra), 0, 0, 0, 0o100644 << 16, min(offset, MAX_32),
    )  # fmt: skip
    return head + path.encode("ascii") + extra


def end_records(number: int, size: int, begin: int) -> bytes:
    """What ends the zip."""
    end = b""
    if number >= MAX_16 or size >= MAX_32 or begin >= MAX_32:
        end = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 3 << 8 | 45, 45, 0, 0, number, number, size, begin)
        end += struct.pack("<4sIQI", b"PK\6\7", 0, begin + size, 1)
    few = min(number, MAX_16)
    return end + struct.pack(
        "<4sHHHHIIH", b"PK\5\6", 0, 0, few, few, min(size, MAX_32), min(begin, MAX_32), 0
    )


def first(file: BinaryIO, offset: int, path: str, most: int) -> tuple[bytes, int]:
    """Return a member that nothing lists, envelope or manifest, and where the next one begins."""
    file.seek(offset)
    head = file.read(30 + len(path))
    if len(head) < 30 + len(path) or head[:4] != b"PK\3\4" or head[30:] != path.encode("ascii"):
        raise Wrong(SCHEMA, "the zip", f"expected the member {path} at byte {offset}")
    (size,) = struct.unpack("<I", head[22:26])
    if size > most:
        raise Wrong(SCHEMA, path, f"it says that it has {size} bytes")
    return file.read(size), offset + len(head) + size


def compare_zip(file: BinaryIO, listed: list[tuple[str, int]]) -> tuple[dict[str, int], dict[str, str]]:
    """Compute every byte around the members anew and compare; return where each member's content begins."""
    offset, entries, begins, digests = 0, [], {}, {}
    for path, size in listed:
        file.seek(offset)
        head = file.read(len(local_header(path, size, 0)))
        begins[path], crc, left, digest = file.tell(), 0, size, hashlib.sha256()
        while left:
            block = file.read(min(BLOCK, left))
            if not block:
                raise Wrong(CONTENT, path, "the file ends within it")
            crc, left = zlib.crc32(block, crc), left - len(block)
            digest.update(block)
        if head != local_header(path, size, crc):
            raise Wrong(CONTENT, path, "its bytes, or its header in the zip, are not what the manifest lists")
        digests[path] = digest.hexdigest()
        entries.append(central_entry(path, size, crc, offset))
        offset = begins[path] + size
    directory = b"".join(entries)
    tail = directory + end_records(len(entries), len(directory), offset)
    file.seek(offset)
    if file.read(len(tail)) != tail or file.read(1):
        raise Wrong(
            CONTENT, "the zip", "its directory is not what follows from its members, or bytes follow its end"
        )
    return begins, digests


def check_paths(paths: list[str]) -> None:
    """Sorted, once each also where case does not matter, relative, and no file that is a folder too."""
    folded = [path.lower() for path in paths]
    folders = {name[: at.start()] for name in folded for at in re.finditer("/", name)}
    if paths != sorted(set(paths)) or len(set(folded)) != len(folded) or folders & set(folded):
        raise Wrong(
            SCHEMA, MANIFEST, "its members are not sorted, or two of them are one file on some systems"
        )
    for path in paths:
        if len(path) > 200 or not PATH.fullmatch(path) or any(step.endswith(".") for step in path.split("/")):
            raise Wrong(SCHEMA, MANIFEST, f"a member cannot be called {path[:200]!r}")
