"""Writing a snapshot directory: parts by account and region, hashed, put in place at once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from policyengine.model.coverage import places_alike
from policyengine.model.errors import InputError
from policyengine.model.resource import Resource
from policyengine.sources.base import NO_COVERAGE, Coverage
from policyengine.sources.snapshot.canonical import to_lines
from policyengine.sources.snapshot.manifest import CALLS, MANIFEST, NO_TYPE

PART_BYTES: Final = 16 << 20
MAX_LISTED: Final = 500_000
"""Triples of coverage, some 20 MB, up to which it is listed place by place, as readers of version 1.0 expect it. What
they do not know they ignore: a longer one is nothing to them, so that what is absent is not known."""
_SPILL_BYTES: Final = 64 << 20
_ODD = re.compile(r"[^A-Za-z0-9-]+")

Place = tuple[str, str]


def write_snapshot(
    folder: str | Path,
    resources: Iterable[Resource],
    *,
    created: str,
    coverage: Coverage | Callable[[], Coverage] = NO_COVERAGE,
    errors: Sequence[Mapping[str, Any]] | Callable[[], Sequence[Mapping[str, Any]]] = (),
    compress: bool = True,
) -> Path:
    """Write a snapshot of resources and return its folder.

    As :func:`write_lines`; ``coverage`` and ``errors`` may be functions, which are asked once everything was read.
    Raises ValueError also for a resource that no snapshot can hold.
    """
    lines = (placed for resource in resources for placed in _placed(resource))
    return write_lines(folder, lines, created=created, coverage=coverage, errors=errors, compress=compress)


def _placed(resource: Resource) -> Iterator[tuple[Place, bytes]]:
    # code has no account in its identity, by which everything is ordered
    code = resource.file is not None
    place = ("", "") if code else (resource.account or "", resource.region or "")
    for line in to_lines(resource):
        yield place, line


def check_target(target: Path) -> None:
    """Raise InputError where no snapshot can be put: a file, or a folder that holds something else."""
    if target.exists() and not target.is_dir():
        raise InputError(f"`{target}` is a file; name a folder that is new or empty")
    if target.exists() and not (target / MANIFEST).is_file() and any(target.iterdir()):
        raise InputError(f"`{target}` exists and is no snapshot; name a folder that is new or empty")


def write_lines(
    folder: str | Path,
    lines: Iterable[tuple[Place, bytes]],
    *,
    created: str,
    coverage: Coverage | Callable[[], Coverage] = NO_COVERAGE,
    errors: Sequence[Mapping[str, Any]] | Callable[[], Sequence[Mapping[str, Any]]] = (),
    compress: bool = True,
    collection: Mapping[str, Any] | None = None,
    calls: Iterable[bytes] | None = None,
) -> Path:
    """Write a snapshot of canonical lines, each with its (account, region), and return its folder.

    The folder appears whole or not at all; a snapshot that stands there is replaced. Memory holds
    one account and region at a time. ``created`` is an ISO time, ``errors`` are objects with
    ``message`` and, where known, ``code``, ``account``, ``region``, ``operation``; ``collection`` says how
    the lines came to be, and ``calls`` are lines about the calls that were made for them. Raises InputError when the
    folder exists and is no snapshot.
    """
    import shutil  # costs several milliseconds that readers do not pay
    import tempfile

    target = Path(folder)
    check_target(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        work.chmod(0o755)
        (work / "resources").mkdir()
        with tempfile.TemporaryDirectory(dir=work, prefix="spill-") as spill:
            buckets = _Buckets(Path(spill))
            buckets.fill(lines)
            parts = list(_write_parts(work, buckets, compress))
        coverage = coverage() if callable(coverage) else coverage
        errors = errors() if callable(errors) else errors
        about = dict(collection) if collection is not None else {}
        if calls is not None:
            about["call_log"] = _write_calls(work / CALLS, calls)
        manifest = {
            "version": "1.0" if len(coverage) <= MAX_LISTED else "1.1",
            "created": created,
            **listed_coverage(coverage),
            "parts": parts,
            "errors": [dict(e) for e in errors],
            **({"collection": about} if about or collection is not None else {}),
        }
        (work / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        _put(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _put(work: Path, target: Path) -> None:
    """Rename into place; an older snapshot is moved aside first and deleted last."""
    import shutil
    import tempfile

    if not target.exists():
        work.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(old / target.name)
    try:
        work.rename(target)
    except OSError:
        (old / target.name).rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


class _Buckets:
    """Lines by account and region; what memory should not hold waits in files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: dict[Place, list[bytes]] = {}
        self._files: dict[Place, Path] = {}
        self._bytes = 0

    def fill(self, lines: Iterable[tuple[Place, bytes]]) -> None:
        for place, line in lines:
            self._lines.setdefault(place, []).append(line)
            self._bytes += len(line)
            if self._bytes > _SPILL_BYTES:
                self._spill()

    def _spill(self) -> None:
        for place, lines in self._lines.items():
            path = self._files.setdefault(place, self._folder / str(len(self._files)))
            with path.open("ab") as file:
                file.writelines(line + b"\n" for line in lines)
        self._lines.clear()
        self._bytes = 0

    def places(self) -> list[Place]:
        return sorted({*self._lines, *self._files})

    def sorted_lines(self, place: Place) -> list[bytes]:
        lines = self._lines.get(place, [])
        if place in self._files:
            # JSON never holds a newline inside a line: it is written `\n`
            lines = [*self._files[place].read_bytes().split(b"\n")[:-1], *lines]
        return sorted(lines, key=_order)


