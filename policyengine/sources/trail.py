"""CloudTrail records of files: `{"Records": […]}` as CloudTrail delivers them, or one record a line; gzip too.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from policyengine.model.errors import InputError
from policyengine.model.location import Location
from policyengine.sources.snapshot.lines import decode_line
from policyengine.sources.snapshot.problems import LineError

MAX_FILE: Final = 512 * 1024 * 1024
"""Bytes of a file, unpacked; CloudTrail's own files have some megabytes."""
_SUFFIXES: Final = (".json", ".json.gz", ".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")


def read_trail(path: Path) -> Iterator[Any]:
    """Yield the records of a file, or of all files below a folder in the order of their names.

    Raises InputError with the place of what is none.
    """
    if not path.is_dir():
        yield from _records(path)
        return
    files = sorted(p for p in path.rglob("*") if p.is_file() and p.name.endswith(_SUFFIXES))
    if not files:
        raise InputError(f"no file of records below it; expected {', '.join(_SUFFIXES)}", Location(str(path)))
    for file in files:
        yield from _records(file)


def read_logs(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield the records of log files as CloudTrail delivers them. Raises InputError for what is none."""
    for path in paths:
        what = "is no log file of CloudTrail (an object with `Records`)"
        try:
            whole = decode_line(_data(path))
        except LineError as error:
            raise InputError(f"{what}: {error}", Location(str(path)), code="bad_records") from None
        records = whole.get("Records") if isinstance(whole, dict) else None
        if not isinstance(records, list):
            raise InputError(what, Location(str(path)), code="bad_records")
        yield from (record for record in records if isinstance(record, dict))


def _records(path: Path) -> Iterator[Any]:
    data = _data(path)
    try:
        whole = decode_line(data)
    except LineError:  # several lines, or none that is whole: reading them one by one says which
        whole = None
    if isinstance(whole, dict) and isinstance(whole.get("Records"), list):
        yield from whole["Records"]
    elif isinstance(whole, list):
        yield from whole
    else:
        yield from _lines(path, data)


def _lines(path: Path, data: bytes) -> Iterator[Any]:
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            try:
                yield decode_line(line)
            except LineError as error:
                raise InputError(str(error), Location(str(path), number), code="bad_records") from None


def _data(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            data = (gzip.GzipFile(fileobj=file) if packed else file).read(MAX_FILE + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise InputError(f"cannot be read: {reason}", Location(str(path)), code="unreadable") from None
    if len(data) > MAX_FILE:
        raise InputError(f"is larger than {MAX_FILE >> 20} MiB", Location(str(path)), code="too_large")
    return data.removeprefix(b"\xef\xbb\xbf")
