"""The workbook: nothing in it is ever run, what is missing stands first, its bytes depend on the run alone."""

from __future__ import annotations

import io
import os
import re
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policyengine.cli.outputs import AtomicFile
from policyengine.model.finding import Finding
from policyengine.reports.base import Context, RunInfo, write_reports
from policyengine.reports.csv_report import cell
from policyengine.reports.extras import BaselineInfo, Extras, PlaceLooked, Proof, WaiverInfo
from policyengine.reports.xlsx.columns import NOTHING, SHEETS
from policyengine.reports.xlsx.report import XlsxReport
from policyengine.reports.xlsx.sheets import CELL_LIMIT

from . import sample
from .helpers import render_bytes
from .test_hostile import TEXT
from .test_hostile import findings as any_finding
from .test_hostile import rules as any_rules

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMULA = re.compile('[\\s"\u2018\u2019\u201c\u201d]*[=+\\-@＝＋－＠﹦﹢﹣﹫]|[\t\r\n]')


def book(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def rows(data: bytes, sheet: str) -> list[dict[str, Any]]:
    head, *found = book(data)[sheet].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in found]


def summary(data: bytes) -> dict[str, Any]:
    return {row["What"]: row["Value"] for row in rows(data, "Summary")}


def check_inert(data: bytes) -> list[str]:
    """Every part is XML, no cell is a formula and nothing leads out of the file; return all texts of cells."""
    texts = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        for info in archive.infolist():
            root = ET.fromstring(archive.read(info))
            assert "TargetMode" not in archive.read(info).decode("utf-8")
            if not info.filename.startswith("xl/worksheets/"):
                continue
            tags = {node.tag.removeprefix(MAIN) for node in root.iter()}
            assert not tags & {"f", "hyperlink", "hyperlinks", "oleObject", "legacyDrawing", "extLst"}
            for node in root.iter(f"{MAIN}c"):
                assert node.get("t") in (None, "inlineStr")
                if node.get("t") is None:
                    assert int(node.find(f"{MAIN}v").text) >= 0
            texts += [node.text or "" for node in root.iter(f"{MAIN}t")]
    return texts


def test_sheets_have_frozen_filtered_headings_in_order() -> None:
    found = book(render_bytes("xlsx", run=sample.broken_run()))
    assert found.sheetnames == list(SHEETS)
    for sheet in found:
        assert [c.value for c in sheet[1]] == [title for title, _ in SHEETS[sheet.title]]
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref.startswith("A1:")
        widths = [sheet.column_dimensions[letter.column_letter].width for letter in sheet[1]]
        assert [round(width) for width in widths] == [width + 1 for _, width in SHEETS[sheet.title]] or min(
            widths
        ) > 8


def test_completeness_stands_first_and_counts_add_up() -> None:
    data = render_bytes("xlsx", run=sample.broken_run())
    assert rows(data, "Summary")[0] == {
        "What": "Run complete", "Value": "NO", "Meaning": "what is missing here is not a PASS",
    }  # fmt: skip
    said = summary(data)
    found = sample.findings()
    for verdict in ("PASS", "FAIL", "NOT_APPLICABLE"):
        assert said[verdict] == sum(f.verdict == verdict for f in found)
    assert said["Not determined"] == sum(f.verdict == "UNKNOWN" for f in found)
    assert said["of them accepted by a waiver"] == 1
    for row in (*rows(data, "Rules"), *rows(data, "Controls")):
        assert row["Verdicts"] == sum(row[v] for v in ("PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"))
    assert sum(row["Verdicts"] for row in rows(data, "Rules")) == len(found)
    assert len(rows(data, "Errors")) == 2
    kinds = [row["Kind"] for row in rows(data, "Exclusions")]
    assert kinds == ["rule", "rule", "skipped", "skipped", "type", "type", "note"]


