"""The section ``remediation`` of ``policyengine.yaml`` as a JSON Schema; ``remediation_reader`` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.config.remediation import Approving, Breaker, Limits, Remediating
from policyengine.config.remediation_reader import (
    DAYS,
    LONGEST_TEXT,
    MOST_ITEMS,
    MOST_PEOPLE,
    NUMBERS,
    OWNED,
)
from policyengine.documents import json_schema as js
from policyengine.model.reasons import SEVERITIES

_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_PERCENT: Final = r"^[0-9]{1,3}(\.[0-9]{1,3})?\s?%$"
_ABOUT: Final[Mapping[str, Mapping[str, str]]] = {
    "": {
        "settling": "seconds since its creation in which a resource is not changed",
        "plan_hours": "how many hours a plan holds",
        "flaps": "repairs of one resource and rule in 24 hours; further ones are refused",
        "repeat_seconds": "how long the same request gets the same answer",
    },
    "limits": {
        "run": "changes in a run", "hour": "changes in an hour", "accounts": "accounts in a run",
        "share": "share of the resources of a type in an account that is changed in an hour",
    },
    "breaker": {
        "failures": "failed changes that open it", "least": "changes of which the share is taken, at least",
        "seconds": "within how many seconds", "pause": "seconds until one change may try whether it closes",
        "share": "share of failed changes that opens it",
    },
    "approving": {
        "destructive": "people for what may lose data or history", "hours": "how many hours an approval holds",
    },
}  # fmt: skip
_DEFAULTS: Final[Mapping[str, Any]] = {
    "": Remediating(), "limits": Limits(), "breaker": Breaker(), "approving": Approving()
}  # fmt: skip


def remediation_schema(remediations: Mapping[str, tuple[str, Mapping[str, Mapping[str, Any]]]]) -> js.Schema:
    """Return the schema of the section; ``remediations``: id -> (mode, parameter -> declaration)."""
    from policyengine.config.editor_schema import value_schema

    automatic = sorted(name for name, (mode, _) in remediations.items() if mode == "automatic")
    own = {
        name: js.mapping({key: value_schema(each) for key, each in declared.items()}, f"parameters of {name}")
        for name, (_, declared) in sorted(remediations.items())
    }
    tags = js.text("key of a tag", 1, LONGEST_TEXT)
    sections = {
        "enabled": {"type": "boolean", "description": "false: nothing is changed, plans can still be made"},
        "automatic": js.items(
            js.one_of(automatic, "id of a remediation"), "what may run without a person", uniqueItems=True
        ),
        "exclusion_tags": js.items(
            tags, "what carries one is left alone, and told about", maxItems=MOST_ITEMS, uniqueItems=True
        ),
        "owned_by_code": js.one_of(OWNED, "what becomes of a resource that code made: a patch, or also a change"),
        **_numbers(""),
        "windows": js.items(_window(), "when changes may be made; default: any time", maxItems=MOST_ITEMS),
        "freezes": js.items(_freeze(), "when no change may be made", maxItems=MOST_ITEMS),
        "waves": js.items(
            _share("a share of a run", zero=True), "shares of a run that go first, growing", maxItems=MOST_ITEMS
        ),
        "limits": js.mapping(
            {**_numbers("limits"), "share": _share(_ABOUT["limits"]["share"])},
            "past one of them none of the changes of a run is made",
        ),
        "breaker": js.mapping(
            {**_numbers("breaker"), "share": _share(_ABOUT["breaker"]["share"])}, "no change while it is open"
        ),
        "approving": _approving(),
        "parameters": js.mapping(own, "parameters of remediations"),
    }  # fmt: skip
    return js.mapping(sections, "what may be repaired, by whom and how much at once")


def _numbers(section: str) -> dict[str, js.Schema]:
    defaults = _DEFAULTS[section]
    return {
        name: js.whole(_ABOUT[section][name], least, most, default=getattr(defaults, name))
        for name, (least, most) in NUMBERS[section].items()
    }


def _share(description: str, *, zero: bool = False) -> js.Schema:
    number: js.Schema = {
        "type": "number",
        "maximum": 1,
        **({"minimum": 0} if zero else {"exclusiveMinimum": 0}),
    }
    return {
        "description": f"{description}: a number up to 1, or a percentage",
        "anyOf": [number, {"type": "string", "pattern": _PERCENT}],
    }


def _window() -> js.Schema:
    days: js.Schema = {
        "description": "an English name or its first three letters",
        "enum": [*DAYS, *(day[:3] for day in DAYS)],
    }
    return js.mapping(
        {
            "days": js.items(days, "days of the week on which it begins", minItems=1, uniqueItems=True),
            "start": js.text('time of day such as "22:00", in quotes', pattern=_CLOCK),
            "end": js.text("time of day; before the start: on the next day", pattern=_CLOCK),
            "zone": js.text("time zone of the IANA database; default UTC", 1, LONGEST_TEXT),
        },
        "when changes may be made",
        ("days", "start", "end"),
    )


def _freeze() -> js.Schema:
    return js.mapping(
        {
            "start": js.text("ISO 8601, in quotes; without a zone: UTC", pattern="[0-9]{4}-?[0-9W].*"),
            "end": js.text("ISO 8601, in quotes; after the start", pattern="[0-9]{4}-?[0-9W].*"),
            "why": js.text("shown with what is refused", 0, LONGEST_TEXT),
        },
        "when no change may be made",
        ("start", "end"),
    )


def _approving() -> js.Schema:
    people = js.whole("how many people", 0, MOST_PEOPLE)
    return js.mapping(
        {
            "severities": js.mapping(dict.fromkeys(SEVERITIES, people), "people by severity of the rule"),
            "environments": js.each(
                people, "people by environment, the value of a tag; unknown: it has none"
            ),
            "environment_tag": js.text("key of the tag that names the environment", 1, LONGEST_TEXT),
            **_numbers("approving"),
        },
        "how many people approve besides the one who asks; the greatest number counts",
    )
