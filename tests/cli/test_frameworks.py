"""``policyengine frameworks`` from outside."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


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
