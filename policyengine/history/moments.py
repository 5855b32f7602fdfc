"""Times as text, and how long it is between them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from policyengine.model.errors import UsageError

_LONG: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def moment(text: str) -> datetime:
    """Return the time of an RFC 3339 text or a date; without a zone it is UTC. Raises UsageError for what is none."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"`{text}` is no RFC 3339 time; expected e.g. 2026-01-01T00:00:00Z") from None


def written(time: datetime) -> str:
    """Return the RFC 3339 text of a time, in UTC, to the millisecond where it has any."""
    text = time.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return f"{text.removesuffix('.000')}Z"


def duration(text: str) -> timedelta:
    """Return what ``24h``, ``90m``, ``7d`` or ``1w`` means. Raises UsageError for other texts."""
    found = _LONG.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(f"`{text}` is no time span; expected a number with s, m, h, d or w, e.g. 24h")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def seconds_between(start: str, end: str) -> int:
    """Return the seconds from one time to another."""
    return int((moment(end) - moment(start)).total_seconds())


def in_words(seconds: float) -> str:
    """Return a time span as people say it: its two largest units."""
    parts: list[str] = []
    rest = int(seconds)
    for name, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        number, rest = divmod(rest, size)
        if number or (name == "s" and not parts):
            parts.append(f"{number}{name}")
        elif parts:
            break
    return " ".join(parts[:2])
