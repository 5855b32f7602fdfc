"""What held between two runs is known only where the recorder was on and every resource was as the rule wants it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.main import main
from policyengine.history.moments import moment
from policyengine.history.period import control_rows
from policyengine.history.spans import covers, seconds, union, within
from policyengine.model.errors import InputError
from policyengine.model.resource import Resource
from policyengine.sources.snapshot.writer import write_snapshot
from tests.history.recorded import (
    ACCOUNT,
    CLOSED,
    CONFIG,
    GROUP,
    OPEN,
    REGION,
    RULE,
    Json,
    delivered,
    ended,
    event,
    item,
    time,
    trail,
)

DAY = 86_400
QUIET = [event(hour / 4, "PutObject", {}, "s3.amazonaws.com") for hour in range(4 * 12)]
"""Records of a trail: something happens every six hours, from the first of the month to the twelfth."""


def run(folder: Path, day: int, *groups: str) -> Path:
    """A run of a day that found these groups closed."""
    ingress = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]
    resources = [
        Resource(GROUP, id, ACCOUNT, REGION, {"GroupId": id, "SecurityGroupIngress": ingress})
        for id in groups
    ]
    covered = frozenset({(ACCOUNT, REGION, "*")})
    snapshot = write_snapshot(
        folder / f"s{day}", resources, created=time(day), coverage=covered, compress=False
    )
    assert ended("scan", snapshot, "--rule", RULE, "-q", "--as-of", time(day), "-o", folder / f"r{day}") == 0
    return folder / f"r{day}"


def lasted(
    folder: Path, capsys: pytest.CaptureFixture[str], runs: list[Path], items: list[Json], records: list[Json]
) -> int:
    """The seconds that a control is known to have held, by runs, items and CloudTrail."""
    db, line = folder / "history.db", folder / "timeline.json"
    if not db.exists():
        assert ended("history", "add", *runs, "--db", db) == 0
    history, log = delivered(folder / "h.json", items), trail(folder / "trail.json", records)
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main(
            [
                "history",
                "replay",
                str(history),
                "--rule",
                RULE,
                "--trail",
                str(log),
                "--to",
                time(11),
                "--format",
                "json",
            ]
        )
    assert end.value.code == 0
    line.write_text(capsys.readouterr().out)
    rows = {row["control"]: row for row in control_rows(db, None, None, framework="soc2", timelines=[line])}
    row = rows["CC6.6"]
    assert row["held"] == row["runs"] == len(runs)
    assert row["seconds_between_held"] == (len(runs) - 1) * 2 * DAY
    found: int = row["continuous_seconds"]
    return found


@pytest.mark.parametrize(
    ("items", "records", "days"),
    [
        ([item(1, CLOSED)], QUIET, 4),
        ([item(1, CLOSED), item(5, CLOSED, tags={"a": "b"})], QUIET, 4),
        ([item(1, CLOSED), item(5, OPEN), item(5.1, CLOSED)], QUIET, 2),
        ([item(1, CLOSED), item(5, None), item(5.1, CLOSED)], QUIET, 2),
        ([item(1, CLOSED), item(5, None, "ResourceNotRecorded"), item(5.1, CLOSED)], QUIET, 2),
        ([item(1, CLOSED, recordingFrequency="DAILY")], QUIET, 0),
        ([item(5, CLOSED)], QUIET, 0),
        ([item(1, CLOSED)], [], 0),
        ([item(1, CLOSED)], [each for each in QUIET if not time(4.1) < each["eventTime"] < time(5.9)], 2),
        ([item(1, CLOSED)], [*QUIET, event(5, "StopConfigurationRecorder", {}, CONFIG)], 2),
        ([item(1, CLOSED)], [*QUIET, event(5, "StopConfigurationRecorder", {}, CONFIG, errorCode="AccessDenied")], 4),
        ([item(1, CLOSED), item(4.5, OPEN, id="sg-9"), item(5, None, "ResourceDeleted", id="sg-9")], QUIET, 2),
        ([item(1, CLOSED, id="sg-9")], QUIET, 0),
    ],
    ids=["all the time", "another change", "open for hours", "unknown for hours", "not recorded for hours", "once a day",
         "recorded late", "no trail", "a silent trail", "stopped", "not stopped", "between two runs", "another group"],
)  # fmt: skip
def test_time_counts_only_where_nothing_can_have_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], items: list[Any], records: list[Any], days: int
) -> None:
    runs = [run(tmp_path, day, "sg-1") for day in (2, 4, 6)]
    assert lasted(tmp_path, capsys, runs, items, records) == days * DAY


def test_resources_come_and_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [run(tmp_path, 2, "sg-1"), run(tmp_path, 4, "sg-1", "sg-2"), run(tmp_path, 6, "sg-2")]
    come = [item(1, CLOSED), item(3, CLOSED, id="sg-2"), item(5, None, "ResourceDeleted")]
    assert lasted(tmp_path, capsys, runs, come, QUIET) == 4 * DAY
    # of one that a run has, AWS Config has to know from when on it was there
    assert lasted(tmp_path, capsys, runs, [come[0], come[2]], QUIET) == 0


def test_a_rule_that_decides_otherwise_now_proves_nothing_of_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [run(tmp_path, day, "sg-1") for day in (2, 4)]
    assert lasted(tmp_path, capsys, runs, [item(1, CLOSED)], QUIET) == 2 * DAY
    line = tmp_path / "timeline.json"
    document = json.loads(line.read_text())
    document["rules"][RULE]["decides"] = "0" * 16
    line.write_text(json.dumps(document))
    rows = control_rows(tmp_path / "history.db", None, None, framework="soc2", timelines=[line])
    assert {row["continuous_seconds"] for row in rows} == {0}


def test_what_is_no_timeline_is_refused(tmp_path: Path) -> None:
    runs = [run(tmp_path, 2, "sg-1")]
    assert ended("history", "add", *runs, "--db", tmp_path / "history.db") == 0
    for text in (
        "",
        "[]",
        '{"schema": "policyengine/findings/v1"}',
        '{"schema": "policyengine/timeline/v1"}',
    ):
        (tmp_path / "t.json").write_text(text)
        with pytest.raises(InputError, match="is no timeline"):
            list(control_rows(tmp_path / "history.db", None, None, timelines=[tmp_path / "t.json"]))


def test_spans() -> None:
    a, b, c, d = (moment(time(day)) for day in (1, 2, 3, 4))
    assert union([(c, d), (a, b), (b, c)]) == [(a, d)]
    assert covers([(a, b), (b, d)], (a, d)) and not covers([(a, b), (c, d)], (a, d))
    assert seconds([(a, c), (b, d)]) == 3 * DAY
    assert within([(a, d)], (b, c)) == [(b, c)] and within([(a, b)], (c, d)) == []
