"""Reading the section ``remediation`` of ``policyengine.yaml`` (docs/configuration.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

from policyengine.config.reading import Mistakes, Place, unknown
from policyengine.config.remediation import (
    Approving,
    Breaker,
    Freeze,
    Limits,
    Remediating,
    Repair,
    Window,
)
from policyengine.documents.errors import shown
from policyengine.model.reasons import SEVERITIES

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OWNED: Final = ("propose", "change")
MOST_PEOPLE: Final = 5
MOST_ITEMS: Final = 50
LONGEST_TEXT: Final = 200
_WEEK: Final = 7 * 24
_DAY: Final = 24 * 3600
_MANY: Final = 100_000
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)\s?%")
NUMBERS: Final[Mapping[str, Mapping[str, tuple[int, int]]]] = {
    "": {"settling": (0, _DAY), "plan_hours": (1, _WEEK), "flaps": (1, 100), "repeat_seconds": (0, _DAY)},
    "limits": {"run": (1, _MANY), "hour": (1, _MANY), "accounts": (1, _MANY)},
    "breaker": {"failures": (1, 1000), "least": (1, 1000), "seconds": (1, _DAY), "pause": (1, _DAY)},
    "approving": {"destructive": (1, MOST_PEOPLE), "hours": (1, _WEEK)},
}
"""Section -> key -> the least and the greatest value."""


def read_remediation(
    mistakes: Mistakes, value: Any, place: Place, remediations: Mapping[str, Repair]
) -> Remediating:
    """Return the section; every mistake is told to ``mistakes``. Raises TooManyError."""
    return _Section(mistakes, place, remediations).read(value)


class _Section:
    def __init__(self, mistakes: Mistakes, place: Place, remediations: Mapping[str, Repair]) -> None:
        self.mistakes = mistakes
        self.place = place
        self.remediations = remediations
        self.wrong = mistakes.wrong

    def read(self, value: Any) -> Remediating:
        given = self.mistakes.mapping(value, self.place)
        self.mistakes.known_keys(given, [field.name for field in fields(Remediating)], self.place)
        readers = {
            "automatic": self._automatic,
            "exclusion_tags": self._tags,
            "windows": self._windows,
            "freezes": self._freezes,
            "waves": self._waves,
            "limits": self._limits,
            "breaker": self._breaker,
            "approving": self._approving,
            "parameters": self._parameters,
        }
        found: dict[str, Any] = self._numbers("", given, self.place)
        if "enabled" in given:
            found["enabled"] = self._enabled(given["enabled"])
        if "owned_by_code" in given:
            found["owned_by_code"] = self._one_of("owned_by_code", given["owned_by_code"], OWNED)
        for name, reader in readers.items():
            if name in given:
                found[name] = reader(given[name], (*self.place, name))
        return Remediating(**found)

    def _enabled(self, value: Any) -> bool:
        if not isinstance(value, bool):
            self.wrong((*self.place, "enabled"), f"`enabled` is true or false; found {shown(str(value))}")
        return value is True

    def _one_of(self, name: str, value: Any, known: tuple[str, ...]) -> str:
        if value not in known:
            self.wrong((*self.place, name), unknown(f"value of `{name}`", str(value), known))
        return str(value)

    def _numbers(self, section: str, given: Mapping[str, Any], place: Place) -> dict[str, Any]:
        found = {}
        for name, (least, most) in NUMBERS[section].items():
            if name in given:
                found[name] = self._integer(given[name], (*place, name), least, most)
        return found

    def _integer(self, value: Any, place: Place, least: int, most: int) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.wrong(
            place, f"`{place[-1]}` is a whole number from {least} to {most:,}; found {shown(str(value))}"
        )
        return least

    def _share(self, value: Any, place: Place, *, zero: bool = False) -> float:
        """Return a share, written 0.05 or 5%."""
        found = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        matched = _PERCENT.fullmatch(value) if isinstance(value, str) else None
        if matched:
            found = float(matched[1]) / 100
        if found is None or not (0 <= found <= 1) or (found == 0 and not zero):
            least = "0" if zero else "more than 0"
            self.wrong(
                place, f"a share is {least} to 1, or a percentage such as `5%`; found {shown(str(value))}"
            )
            return 0.0
        return float(found)

    def _texts(self, value: Any, place: Place, what: str) -> list[tuple[Place, str]]:
        """Return the texts of a list with their places; each may stand there once."""
        found: dict[str, Place] = {}
        for index, item in enumerate(self._few(value, place, what)):
            where = (*place, index)
            if not isinstance(item, str) or not 0 < len(item) <= LONGEST_TEXT:
                self.wrong(where, f"expected a text; found {shown(str(item))}")
            elif item in found:
                self.wrong(where, f"{shown(item)} stands twice")
            else:
                found[item] = where
        return [(where, item) for item, where in found.items()]

    def _few(self, value: Any, place: Place, what: str) -> list[Any]:
        items = self.mistakes.items(value, place, what)
        if len(items) > MOST_ITEMS:
            self.wrong(place, f"`{place[-1]}` has {len(items)} entries; at most {MOST_ITEMS} are read")
        return items[:MOST_ITEMS]

    def _automatic(self, value: Any, place: Place) -> frozenset[str]:
        found = self._texts(value, place, "remediations")
        for where, name in found:
            known = self._repair(name, where, key=False)
            if known is not None and known.mode != "automatic":
                self.wrong(where, f"`{name}` is never automatic: it declares `mode: {known.mode}`")
        return frozenset(name for _, name in found)

    def _repair(self, name: str, place: Place, *, key: bool) -> Repair | None:
        known = self.remediations.get(name)
        if known is None:
            self.wrong(place, unknown("remediation", name, self.remediations), key=key)
        return known

    def _tags(self, value: Any, place: Place) -> tuple[str, ...]:
        return tuple(tag for _, tag in self._texts(value, place, "tag keys"))

    def _windows(self, value: Any, place: Place) -> tuple[Window, ...]:
        items = self._few(value, place, "windows")
        return tuple(self._window(item, (*place, index)) for index, item in enumerate(items))

    def _window(self, value: Any, place: Place) -> Window:
        given = self._whole(value, place, ("days", "start", "end"), ("zone",))
        days = []
        for where, day in self._texts(given.get("days", []), (*place, "days"), "days"):
            named = [number for number, name in enumerate(DAYS) if day.lower() in (name, name[:3])]
            if not named:
                self.wrong(where, unknown("day", day, DAYS))
            days += named
        if given.get("days") == []:
            self.wrong((*place, "days"), "a window without days is never open")
        start, end = (self._clock(given.get(name, "00:00"), (*place, name)) for name in ("start", "end"))
        if "start" in given and start == end:
            self.wrong(
                (*place, "end"),
                f"a window from {start} to {end} is never open; a whole day is 00:00 to 23:59",
            )
        return Window(
            tuple(sorted(set(days))), start, end, self._zone(given.get("zone", "UTC"), (*place, "zone"))
        )

    def _clock(self, value: Any, place: Place) -> str:
        if isinstance(value, str) and _TIME.fullmatch(value):
            return value
        self.wrong(
            place, f'`{place[-1]}` is a time of day such as "22:00", in quotes; found {shown(str(value))}'
        )
        return "00:00"

    def _zone(self, value: Any, place: Place) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

        try:
            if isinstance(value, str) and len(value) <= LONGEST_TEXT and not value.startswith(("/", ".")):
                return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
        self.wrong(place, unknown("time zone", str(value), sorted(available_timezones())))
        return "UTC"

    def _freezes(self, value: Any, place: Place) -> tuple[Freeze, ...]:
        items = self._few(value, place, "freezes")
        return tuple(self._freeze(item, (*place, index)) for index, item in enumerate(items))

    def _freeze(self, value: Any, place: Place) -> Freeze:
        given = self._whole(value, place, ("start", "end"), ("why",))
        before = len(self.mistakes.errors)
        start, end = (self._instant(given.get(name), (*place, name)) for name in ("start", "end"))
        if before == len(self.mistakes.errors) and start >= end:
            self.wrong(
                (*place, "end"), f"the freeze ends {end.isoformat()}, before it begins ({start.isoformat()})"
            )
        why = given.get("why", "")
        if not isinstance(why, str) or len(why) > LONGEST_TEXT:
            self.wrong(
                (*place, "why"),
                f"`why` is a text of at most {LONGEST_TEXT} characters; found {shown(str(why))}",
            )
        return Freeze(start.isoformat(), end.isoformat(), str(why))

    def _instant(self, value: Any, place: Place) -> datetime:
        try:
            found = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            if value is not None:  # a missing one is told already
                text = f'`{place[-1]}` is a time such as "2026-12-20T00:00:00+01:00", in quotes; found {shown(str(value))}'
                self.wrong(place, text)
            return datetime(1970, 1, 1, tzinfo=UTC)
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    def _whole(
        self, value: Any, place: Place, needed: tuple[str, ...], more: tuple[str, ...]
    ) -> Mapping[str, Any]:
        """Return a mapping that has all keys it needs and no others but ``more``."""
        given = self.mistakes.mapping(value, place)
        self.mistakes.known_keys(given, (*needed, *more), place)
        lacking = [name for name in needed if name not in given]
        if isinstance(value, dict) and lacking:
            self.wrong(place, f"lacks {' and '.join(f'`{name}`' for name in lacking)}")
        return given

    def _waves(self, value: Any, place: Place) -> tuple[float, ...]:
        found = []
        for index, item in enumerate(self._few(value, place, "shares")):
            found.append(self._share(item, (*place, index), zero=True))
            if len(found) > 1 and found[-1] < found[-2]:
                self.wrong((*place, index), f"waves grow: {found[-1]:g} comes after {found[-2]:g}")
        return tuple(found)

    def _limits(self, value: Any, place: Place) -> Limits:
        return Limits(**self._section("limits", value, place, ("share",)))

    def _breaker(self, value: Any, place: Place) -> Breaker:
        return Breaker(**self._section("breaker", value, place, ("share",)))

    def _section(self, name: str, value: Any, place: Place, shares: tuple[str, ...]) -> dict[str, Any]:
        given = self.mistakes.mapping(value, place)
        self.mistakes.known_keys(given, (*NUMBERS[name], *shares), place)
        found = self._numbers(name, given, place)
        for share in shares:
            if share in given:
                found[share] = self._share(given[share], (*place, share))
        return found

    def _approving(self, value: Any, place: Place) -> Approving:
        given = self.mistakes.mapping(value, place)
        known = (*NUMBERS["approving"], "severities", "environments", "environment_tag")
        self.mistakes.known_keys(given, known, place)
        found = self._numbers("approving", given, place)
        if "severities" in given:
            where = (*place, "severities")
            found["severities"] = self._people(given["severities"], where)
            for severity in found["severities"]:
                if severity not in SEVERITIES:
                    self.wrong((*where, severity), unknown("severity", severity, SEVERITIES), key=True)
        if "environments" in given:
            people = self._people(given["environments"], (*place, "environments"))
            # values of the tag are compared in lower case; the greatest counts
            found["environments"] = {}
            for name, number in people.items():
                known_as = name.lower()
                found["environments"][known_as] = max(number, found["environments"].get(known_as, 0))
        if "environment_tag" in given:
            tag = given["environment_tag"]
            if not isinstance(tag, str) or not 0 < len(tag) <= LONGEST_TEXT:
                self.wrong((*place, "environment_tag"), f"expected the key of a tag; found {shown(str(tag))}")
            found["environment_tag"] = str(tag)
        return Approving(**found)

    def _people(self, value: Any, place: Place) -> dict[str, int]:
        given = self.mistakes.mapping(value, place)
        return {name: self._integer(number, (*place, name), 0, MOST_PEOPLE) for name, number in given.items()}

    def _parameters(self, value: Any, place: Place) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for name, values in self.mistakes.mapping(value, place).items():
            known = self._repair(name, (*place, name), key=True)
            own = self.mistakes.mapping(values, (*place, name))
            found[name] = dict(own)
            for parameter, item in own.items() if known is not None else ():
                problem = known.check(parameter, item) if known is not None else None
                if problem:
                    self.wrong((*place, name, parameter), f"{shown(f'{name}.{parameter}')}: {problem}")
        return found