def test_findings_have_what_fails_or_is_unknown_and_a_waiver_is_said_in_words() -> None:
    found = rows(render_bytes("xlsx"), "Findings")
    expected = [f for f in sample.findings() if f.verdict in ("FAIL", "UNKNOWN")]
    assert [row["Finding"] for row in found] == [f.id for f in expected]
    waived = [row for row in found if row["Verdict"] == "FAIL, accepted by a waiver"]
    assert [row["Resource"] for row in waived] == ["sg-0a1"]
    assert "ciso" in waived[0]["Waiver or baseline"]


def test_no_colour_stands_where_no_word_does() -> None:
    found = book(render_bytes("xlsx", run=sample.broken_run()))
    filled = 0
    for sheet in found:
        for row in sheet.iter_rows(min_row=2):
            for one in row:
                if one.fill.fill_type:
                    filled += 1
                    assert one.column == 1
                    assert one.value
    assert filled


def test_sheets_without_rows_say_whether_nothing_was_found_or_nothing_is_known() -> None:
    data = render_bytes("xlsx", [], run=sample.run(), rules={})
    for name, text in NOTHING.items():
        assert book(data)[name][2][0].value == text


def test_waivers_places_and_proof_are_shown() -> None:
    waiver = WaiverInfo(
        "w1",
        "r",
        "arn:x",
        "o",
        "a",
        "why",
        "T-1",
        "2026-01-01",
        "2026-12-31",
        "lapsed",
        0,
        "changed",
        ("soon",),
    )
    extras = Extras(
        looked=[PlaceLooked("1" * 12, "eu-west-1", 3, 2, [("AWS::S3::Bucket", "access_denied")]),
                PlaceLooked("1" * 12, "us-east-1", 2, 2)],
        proof=Proof("sha256:a", 5, "sha256:b", 5),
        pack={"never-asked": {}},
    )  # fmt: skip
    data = render_bytes("xlsx", run=replace(sample.run(), waivers=[waiver]), extras=extras)
    assert (
        rows(data, "Waivers")[0] | {"State": "lapsed", "Why": "changed", "Warnings": "soon"}
        == rows(data, "Waivers")[0]
    )
    assert [row["Looked at"] for row in rows(data, "Scope")] == ["not all", "all"]
    assert rows(data, "Scope")[0]["Missing"] == "AWS::S3::Bucket: access_denied"
    assert summary(data)["Results root"] == "sha256:b"
    assert summary(data)["Signer"] == "nobody signed"
    assert {"Kind": "rule", "What": "never-asked", "Number": None, "Why": "not asked in this run"} in rows(
        data, "Exclusions"
    )


def test_rows_that_do_not_fit_are_counted_and_said() -> None:
    out = io.BytesIO()
    report = XlsxReport(out, Context(rules=sample.RULES), most_rows=6)
    write_reports(sample.findings(), [report], sample.run())
    found = [f for f in sample.findings() if f.verdict in ("FAIL", "UNKNOWN")]
    assert len(rows(out.getvalue(), "Findings")) == 5
    data = out.getvalue()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    assert len(rows(data, "Summary")) == 5
    assert "Run complete" in text
    assert report._sheets["Findings"].left_out == len(found) - 5


def test_what_was_left_out_stands_in_the_summary() -> None:
    out = io.BytesIO()
    report = XlsxReport(out, Context(rules=sample.RULES), most_rows=60)
    many = [
        sample.make("s3-kms-encryption", sample.in_account("AWS::S3::Bucket", f"b{n:03}"), "FAIL", "value_mismatch",
                    "said", evidence=[sample._ports()])
        for n in range(100)
    ]  # fmt: skip
    write_reports(many, [report], sample.run())
    assert summary(out.getvalue())["Rows left out of Findings"] == 100 - 59


