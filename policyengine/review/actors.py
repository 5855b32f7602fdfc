"""Who changed a resource last, as far as records of CloudTrail show it.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
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


class Wish:
    """Who made a change: something of ``account`` that CloudTrail may call by one of ``texts``, changed after ``start`` (None:
    nobody knows) and at ``end`` or before; ``events`` are ids of CloudTrail events that AWS Config says led to it.

    ``act`` is the last act that fits, ``others`` how many more do; ``certain``: AWS Config names the event.
    """

    __slots__ = ("account", "act", "certain", "end", "events", "others", "seen", "start", "texts")

    def __init__(
        self,
        account: str,
        texts: Collection[str],
        start: datetime | None,
        end: datetime,
        events: Collection[str] = (),
    ) -> None:
        self.account, self.texts, self.start, self.end = account, frozenset(texts), start, end
        self.events = frozenset(events)
        self.act: Act | None = None
        self.others = 0
        self.certain = False
        self.seen: set[str] = set()

    def offer(self, act: Act, at: datetime, account: str, event: str) -> None:
        """Take an act that names it, if it may be the one."""
        certain = event in self.events
        late = at > self.end or (self.start is not None and at <= self.start)
        if ((late or account != self.account) and not certain) or (event and event in self.seen):
            return  # several trails may deliver one event
        self.seen.add(event)
        if self.certain and not certain:
            self.others += 1
            return
        if self.act is not None and certain == self.certain:
            self.others += 1
            if act.time < self.act.time:
                return
        elif self.act is not None:
            self.others += 1
        self.act, self.certain = act, certain


def grant(records: Iterable[Mapping[str, Any]], wishes: Iterable[Wish]) -> None:
    """Find who made changes: every wish is offered the successful writes that name it. Records may come in any order."""
    by_text: dict[str, list[Wish]] = {}
    by_event: dict[str, list[Wish]] = {}
    for wish in wishes:
        for text in wish.texts:
            by_text.setdefault(text, []).append(wish)
        for event in wish.events:
            by_event.setdefault(event, []).append(wish)
    for record in records:
        if record.get("readOnly") is not False or record.get("errorCode"):
            continue
        event, at = str(record.get("eventID", "")), _moment(record.get("eventTime"))
        if at is None:
            continue
        named = [record.get("requestParameters"), record.get("resources"), record.get("responseElements")]
        found = {id(w): w for text in set(_texts(named, 0)) & by_text.keys() for w in by_text[text]}
        found.update({id(w): w for w in by_event.get(event, ())})
        who = record.get("userIdentity")
        account = record.get("recipientAccountId") or (
            who.get("accountId") if isinstance(who, dict) else None
        )
        for wish in found.values():
            wish.offer(_act(record), at, str(account or ""), event)


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


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
