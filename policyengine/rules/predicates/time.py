"""Predicates about dates: certificates that expire, keys and tests that grow old.

AWS writes dates as ISO 8601 (``2026-11-21T09:00:00Z``, ``…+00:00``, ``2026-11-21``) or, in some
APIs, as seconds or milliseconds since 1970; all are read. A date without a time is its first
moment in UTC, a time without an offset is UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.paths import Mistyped, read

_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))? ?([Zz]|UTC|[+-]\d\d(?::?\d\d)?)?)?"
)
_NUMBER: Final = re.compile(r"\d{9,13}(?:\.\d{1,9})?")
_EARLIEST, _MILLISECONDS, _LATEST = 10**8, 10**11, 253_402_300_799
_MAX_DAYS: Final = 4_000_000


def parse_time(value: Any) -> datetime | None:
    """Return the moment a value names, with its time zone; None when it names none.

    Numbers below 10**8 (1973) are no dates: they are more likely years, days or compact dates.
    """
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return _from_epoch(float(text))
        found = _ISO.fullmatch(text)
        return _from_iso(*found.groups()) if found else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_epoch(value)
    return None


def _from_epoch(number: float) -> datetime | None:
    if not _EARLIEST <= number <= _LATEST * 1000:
        return None
    seconds = number / 1000 if number >= _MILLISECONDS else number
    if seconds > _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _from_iso(date: str, time: str | None, fraction: str | None, offset: str | None) -> datetime | None:
    zone = "+00:00" if offset is None or offset.upper() in ("Z", "UTC") else offset
    try:
        moment = datetime.fromisoformat(f"{date}T{time or '00:00'}{zone}")
        return moment + timedelta(microseconds=int((fraction or "0").ljust(6, "0")[:6]))
    except (ValueError, OverflowError):
        return None


def not_within(subject: Subject, *, field: tuple[str, ...], days: int) -> Answer:
    """TRUE when the date at ``field`` is at least ``days`` days ahead of the run's clock."""
    found = _date(subject, field, f"a date at least {days} days after {_day(subject.now)}")
    if isinstance(found, Answer):
        return found
    moment, observed, expected = found
    ahead = _ahead(moment, subject.now)
    if ahead >= timedelta(days=min(days, _MAX_DAYS)):
        return Answer(TRUE, (Evidence(field, observed, expected, "requirement_met"),))
    reason = "expired" if ahead <= timedelta(0) else "expires_soon"
    return Answer(FALSE, (Evidence(field, observed, expected, reason),))


def not_older_than(subject: Subject, *, field: tuple[str, ...], days: int) -> Answer:
    """TRUE when the date at ``field`` is at most ``days`` days back; a date ahead is not old."""
    found = _date(subject, field, f"a date at most {days} days before {_day(subject.now)}")
    if isinstance(found, Answer):
        return found
    moment, observed, expected = found
    fresh = -_ahead(moment, subject.now) <= timedelta(days=min(days, _MAX_DAYS))
    reason = "requirement_met" if fresh else "too_old"
    return Answer(TRUE if fresh else FALSE, (Evidence(field, observed, expected, reason),))


def _date(subject: Subject, field: tuple[str, ...], expected: str) -> Answer | tuple[datetime, Any, str]:
    """Return the date with what was observed, or the answer that there is none to compare."""
    value = read(subject, field)
    if value is ABSENT:
        return Answer(FALSE, (Evidence(field, ABSENT, expected, "missing"),))
    if isinstance(value, Unresolved):
        return Answer(UNKNOWN, (Evidence(field, value, expected, value.reason),))
    moment = parse_time(value)
    if moment is None:
        observed = value.value if isinstance(value, Mistyped) else value
        return Answer(UNKNOWN, (Evidence(field, observed, expected, "wrong_type"),))
    return moment, value, expected


def _ahead(moment: datetime, now: datetime) -> timedelta:
    """INVARIANT: ``now`` has a time zone; the engine injects it, no predicate reads a clock."""
    return moment - now


def _day(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%d")


_ARGS: Final = {
    "field": Arg("path", help="the property that holds the date"),
    "days": Arg("integer", help="number of days"),
}
PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "time.not_within",
        not_within,
        "The date at a property is at least a number of days in the future.",
        _ARGS,
        reads=(),
    ),
    Predicate(
        "time.not_older_than",
        not_older_than,
        "The date at a property is at most a number of days in the past.",
        _ARGS,
        reads=(),
    ),
)
