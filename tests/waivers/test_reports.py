"""The debt of a baseline in every report: counted apart from what somebody accepts, never hidden, never green."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import openpyxl
import pytest

from policyengine.config.waivers import Baseline, BaselineEntry, Waiving
from policyengine.engine.accepted import Accepted
from policyengine.model.finding import Finding
from policyengine.reports.base import TerminalOptions
from policyengine.reports.waiver_infos import baseline_info, waiver_infos, waiver_notes
from tests.reports import sample
from tests.reports.helpers import render, render_bytes
from tests.waivers.making import waiver

DEBT = {"id": "base.json", "granted": "2026-05-01", "kind": "baseline"}
ACCEPTED = {**waiver().shown()}


def found(*waivers: dict[str, str] | None) -> list[Finding]:
    """A FAIL for each, with that waiver."""
    return [
        sample.make(
            "tags-mandatory", sample.in_account("AWS::S3::Bucket", f"b{number}"), "FAIL", "tag_missing", "no owner",
            waiver=each, evidence=[sample._ports()],
        )
        for number, each in enumerate(waivers)
    ]  # fmt: skip


def test_the_terminal_counts_debt_apart() -> None:
    text = " ".join(render("terminal", found(DEBT, DEBT, ACCEPTED, None)).split())
    assert "1 failed" in text and "1 waived" in text and "2 in the baseline" in text
    assert "baseline: 2 findings of the baseline are still open: `--show-waived` lists them" in text
    only = " ".join(render("terminal", found(DEBT)).split())
    assert "1 finding of the baseline is still open" in only and "no violations" not in only


@pytest.mark.parametrize(
    ("waivers", "heading"),
    [
        ([ACCEPTED, ACCEPTED], "accepted by a waiver, still failing: 2 findings"),
        ([DEBT], "in the baseline, still failing: 1 finding"),
        (
            [DEBT, ACCEPTED, DEBT],
            "accepted by a waiver (1) or in the baseline (2), still failing: 3 findings",
        ),
    ],
)
def test_the_terminal_lists_them_when_asked(waivers: list[dict[str, str]], heading: str) -> None:
    text = " ".join(render("terminal", found(*waivers), terminal=TerminalOptions(show_waived=True)).split())
    assert heading in text and text.count("= in the baseline ") == waivers.count(DEBT)


def test_markdown_is_not_green_while_something_fails() -> None:
    assert render("markdown", found(DEBT)).startswith("### ⚠️ policyengine: 0 violations")
    assert render("markdown", found(ACCEPTED)).startswith("### ⚠️ policyengine: 0 violations")
    text = render("markdown", found(DEBT, DEBT))
    assert (
        "2 findings of the baseline are still open." in text
        and text.count("in the baseline base.json since") == 2
    )
    assert "| failed | not determined | passed | not applicable | waived or in the baseline |" in text


def test_markdown_says_how_many_it_has_no_room_for() -> None:
    text = render("markdown", found(*[DEBT] * 500))
    assert text.count("in the baseline base.json since") == 100 and "400 more findings left out" in text


def test_programs_are_told() -> None:
    everything = found(DEBT, ACCEPTED, None)
    assert "1 failed, 0 not determined, 0 passed, 1 waived, 1 in the baseline and still open" in render(
        "github", everything
    )
    issues = json.loads(render("gitlab", everything))
    listed = [
        (each["severity"], each["description"].startswith("in the baseline, still open: ")) for each in issues
    ]
    assert sorted(listed) == [("info", True), ("minor", False)]
    notes = json.loads(render("sarif", everything))["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    told = " ".join(each["message"]["text"] for each in notes)
    assert "1 waived failures, 1 failures of the baseline, which are still open" in told
    skipped = [
        each.attrib["message"] for each in ElementTree.fromstring(render("junit", everything)).iter("skipped")
    ]
    assert [text.partition(" (")[0] for text in skipped] == ["in the baseline", "waived"]
    assert json.loads(render("json", everything))["summary"] == {
        "PASS": 0, "FAIL": 3, "UNKNOWN": 0, "NOT_APPLICABLE": 0, "WAIVED": 2
    }  # fmt: skip


def test_what_a_run_says_of_many_waivers_stays_short() -> None:
    many = [waiver(id=f"W-{number}", expires="2026-02-01") for number in range(500)]
    met = Accepted()
    for each in many:
        met.waivers[each.id, "expired"] += 1
        met.why[each.id] = f"waiver {each.id} expired on 2026-02-01"
    infos = waiver_infos(Waiving(many), met, "2026-06-01T00:00:00Z")
    notes = waiver_notes(infos, met, None, {"s3-versioning"})
    assert len(notes) < 20 and any("492 more waivers no longer accept" in note for note in notes)
    unused = waiver_infos(
        Waiving([replace(each, expires="2026-12-31") for each in many]), Accepted(), "2026-06-01T00:00:00Z"
    )
    notes = waiver_notes(unused, Accepted(), None, {"s3-versioning"})
    assert any(note.startswith("500 waivers about nothing that fails here: W-0, W-1") for note in notes)
    assert waiver_notes(unused, Accepted(), None, {"another-rule"})[0].startswith("500 waivers over-broad")


def test_every_entry_of_a_baseline_is_accounted_for() -> None:
    states = ("open", "changed", "PASS", "NOT_APPLICABLE", "UNKNOWN", "")
    entries = [
        BaselineEntry(f"{n:032}", "r-r", ("a", "b", "c", str(n)), "sha256:") for n in range(len(states))
    ]
    met = Accepted(entries={f"{n:032}": state for n, state in enumerate(states) if state})
    info = baseline_info(Baseline("b", "2026-01-01T00:00:00Z", entries), met)
    counted = (info.open, info.changed, info.fixed, info.not_applicable, info.unknown, info.unseen)
    assert counted == (1, 1, 1, 1, 1, 1)
    notes = waiver_notes([], met, info, set())
    assert any(
        "2 entries of the baseline can be removed (1 fixed, 1 no longer applicable)" in note for note in notes
    )


def test_what_accepts_a_failure_reads_the_same_from_a_scan_and_from_a_kept_run() -> None:
    """Kept rows are canonical JSON, and reports write members as they come."""
    shown = [waiver().shown(), Baseline("base.json", "2026-05-01T00:00:00Z").shown()]
    assert [list(each) for each in shown] == [sorted(each) for each in shown]


def test_waived_counts_only_what_somebody_accepted_and_agrees_between_formats() -> None:
    everything = found(DEBT, DEBT, ACCEPTED, None)
    book = openpyxl.load_workbook(io.BytesIO(render_bytes("xlsx", everything)))
    heads, *rows = [[cell.value for cell in row] for row in book["Rules"]]
    said = [dict(zip(heads, row, strict=True)) for row in rows]
    (rule,) = [each for each in said if each["Rule"] == "tags-mandatory"]
    assert (rule["FAIL"], rule["Waived (among FAIL)"]) == (4, 1)
    result = json.loads(render_bytes("oscal", everything))["assessment-results"]["results"][0]
    titled = [each for each in result["observations"] if each["title"] == "tags-mandatory: population"]
    assert [p["value"] for p in titled[0]["props"] if p["name"] == "waived"] == ["1"]
    assert "4 fail (1 of them waived)" in titled[0]["description"]


def test_a_line_and_a_cell_call_the_baseline_by_its_name() -> None:
    look = TerminalOptions(show_waived=True, compact=True)
    lines = render("terminal", found(DEBT, ACCEPTED), terminal=look).splitlines()
    assert sum(": baseline " in line and "accepted by nobody" in line for line in lines) == 1
    assert sum(": waived " in line for line in lines) == 1
