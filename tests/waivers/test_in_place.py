"""Suppressions in code: they point at waivers, accept nothing themselves, and are found where they point at nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from policyengine.config.settings import Settings
from policyengine.config.waivers import Waiver
from policyengine.deploy.choice import Choice
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import Scan
from policyengine.engine.waiving import Accepting
from policyengine.engine.world import World
from policyengine.model.errors import UsageError
from policyengine.model.finding import Finding
from policyengine.model.reasons import VERDICTS
from policyengine.model.resource import Resource
from policyengine.model.suppression import SUPPRESSION
from policyengine.remediate.registry import load_remediations
from policyengine.reports.html.details import waiver_of
from policyengine.review.joining import join
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets
from policyengine.sources.live.plan import make_plan
from tests.cli.conftest import command
from tests.waivers.making import pack, waiver, waiving

TEMPLATE = """\
Resources:
  Scratch:
    Type: AWS::S3::Bucket{comment}
  Other:
    Type: AWS::S3::Bucket
"""
RULES = ("s3-versioning", "suppression-has-waiver")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
AS_OF = ("--as-of", "2026-06-01T00:00:00Z")


def judged(
    folder: Path,
    comment: str,
    *waivers: Waiver,
    options: SourceOptions | None = None,
    settings: Settings | None = None,
) -> dict[tuple[str, str], Finding]:
    (folder / "t.yaml").write_text(TEMPLATE.replace("{comment}", comment))
    found = open_targets([str(folder / "t.yaml")], options or SourceOptions(base=folder))
    assert found.errors == []
    evaluator = Evaluator(pack(*RULES), now=NOW, settings=settings or waiving(*waivers))
    scan = Scan(evaluator, found.sources, Wanted(frozenset(VERDICTS)))
    return {(f.rule, f.resource_id): f for f in scan.findings()}


REFERS = "  # policyengine:waiver W-1"
HELD = waiver(in_place=True)


@pytest.mark.parametrize(
    ("comment", "given", "verdict", "why"),
    [
        (REFERS, {}, "PASS", ""),
        (REFERS, {"in_place": True}, "PASS", ""),
        (REFERS, {"id": "W-2"}, "FAIL", "there is no waiver `W-1`"),
        (REFERS, {"expires": "2026-06-01"}, "FAIL", "waiver W-1 expired on 2026-06-01"),
        (REFERS, {"granted": "2026-06-02"}, "FAIL", "waiver W-1 holds from 2026-06-02 on"),
        (REFERS, {"refused": "nobody signed it"}, "FAIL", "waiver W-1 does not hold: nobody signed it"),
        (REFERS, {"resources": ("Scratch",)}, "PASS", ""),
        (REFERS, {"resources": ("t.yaml:Scratch",)}, "PASS", ""),
        (REFERS, {"resources": ("Other",)}, "FAIL", "waiver W-1 is for resource Other, which is not here"),
        (REFERS, {"accounts": ("111122223333",)}, "FAIL", "waiver W-1 is for account 111122223333, which is not here"),
        (REFERS, {"rules": ("s3-account-public-access-block",)}, "PASS", ""),
        (REFERS, {"rules": ("suppression-has-waiver",)}, "FAIL",
         "waiver W-1 is for suppression-has-waiver, which is not about AWS::S3::Bucket"),
        (REFERS, {"ous": ("ou-1",)}, "UNKNOWN", ""),
        ("  # policyengine:ignore", {}, "FAIL", "it names no waiver"),
        ("  # policyengine:ignore s3-versioning", {}, "FAIL", "it names no waiver"),
        ("\n    # policyengine:waiver W-1", {}, "FAIL", "it stands neither on the line of a resource nor right above one"),
    ],
)  # fmt: skip
def test_what_a_suppression_amounts_to(
    tmp_path: Path, comment: str, given: dict[str, Any], verdict: str, why: str
) -> None:
    found = [
        f
        for (rule, _), f in judged(tmp_path, comment, waiver(**given)).items()
        if rule == "suppression-has-waiver"
    ]
    assert [f.verdict for f in found] == [verdict]
    assert found[0].resource_type == SUPPRESSION and found[0].location is not None
    assert why in found[0].message


def test_a_suppression_accepts_nothing_by_itself(tmp_path: Path) -> None:
    for comment in ("", REFERS, "  # policyengine:ignore s3-versioning", "  # checkov:skip=CKV_AWS_21"):
        found = judged(tmp_path, comment)
        assert found["s3-versioning", "Scratch"].verdict == "FAIL"
        assert found["s3-versioning", "Scratch"].waiver is None


def test_a_waiver_in_place_holds_only_where_code_refers_to_it(tmp_path: Path) -> None:
    found = judged(tmp_path, REFERS, HELD)
    accepted = found["s3-versioning", "Scratch"]
    assert accepted.verdict == "FAIL" and accepted.waiver is not None
    assert accepted.waiver["in_place"] == {"column": 28, "file": "t.yaml", "line": 3}
    assert found["s3-versioning", "Other"].waiver is None
    assert judged(tmp_path, "", HELD)["s3-versioning", "Scratch"].waiver is None
    assert judged(tmp_path, "  # policyengine:waiver W-2", HELD)["s3-versioning", "Scratch"].waiver is None


def test_every_scope_has_to_hold(tmp_path: Path) -> None:
    narrow = replace(HELD, accounts=("111122223333",))
    assert judged(tmp_path, REFERS, narrow)["s3-versioning", "Scratch"].waiver is None
    bound = SourceOptions(base=tmp_path, account="111122223333")
    assert judged(tmp_path, REFERS, narrow, options=bound)["s3-versioning", "Scratch"].waiver is not None
    assert (
        judged(tmp_path, REFERS, replace(HELD, resources=("Other",)))["s3-versioning", "Scratch"].waiver
        is None
    )


def test_a_waiver_of_a_resource_says_where_code_refers_to_it(tmp_path: Path) -> None:
    named = waiver(resources=("Scratch", "Other"))
    found = judged(tmp_path, REFERS, named)
    assert "in_place" in dict(found["s3-versioning", "Scratch"].waiver or {})
    other = dict(found["s3-versioning", "Other"].waiver or {})
    assert other["id"] == "W-1" and "in_place" not in other


def test_pins_hold_in_place_too(tmp_path: Path) -> None:
    pinned = replace(HELD, pins={"0" * 32: {"": "sha256:" + "0" * 32}})
    found = judged(tmp_path, REFERS, pinned)["s3-versioning", "Scratch"]
    assert found.waiver is None and "does not say which values it accepts here" in found.message


def test_ous_above_code_decide(tmp_path: Path) -> None:
    settings = waiving(replace(HELD, ous=("ou-1",)))
    for ous, verdict in ((("ou-1",), "PASS"), (("ou-2",), "FAIL")):
        found = judged(tmp_path, REFERS, settings=replace(settings, ous={"": ous}))
        assert found["suppression-has-waiver", "Scratch#W-1"].verdict == verdict


ENTRY = {
    "id": "W-1", "rule": "s3-versioning", "scope": {"in_place": True}, "owner": "Ana", "approver": "Ben",
    "reason": "rebuilt every night", "ticket": "SEC-1", "granted": "2026-01-01", "expires": "2026-12-31", "pin": False,
}  # fmt: skip
PLACE = "t.yaml:3:28"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "t.yaml").write_text(TEMPLATE.replace("{comment}", REFERS))
    (tmp_path / "waivers.yaml").write_text(json.dumps({"waivers": [ENTRY]}))
    (tmp_path / "policyengine.yaml").write_text("{}\n")
    return tmp_path


def scan(place: Path, *args: str) -> Any:
    return command(
        place, "scan", *(args[:1] or ("t.yaml",)), *AS_OF, *(f"--rule={each}" for each in RULES), *args[1:]
    )


FORMATS = {
    "json": '"in_place": {"column": 28, "file": "t.yaml", "line": 3}',
    "ndjson": '"in_place": {"column": 28, "file": "t.yaml", "line": 3}',
    "csv": '""in_place"":{""column"":28,""file"":""t.yaml"",""line"":3}',
    "junit": f"in_place: {PLACE};",
    "markdown": r"in\_place t.yaml\:3\:28",
    "ocsf": f"code refers to it at {PLACE}",
    "oscal-full": PLACE,
    "sarif-suppressed": '"kind":"inSource"',
}


def test_every_format_says_where_code_refers_to_the_waiver(place: Path) -> None:
    options = [
        f"--format={name}=out.{name}" for name in (*FORMATS, "sarif", "gitlab", "github", "asff", "xlsx")
    ]
    done = scan(place, "t.yaml", "--show-waived", *options, "--format=terminal")
    assert done.code == 1, done.err  # `Other` fails
    assert f"in_place {PLACE}" in " ".join(done.out.split())  # a narrow terminal wraps it
    for name, text in FORMATS.items():
        written = (place / f"out.{name}").read_text()
        assert text.replace(" ", "") in written.replace(" ", "").replace("\n", ""), name
    for name in ("sarif", "gitlab", "github"):
        assert "Scratch:" not in (place / f"out.{name}").read_text(), name


def test_the_page_and_the_workbook_say_it_too(place: Path, tmp_path: Path) -> None:
    assert waiver_of(judged(tmp_path, REFERS, HELD)["s3-versioning", "Scratch"])["in_place"] == PLACE
    assert scan(place, "t.yaml", "--format=xlsx=out.xlsx").code == 1
    cells = [cell for row in openpyxl.load_workbook(place / "out.xlsx")["Findings"].values for cell in row]
    assert any(f"in_place {PLACE}" in str(cell) for cell in cells)


def test_sarif_drops_what_is_accepted_and_counts_it(place: Path) -> None:
    plain = json.loads(scan(place, "t.yaml", "--format=sarif").out)["runs"][0]
    suppressed = json.loads(scan(place, "t.yaml", "--format=sarif-suppressed").out)["runs"][0]
    assert plain["properties"]["suppressed"] == {"waiver": 1, "baseline": 0, "listed": False}
    assert suppressed["properties"]["suppressed"] == {"waiver": 1, "baseline": 0, "listed": True}
    assert all("suppressions" not in result for result in plain["results"])
    (only,) = [result for result in suppressed["results"] if "suppressions" in result]
    assert [r for r in suppressed["results"] if r is not only] == plain["results"]
    (said,) = only["suppressions"]
    assert (said["kind"], said["status"]) == ("inSource", "accepted")
    assert said["location"]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 28}
    assert all(word in said["justification"] for word in ("rebuilt every night", "W-1", "Ben", "2026-12-31"))


def test_kept_runs_and_processes_say_the_same(place: Path) -> None:
    alone = scan(place, "t.yaml", "--format=json").out
    assert scan(place, "t.yaml", "--format=json", "-j", "2").out == alone
    assert scan(place, "t.yaml", "-o", "run", "-q").code == 1
    assert command(place, "report", "run", "--format", "json").out == alone
    found = json.loads(alone)["findings"]
    assert {(f["rule"], f["resource"]["id"], f["verdict"]) for f in found} == {
        ("s3-versioning", "Scratch", "FAIL"),
        ("s3-versioning", "Other", "FAIL"),
        ("suppression-has-waiver", "Scratch#W-1", "PASS"),
    }


def test_a_reference_where_nothing_fails_is_told(place: Path) -> None:
    text = (place / "t.yaml").read_text()
    fixed = text.replace(
        REFERS, f"{REFERS}\n    Properties: {{VersioningConfiguration: {{Status: Enabled}}}}"
    )
    (place / "t.yaml").write_text(fixed)
    done = command(place, "waivers", "check", "t.yaml", *AS_OF)
    assert f"code refers to it at {PLACE}, where nothing fails that it accepts" in done.out
    notes = scan(place, "t.yaml").out
    assert f"code refers to waivers where nothing fails that they accept: {PLACE} (W-1)" in " ".join(
        notes.split()
    )
    assert (
        "where nothing fails"
        not in command(place, "scan", "t.yaml", *AS_OF, "--rule=s3-bucket-public-access-block").out
    )


def test_add_writes_a_waiver_in_place_pinned_to_what_code_refers_to(place: Path) -> None:
    (place / "waivers.yaml").unlink()
    given = (
        "--rule",
        "s3-versioning",
        "--in-place",
        "--owner",
        "Ana",
        "--approver",
        "Ben",
        "--reason",
        "x",
        "--ticket",
        "T",
    )
    done = command(place, "waivers", "add", "t.yaml", *given, "--days", "90", *AS_OF)
    assert done.code == 0 and "it holds where code refers to it" in done.out
    found = scan(place, "t.yaml", "--format=json").document["findings"]
    carried = [f["resource"]["id"] for f in found if f["waiver"] is not None]
    assert carried == ["Scratch"]
    (place / "t.yaml").write_text(
        (place / "t.yaml").read_text().replace("  Other:", "  # policyengine:waiver W-1\n  Other:")
    )
    found = scan(place, "t.yaml", "--format=json").document["findings"]
    assert [f["resource"]["id"] for f in found if f["waiver"] is not None] == [
        "Scratch"
    ]  # the pin names no other
    assert any("does not say which values it accepts here" in f["message"] for f in found)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"scope": {"in_place": False}}, "`in_place` is `true`"),
        ({"scope": {"in_place": "yes"}}, "`in_place` is `true`"),
        ({"pin": None}, "a waiver of what code refers to says which values it accepts"),
    ],
)  # fmt: skip
def test_mistakes_are_told(place: Path, change: dict[str, Any], told: str) -> None:
    entry = {key: value for key, value in {**ENTRY, **change}.items() if value is not None}
    (place / "waivers.yaml").write_text(json.dumps({"waivers": [entry]}))
    done = command(place, "waivers", "check")
    assert done.code == 2 and told in done.err


def test_an_over_broad_one_is_told(place: Path) -> None:
    assert "whoever writes code may refer to it" in command(place, "waivers", "check", *AS_OF).out


def test_a_suppression_is_nothing_that_should_run(place: Path) -> None:
    resources = list(open_targets([str(place / "t.yaml")], SourceOptions(base=place)).sources[0].resources())
    assert any(each.type == SUPPRESSION for each in resources)
    everything = frozenset({("111122223333", "eu-west-1", "*")})
    lost = join(resources, (), everything).lost
    assert sorted(each.declared[3] for each in lost) == ["Other", "Scratch"]


def test_no_account_is_asked_for_suppressions() -> None:
    plan = make_plan({SUPPRESSION: frozenset({"State"})})
    assert not plan.collectors and not plan.impossible


def test_what_only_code_has_is_not_deployed() -> None:
    chosen = Choice(pack(*RULES), load_remediations(), Settings())
    assert [form["id"] for form in chosen.pack.rules] == ["s3-versioning"]
    templates = Choice(pack(*RULES), load_remediations(), Settings(), hook=True)
    assert {form["id"] for form in templates.pack.rules} == set(RULES)
    with pytest.raises(UsageError, match="about code only"):
        Choice(pack("suppression-has-waiver"), load_remediations(), Settings())


def test_a_repair_is_refused_where_code_may_refer_to_the_waiver() -> None:
    """Decision 17: where remediation is concerned, doubt counts for the person."""
    bucket = Resource("AWS::S3::Bucket", "logs", "111122223333", "eu-west-1", {"BucketName": "logs"}, tags={})
    for given, doubted in (
        (HELD, True),
        (replace(HELD, accounts=("444455556666",)), False),
        (waiver(), False),
    ):
        evaluator = Evaluator(pack("s3-versioning"), now=NOW, settings=waiving(given))
        (found,) = evaluator.findings(bucket, World())
        doubt = Accepting(evaluator).doubts(found, bucket)
        assert doubt == (
            "waiver W-1 is for what code refers to, and code is not seen here" if doubted else ""
        )
