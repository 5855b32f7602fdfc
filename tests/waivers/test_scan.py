"""A scan with waivers, as a user runs it: exit codes, exact counts, processes, kept results, every format."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from policyengine.config.settings import Settings
from policyengine.config.waivers import Compensating
from policyengine.engine.piece import Wanted
from policyengine.model.reasons import FAIL, UNKNOWN
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets
from policyengine.sources.snapshot.writer import write_snapshot
from tests.cli.conftest import Result, command
from tests.waivers.making import ACCOUNT, REGION, account, bucket, scan_of, waiver, waiving, write

DAY = ("--as-of", "2026-06-01T00:00:00Z")
ONLY = (*DAY, "--rule", "s3-versioning")
OTHER = "222233334444"
ENTRY = """\
  - id: {id}
    rule: s3-versioning
    scope: {{{scope}}}
    owner: Ana
    approver: Ben
    reason: scratch
    ticket: SEC-1
    granted: "2026-01-01"
    expires: "{expires}"
    pin: false
"""


def file_of(*scopes: str, expires: str = "2026-12-31") -> str:
    entries = (ENTRY.format(id=f"W-{n}", scope=scope, expires=expires) for n, scope in enumerate(scopes, 1))
    return "waivers:\n" + "".join(entries)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with two buckets that fail, and waivers of the first."""
    write(tmp_path, [bucket("logs"), bucket("site")])
    (tmp_path / "policyengine.yaml").write_text("waivers: accepted.yaml\n")
    (tmp_path / "accepted.yaml").write_text(file_of("resource: logs"))
    return tmp_path


def scan(place: Path, *args: str) -> Result:
    return command(place, "scan", "one.ndjson", *args)


def test_the_exit_code_is_about_what_nobody_accepted(place: Path) -> None:
    assert scan(place, *ONLY).code == 1
    (place / "accepted.yaml").write_text(file_of("resource: logs", "resource: site"))
    found = scan(place, *ONLY)
    assert found.code == 0 and "2 waived" in found.out and "0 failed" in found.out
    late = command(place, "scan", "one.ndjson", "--as-of", "2027-06-01T00:00:00Z", "--rule", "s3-versioning")
    assert late.code == 1 and "waiver W-1 expired on 2026-12-31: 1 failure not accepted" in " ".join(
        late.out.split()
    )


def test_a_file_beside_the_configuration_is_read_and_can_be_named_away(place: Path) -> None:
    (place / "policyengine.yaml").write_text("# nothing\n")
    assert "waived" not in scan(place, *ONLY).out
    (place / "accepted.yaml").rename(place / "waivers.yaml")
    assert "1 waived" in scan(place, *ONLY).out
    (place / "policyengine.yaml").write_text("waivers: []\n")
    assert "waived" not in scan(place, *ONLY).out
    assert "1 waived" in scan(place, *ONLY, "--waivers", "waivers.yaml").out


def test_mistakes_end_the_run_with_their_places(place: Path) -> None:
    (place / "accepted.yaml").write_text(file_of("resource: logs").replace("s3-versioning", "s3-version"))
    found = scan(place, *ONLY)
    assert found.code == 2 and "accepted.yaml:3:11: unknown rule `s3-version`" in found.err
    (place / "policyengine.yaml").write_text(
        "waivers: 5\nwaiving: {maximum_days: 0, most: 1}\nbaseline: []\n"
    )
    found = scan(place, *ONLY)
    assert found.code == 2 and [line.split(": ")[1] for line in found.err.splitlines()] == [
        "policyengine.yaml:1:10", "policyengine.yaml:2:25", "policyengine.yaml:2:28", "policyengine.yaml:3:11",
    ]  # fmt: skip
    (place / "policyengine.yaml").write_text("waivers: nowhere.yaml\n")
    assert "nowhere.yaml: cannot be read: no such file" in scan(place, *ONLY).err


def test_the_run_says_what_became_of_each_waiver(place: Path) -> None:
    (place / "accepted.yaml").write_text(file_of("resource: logs", "resource: gone", ""))
    found = scan(place, *ONLY, "--format", "json").document
    assert found["summary"] == {"PASS": 0, "FAIL": 2, "UNKNOWN": 0, "NOT_APPLICABLE": 0, "WAIVED": 2}
    told = [(each["id"], each["state"], each["findings"]) for each in found["run"]["waivers"]]
    assert told == [("W-1", "active", 1), ("W-2", "unused", 0), ("W-3", "active", 1)]
    notes = " ".join(found["run"]["notes"])
    assert "1 waiver about nothing that fails here: W-2" in notes
    assert "1 waiver over-broad, narrowed by no scope: W-3" in notes


