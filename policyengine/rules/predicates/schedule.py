"""How long AWS schedule expressions let pass between two runs.

``rate(4 hours)`` and ``cron(minutes hours day-of-month month day-of-week year)`` as
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html describes them. ``W`` (nearest weekday)
and schedules of certain years are not read. Changes of daylight saving time are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

_RATE: Final = re.compile(r"rate\(\s*(\d{1,9})\s+(minute|hour|day)s?\s*\)")
_CRON: Final = re.compile(r"cron\(([^()]{1,200})\)")
_MINUTES: Final = {"minute": 1, "hour": 60, "day": 1440}
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_START: Final = date(2024, 1, 1)
_WINDOW: Final = 4 * 365 + 1
"""Four years hold every pattern of month ends, weekdays and leap days that matters."""

OnDay = Callable[[date], bool]


@lru_cache(maxsize=256)
def longest_gap(expression: str) -> timedelta | None:
    """Return the longest time between two runs, None for what is no schedule that we read.

    A schedule that runs at most once in four years has a gap of those four years.
    """
    rate = _RATE.fullmatch(expression.strip())
    if rate is not None:
        return timedelta(minutes=int(rate[1]) * _MINUTES[rate[2]]) if int(rate[1]) else None
    cron = _CRON.fullmatch(expression.strip())
    fields = cron[1].upper().split() if cron is not None else []
    if len(fields) != 6 or fields[5] != "*":
        return None
    try:
        return _gap(*fields[:5])
    except ValueError:
        return None


def _gap(minutes: str, hours: str, day: str, month: str, weekday: str) -> timedelta:
    times = [h * 60 + m for h in sorted(_values(hours, 0, 23)) for m in sorted(_values(minutes, 0, 59))]
    months = _values(month, 1, 12, _MONTHS)
    on_day, on_weekday = _month_day(day), _week_day(weekday)
    days = [
        offset
        for offset in range(_WINDOW)
        for at in [_START + timedelta(days=offset)]
        if at.month in months and on_day(at) and on_weekday(at)
    ]
    if len(days) < 2:
        return timedelta(days=_WINDOW)
    within = max((b - a for a, b in pairwise(times)), default=0)
    across = max(b - a for a, b in pairwise(days)) * 1440 + times[0] - times[-1]
    return timedelta(minutes=max(within, across))


def _values(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """Return the numbers of a field; ValueError when there are none."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        start = low if first in ("*", "?") else _number(first, low, names)
        stop = _number(last, low, names) if last else high if step or first in ("*", "?") else start
        if not low <= start <= stop <= high or (step and int(step) < 1):
            raise ValueError(field)
        found.update(range(start, stop + 1, int(step) if step else 1))
    return frozenset(found)


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    return names.index(text) + low if text in names else int(text)


def _month_day(field: str) -> OnDay:
    if field in ("*", "?"):
        return lambda _at: True
    if field == "L":
        return lambda at: (at + timedelta(days=1)).month != at.month
    days = _values(field, 1, 31)
    return lambda at: at.day in days


def _week_day(field: str) -> OnDay:
    if field in ("*", "?"):
        return lambda _at: True
    last = re.fullmatch(r"(\w{1,3})L", field)
    if last is not None:
        wanted = _number(last[1], 1, _DAYS)
        return lambda at: _of_week(at) == wanted and (at + timedelta(days=7)).month != at.month
    nth = re.fullmatch(r"(\w{1,3})#([1-5])", field)
    if nth is not None:
        wanted, turn = _number(nth[1], 1, _DAYS), int(nth[2])
        return lambda at: _of_week(at) == wanted and (at.day - 1) // 7 + 1 == turn
    if field == "L":
        return lambda at: _of_week(at) == len(_DAYS)
    days = _values(field, 1, 7, _DAYS)
    return lambda at: _of_week(at) in days


def _of_week(at: date) -> int:
    """Return 1 for Sunday to 7 for Saturday, as AWS counts."""
    return at.isoweekday() % 7 + 1
