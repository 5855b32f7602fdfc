"""Predicates about recovery objectives that tags declare, held against what is configured.

An objective is a duration in a tag (``RPO: 4h``, ``RTO: 30 minutes``, ``PT15M``); a number alone has no unit
and is not read.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.paths import Mistyped, read
from policyengine.rules.predicates.schedule import longest_gap
from policyengine.rules.predicates.time import parse_time

_PART: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?([a-z]{1,7})[ ,]{0,2}")
_ISO: Final = re.compile(
    r"p(?:(\d{1,5})w)?(?:(\d{1,5})d)?(?:t(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?)?"
)
_UNITS: Final[dict[str, int]] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 604800),
}
_ISO_SECONDS: Final = (604800, 86400, 3600, 60, 1)
_DURATION: Final = "a duration such as 4h, 30 minutes or PT15M"


def parse_duration(text: str) -> timedelta | None:
    """Return the duration a text says, None when it says none or zero."""
    plain = text.strip().lower()
    iso = _ISO.fullmatch(plain)
    if iso is not None:
        seconds = sum(int(n) * s for n, s in zip(iso.groups(), _ISO_SECONDS, strict=True) if n)
        return timedelta(seconds=seconds) if seconds else None
    total, position = 0.0, 0
    while position < len(plain):
        part = _PART.match(plain, position)
        if part is None or part[2] not in _UNITS:
            return None
        total += float(part[1]) * _UNITS[part[2]]
        position = part.end()
    return timedelta(seconds=total) if total else None


def objective(subject: Subject, *, key: str, minutes: int | None) -> Answer:
    """TRUE when the tag declares an objective, of at most that many minutes where a number is given."""
    path: Path = ("tags", key)
    expected = f"a recovery objective in the tag `{key}`"
    value = _tag(subject, key)
    if value is ABSENT:
        return Answer(FALSE, (Evidence(path, ABSENT, expected, "tag_missing"),))
    if isinstance(value, Unresolved) and not value.present:
        return Answer(UNKNOWN, (Evidence(path, value, expected, value.reason),))
    if minutes is None:
        return Answer(TRUE, (Evidence(path, value, expected, "requirement_met"),))
    expected = f"{expected} of at most {minutes} minutes"
    found = _duration(subject, key)
    if isinstance(found, Answer):
        return found
    if found <= timedelta(minutes=minutes):
        return Answer(TRUE, (Evidence(path, value, expected, "requirement_met"),))
    return Answer(FALSE, (Evidence(path, value, expected, "tag_value"),))


def backed_up_within(subject: Subject, *, field: tuple[str, ...], key: str) -> Answer:
    """TRUE when the date at ``field`` is no longer ago than the tag's objective."""
    found = _duration(subject, key)
    if isinstance(found, Answer):
        return found
    return _recent(subject, field, found, f"a date at most {_show(found)} ago (the tag `{key}`)")


def scheduled_within(subject: Subject, *, field: tuple[str, ...], key: str, default: str | None) -> Answer:
    """TRUE when the schedule at ``field`` never lets more time pass than the tag's objective.

    ``default`` is the schedule that AWS keeps where none is given.
    """
    found = _duration(subject, key)
    if isinstance(found, Answer):
        return found
    expected = f"a schedule with at most {_show(found)} between two runs (the tag `{key}`)"
    value = read(subject, field)
    if value is ABSENT:
        if default is None:
            return Answer(FALSE, (Evidence(field, ABSENT, expected, "missing"),))
        value, expected = default, f"{expected}; AWS's default is {default}"
    if isinstance(value, Unresolved):
        return Answer(UNKNOWN, (Evidence(field, value, expected, value.reason),))
    gap = longest_gap(value) if isinstance(value, str) else None
    if gap is None:
        observed = value.value if isinstance(value, Mistyped) else value
        return Answer(UNKNOWN, (Evidence(field, observed, f"{expected} that can be read", "wrong_type"),))
    reason = "requirement_met" if gap <= found else "value_mismatch"
    return Answer(TRUE if gap <= found else FALSE, (Evidence(field, value, expected, reason),))


def copied_to(subject: Subject, *, field: tuple[str, ...], key: str) -> Answer:
    """TRUE when the region, or the ARN, at ``field`` lies in the region the tag names."""
    wanted = _tag(subject, key)
    expected = f"a copy in the region of the tag `{key}`"
    if not isinstance(wanted, str):
        return _no_text(("tags", key), wanted, expected, "tag_missing")
    value = read(subject, field)
    expected = f"{expected}, {wanted}"
    if not isinstance(value, str):
        observed = value.value if isinstance(value, Mistyped) else value
        return _no_text(field, observed, expected, "missing")
    parts = value.split(":")
    region = parts[3] if value.startswith("arn:") and len(parts) > 5 else value
    same = region.strip().lower() == wanted.strip().lower()
    reason = "requirement_met" if same else "value_mismatch"
    return Answer(TRUE if same else FALSE, (Evidence(field, value, expected, reason),))


