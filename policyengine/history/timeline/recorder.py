"""What CloudTrail says of AWS Config's recorder: when it did not record, and when it is known that it did.

https://docs.aws.amazon.com/config/latest/APIReference/API_StopConfigurationRecorder.html,
https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from policyengine.history.moments import moment
from policyengine.history.spans import Span
from policyengine.history.timeline.records import Stop
from policyengine.model.errors import UsageError

SOURCE: Final = "config.amazonaws.com"
SILENCE: Final = 24
"""Hours without any record of a place after which nobody knows whether its records are all there."""
_GLOBAL: Final = frozenset(f"AWS::IAM::{name}" for name in ("Group", "Policy", "Role", "User"))
_WHY: Final = {"StopConfigurationRecorder": "stopped", "DeleteConfigurationRecorder": "deleted_recorder"}
_HOUR: Final = 3600


@dataclass
class _Place:
    hours: set[int] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    switched: list[tuple[datetime, bool]] = field(default_factory=list)


class Recorders:
    """The recorders of all places, from records of CloudTrail in any order."""

    def __init__(self) -> None:
        self.stops: list[Stop] = []
        self._places: defaultdict[tuple[str, str], _Place] = defaultdict(_Place)

    def take(self, record: Mapping[str, Any]) -> None:
        """Take one record; one without time, account or region is none of ours."""
        account, region, at = place_of(record)
        if at is None or not account or not region:
            return
        place = self._places[account, region]
        place.hours.add(int(at.timestamp()) // _HOUR)
        place.first = at if place.first is None else min(place.first, at)
        place.last = at if place.last is None else max(place.last, at)
        if record.get("eventSource") != SOURCE or record.get("errorCode"):
            return
        name = record.get("eventName")
        if name in _WHY:
            self.stops.append(Stop(at, account, region, _WHY[name]))
            place.switched.append((at, False))
        elif name == "StartConfigurationRecorder":
            place.switched.append((at, True))
        elif name == "PutConfigurationRecorder":
            self.stops += _put(at, account, region, record.get("requestParameters"))

    def proved(self) -> Iterator[tuple[tuple[str, str], list[Span]]]:
        """Yield for each place, sorted, the times of which its records show that the recorder was not stopped."""
        for key in sorted(self._places):
            place = self._places[key]
            yield key, list(_without(_known(place), _off(place)))


def place_of(record: Mapping[str, Any]) -> tuple[str, str, datetime | None]:
    """Return account, region and time of a record; "" and None where it does not say."""
    who = record.get("userIdentity")
    account = record.get("recipientAccountId") or (who.get("accountId") if isinstance(who, dict) else None)
    try:
        at = moment(str(record.get("eventTime", "")))
    except UsageError:
        at = None
    return str(account or ""), str(record.get("awsRegion") or ""), at


def _put(at: datetime, account: str, region: str, given: Any) -> Iterator[Stop]:
    recorder = _under(given, "configurationRecorder")
    group, mode = _under(recorder, "recordingGroup"), _under(recorder, "recordingMode")
    if isinstance(group, dict):
        strategy = _under(group, "recordingStrategy", "useOnly")
        only, but = _under(group, "resourceTypes"), _under(group, "exclusionByResourceTypes", "resourceTypes")
        if isinstance(but, list) and but and strategy in (None, "EXCLUSION_BY_RESOURCE_TYPES"):
            yield Stop(at, account, region, "type", frozenset(map(str, but)))
        elif _under(group, "allSupported") is True:
            if _under(group, "includeGlobalResourceTypes") is not True:
                yield Stop(at, account, region, "type", _GLOBAL)
        elif isinstance(only, list) and only:
            yield Stop(at, account, region, "type", frozenset(map(str, only)), but=True)
    daily = [_under(mode, "recordingFrequency")]
    overrides = _under(mode, "recordingModeOverrides")
    each = overrides if isinstance(overrides, list) else []
    daily += [_under(override, "recordingFrequency") for override in each]
    if "DAILY" in daily:
        yield Stop(at, account, region, "daily", daily=True)


def _under(value: Any, *names: str) -> Any:
    for name in names:
        if not isinstance(value, dict):
            return None
        value = next((below for key, below in value.items() if str(key).casefold() == name.casefold()), None)
    return value


def _known(place: _Place) -> Iterator[Span]:
    """Times in which records follow each other; their ends are counted short."""
    hours = sorted(place.hours)
    if place.first is None or place.last is None:
        return
    start = place.first
    for one, other in pairwise(hours):
        if other - one > SILENCE:
            yield start, max(start, _moment(one))
            start = _moment(other + 1)
    yield start, max(start, place.last)


def _moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * _HOUR, UTC)


def _off(place: _Place) -> Iterator[Span]:
    """Times between a stop and the start after it; a start that no stop precedes says that it was off before."""
    end = datetime.max.replace(tzinfo=UTC) - timedelta(days=2)
    since: datetime | None = None
    for number, (at, on) in enumerate(sorted(place.switched)):
        if not on and since is None:
            since = at
        elif on and since is not None:
            yield since, at
            since = None
        elif on and not number:
            yield datetime.min.replace(tzinfo=UTC), at
    if since is not None:
        yield since, end


def _without(spans: Iterable[Span], others: Iterable[Span]) -> Iterator[Span]:
    cut = sorted(others)
    for span in spans:
        start, end = span
        for off, on in cut:
            if off < end and start < on:
                if start < off:
                    yield start, off
                start = max(start, on)
        if start < end:
            yield start, end
