"""``history`` and ``milestones`` as a user runs them, on runs that ``scan`` kept."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from policyengine.history.period import control_rows, gaps_rows, runs_rows, trend_points
from policyengine.history.summing import history_extras
from policyengine.model.resource import Resource
from policyengine.sources.snapshot.writer import write_snapshot
from tests.history.recorded import ended

ACCOUNT, HERE, THERE = "111122223333", "eu-west-1", "us-east-1"
RULE = "ebs-volume-encrypted"
Capsys = pytest.CaptureFixture[str]
Volumes = dict[str, dict[str, bool]]


def run(folder: Path, day: int, volumes: Volumes, *looked: str, rule: str = RULE) -> Path:
    """A run of a day: region -> id -> whether the volume is encrypted."""
    resources = [
        Resource("AWS::EC2::Volume", id, ACCOUNT, region, {"Encrypted": encrypted})
        for region, ids in volumes.items() for id, encrypted in ids.items()
    ]  # fmt: skip
    at = f"2026-01-{day:02d}T00:00:00Z"
    covered = frozenset((ACCOUNT, region, "*") for region in looked or (HERE, THERE))
    snapshot = write_snapshot(folder / f"s{day}", resources, created=at, coverage=covered, compress=False)
    ended("scan", snapshot, "--rule", rule, "-q", "--as-of", at, "-o", folder / f"r{day}")
    return folder / f"r{day}"


def a_week(folder: Path) -> list[Path]:
    """vol-1 fails, is repaired, fails again; vol-9 is not looked at on the second day, and gone on the fifth."""
    return [
        run(folder, 1, {HERE: {"vol-1": False, "vol-2": True}, THERE: {"vol-9": False}}),
        run(folder, 2, {HERE: {"vol-1": True, "vol-2": True}}, HERE),
        run(folder, 3, {HERE: {"vol-1": False, "vol-2": True}, THERE: {"vol-9": False}}),
        run(folder, 5, {HERE: {"vol-1": True, "vol-2": True}}),
    ]


def shown(capsys: Capsys, *arguments: object) -> str:
    capsys.readouterr()
    assert ended(*arguments) == 0
    return capsys.readouterr().out


def test_what_became_of_findings(tmp_path: Path, capsys: Capsys) -> None:
    db = tmp_path / "history.db"
    runs = a_week(tmp_path)
    shown(capsys, "history", "add", *reversed(runs), "--db", db)
    found = json.loads(shown(capsys, "history", "show", "--db", db, "--format", "json"))["findings"]
    first, other = found
    assert (first["resource"], first["status"], first["reopened"]) == ("vol-1", "fixed", 1)
    assert (first["first_seen"], first["last_seen"], first["ended"]) == tuple(
        f"2026-01-{day:02d}T00:00:00Z" for day in (1, 3, 5)
    )
    # of the last time it failed: on the third, not on the second, no more on the fifth
    day = 86_400
    assert (first["seconds_to_fix"], first["failed_at_least_seconds"], first["failed_at_most_seconds"]) == (
        2 * day,
        0,
        3 * day,
    )
    assert (first["observations"], first["failures"]) == (4, 2)
    # nobody looked on the second day: it is the same failure that is seen again, and nothing says that it was repaired
    assert (other["resource"], other["status"], other["reopened"], other["seconds_to_fix"]) == (
        "vol-9",
        "gone",
        0,
        "",
    )
    assert other["observations"] == 2
    said = shown(capsys, "history", "show", "--db", db, "--status", "gone")
    assert "vol-9" in said and "vol-1" not in said
    assert ended("history", "show", "--db", db, "--status", "closed") == 2
    assert "unknown status `closed`" in capsys.readouterr().err


def test_trend_and_gaps(tmp_path: Path, capsys: Capsys) -> None:
    db = tmp_path / "history.db"
    shown(capsys, "history", "add", *a_week(tmp_path), "--db", db)
    points = trend_points(db)
    assert [(p.verdicts["FAIL"], p.verdicts["PASS"], p.new, p.fixed, p.reopened, p.gap_before) for p in points] == [
        (2, 1, None, None, None, False), (0, 2, 0, 1, 0, False), (2, 1, 1, 0, 1, False), (0, 2, 0, 1, 0, True),
    ]  # fmt: skip
    assert [row["not_looked_at"] for row in runs_rows(db, None, None)] == [0, 1, 0, 0]
    (gap,) = gaps_rows(db, None, None)
    assert (gap["from"], gap["to"], gap["hours"]) == ("2026-01-03T00:00:00Z", "2026-01-05T00:00:00Z", 48)
    whole = list(gaps_rows(db, "2025-12-30T00:00:00Z", "2026-01-05T12:00:00Z", timedelta(hours=72)))
    assert whole == []
    assert [g["run_before"] for g in gaps_rows(db, "2025-12-30T00:00:00Z", "2026-01-09T00:00:00Z")].count(
        ""
    ) == 1
    text = shown(capsys, "history", "trend", "--db", db)
    assert "gap: 48 h without a run, from 2026-01-03T00:00:00Z to 2026-01-05T00:00:00Z" in text
    table = list(
        csv.DictReader(io.StringIO(shown(capsys, "history", "trend", "--db", db, "--format", "csv")))
    )
    assert [row["fail"] for row in table] == ["2", "0", "2", "0"]


def test_controls_are_observations(tmp_path: Path, capsys: Capsys) -> None:
    db = tmp_path / "history.db"
    shown(capsys, "history", "add", *a_week(tmp_path), "--db", db)
    (control,) = (row for row in control_rows(db, None, None, framework="aws-fsbp"))
    assert control["rules"] == RULE
    # the second day held what was looked at, and that was not all
    assert {how: control[how] for how in ("runs", "held", "failed", "unknown")} == {
        "runs": 4, "held": 1, "failed": 2, "unknown": 1,
    }  # fmt: skip
    assert control["continuous_seconds"] == "", "nothing is known of the time between"
    text = shown(capsys, "history", "controls", "--db", db, "--framework", "aws-fsbp")
    assert "1/4" in text and "not known" in text


def test_milestones(tmp_path: Path, capsys: Capsys) -> None:
    db = tmp_path / "history.db"
    runs = a_week(tmp_path)
    shown(capsys, "history", "add", *runs, "--db", db)
    shown(capsys, "milestones", "add", "audit 1", runs[0], "--db", db, "--note", "=1+1")
    shown(capsys, "milestones", "add", "audit 2", runs[3], "--db", db)
    assert ended("milestones", "add", "audit 1", runs[3], "--db", db) == 2
    assert "a milestone stays what it was" in capsys.readouterr().err
    listed = json.loads(shown(capsys, "milestones", "list", "--db", db, "--format", "json"))
    assert [(each["name"], each["at"]) for each in listed] == [
        ("audit 1", "2026-01-01T00:00:00Z"), ("audit 2", "2026-01-05T00:00:00Z"),
    ]  # fmt: skip
    expected = {"all": {"fixed": 1, "gone": 1}, "severity": {"high": {"fixed": 1, "gone": 1}},
                "pillar": {"security": {"fixed": 1, "gone": 1}}}  # fmt: skip
    names = ("audit 1", "audit 2")
    for one, other in (names, (runs[0], runs[3]), (names[0], runs[3])):
        found = json.loads(shown(capsys, "milestones", "compare", one, other, "--db", db, "--format", "json"))
        assert found["counts"] == expected, (one, other)
        assert [each["resource"] for each in found["fixed"]] == ["vol-1"]
    # without a history, and where nobody looked
    elsewhere = json.loads(
        shown(
            capsys, "milestones", "compare", runs[0], runs[1], "--db", tmp_path / "no.db", "--format", "json"
        )
    )
    assert elsewhere["counts"]["all"] == {"fixed": 1, "not_looked_at": 1}
    assert trend_points(db)[0].milestone == "audit 1"
    assert ended("milestones", "compare", "audit 3", "audit 1", "--db", db) == 2
    assert "`audit 3` is no milestone and no run" in capsys.readouterr().err


def test_a_report_may_be_added_and_what_is_no_run_is_refused(tmp_path: Path, capsys: Capsys) -> None:
    db, report = tmp_path / "history.db", tmp_path / "findings.json"
    folder = a_week(tmp_path)[0]
    at = "2026-01-01T00:00:00Z"
    ended("scan", tmp_path / "s1", "--rule", RULE, "-q", "--as-of", at, "--format", f"json={report}")
    shown(capsys, "history", "add", report, "--db", db)
    assert "is there already" in shown(capsys, "history", "add", folder, "--db", db), (
        "the same verdicts, however kept"
    )
    assert ended("history", "add", tmp_path / "s1", "--db", db) == 2
    assert ended("history", "show", "--db", tmp_path / "other.db") == 2
    assert "does not exist" in capsys.readouterr().err


def command(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "policyengine", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_two_processes_add_at_the_same_time(tmp_path: Path) -> None:
    """One waits for the other; one that comes too late for its run is told so, and nothing is lost."""
    runs = [run(tmp_path, day, {HERE: {f"vol-{n}": n % day == 0 for n in range(40)}}) for day in (1, 2, 3, 4)]
    db = tmp_path / "history.db"
    adding = [command("history", "add", *some, "--db", db) for some in (runs[:2], runs[1:3], runs)]
    codes = []
    for process in adding:
        _, error = process.communicate(timeout=120)
        codes.append(process.returncode)
        assert process.returncode in (0, 2)
        assert process.returncode == 0 or b"before the newest run of the history" in error
    assert codes[2] == 0 or 0 in codes[:2]
    with sqlite3.connect(db) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        times = [at for (at,) in connection.execute("SELECT at FROM runs ORDER BY n")]
        assert times == sorted(set(times)) and times
    connection.close()


KILLED_IN = """
import os, signal, sys
from policyengine.history import adding
from policyengine.cli.main import main
def kill(*_): os.kill(os.getpid(), signal.SIGKILL)
setattr(adding._Adding, sys.argv[1], kill)
main(["history", "add", sys.argv[2], "--db", sys.argv[3]])
"""


@pytest.mark.parametrize("stage", ["_merge", "_absent", "_apply", "_write", "_pack", "_name"])
def test_a_killed_process_leaves_no_half_run(tmp_path: Path, stage: str) -> None:
    """Killed where some of the run was written already; with the log that it leaves, and with what comes next."""
    db = tmp_path / "history.db"
    first = run(tmp_path, 1, {HERE: {"vol-0": False, "vol-1": False}})
    second = run(tmp_path, 2, {HERE: {f"vol-{n}": n % 2 == 0 for n in range(1, 300)}})
    assert ended("history", "add", first, "--db", db) == 0
    before = content(db)
    done = subprocess.run(
        [sys.executable, "-c", KILLED_IN, stage, second, db], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert content(db) == before
    assert ended("history", "add", second, "--db", db) == 0
    assert len(content(db)) > len(before)


def content(db: Path) -> list[str]:
    """All that is in the file."""
    connection = sqlite3.connect(db)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return list(connection.iterdump())
    finally:
        connection.close()


def test_diff_tells_the_values_that_passed(tmp_path: Path, capsys: Capsys) -> None:
    """A run keeps no evidence of what passes; the resources that it judged have the values."""
    before = run(tmp_path, 1, {HERE: {"vol-1": True, "vol-2": False}})
    after = run(tmp_path, 2, {HERE: {"vol-1": False, "vol-2": True}})
    assert shown(capsys, "diff", before, after).splitlines() == [
        f"new: high {RULE}  {ACCOUNT}/{HERE}  AWS::EC2::Volume vol-1",
        "    the volume is not encrypted (Encrypted is false)",
        "    = the resource changed: /Encrypted was true, is false",
        f"fixed: high {RULE}  {ACCOUNT}/{HERE}  AWS::EC2::Volume vol-2",
        "    = the resource changed: /Encrypted was false, is true",
        "1 new, 1 fixed",
    ]
    for file in (before / "inputs" / "0001" / "resources").iterdir():
        file.write_bytes(b"")
    said = shown(capsys, "diff", before, after)
    assert said.count("= the resource changed, or what it is compared with: its values are not at hand") == 2


HOSTILE = [
    "=1+1",
    "</script><script>alert(1)</script>",
    "\x1b[31mred",
    "\u202etxt",
    "a\nb",
    "x" * 2000,
    "@SUM(A1)",
]


def test_names_break_no_output(tmp_path: Path, capsys: Capsys) -> None:
    db = tmp_path / "history.db"
    first = run(tmp_path, 1, {HERE: dict.fromkeys(HOSTILE, False)})
    second = run(tmp_path, 2, {HERE: dict.fromkeys(HOSTILE, True)})
    shown(capsys, "history", "add", first, second, "--db", db)
    for arguments in (("history", "show", "--db", db), ("milestones", "compare", first, second, "--db", db)):
        text = shown(capsys, *arguments)
        assert "\x1b" not in text and "\u202e" not in text and "a\nb" not in text
    table = list(csv.DictReader(io.StringIO(shown(capsys, "history", "show", "--db", db, "--format", "csv"))))
    assert len(table) == len(HOSTILE)
    assert not [row for row in table if row["resource"][:1] in "=+-@"]
    found = json.loads(shown(capsys, "history", "show", "--db", db, "--format", "json"))["findings"]
    assert {each["resource"] for each in found} == set(HOSTILE)


@pytest.mark.slow
def test_the_same_bytes_whatever_the_process(tmp_path: Path) -> None:
    """Another hash seed, time zone and locale; another file of the same runs."""
    runs = a_week(tmp_path)
    told = set()
    for seed, zone, locale in (("1", "UTC", "C"), ("2", "Pacific/Kiritimati", "de_DE.UTF-8")):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale}
        db = tmp_path / f"history-{seed}.db"
        outputs = b""
        commands: list[list[Any]] = [
            ["history", "add", *runs, "--db", db],
            *(["history", what, "--db", db, "--format", form] for what in ("show", "trend", "controls") for form in ("json", "csv")),
            ["milestones", "compare", runs[0], runs[3], "--db", db, "--format", "json"],
        ]  # fmt: skip
        for arguments in commands:
            command = [sys.executable, "-m", "policyengine", *(str(each) for each in arguments)]
            outputs += subprocess.run(command, env=env, check=True, capture_output=True).stdout
        told.add(outputs)
    assert len(told) == 1


def test_findings_are_of_the_time_of_the_data_and_not_of_the_clock_of_the_scan(
    tmp_path: Path, capsys: Capsys
) -> None:
    """A snapshot of the first day that is judged on the ninth says what was on the first."""
    volumes = {HERE: {"vol-1": False}}
    runs = [run(tmp_path, 1, volumes), run(tmp_path, 3, volumes)]
    ended(
        "scan",
        tmp_path / "s1",
        "--rule",
        RULE,
        "-q",
        "--as-of",
        "2026-01-09T00:00:00Z",
        "-o",
        tmp_path / "late",
    )
    db = tmp_path / "history.db"
    assert ended("history", "add", tmp_path / "late", runs[1], "--db", db) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0].startswith("2026-01-01T00:00:00Z ")
    assert "late: its data is of 2026-01-01T00:00:00Z" in said.err and said.err.count("its data is of") == 1
    (found,) = json.loads(shown(capsys, "history", "show", "--db", db, "--format", "json"))["findings"]
    assert (found["first_seen"], found["last_seen"]) == ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z")


def test_what_has_not_been_yet_is_no_gap(tmp_path: Path, capsys: Capsys) -> None:
    db = tmp_path / "history.db"
    shown(capsys, "history", "add", run(tmp_path, 1, {HERE: {"vol-1": False}}), "--db", db)
    period = ("--db", db, "--from", "2026-01-01T00:00:00Z", "--to", "2026-12-31T00:00:00Z")
    for command in ("trend", "controls"):
        text = shown(capsys, "history", command, *period, "--as-of", "2026-01-01T20:00:00Z")
        assert "gap:" not in text
        assert "not yet: from 2026-01-01T20:00:00Z to 2026-12-31T00:00:00Z" in text
        text = shown(capsys, "history", command, *period, "--as-of", "2026-01-05T00:00:00Z")
        assert "gap: 96 h without a run, from 2026-01-01T00:00:00Z to 2026-01-05T00:00:00Z" in text
        found = json.loads(
            shown(capsys, "history", command, *period, "--as-of", "2027-01-05T00:00:00Z", "--format", "json")
        )
        assert (len(found["gaps"]), found["not_yet"]) == (1, None)


def test_a_report_says_how_long_repairs_took_and_compares_milestones(tmp_path: Path, capsys: Capsys) -> None:
    db = tmp_path / "history.db"
    runs = a_week(tmp_path)
    shown(capsys, "history", "add", *runs, "--db", db)
    assert history_extras(db)["milestones"] is None
    (row,) = history_extras(db)["repairs"]
    # vol-1 twice: first to second day, third to fifth; vol-9 is gone, which is no repair
    assert (row.severity, row.fixed, row.median, row.longest, row.open, row.oldest, row.reopened) == (
        "high", 2, "1d 12h", "2d", 0, None, 1,
    )  # fmt: skip
    (early,) = history_extras(db, None, "2026-01-03T00:00:00Z")["repairs"]
    assert (early.fixed, early.open, early.oldest) == (1, 2, "2d"), "vol-9 since the first day, vol-1 again"
    shown(capsys, "milestones", "add", "begin", runs[0], "--db", db)
    alone = history_extras(db)["milestones"]
    assert (alone.before, alone.after) == ("begin", "the last run")
    shown(capsys, "milestones", "add", "end", runs[2], "--db", db)
    both = history_extras(db)["milestones"]
    assert (both.before, both.after, both.after_at) == ("begin", "end", "2026-01-03T00:00:00Z")
    assert both.rows == [("high", [2 if word == "open" else 0 for word in both.words])]
    page = tmp_path / "page.html"
    shown(capsys, "report", runs[3], "--history", db, f"--format=html={page}")
    text = page.read_text(encoding="utf-8")
    assert "Median time to fix" in text and "1d 12h" in text and '<span class="mile">begin</span>' in text
