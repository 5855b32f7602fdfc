"""Conformance data of the predicates about alarms, recovery and what is asked for, and what they read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.resource import Resource
from policyengine.rules.predicates import asked_for
from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.backup import recovery
from policyengine.rules.predicates.backup.recovery import parse_duration
from policyengine.rules.predicates.logs import table as alarms
from policyengine.rules.predicates.logs.filter_pattern import parse
from policyengine.rules.predicates.logs.table import samples
from policyengine.rules.predicates.schedule import longest_gap

from .conformance import cases, check, subject

PREDICATES: dict[str, Predicate] = {
    p.name: p for module in (alarms, recovery, asked_for) for p in module.PREDICATES
}
CASES = [(name, case) for name in PREDICATES for case in cases(name)]
ROOT = Path(__file__).resolve().parents[2]
NEVER_UNKNOWN = {"parameter.given"}


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}: {c['case']}" for n, c in CASES])
def test_conformance(name: str, case: dict[str, Any]) -> None:
    check(PREDICATES[name], case)


@pytest.mark.parametrize("name", PREDICATES)
def test_every_predicate_is_documented_and_shown_in_all_its_truths(name: str) -> None:
    page = (ROOT / "docs" / "predicates" / f"{name.partition('.')[0]}.md").read_text(encoding="utf-8")
    assert f"## `{name}`" in page
    assert PREDICATES[name].summary in page
    assert all(f"`{argument}`" in page for argument in PREDICATES[name].args)
    shown = {case["expect"] for n, case in CASES if n == name}
    assert shown == {"TRUE", "FALSE"} | (set() if name in NEVER_UNKNOWN else {"UNKNOWN"})


EVENT = {
    "eventName": "StopLogging",
    "n": 5,
    "on": True,
    "off": False,
    "nothing": None,
    "list": [{"a": "b"}, 2],
}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.eventName = "StopLogging" }', True),
        ("{$.eventName=Stop*}", True),
        ('{ $.eventName = "stoplogging" }', False),
        ('{ $.eventName != "StartLogging" }', True),
        ('{ $.missing = "x" }', False),
        ('{ $.missing != "x" }', None),
        ("{ $.missing NOT EXISTS }", True),
        ("{ $.eventName not  exists }", False),
        ("{ $.nothing EXISTS }", True),
        ("{ $.nothing IS NULL }", True),
        ("{ $.on IS TRUE && $.off IS FALSE }", True),
        ("{ $.off IS TRUE }", False),
        ("{ $.n > 4 && $.n <= 5 && $.n != 6 }", True),
        ("{ $.n < 5 }", False),
        ("{ $.n = 5 }", True),
        ("{ $.eventName > 5 }", False),
        ('{ $.list[0].a = "b" && $.list[1] = 2 }', True),
        ("{ $.list[7] = 2 }", False),
        ('{ $.list != "x" }', None),
        ("{ $.n = 1 || $.n = 5 && $.on IS FALSE }", False),
        ("{ ($.n = 1 || $.n = 5) && $.on IS TRUE }", True),
        ('{ $.missing != "x" || $.n = 5 }', True),
        ('{ $.missing != "x" && $.n = 4 }', False),
        (r'{ $.eventName = "Stop\"Logging" }', False),
    ],
)
def test_a_filter_pattern_on_an_event(pattern: str, matches: bool | None) -> None:
    test = parse(pattern)
    assert test is not None
    assert test(EVENT) is matches


@pytest.mark.parametrize(
    "pattern",
    [
        "", "   ", "ERROR", "[a, b]", "?a ?b", "{ }", "{ $.a }", "{ $.a = }", "{ $.a = b", "$.a = b", "{ a = b }",
        "{ $.a = b } x", "{ $.a = %b% }", "{ $.a > b }", "{ $.a ~ b }", "{ ($.a = b }", '{ $.a = "b }',
        "{ $.a = b && }", "{ $.a IS MAYBE }", "{" + "(" * 65 + "$.a = b" + ")" * 65 + "}",
        "{ $.a = " + "b" * 1024 + " }",
    ],
)  # fmt: skip
def test_what_is_no_json_pattern_is_not_read(pattern: str) -> None:
    assert parse(pattern) is None


@given(st.text(alphabet='{}()$.a =!&|<>"*%[0]NOTEXISTS ', max_size=60))
def test_no_text_makes_the_reader_crash(pattern: str) -> None:
    test = parse(pattern)
    assert test is None or test(EVENT) in (True, False, None)


names = st.from_regex(r"[A-Za-z]{1,12}", fullmatch=True)


@given(st.lists(names, min_size=1, max_size=6, unique=True))
def test_a_pattern_of_alternatives_catches_exactly_those(wanted: list[str]) -> None:
    test = parse("{ " + " || ".join(f'($.eventName = "{name}")' for name in wanted) + " }")
    assert test is not None
    for _label, event in samples(None, [*wanted, "Somethingelse"], []):
        assert test(event) is (event["eventName"] in wanted)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("15m", 15), ("4h", 240), ("1 day", 1440), ("1h 30m", 90), ("1h30m", 90), ("1.5 hours", 90), ("PT15M", 15),
     ("P1DT2H", 1560), ("p1w", 10080), ("90 Min", 90), ("120 s", 2), ("2 weeks", 20160), ("1 hour, 5 minutes", 65)],
)  # fmt: skip
def test_durations_as_people_write_them(text: str, minutes: int) -> None:
    assert parse_duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "4", "gold", "4x", "h", "P", "PT", "0h", "-4h", "4h ago", "1m-2m"])
def test_what_is_no_duration(text: str) -> None:
    assert parse_duration(text) is None


@given(st.integers(1, 9999), st.sampled_from(["minute", "hour", "day"]))
def test_a_rate_is_its_own_gap(number: int, unit: str) -> None:
    assert longest_gap(f"rate({number} {unit}s)") == parse_duration(f"{number} {unit}")


@given(st.sets(st.integers(0, 23), min_size=1), st.integers(0, 59))
def test_the_gap_of_certain_hours_closes_the_circle_of_a_day(hours: set[int], minute: int) -> None:
    ordered = sorted(hours)
    around = [b - a for a, b in zip(ordered, [*ordered[1:], ordered[0] + 24], strict=True)]
    found = longest_gap(f"cron({minute} {','.join(map(str, ordered))} * * ? *)")
    assert found == timedelta(hours=max(around))


@pytest.mark.parametrize(
    ("cron", "days"),
    [("0 0 1 * ? *", 31), ("0 0 ? * SUN *", 7), ("0 0 ? * L *", 7), ("0 0 ? * MON,THU *", 4), ("0 0 1 1 ? *", 366),
     ("0 0 1 JAN,JUL ? *", 184), ("0 0 31 * ? *", 61), ("0 0 1/7 * ? *", 7), ("0 0 L * ? *", 31)],
)  # fmt: skip
def test_gaps_of_days(cron: str, days: int) -> None:
    assert longest_gap(f"cron({cron})") == timedelta(days=days)


@pytest.mark.parametrize(
    "text",
    ["", "daily", "rate(0 days)", "rate(1 week)", "cron(0 0 * * *)", "cron(0 0 0 * ? *)", "cron(0 0 * * ? 2030)",
     "cron(0 0 1W * ? *)", "cron(0 0/0 * * ? *)", "cron(5-1 0 * * ? *)", "cron(0 0 ? * FOO *)", "cron(x)"],
)  # fmt: skip
def test_what_is_no_schedule_that_is_read(text: str) -> None:
    assert longest_gap(text) is None


def test_code_does_not_show_when_a_backup_was_made() -> None:
    about = subject({"tags": {"RPO": "4h"}})
    about.resource = Resource(
        "AWS::EC2::Volume", "Volume", None, None, {}, tags={"RPO": "4h"}, file="template.yaml"
    )
    answer = recovery.backed_up_within(about, field=("At",), key="RPO")
    assert (answer.truth.name, answer.evidence[0].reason) == ("UNKNOWN", "not_collected")


def test_what_stands_in_code_is_managed() -> None:
    about = subject({"tags": {}})
    about.resource = Resource("AWS::EC2::Volume", "Volume", None, None, {}, tags={}, file="template.yaml")
    assert asked_for.managed(about, tags=["aws:cloudformation:stack-id"]).truth.name == "TRUE"
