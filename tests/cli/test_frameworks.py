"""``policyengine frameworks`` from outside."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from policyengine.cli.frameworkinfo import framework_infos
from policyengine.cli.reportextras import rules_asked
from policyengine.reports.population import PopulationWriter, rules_by_control
from policyengine.store.rundir import RunReader
from tests.cli.conftest import BUCKET, Run


def test_list_counts_add_up(run: Run) -> None:
    document = json.loads(run("frameworks", "list", "--format", "json").out)
    assert document["schema"] == "policyengine/frameworks/v1"
    assert [f["id"] for f in document["frameworks"]] == sorted(f["id"] for f in document["frameworks"])
    for framework in document["frameworks"]:
        counts, controls = framework["counts"], framework["controls"]
        assert counts["controls"] == counts["whole"] + counts["part"] + counts["none"] == len(controls)
        assert counts["not_judged"] == sum(not c["judged"] for c in controls)
        for control in controls:
            assert (control["decides"] == "none") == (control["rules"] == [])
            assert (control["decides"] == "whole") == any(r["decides"] == "whole" for r in control["rules"])
            assert control["decides"] != "whole" or control["remains"] is None
    page = run("frameworks", "list").out
    assert all(f["id"] in page for f in document["frameworks"])


def test_show_says_what_remains(run: Run) -> None:
    page = run("frameworks", "show", "soc2").out
    assert "CC1.3  not at all   no rules  people, process" in page
    assert "rest: not judged" in page
    assert "rules decide 0 wholly" in page


def test_show_one_control_names_its_rules(run: Run) -> None:
    page = run("frameworks", "show", "cis-aws", "4.1").out
    assert "rules decide all of it" in page
    assert "whole  cloudtrail-multi-region-trail" in page
    assert "part   cloudtrail-is-logging" in page
    part = run("frameworks", "show", "soc2", "CC8.1").out
    assert "never reports it as satisfied" in part
    assert "remains: process" in part


def test_csv_has_a_row_a_control(run: Run) -> None:
    rows = list(
        csv.DictReader(io.StringIO(run("frameworks", "show", "hipaa", "--format", "csv").raw.decode()))
    )
    assert len(rows) == 32
    assert {row["decides"] for row in rows} == {"part", "none"}
    assert next(r for r in rows if r["control"] == "164.308(a)(6)(ii)")["remains"] == "people, process"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["soc3"], "did you mean `soc2`?"),
        (["soc2", "cc6.1"], "did you mean `CC6.1`"),
        (["soc2", "ZZZZZZ"], "`frameworks show` lists them"),
    ],
)
def test_what_is_not_there_is_an_error_with_the_nearest(run: Run, args: list[str], says: str) -> None:
    done = run("frameworks", "show", *args)
    assert done.code == 2
    assert says in done.err


def test_rules_of_ones_own_count(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "more" / "own"
    folder.mkdir(parents=True)
    (folder / "own-rule-here.yaml").write_text(
        "id: own-rule-here\ntitle: Buckets have a name somebody chose\nfamily: governance\npillar: security\n"
        "severity: low\napplies_to: AWS::S3::Bucket\nwhy: |\n  Names that were made up are hard to find again.\n"
        "fix: |\n  Set BucketName of the bucket.\nrequire: {field: BucketName, is: present}\n"
        'message: "the bucket has no name"\nframeworks: {soc2: [{control: "C1.1", decides: part}]}\n'
        'references: ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"]\n'
    )
    page = run("frameworks", "show", "soc2", "C1.1", "--rules", str(tmp_path / "more"))
    assert "part   own-rule-here  Buckets have a name somebody chose" in page.out, page.err


RULES = [
    "--rule",
    "s3-versioning",
    "--rule",
    "s3-bucket-public-access-block",
    "--rule",
    "s3-default-encryption",
]
WAIVERS = """\
waivers:
  - id: w-1
    rule: s3-versioning
    scope: {account: "111122223333"}
    owner: Ana
    approver: Ben
    reason: the logs can be made again from their source
    ticket: SEC-1
    granted: "2025-12-01"
    expires: "2026-02-01"
