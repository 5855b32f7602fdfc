"""One configuration item, whichever of AWS Config's spellings it came in.

Events name it ``ARN`` and ``awsAccountId`` and hold objects; answers of the API name it ``arn`` and ``accountId`` and
hold JSON in strings, some of them encoded twice; Select* answers are strings as a whole.
https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from policyengine.sources.config.stream import LISTS
from policyengine.sources.shaping import timestamp
from policyengine.sources.snapshot.lines import decode_line
from policyengine.sources.snapshot.problems import LineError

Json = dict[str, Any]

RECORDED: Final = frozenset({"OK", "ResourceDiscovered"})
"""Statuses of a resource that exists and is recorded."""
NOT_RECORDED: Final = frozenset({"ResourceNotRecorded"})
GONE: Final = frozenset({"ResourceDeleted", "ResourceDeletedNotRecorded"})
_MAX_ENCODED: Final = 4
_TYPE: Final = re.compile(r"[A-Za-z0-9]+::[A-Za-z0-9]*::[A-Za-z0-9]+(::[A-Za-z0-9]+)?")
_SHAPED: Final = ("resourceType", "configuration", "configurationItemStatus")
_EVENTS: Final = ("configurationItem", "invokingEvent", "configurationItemSummary")


class ItemError(Exception):
    """What is no configuration item, or not a whole one; the text says why."""


class Item(NamedTuple):
    """A configuration item. ``type`` is AWS Config's name, ``configuration`` and ``supplement`` are plain objects.

    ``captured`` is when AWS Config recorded it; ``order`` sorts the items of one resource by age.
    """

    type: str
    id: str
    name: str
    arn: str | None
    account: str
    region: str
    status: str
    captured: str | None
    order: tuple[str, int, str]
    tags: Any
    configuration: Json
    supplement: Json
    relationships: list[Json]
    created: str | None = None
    daily: bool = False
    """Whether the type is recorded once a day: what changed and was changed back in between is in no item
    (https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingMode.html)."""
    events: tuple[str, ...] = ()
    """Ids of the CloudTrail events that led to it, where AWS Config says so."""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What the items of one resource have in common."""
        return (self.account, self.region, self.type, self.id)


def is_item(value: Any) -> bool:
    """Say whether a value looks like a configuration item."""
    return isinstance(value, Mapping) and "resourceType" in value and any(k in value for k in _SHAPED[1:])


def is_config(value: Any) -> bool:
    """Say whether a document is something of AWS Config's: an item, an event, an answer, a list of them."""
    if isinstance(value, list):
        return bool(value) and is_config(value[0])
    if not isinstance(value, Mapping):
        return False
    if any(isinstance(value.get(key), list) for key in LISTS - {"Results"}):
        return True
    if any(key in value for key in _EVENTS) or _detail(value) is not None:
        return True
    results = value.get("Results")
    found = decode(results[0]) if isinstance(results, list) and results else value
    return is_item(found)


def items_of(value: Any) -> Iterator[Any]:
    """Yield the items within a value: itself, an event's, a rule's invocation, an EventBridge event's.

    Raises ItemError for an event that holds none: an oversized one, a scheduled one.
    """
    if isinstance(value, str):
        value = decode(value)
    if isinstance(value, list):
        for element in value:
            yield from items_of(element)
        return
    if not isinstance(value, Mapping):
        raise ItemError(f"is {_kind(value)}, expected a configuration item")
    if "invokingEvent" in value:
        yield from items_of(decode(value["invokingEvent"]))
    elif isinstance(value.get("configurationItem"), Mapping):
        yield value["configurationItem"]
    elif (detail := _detail(value)) is not None:
        yield from items_of(detail)
    elif "configurationItemSummary" in value:
        raise ItemError(
            "is a notification of an oversized item, which holds no configuration; save the answer of "
            "`aws configservice get-resource-config-history` and scan that"
        )
    elif "messageType" in value and not is_item(value):
        raise ItemError(f"is a notification of type `{str(value['messageType'])[:60]}`, which holds no item")
    else:
        yield value


def _detail(value: Mapping[str, Any]) -> Any:
    """EventBridge wraps the notification in ``detail``."""
    detail = value.get("detail")
    if isinstance(detail, Mapping) and (
        "configurationItem" in detail or "configurationItemSummary" in detail
    ):
        return detail
    return None


def read_item(raw: Any) -> Item:
    """Return the item; raises ItemError for what lacks the fields that every item has."""
    if not isinstance(raw, Mapping):
        raise ItemError(f"is {_kind(raw)}, expected a configuration item")
    type = _text(raw, "resourceType")
    if not _TYPE.fullmatch(type):
        raise ItemError(f"has `{type[:80]}` as `resourceType`, expected a type such as `AWS::S3::Bucket`")
    captured = _moment(raw.get("configurationItemCaptureTime"))
    state = str(raw.get("configurationStateId") or "")
    return Item(
        type=type,
        id=_text(raw, "resourceId"),
        name=_optional(raw, "resourceName"),
        arn=_optional(raw, "arn", "ARN") or None,
        account=_text(raw, "accountId", "awsAccountId"),
        region=_text(raw, "awsRegion"),
        status=_optional(raw, "configurationItemStatus") or "OK",
        captured=captured,
        order=(captured or "", len(state), state),
        tags=decode(raw.get("tags")),
        configuration=_object(raw, "configuration"),
        supplement={name: decode(v) for name, v in _object(raw, "supplementaryConfiguration").items()},
        relationships=_objects(decode(raw.get("relationships"))),
        created=_moment(raw.get("resourceCreationTime")),
        daily=raw.get("recordingFrequency") == "DAILY",
        events=tuple(each for each in _listed(raw.get("relatedEvents")) if isinstance(each, str)),
    )


def _objects(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _listed(value: Any) -> list[Any]:
    found = decode(value)
    return found if isinstance(found, list) else []


def _text(raw: Mapping[str, Any], *names: str) -> str:
    found = _optional(raw, *names)
    if not found:
        raise ItemError(f"has no `{'` or `'.join(names)}`, which every configuration item has")
    return found


def _optional(raw: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = raw.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is not None:
            raise ItemError(f"has {_kind(value)} as `{name}`, expected a string")
    return ""


def _object(raw: Mapping[str, Any], name: str) -> Json:
    value = decode(raw.get(name))
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise ItemError(f"has {_kind(value)} as `{name}`, expected an object")
    return value


def _moment(value: Any) -> str | None:
    """RFC 3339 in UTC, to the millisecond as AWS Config has it; boto3 gives a datetime."""
    if isinstance(value, datetime):
        return timestamp(value)
    if not isinstance(value, str) or not value:
        return None
    try:
        return timestamp(datetime.fromisoformat(value))
    except ValueError:
        return None


def decode(value: Any) -> Any:
    """Return what JSON in a string stands for, also where it was encoded several times; other values as they are.

    A text that is no JSON stays a text. What nests too deeply or names a key twice does too, and is then refused where
    an object is expected.
    """
    for _ in range(_MAX_ENCODED):
        if not isinstance(value, str) or not value:
            return value
        if value[0] not in '{["' and value not in ("true", "false", "null"):
            return value
        try:
            value = decode_line(value.encode("utf-8", "surrogatepass"))
        except LineError:
            return value
    return value


def _kind(value: Any) -> str:
    from policyengine.sources.tags import json_kind

    return json_kind(value)