@pytest.mark.parametrize(
    ("day", "days"),
    [("2026-11-30", None), ("2026-12-01", 30), ("2026-12-17", 14), ("2026-12-24", 7), ("2026-12-30", 7)],
)
def test_warnings_before_the_end(place: Path, day: str, days: int | None) -> None:
    found = scan(place, "--as-of", f"{day}T12:00:00Z", "--rule", "s3-versioning", "--format", "json").document
    (one,) = found["run"]["waivers"]
    assert one["warnings"] == ([f"expires within {days} days, on 2026-12-31"] if days else [])
    assert (f"waiver W-1 expires within {days} days, on 2026-12-31" in found["run"]["notes"]) is (
        days is not None
    )


def whole_snapshot(folder: Path, lines: list[dict[str, Any]]) -> Path:
    """The lines as a snapshot of several parts, which processes share."""
    (source,) = open_targets([str(write(folder, lines, "lines.ndjson"))], SourceOptions()).sources
    return write_snapshot(folder / "snapshot", source.resources(), created="2026-06-01T00:00:00Z")


def test_processes_and_one_process_say_the_same(tmp_path: Path) -> None:
    accounts = [f"{number:012}" for number in range(1, 7)]
    lines = [bucket(f"b{n}-{a}", a) for a in accounts for n in range(3)] + [
        account(n % 2 == 0, a) for n, a in enumerate(accounts)
    ]
    target = whole_snapshot(tmp_path, lines)
    comp = "compensating: s3-account-public-access-block"
    text = file_of(f'account: "{accounts[0]}"', f'account: "{accounts[1]}"').replace("pin: false", comp)
    (tmp_path / "w.yaml").write_text(text)
    outs = [
        command(
            tmp_path, "scan", str(target), *DAY, "--waivers", "w.yaml", "--format", "ndjson", "-j", jobs, *more
        ).out
        for jobs, more in (("1", ()), ("2", ()), ("2", ("--cache", str(tmp_path / "kept"))), ("1", ("--cache", str(tmp_path / "kept"))))
    ]  # fmt: skip
    # a run that could not keep its results, because somebody edits the program, says so in a note
    said = [re.sub(r'"results are not kept in [^"]*",?', "", out).replace(",]", "]") for out in outs]
    assert len(set(said)) == 1
    waived = [
        json.loads(line)["finding"]
        for line in outs[0].splitlines()
        if '"kind":"waiver"' in line and "finding" in line[:12]
    ]
    assert {each["resource"]["account"] for each in waived} == {accounts[0]} and len(waived) == 3
    assert outs[0].count("s3-account-public-access-block is FAIL on account 000000000002") == 3 + 2, (
        "three findings, the note and the waiver"
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_counts_are_exact_where_only_some_findings_are_built(tmp_path: Path, jobs: str) -> None:
    """The terminal builds 200 findings of a rule; 150 of the 700 that fail are waived, wherever they stand."""
    names = [f"b{number:04}" for number in range(700)]
    target = whole_snapshot(
        tmp_path, [bucket(name, a) for a in (ACCOUNT, OTHER) for name in names[:350]] + []
    )
    quoted = ", ".join(f"b{number:04}" for number in range(275, 350))
    (tmp_path / "w.yaml").write_text(file_of(f"resource: [{quoted}]"))
    found = command(tmp_path, "scan", str(target), *ONLY, "--waivers", "w.yaml", "-j", jobs)
    text = " ".join(found.out.split())
    assert found.code == 1 and "550 failed" in text and "150 waived" in text and "550 medium" in text
    (tmp_path / "w.yaml").write_text(file_of(""))
    found = command(tmp_path, "scan", str(target), *ONLY, "--waivers", "w.yaml", "-j", jobs)
    assert found.code == 0 and "0 failed" in found.out and "700 waived" in found.out


def test_kept_results_hold_no_waiver(place: Path) -> None:
    """A changed file gives the right result although nothing is judged again."""
    kept = ("--cache", str(place / "kept"), "--format", "json")
    first = scan(place, *ONLY, *kept).document
    assert first["summary"]["WAIVED"] == 1
    (place / "accepted.yaml").write_text(file_of("resource: site", expires="2026-07-01"))
    second = scan(place, *ONLY, *kept).document
    plain = scan(place, *ONLY, "--format", "json").document
    assert second["findings"] == plain["findings"] != first["findings"]
    (place / "accepted.yaml").write_text("waivers: []\n")
    assert scan(place, *ONLY, *kept).document["summary"]["WAIVED"] == 0


def test_the_id_of_a_run_depends_on_its_waivers(place: Path) -> None:
    first = scan(place, *ONLY, "--format", "json").document["run"]["id"]
    assert scan(place, *ONLY, "--format", "json").document["run"]["id"] == first
    (place / "accepted.yaml").write_text(file_of("resource: site"))
    assert scan(place, *ONLY, "--format", "json").document["run"]["id"] != first


def test_code_is_waived_by_file_and_name(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "t.yaml").write_text(
        "Resources:\n  Logs: {Type: 'AWS::S3::Bucket'}\n  Site: {Type: 'AWS::S3::Bucket'}\n"
    )
    (tmp_path / "w.yaml").write_text(file_of("resource: 't.yaml:Logs'"))
    found = command(tmp_path, "scan", "t.yaml", *ONLY, "--waivers", "w.yaml", "--format", "json").document
    assert [(f["resource"]["id"], f["waiver"] is not None) for f in found["findings"]] == [
        ("Logs", True),
        ("Site", False),
    ]


HOSTILE = '</script>\u202e=HYPERLINK("x")\x1b[31m\n::error::x ##vso[task]|`a`'


def test_every_format_shows_what_is_waived(place: Path) -> None:
    text = file_of("resource: logs").replace("reason: scratch", f"reason: {json.dumps(HOSTILE)}")
    (place / "accepted.yaml").write_text(text)
    formats = ("sarif", "junit", "github", "gitlab", "markdown", "csv", "json", "ndjson", "terminal")
    asked = [part for name in formats for part in ("--format", f"{name}=out.{name}")]
    assert scan(place, *ONLY, "--show-waived", *asked).code == 1
    out = {name: (place / f"out.{name}").read_text() for name in formats}
    sarif = json.loads(out["sarif"])["runs"][0]
    assert [r["locations"][0]["logicalLocations"][0]["name"] for r in sarif["results"]] == ["site"]
    assert any(
        "1 waived failures" in n["message"]["text"]
        for n in sarif["invocations"][0]["toolExecutionNotifications"]
    )
    cases = ElementTree.fromstring(out["junit"]).iter("testcase")
    kinds = {
        case.attrib["name"]: [child.tag for child in case if child.tag != "properties"] for case in cases
    }
    assert sorted(kinds.values()) == [["failure"], ["skipped"]]
    assert out["github"].count("::warning ") == 1 and "1 waived" in out["github"]
    assert [each["severity"] for each in json.loads(out["gitlab"])] == ["major"]
    assert (
        "| 1 | 0 | 0 | 0 | 1 |" in out["markdown"]
        and "waived or in the baseline, and still failing" in out["markdown"]
    )
    waived = [
        json.loads(line)["finding"]
        for line in out["ndjson"].splitlines()
        if '"kind":"waiver"' in line and line.startswith('{"finding"')
    ]
    assert [(each["verdict"], each["waiver"]["reason"]) for each in waived] == [("FAIL", HOSTILE)]
    assert '""kind"":""waiver""' in out["csv"] or '"kind":"waiver"' in out["csv"].replace('""', '"')
    assert "reason </script>" in " ".join(out["terminal"].split())
    for name in ("terminal", "markdown", "github", "junit", "csv"):
        assert "\x1b" not in out[name] and "\u202e" not in out[name]
        assert not re.search(r"^::error::x", out[name], re.MULTILINE) and "##vso[" not in out[name]
    assert "</script>" not in out["markdown"] and "</script>" not in out["junit"]


def test_no_waivers_load_nothing_of_them(tmp_path: Path) -> None:
    import subprocess
    import sys

    write(tmp_path, [bucket("logs")])
    code = (
        "import sys\nfrom policyengine.cli.main import main\ntry:\n    main(['scan', 'one.ndjson', '-q'])\n"
        "except SystemExit:\n    pass\nprint([m for m in sys.modules if 'waiv' in m or 'elsewhere' in m or 'pins' in m])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['policyengine.config.waivers']"


def test_ten_thousand_waivers_are_fast(tmp_path: Path) -> None:
    """Bounds in processor time, on 4,000 buckets: as many waivers of others and of these cost less than judging them."""
    import time

    target = write(
        tmp_path,
        [
            bucket(
                f"b{number:05}", VersioningConfiguration={"Status": "Enabled" if number % 2 else "Suspended"}
            )
            for number in range(4_000)
        ],
    )
    wanted = Wanted(frozenset((FAIL, UNKNOWN)))
    many = [waiver(id=f"W-{n}", resources=(f"b{n:05}",)) for n in range(5_000)]
    many += [waiver(id=f"X-{n}", accounts=(f"{n:012}",), rules=("tags-mandatory",)) for n in range(2_000)]
    many += [waiver(id=f"Y-{n}", tags={f"Key{n}": "x"}) for n in range(2_000)] + [
        waiver(id=f"Z-{n}", ous=(f"ou-{n}",)) for n in range(1_000)
    ]

    def seconds(settings: Settings) -> tuple[float, int]:
        began = time.process_time()
        found = list(scan_of(target, settings, wanted=wanted).findings())
        return time.process_time() - began, sum(each.waiver is not None for each in found)

    seconds(Settings())
    plain, none = min(seconds(Settings()) for _ in range(3))
    with_them, held = min(seconds(waiving(*many)) for _ in range(3))
    assert (none, held) == (0, 2_000)
    assert with_them < plain * 2 + 0.2, f"{with_them:.2f} s with 10,000 waivers, {plain:.2f} s without"


def test_a_compensating_rule_is_asked_where_only_the_terminal_is(tmp_path: Path) -> None:
    target = write(tmp_path, [bucket("logs"), account(True)])
    settings = waiving(waiver(compensating=Compensating("s3-account-public-access-block")))
    scan = scan_of(target, settings, "s3-versioning", wanted=Wanted(frozenset((FAIL, UNKNOWN)), 200))
    (found,) = scan.findings()
    assert found.waiver is not None and scan.counts.accepted.rules == {"s3-versioning": 1}
    assert scan.counts.verdicts == {("s3-versioning", FAIL): 1}
    assert found.region == REGION


def test_a_run_directory_keeps_what_accepted_its_failures(place: Path) -> None:
    """Settings, files as they were written, the waiver of each row, and what became of them."""
    (place / "base.json").write_text(
        '{"schema":"policyengine/baseline/v1","written":"2026-05-01T00:00:00Z","findings":[]}'
    )
    text = "waivers: accepted.yaml\nbaseline: base.json\n"
    (place / "policyengine.yaml").write_text(text)
    assert scan(place, *ONLY, "-o", "run").code == 1
    run = place / "run"
    assert (run / "config" / "policyengine.yaml").read_text() == text
    for name in ("accepted.yaml", "base.json"):
        assert (run / "config" / name).read_bytes() == (place / name).read_bytes()
    settings = json.loads((run / "settings.json").read_bytes())
    assert [each["id"] for each in settings["waiving"]["waivers"]] == ["W-1"]
    found = json.loads(command(place, "report", "run", "--format", "json").out)
    assert found["summary"]["WAIVED"] == 1 and found["run"]["waivers"][0]["findings"] == 1
    told = {each["resource"]["id"]: each["waiver"] for each in found["findings"] if each["verdict"] == "FAIL"}
    assert told["logs"]["id"] == "W-1" and told["site"] is None


def test_code_is_bound_to_a_place_by_options(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "t.yaml").write_text("Resources:\n  Logs: {Type: 'AWS::S3::Bucket'}\n")
    for scope, bound in (
        ("ou: ou-1", ("--ou", "ou-1", "--ou", "r-1")),
        (f'account: "{ACCOUNT}"', ("--account", ACCOUNT)),
    ):
        (tmp_path / "w.yaml").write_text(file_of(scope))
        args = ("scan", "t.yaml", *ONLY, "--waivers", "w.yaml")
        assert command(tmp_path, *args).code == 1
        assert command(tmp_path, *args, *bound).code == 0
