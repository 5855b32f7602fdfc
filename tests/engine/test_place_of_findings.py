"""Where a finding stands: at what its message is about."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.engine.place import named_in, place_of
from policyengine.model.finding import Evidence
from policyengine.model.location import Location
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT


def resource() -> Resource:
    def locate(path: Path) -> Location:
        return Location("/".join(map(str, path)))

    return Resource("AWS::RDS::DBInstance", "db", None, None, {}, locate=locate)


def seen(path: str, observed: Any, reason: str = "value_mismatch") -> Evidence:
    steps = tuple(int(s) if s.isdigit() else s for s in path.split("/"))
    return Evidence(steps, observed, "something else", reason)


LOGS = "EnableCloudwatchLogsExports is {EnableCloudwatchLogsExports}: logs of {Engine} stay"


@pytest.mark.parametrize(
    ("message", "evidence", "expected"),
    [
        (LOGS, [seen("Engine", "postgres"), seen("EnableCloudwatchLogsExports", ABSENT, "missing")], "EnableCloudwatchLogsExports"),
        (LOGS, [seen("Engine", "mysql"), seen("EnableCloudwatchLogsExports/1", "error")], "EnableCloudwatchLogsExports/1"),
        ("{A} and {A.B}", [seen("AB", 1), seen("A", ABSENT, "missing"), seen("A/B", 2)], "A/B"),
        ("{Engine} keeps {Days} days", [seen("Days", 0)], "Days"),
        ("{Met} of {Days}", [seen("Met", 1, "requirement_met"), seen("Days", 0)], "Days"),
        ("nothing is named; {days} is a parameter", [seen("A", ABSENT, "missing"), seen("B", 1)], "B"),
        ("nothing is given", [seen("A", ABSENT, "missing")], "A"),
        ("{A}", [], ""),
    ],
)  # fmt: skip
def test_a_finding_stands_where_its_message_points(
    message: str, evidence: list[Evidence], expected: str
) -> None:
    found = place_of(evidence, resource(), named_in(message))
    assert found is not None
    assert found.file == expected