def _order(line: bytes) -> tuple[str, str, str]:
    record = json.loads(line)
    place = record.get("location")
    return (place["file"], "", record["id"]) if place else (record["type"], record["id"], "")


def _write_parts(work: Path, buckets: _Buckets, compress: bool) -> Iterator[dict[str, Any]]:
    taken: set[str] = set()
    for account, region in buckets.places():
        stem = _ODD.sub("_", f"{account or 'code'}-{region or 'none'}")[:100]
        number = 0
        for lines in _cut(buckets.sorted_lines((account, region))):
            number += 1
            while (name := f"{stem}-{number:04d}.ndjson") in taken:
                number += 1
            taken.add(name)
            data = b"".join(line + b"\n" for line in lines)
            path = f"resources/{name}.zst" if compress else f"resources/{name}"
            stored = _compressed(data) if compress else data
            (work / path).write_bytes(stored)
            yield {
                "path": path,
                "account": account,
                "region": region,
                "sha256": hashlib.sha256(stored).hexdigest(),
                "bytes": len(stored),
                "resources": len(lines),
            }


def _write_calls(path: Path, calls: Iterable[bytes]) -> dict[str, Any]:
    """Write lines as they come and return what the manifest says of the file."""
    import zstandard

    digest, size, number = hashlib.sha256(), 0, 0
    packer = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()
    with path.open("wb") as file:

        def put(data: bytes) -> None:
            nonlocal size
            file.write(data)
            digest.update(data)
            size += len(data)

        for line in calls:
            put(packer.compress(line + b"\n"))
            number += 1
        put(packer.flush())
    return {"path": path.name, "sha256": digest.hexdigest(), "bytes": size, "calls": number}


def _cut(lines: list[bytes]) -> Iterator[list[bytes]]:
    """Cut into parts of at most PART_BYTES; a single longer line is a part of its own."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        if part and size + len(line) + 1 > PART_BYTES:
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line) + 1
    if part:
        yield part


def _compressed(data: bytes) -> bytes:
    import zstandard  # only when a snapshot is written

    return zstandard.ZstdCompressor(level=9, write_checksum=True).compress(data)


def listed_coverage(coverage: Coverage) -> dict[str, Any]:
    """Return what the manifest says of coverage: place by place, or, where that is too long, ``covered``."""
    alike = [([t for t in types if t != NO_TYPE], places) for types, places in places_alike(coverage)]
    if len(coverage) > MAX_LISTED:
        return {"coverage": [], "covered": [{"types": types, "places": places} for types, places in alike]}
    listed = sorted((place, types) for types, places in alike for place in places)
    return {"coverage": [{"account": a, "region": r, "types": types} for (a, r), types in listed]}