@settings(max_examples=30, deadline=None)
@given(st.lists(any_finding(), max_size=3), any_rules())
def test_hostile_text_is_text(found: list[Finding], known: Any) -> None:
    data = render_bytes("xlsx", found, rules=known)
    for text in check_inert(data):
        assert not FORMULA.match(text)
        assert all(char.isprintable() or char == "\n" for char in text)
        assert len(text.encode("utf-16-le")) // 2 <= 32_767
    shown = [f for f in found if f.verdict in ("FAIL", "UNKNOWN")]
    if shown:
        assert [row["Finding"] for row in rows(data, "Findings")] == [f.id for f in shown]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(TEXT.filter(str.strip))
@example("_x000D_ _x0041_ _x005F_")
@example("=1+1")
@example("  =1+1")
@example('"=1+1"')
@example("http://evil.example")
@example("internal:Sheet1!A1")
@example("{=SUM(A1)}")
@example("0x10")
@example("1E5")
@example("\U0001f512" * 5_000)
def test_a_cell_shows_the_text_as_csv_does(text: str) -> None:
    finding = sample.make(
        "tags-mandatory", sample.in_account("T", "r"), "FAIL", "tag_value", text, evidence=[sample._ports()]
    )  # fmt: skip
    data = render_bytes("xlsx", [finding])
    check_inert(data)
    shown = rows(data, "Findings")[0]["Message"]
    assert isinstance(shown, str)
    # the escape of ECMA-376 part 1, 22.9.2.19 (ST_Xstring): Excel reads `_x005F_` as the underscore
    assert re.sub("_x005F(_x[0-9a-fA-F]{4}_)", r"\1", shown) == cell(text, CELL_LIMIT)


def test_bytes_are_those_of_the_run() -> None:
    first, second = render_bytes("xlsx"), render_bytes("xlsx")
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 31, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert set(re.findall(r">(\d{4}-[^<]*)<", core)) == {"2026-11-21T09:00:00Z"}


def test_a_failed_run_leaves_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with pytest.raises(ZeroDivisionError), AtomicFile(path, binary=True) as out:
        out.write(b"half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_rows_wait_in_a_folder_that_goes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run: RunInfo = sample.run()
    out = io.BytesIO()
    report = XlsxReport(out, Context(rules=sample.RULES))
    report.begin(run)
    assert [path.name[:13] for path in tmp_path.iterdir()] == ["policyengine."]
    report.end(run)
    assert list(tmp_path.iterdir()) == []


def test_evidence_that_is_left_out_is_counted() -> None:
    evidence = [sample._ports()] * 25
    finding = sample.make(
        "ec2-ssh-not-open", sample.in_account("T", "r"), "FAIL", "open_to_internet", "open", evidence=evidence
    )
    paths = rows(render_bytes("xlsx", [finding]), "Findings")[0]["Path"].split("\n")
    assert (len(paths), paths[-1]) == (21, "and 5 more")


def test_a_baseline_is_no_waiver() -> None:
    debt = {"id": "legacy", "kind": "baseline", "granted": "2026-01-01"}
    finding = sample.make(
        "ec2-ssh-not-open", sample.in_account("T", "r"), "FAIL", "open_to_internet", "open",
        evidence=[sample._ports()], waiver=debt,
    )  # fmt: skip
    run = sample.run(baseline=BaselineInfo("legacy", "2026-01-01T00:00:00Z", 1, 2, 3, 4, 5, 6))
    data = render_bytes("xlsx", [finding], run=run)
    assert rows(data, "Findings")[0]["Verdict"] == "FAIL, in the baseline"
    said = summary(data)
    assert (said["FAIL"], said["of them accepted by a waiver"], said["of them in the baseline"]) == (1, 0, 1)
    states = ("changed", "fixed", "not applicable", "not determined", "not seen")
    assert [said[f"Baseline legacy of 2026-01-01: {state}"] for state in states] == [2, 3, 4, 5, 6]


def test_bytes_do_not_depend_on_the_mask_of_new_files_or_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = render_bytes("xlsx")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = os.umask(0o077)
    try:
        assert render_bytes("xlsx") == plain
    finally:
        os.umask(before)