def restore_tested(subject: Subject, *, key: str, field: tuple[str, ...], days: int) -> Answer:
    """TRUE when the tag, or the date at ``field``, records a restore at most that many days ago."""
    age = timedelta(days=min(days, 4_000_000))
    expected = f"a restore test recorded at most {days} days ago"
    told = _record(subject, ("tags", key), _tag(subject, key), age, expected)
    if told.truth is TRUE:
        return told
    seen = _recent(subject, field, age, expected)
    if seen.truth is TRUE:
        return seen
    for answer in (told, seen):
        if answer.truth is UNKNOWN:
            return answer
    return told if told.evidence[0].observed is not ABSENT else seen


def _recent(subject: Subject, field: tuple[str, ...], age: timedelta, expected: str) -> Answer:
    value = read(subject, field)
    if value is ABSENT and subject.resource.file is not None:
        value = Unresolved("not_collected", "only the account shows it, code does not")
    return _record(subject, field, value, age, expected)


def _record(subject: Subject, path: Path, value: Any, age: timedelta, expected: str) -> Answer:
    if value is ABSENT:
        return Answer(FALSE, (Evidence(path, ABSENT, expected, "missing"),))
    if isinstance(value, Unresolved):
        return Answer(UNKNOWN, (Evidence(path, value, expected, value.reason),))
    moment = parse_time(value)
    if moment is None:
        observed = value.value if isinstance(value, Mistyped) else value
        return Answer(UNKNOWN, (Evidence(path, observed, expected, "wrong_type"),))
    fresh = subject.now - moment <= age
    reason = "requirement_met" if fresh else "too_old"
    return Answer(TRUE if fresh else FALSE, (Evidence(path, value, expected, reason),))


def _duration(subject: Subject, key: str) -> timedelta | Answer:
    """Return the objective of the tag, or the answer that there is none to compare with."""
    path: Path = ("tags", key)
    value = _tag(subject, key)
    if isinstance(value, str):
        found = parse_duration(value)
        if found is not None:
            return found
        return Answer(UNKNOWN, (Evidence(path, value, _DURATION, "wrong_type"),))
    return _no_text(path, value, _DURATION, "tag_missing")


def _no_text(path: Path, value: Any, expected: str, missing: str) -> Answer:
    """Return the answer about a value that is no text."""
    if value is ABSENT:
        return Answer(FALSE, (Evidence(path, ABSENT, expected, missing),))
    reason = value.reason if isinstance(value, Unresolved) else "wrong_type"
    return Answer(UNKNOWN, (Evidence(path, value, expected, reason),))


def _tag(subject: Subject, key: str) -> Any:
    tags = subject.resource.tags
    if tags is None:
        return ABSENT
    return tags if isinstance(tags, Unresolved) else tags.get(key, getattr(tags, "more", ABSENT))


def _show(duration: timedelta) -> str:
    minutes = int(duration.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


_KEY: Final = Arg("string", help="the tag that declares the objective")
_FIELD: Final = Arg("path", help="the property that is compared with it")
PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "recovery.objective",
        objective,
        "A tag declares a recovery objective, of at most a number of minutes where one is given.",
        {"key": _KEY, "minutes": Arg("integer", False, None, "only objectives of at most this many minutes")},
    ),
    Predicate(
        "recovery.backed_up_within",
        backed_up_within,
        "The date at a property is no longer ago than the objective that a tag declares.",
        {"field": _FIELD, "key": _KEY},
    ),
    Predicate(
        "recovery.scheduled_within",
        scheduled_within,
        "The schedule at a property never lets more time pass than the objective that a tag declares.",
        {
            "field": _FIELD,
            "key": _KEY,
            "default": Arg("string", False, None, "the schedule that AWS keeps where none is given"),
        },
    ),
    Predicate(
        "recovery.copied_to",
        copied_to,
        "The region or the ARN at a property lies in the region that a tag names.",
        {"field": _FIELD, "key": Arg("string", help="the tag that names a region")},
    ),
    Predicate(
        "recovery.restore_tested",
        restore_tested,
        "A tag or a property records a restore test that is at most a number of days old.",
        {
            "key": Arg("string", help="the tag with the date of the last restore test"),
            "field": Arg("path", help="the property with the date of the last restore"),
            "days": Arg("integer", help="how many days back it may be"),
        },
    ),
)
