"""Who changed a resource last, as far as CloudTrail's log files show it.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.model.errors import InputError
from policyengine.model.location import Location

MAX_BYTES: Final = 256 << 20
_DEEP: Final = 12


class Act(NamedTuple):
    """A recorded change: when, by whom (the principal's ARN), which event, from where."""

    time: str
    actor: str
    event: str
    source: str


def last_acts(files: Iterable[Path], names: Mapping[str, Collection[str]]) -> dict[str, Act]:
    """Return for each key of ``names`` the last successful write that names one of its texts.

    ``names``: key -> ids and ARNs of a resource. Raises InputError for a file that is no CloudTrail log.
    """
    keys: dict[str, list[str]] = {}
    for key, texts in names.items():
        for text in texts:
            keys.setdefault(text, []).append(key)
    found: dict[str, Act] = {}
    for record in _records(files):
        if record.get("readOnly") is not False or record.get("errorCode"):
            continue
        act = _act(record)
        for text in set(_texts([record.get("requestParameters"), record.get("resources")], 0)) & keys.keys():
            for key in keys[text]:
                if key not in found or act.time > found[key].time:
                    found[key] = act
    return found


def _act(record: Mapping[str, Any]) -> Act:
    who = record.get("userIdentity")
    who = who if isinstance(who, dict) else {}
    actor = (
        who.get("arn")
        or who.get("invokedBy")
        or who.get("principalId")
        or "somebody CloudTrail does not name"
    )
    service = str(record.get("eventSource", "")).removesuffix(".amazonaws.com")
    return Act(
        str(record.get("eventTime", "")), str(actor), f"{service}:{record.get('eventName', '')}",
        str(record.get("sourceIPAddress", "")),
    )  # fmt: skip


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < _DEEP and isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner, depth + 1)
    elif depth < _DEEP and isinstance(value, list):
        for inner in value:
            yield from _texts(inner, depth + 1)


def _records(files: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    for path in files:
        try:
            with path.open("rb") as file:
                packed = file.read(2) == b"\x1f\x8b"
                file.seek(0)
                data = (gzip.GzipFile(fileobj=file) if packed else file).read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise ValueError(f"is over {MAX_BYTES >> 20} MiB")
            records = json.loads(data)["Records"]
        except (OSError, EOFError, ValueError, KeyError, TypeError, RecursionError) as problem:
            raise InputError(
                f"is no log file of CloudTrail (an object with `Records`): {problem}", Location(str(path))
            ) from None
        yield from (record for record in records if isinstance(record, dict))
