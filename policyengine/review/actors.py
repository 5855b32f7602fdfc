"""Who changed a resource last, as far as records of CloudTrail show it.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

_DEEP: Final = 12


class Act(NamedTuple):
    """A recorded change: when, by whom (the principal's ARN), which event, from where."""

    time: str
    actor: str
    event: str
    source: str


def last_acts(records: Iterable[Mapping[str, Any]], names: Mapping[str, Collection[str]]) -> dict[str, Act]:
    """Return for each key of ``names`` the last successful write that names one of its texts.

    ``names``: key -> ids and ARNs of a resource.
    """
    keys: dict[str, list[str]] = {}
    for key, texts in names.items():
        for text in texts:
            keys.setdefault(text, []).append(key)
    found: dict[str, Act] = {}
    for record in records:
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