"""


@pytest.fixture
def kept(run: Run, tmp_path: Path) -> Path:
    """A run over two buckets, three rules, and what findings it has as a document."""
    lines = [json.dumps({**BUCKET, "id": name}) + "\n" for name in ("logs", "more")]
    (tmp_path / "two.ndjson").write_text("".join(lines))
    run(
        "scan",
        "two.ndjson",
        "-o",
        "kept",
        "--format",
        "json=f.json",
        "--as-of",
        "2026-01-01T00:00:00Z",
        *RULES,
    )
    return tmp_path


def results(run: Run, framework: str, folder: str = "kept") -> dict[str, dict[str, Any]]:
    document = json.loads(run("frameworks", "show", framework, "--run", folder, "--format", "json").out)
    assert document["schema"] == "policyengine/framework-results/v1"
    assert sum(document["counts"].values()) == len(document["controls"])
    return {control["control"]: control for control in document["controls"]}


@pytest.mark.parametrize("framework", ["aws-fsbp", "soc2", "nist-800-53"])
def test_what_a_run_says_adds_up_to_its_findings(run: Run, kept: Path, framework: str) -> None:
    findings = json.loads((kept / "f.json").read_text())["findings"]
    for name, control in results(run, framework).items():
        mine = [f for f in findings if name in f["frameworks"].get(framework, ())]
        assert control["verdicts"] == {
            v: sum(f["verdict"] == v for f in mine) for v in ("PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE")
        }
        assert control["population"] == len(mine)
        assert sum(control["resources"].values()) == len({f["resource"]["id"] for f in mine})
        assert (control["status"] == "failed") == any(f["verdict"] == "FAIL" for f in mine)
        if control["status"] == "satisfied":
            assert {f["verdict"] for f in mine} <= {"PASS", "NOT_APPLICABLE"}
            assert control["decided"] == "whole"


def test_the_verdicts_of_each_rule_add_up_to_the_control(run: Run, kept: Path) -> None:
    for control in results(run, "aws-fsbp").values():
        asked = [rule for rule in control["rules"] if rule["verdicts"] is not None]
        assert {rule["rule"] for rule in control["rules"]} - {r["rule"] for r in asked} == set(
            control["unasked"]
        )
        for verdict, number in control["verdicts"].items():
            assert sum(rule["verdicts"][verdict] for rule in asked) == number
        assert sum(rule["waived"] for rule in asked) == control["waived"]
    page = run("frameworks", "show", "soc2", "CC6.1", "--run", "kept").out.splitlines()
    lines = [line.split() for line in page if line.startswith(("  part ", "  whole ", "  sum "))]
    asked_lines = [line[2:] for line in lines[:-1] if line[2] != "not"]
    assert len(asked_lines) > 1
    sums = [sum(map(int, column)) for column in zip(*asked_lines, strict=True)]
    assert ["sum", *map(str, sums)] == lines[-1]
    assert any(line[2:] == ["not", "asked", "in", "this", "run"] for line in lines)


def test_a_waived_control_is_accepted_and_not_satisfied(run: Run, kept: Path) -> None:
    assert results(run, "aws-fsbp")["S3.14"]["status"] == "failed"
    (kept / "waivers.yaml").write_text(WAIVERS)
    done = run("scan", "two.ndjson", "-o", "waived", "--waivers", "waivers.yaml", "-q",
               "--as-of", "2026-01-01T00:00:00Z", *RULES)  # fmt: skip
    assert done.code in (0, 1), done.err
    found = results(run, "aws-fsbp", "waived")["S3.14"]
    assert (found["status"], found["waived"], found["resources_waived"]) == ("accepted", 2, 2)
    assert found["resources"]["FAIL"] == 2
    assert found["rules"][0]["waived"] == 2
    page = run("frameworks", "show", "aws-fsbp", "S3.14", "--run", "waived").out
    assert "accepted, not satisfied" in page
    assert "2 FAIL" in page


def test_what_was_left_out_of_a_run_is_not_tested(run: Run, kept: Path) -> None:
    found = results(run, "aws-fsbp")
    assert found["S3.9"]["status"] == "not_tested"
    assert "not asked" in found["S3.9"]["why"]
    page = run("frameworks", "show", "aws-fsbp", "--run", "kept").out
    assert "its rules were not asked in this run" in page


def test_an_incomplete_run_satisfies_nothing(run: Run, kept: Path) -> None:
    (kept / "broken.ndjson").write_text((kept / "two.ndjson").read_text() + "{\n")
    assert run("scan", "broken.ndjson", "-o", "broken", "-q", *RULES).code == 4
    assert "satisfied" not in {control["status"] for control in results(run, "aws-fsbp", "broken").values()}
    assert "INCOMPLETE RUN" in run("frameworks", "show", "aws-fsbp", "--run", "broken").out


def test_results_as_csv(run: Run, kept: Path) -> None:
    out = run("frameworks", "show", "aws-fsbp", "--run", "kept", "--format", "csv").raw.decode()
    rows = {row["control"]: row for row in csv.DictReader(io.StringIO(out, newline=""))}
    as_json = results(run, "aws-fsbp")
    assert rows.keys() == as_json.keys()
    for name, row in rows.items():
        assert row["status"] == as_json[name]["status"]
        assert sum(int(row[v]) for v in ("PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE")) == int(
            row["population"]
        )


def test_the_populations_of_a_run_add_up_to_what_it_says_of_controls(run: Run, kept: Path) -> None:
    reader, info = RunReader(kept / "kept"), framework_infos()["aws-fsbp"]
    members: dict[str, io.BytesIO] = {}

    @contextmanager
    def member(name: str) -> Iterator[IO[bytes]]:
        members[name] = io.BytesIO()
        yield members[name]

    with PopulationWriter(rules_by_control([info], rules_asked(reader)), member) as writer:
        for row in reader.rows():
            rules = reader.rules_of[row.type]
            writer.add_row(row.account, row.region, row.type, row.id, row.arn, rules, row.verdicts)
        index = writer.end()
    assert [control["control"] for control in index["controls"]] == list(info.controls)
    by_file = {entry["file"]: entry for entry in index["members"]}
    said = results(run, "aws-fsbp")
    for control in index["controls"]:
        expected = said[control["control"]]
        if control["file"] is None:
            assert expected["population"] == 0
            continue
        entry = by_file[control["file"]]
        assert entry["verdicts"] == expected["verdicts"]
        assert entry["resources"] == sum(expected["resources"].values())
        assert members[control["file"]].getvalue().count(b"AWS::S3::Bucket") == entry["resources"]
    assert len(members) >= 2
