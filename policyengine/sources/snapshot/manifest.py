"""``manifest.json`` of a snapshot directory (``manifest-v1.schema.json``, docs/snapshot-format.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.location import Location
from policyengine.model.values import UNRESOLVED_REASONS, Unresolved
from policyengine.sources.base import Coverage
from policyengine.sources.paths import printable
from policyengine.sources.snapshot.files import reason_of
from policyengine.sources.snapshot.lines import decode_line
from policyengine.sources.snapshot.problems import LineError
from policyengine.sources.tags import json_kind

MANIFEST: Final = "manifest.json"
CALLS: Final = "calls.ndjson.zst"
"""The calls that a collection made, a line each; readers of resources do not need it."""
NO_TYPE: Final = ""
"""Stands in the coverage for a place where no type is whole."""
MAX_MANIFEST: Final = 64 << 20
_VERSION = re.compile(r"(\d{1,6})(?:\.(\d{1,6}))?(?:\.\d{1,6})?")
_DIGEST = re.compile(r"[0-9a-f]{64}")


Triple = tuple[str, str, str]
"""(account, region, type)"""


class Part(NamedTuple):
    """One file of a snapshot: where it is, how it is called, and what it must hash to."""

    path: Path
    name: str
    sha256: str | None = None
    account: str | None = None
    region: str | None = None
    size: int | None = None
    resources: int | None = None


class CollectorError(InputError):
    """What the collector could not do, as the manifest records it; the run is incomplete."""

    code = "collector_error"

    def __init__(
        self,
        message: str,
        location: Location | None = None,
        *,
        code: str | None = None,
        account: str | None = None,
        region: str | None = None,
        operation: str | None = None,
        types: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, location, code=code)
        self.types = types
        """Types that are not whole because of it, anywhere in the account."""
        self.account = account
        self.region = region
        self.operation = operation

    def __str__(self) -> str:
        where = " ".join(part for part in (self.account, self.region, self.operation) if part)
        said = f"{where}: {self.message}" if where else self.message
        return f"{self.location}: {said}" if self.location else said

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (
            self.message,
            self.location,
            self.code,
            self.account,
            self.region,
            self.operation,
            self.types,
        )
        return (_collector_error, arguments)


def _collector_error(
    message: str,
    location: Location | None,
    code: str,
    account: str | None,
    region: str | None,
    operation: str | None,
    types: tuple[str, ...],
) -> CollectorError:
    return CollectorError(
        message, location, code=code, account=account, region=region, operation=operation, types=types
    )


@dataclass(slots=True)
class Manifest:
    """What a manifest says, checked."""

    minor: int
    created: str | None
    coverage: Coverage
    parts: list[Part]
    errors: list[PolicyEngineError] = field(default_factory=list)
    failed: dict[Triple, Unresolved] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    redaction_key: str | None = None
    """Names the key under which secrets were taken out; None where nobody says that they were."""


def read_manifest(folder: Path, name: str) -> Manifest:
    """Return the manifest of ``folder``, which messages call ``name``.

    Raises InputError when it cannot be read, is of version 2 or later, or names a part outside
    the folder.
    """
    place = f"{name}/{MANIFEST}"
    try:
        with (folder / MANIFEST).open("rb") as file:
            data = file.read(MAX_MANIFEST + 1)
    except OSError as problem:
        raise InputError(
            f"cannot be read: {reason_of(problem)}", Location(place), code="unreadable"
        ) from None
    if len(data) > MAX_MANIFEST:
        raise InputError("is over the limit of 64 MiB for a manifest", Location(place), code="too_large")
    try:
        record = decode_line(data.removeprefix(b"\xef\xbb\xbf"))
        if not isinstance(record, dict):
            raise LineError(f"is {json_kind(record)}, expected an object with `version` and `parts`")
        minor = check_version(record.get("version"))
        parts = list(_parts(record.get("parts"), folder, name))
        return Manifest(
            minor=minor,
            created=_text(record, "created", "created"),
            coverage=frozenset(_coverage(record)),
            parts=parts,
            errors=list(_errors(record.get("errors"), place)),
            failed=_failed(record.get("errors")),
            notes=_notes(record.get("collection")),
            redaction_key=_redaction_key(record.get("collection")),
        )
    except LineError as problem:
        raise InputError(str(problem), Location(place), code="bad_manifest") from None


def check_version(version: Any) -> int:
    """Return the minor number of a version 1.x; raises LineError for any other."""
    text = str(version) if isinstance(version, str | int | float) and not isinstance(version, bool) else ""
    found = _VERSION.fullmatch(text)
    if not found:
        shown = f"`{text[:20]}`" if text else json_kind(version) if version is not None else "missing"
        raise LineError(f"`version` is {shown}, expected `1.0`")
    if int(found[1]) != 1:
        raise LineError(
            f"snapshot version `{text}` is not supported: this policyengine reads versions 1.x; "
            "use a policyengine that reads it, or collect the snapshot again"
        )
    return int(found[2] or 0)


def _parts(parts: Any, folder: Path, name: str) -> Iterator[Part]:
    root = folder.resolve()
    seen: set[str] = set()
    for index, part in enumerate(_list(parts, "parts", required=True)):
        where = f"parts[{index}]"
        _object(part, where)
        path = part.get("path")
        if not isinstance(path, str) or not path:
            raise LineError(f"`{where}.path` must be a non-empty string")
        digest = part.get("sha256")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise LineError(f"`{where}.sha256` must be 64 lower-case hexadecimal digits")
        if path in seen:
            raise LineError(f"`{where}.path`: the part `{printable(path)}` is listed twice")
        seen.add(path)
        yield Part(
            path=_inside(path, folder, root, where),
            name=f"{name}/{printable(path)}",
            sha256=digest,
            account=_text(part, "account", f"{where}.account"),
            region=_text(part, "region", f"{where}.region"),
            size=_count(part, "bytes", where),
            resources=_count(part, "resources", where),
        )


def _inside(path: str, folder: Path, root: Path, where: str) -> Path:
    """A part must be a file below the folder, whatever its path or a link in it says."""
    pure = PurePosixPath(path)
    full = folder / path
    leaves = pure.is_absolute() or ".." in pure.parts or "\\" in path or ":" in path or "\0" in path
    if not leaves:
        try:
            leaves = not full.resolve().is_relative_to(root)
        except (OSError, RuntimeError):  # a loop of links
            leaves = True
    if leaves:
        raise LineError(f"`{where}.path`: the part `{printable(path)}` leaves the snapshot's folder; refused")
    return full


def _coverage(record: dict[str, Any]) -> Iterator[Triple]:
    """Yield what is whole; where nothing is, the place with no type: it is still one that a resource may be in."""
    known: dict[str, str] = {}  # each text once: there may be a million of them
    for index, entry in enumerate(_list(record.get("coverage"), "coverage")):
        where = f"coverage[{index}]"
        _object(entry, where)
        account, region = entry.get("account"), entry.get("region")
        if not isinstance(account, str) or not isinstance(region, str):
            raise LineError(f"`{where}` needs `account` and `region`, both strings")
        region = known.setdefault(region, region)
        for type in _types(entry, where):
            yield account, region, known.setdefault(type, type)
    for index, entry in enumerate(_list(record.get("covered"), "covered")):
        where = f"covered[{index}]"
        _object(entry, where)
        types = _types(entry, where)
        for place in _list(entry.get("places"), f"{where}.places", required=True):
            if not (isinstance(place, list) and len(place) == 2 and all(isinstance(p, str) for p in place)):
                raise LineError(f"`{where}.places` must be pairs of account and region, both strings")
            account, region = place
            for type in types:
                yield account, region, type


def _types(entry: dict[str, Any], where: str) -> list[str]:
    types = entry.get("types")
    if not isinstance(types, list) or not all(isinstance(t, str) for t in types):
        raise LineError(f"`{where}.types` must be a list of type names")
    return types or [NO_TYPE]


def _failed(errors: Any) -> dict[Triple, Unresolved]:
    """Return, by account, region and type, what kept the collector from listing resources."""
    found: dict[Triple, Unresolved] = {}
    for index, entry in enumerate(_list(errors, "errors")):
        types = _list(entry.get("types"), f"errors[{index}].types")
        if not types or not all(isinstance(type, str) for type in types):
            continue
        code = entry.get("code")
        reason = code if code in UNRESOLVED_REASONS else "read_error"
        value = Unresolved(reason, printable(str(entry.get("operation") or entry["message"])))
        for type in types:
            found[str(entry.get("account")), str(entry.get("region")), type] = value
    return found


def _errors(errors: Any, place: str) -> Iterator[PolicyEngineError]:
    for index, entry in enumerate(_list(errors, "errors")):
        where = f"errors[{index}]"
        _object(entry, where)
        message = entry.get("message")
        if not isinstance(message, str) or not message:
            raise LineError(f"`{where}.message` must be a non-empty string")
        fields = {n: _text(entry, n, f"{where}.{n}") for n in ("code", "account", "region", "operation")}
        code = fields.pop("code") or CollectorError.code
        types = tuple(t for t in _list(entry.get("types"), f"{where}.types") if isinstance(t, str))
        yield CollectorError(printable(message), Location(place), code=code, types=types, **fields)


def _notes(collection: Any) -> list[str]:
    """Return what the collector left out on purpose, in its words."""
    notes = collection.get("notes") if isinstance(collection, dict) else None
    return [printable(note) for note in notes if isinstance(note, str)] if isinstance(notes, list) else []


def _redaction_key(collection: Any) -> str | None:
    key = collection.get("redaction_key") if isinstance(collection, dict) else None
    return key if isinstance(key, str) else None


def _list(value: Any, name: str, *, required: bool = False) -> list[Any]:
    if value is None and not required:
        return []
    if not isinstance(value, list):
        found = json_kind(value) if value is not None else "missing"
        raise LineError(f"`{name}` is {found}, expected a list")
    return value


def _object(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise LineError(f"`{where}` is {json_kind(value)}, expected an object")


def _text(record: dict[str, Any], key: str, where: str) -> str | None:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise LineError(f"`{where}` is {json_kind(value)}, expected a string")
    return value


def _count(record: dict[str, Any], key: str, where: str) -> int | None:
    value = record.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise LineError(f"`{where}.{key}` must be a number of zero or more")
    return value
