"""Hostile names and values, from every source through every format, read back with a proper parser."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote
from xml.parsers import expat

import jsonschema
import pytest
from markdown_it import MarkdownIt

from policyengine.reports.table import REPORTS
from policyengine.store.rundir import RunReader, read_findings
from tests.cli import hostile
from tests.cli.conftest import Result, command
from tests.reports.test_hostile import only_our_markup

ROOT = Path(__file__).resolve().parents[2]
FORMATS = tuple(REPORTS)
FAMILIES = ("governance", "encryption", "tagging")
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\uffff]"
)
"""What a terminal or an editor obeys instead of showing, apart from tab and line end."""
LOG_COMMAND = re.compile(r"^\s*::|##\[|##vso\[|##teamcity\[", re.MULTILINE)
FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
ANNOTATION = re.compile(r"::(error|warning|notice) ((?:[A-Za-z]+=[^,:\r\n]*,?)+)::[^\r\n]*")


class Scanned(NamedTuple):
    """What one scan left: its result, the text of each format, the findings document, the run directory."""

    result: Result
    texts: dict[str, str]
    document: dict[str, Any]
    folder: Path


def text_of(file: Path) -> str:
    """Return what a file says; of a workbook, all that its members say."""
    if not zipfile.is_zipfile(file):
        return file.read_bytes().decode("utf-8")
    with zipfile.ZipFile(file) as book:
        return "\n".join(book.read(name).decode("utf-8") for name in book.namelist())


def scan(folder: Path, *args: str, memory: int = 1_500_000_000) -> Scanned:
    formats = [f"--format={name}=out.{name}" for name in FORMATS]
    result = command(folder, "scan", *args, *formats, "-o", "run", timeout=120, memory=memory)
    texts = {name: text_of(folder / f"out.{name}") for name in FORMATS}
    return Scanned(result, texts, json.loads(texts["json"]), folder)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    folder = tmp_path_factory.mktemp("hostile")
    families = [f"--family={name}" for name in FAMILIES]
    return scan(folder, *hostile.write(folder), *families, "--limit", "0")


def shown(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what people are shown: open FAILs and UNKNOWNs."""
    return [f for f in document["findings"] if f["verdict"] in ("FAIL", "UNKNOWN")]


def test_every_source_was_read_and_what_is_broken_is_said(scanned: Scanned) -> None:
    assert scanned.result.code == 4, "the snapshot has a line with half of a surrogate pair"
    files = {f["location"]["file"] for f in scanned.document["findings"] if f["location"]}
    assert {"template.json", "plan.json"} <= files
    assert sum(file.endswith(".yaml") for file in files) == len(hostile.file_names())
    ids = {f["resource"]["id"] for f in scanned.document["findings"]}
    assert set(hostile.TEXTS) <= ids, "ids are kept as they are in the document for programs"
    rules = {f["rule"] for f in scanned.document["findings"]}
    assert set(hostile.RULES) <= rules
    assert any("surrogate" in error["message"] for error in scanned.document["run"]["errors"])


@pytest.mark.parametrize("name", [*FORMATS, "stderr", "stdout", "run/run.json", "run/rules.json"])
def test_no_output_holds_what_a_terminal_obeys(scanned: Scanned, name: str) -> None:
    if name.startswith("run/"):
        text = (scanned.folder / name).read_text(encoding="utf-8")
    else:
        text = {**scanned.texts, "stderr": scanned.result.err, "stdout": scanned.result.out}[name]
    text = text.replace("\r\n", "\n") if name == "csv" else text
    if name == "markdown":
        text = text.replace("\u200b", "")  # ours: it keeps `@name` from notifying anybody
    assert [text[m.start() - 40 : m.end() + 20] for m in OBEYED.finditer(text)][:3] == []
    assert not re.search("[\ud800-\udfff]", text)


# `github` is made of such commands; a page or a workbook is opened, not shown in a log
@pytest.mark.parametrize(
    "name", [*(n for n in FORMATS if n not in ("github", "html", "xlsx")), "stderr", "stdout"]
)
def test_no_line_is_a_command_for_a_log_reader(scanned: Scanned, name: str) -> None:
    text = {**scanned.texts, "stderr": scanned.result.err, "stdout": scanned.result.out}[name]
    assert [text[m.start() - 60 : m.end() + 60] for m in LOG_COMMAND.finditer(text)][:3] == []


def test_json_formats_say_the_same_and_satisfy_their_schemas(scanned: Scanned) -> None:
    schema = json.loads((ROOT / "policyengine/reports/schemas/findings-v1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(scanned.document)
    stream = [json.loads(line) for line in scanned.texts["ndjson"].splitlines()]
    assert [item["finding"] for item in stream[1:-1]] == scanned.document["findings"]
    stored = read_findings(scanned.folder / "run")
    assert [finding["id"] for finding in stored] == [f["id"] for f in scanned.document["findings"]]
    sarif = json.loads(scanned.texts["sarif"])
    official = ROOT / "tests/reports/data/sarif-2.1.0-rtm.5.schema.json"
    jsonschema.Draft4Validator(json.loads(official.read_text())).validate(sarif)
    known = {f["id"] for f in shown(scanned.document)}
    assert {result["properties"]["finding"] for result in sarif["runs"][0]["results"]} == known


def test_places_in_sarif_are_uris_and_those_in_gitlab_relative(scanned: Scanned) -> None:
    results = json.loads(scanned.texts["sarif"])["runs"][0]["results"]
    uris = {place["physicalLocation"]["artifactLocation"]["uri"] for r in results for place in r["locations"]}
    paths = {issue["location"]["path"] for issue in json.loads(scanned.texts["gitlab"])}
    assert len(uris) > 50 and len(paths) > 50
    assert [uri for uri in uris if not re.fullmatch(r"[!-~]+", uri) or uri.startswith("/")] == []
    assert [path for path in paths if path.startswith("/")] == []
    files = {f["location"]["file"] for f in shown(scanned.document) if f["location"]}
    assert {unquote(uri) for uri in uris} >= files, "a uri says which file it is"


def test_junit_is_xml_with_a_case_for_every_finding(scanned: Scanned) -> None:
    data = scanned.texts["junit"].encode()
    parser = expat.ParserCreate()
    declared: list[str] = []
    parser.EntityDeclHandler = lambda name, *_: declared.append(name)
    parser.StartDoctypeDeclHandler = lambda name, *_: declared.append(name)
    parser.Parse(data, True)
    assert declared == []
    root = ET.fromstring(data)
    cases = [p.get("value") for p in root.findall(".//testcase/properties/property")]
    assert sorted(map(str, cases)) == sorted(f["id"] for f in scanned.document["findings"])
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "properties", "property", "failure", "error", "skipped"
    }  # fmt: skip


def test_github_lines_are_our_annotations_and_nothing_else(scanned: Scanned) -> None:
    *annotations, summary, end = scanned.texts["github"].split("\n")
    assert end == "" and summary.startswith("policyengine: ")
    assert 10 <= len(annotations) <= 30
    assert [line for line in annotations if not ANNOTATION.fullmatch(line)] == []
    allowed = {"file", "line", "endLine", "col", "title"}
    for line in annotations:
        given = dict(pair.split("=", 1) for pair in line.split(" ", 1)[1].split("::", 1)[0].split(","))
        assert given.keys() <= allowed, line


def test_markdown_has_no_markup_but_ours(scanned: Scanned) -> None:
    text = scanned.texts["markdown"]
    assert len(text) < 65_536, "GitHub refuses longer comments"
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    only_our_markup(tokens)
    rows = sum(token.type == "tr_open" for token in tokens)
    cells = sum(token.type in ("td_open", "th_open") for token in tokens)
    sections = text.count("\n<details>")
    assert cells == 10 + 3 * (rows - 2), "no name adds a cell or a row"
    assert sections > 1 and text.count("</details>\n") == sections


def test_csv_runs_no_formula(scanned: Scanned) -> None:
    rows = list(csv.reader(io.StringIO(scanned.texts["csv"], newline=""), strict=True))
    assert [row[0] for row in rows[1:]] == [f["id"] for f in scanned.document["findings"]]
    assert {len(row) for row in rows} == {len(rows[0])}
    for row in rows:
        for cell in row:
            assert not FORMULA.match(cell), cell
            assert not re.search("; *[\"']*[=+@]", cell.replace(";'", "")), cell
            assert len(cell) <= 32_767


def test_the_pages_of_findings_and_rules_are_safe(scanned: Scanned) -> None:
    by_text = {f["resource"]["id"]: f["id"] for f in shown(scanned.document)}
    for text in hostile.TEXTS[::4]:
        page = command(scanned.folder, "explain", by_text[text], "--run", "run", "--rules", "rules")
        assert page.code == 0 and not OBEYED.search(page.out) and not LOG_COMMAND.search(page.out), page.out
    for name in hostile.RULES:
        page = command(scanned.folder, "explain", name, "--rules", "rules")
        assert page.code == 0 and not OBEYED.search(page.out) and not LOG_COMMAND.search(page.out), page.out
    stream = command(scanned.folder, "explain", by_text[hostile.TEXTS[0]], "--run", "out.ndjson")
    assert stream.code == 0 and "Evidence" in stream.out
    listed = command(scanned.folder, "rules", "list", "--rules", "rules")
    assert listed.code == 0 and not OBEYED.search(listed.out) and not LOG_COMMAND.search(listed.out)


def test_colour_and_links_are_whole_sequences_of_ours(tmp_path: Path) -> None:
    arguments = hostile.write(tmp_path)
    environment = {"NO_COLOR": "", "FORCE_COLOR": "1", "FORCE_HYPERLINK": "1"}
    for looks in ([], ["--compact"]):
        found = command(
            tmp_path, "scan", *arguments, "--family=governance", "--limit=0", *looks, env=environment
        )
        assert "\x1b[" in found.out
        bare = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;;[!-~]*\x1b\\", "", found.out)
        assert not OBEYED.search(bare)


@pytest.mark.parametrize("name", [name for name in FORMATS if not REPORTS[name].binary])
def test_a_locale_without_letters_changes_no_format(tmp_path: Path, name: str) -> None:
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    (tmp_path / "one.ndjson").write_text(
        json.dumps({"type": "AWS::S3::Bucket", "id": "é日本🔒", **hostile.PLACE, "properties": {}}) + "\n"
    )
    arguments = ("scan", "one.ndjson", "--rule", "s3-versioning", "--as-of", "2026-11-21T00:00:00Z")
    plain = command(tmp_path, *arguments, "--format", f"{name}=there")
    there = command(tmp_path, *arguments, "--format", name, env=environment)
    assert plain.code == there.code == 1 and there.err == ""
    if name == "terminal":
        assert there.out.isascii() and "\\xe9\\u65e5\\u672c\\U0001f512" in there.out
    else:
        assert there.raw == (tmp_path / "there").read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "", "5", "[]", "{}", "\x00", "[" * 100_000, '{"schema": "policyengine/findings/v1"}',
        '{"schema": "policyengine/findings/v1", "findings": 5}',
        '{"schema": "policyengine/findings/v1",\n"findings": [5, {}, {"id": 5}, {"id": "abcd"}]}',
        '{"id": "abcd", "verdict": 1}', '{"finding": {"id": "abcd", "verdict": "FAIL", "rule": [], "severity": {}}}',
        '{"finding": {"id": "abcd", "verdict": "FAIL", "reason": "x", "rule": "r", "severity": "x", "resource": 1}}',
    ],
)  # fmt: skip
def test_a_run_that_is_none_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "findings.json").write_text(text)
    found = command(tmp_path, "explain", "abcd")
    assert found.code == 2 and len(found.err.strip().split("\n")) == 1, found.err
    assert "`findings.json`" in found.err


LONG_LINES = [
    {"type": "AWS::SQS::Queue", "id": hostile.LONG, "properties": {}},
    {"type": "AWS::SQS::Queue", "id": "value", "properties": {"KmsMasterKeyId": hostile.LONG}, "tags": {"Owner": hostile.LONG}},
    {"type": "AWS::SQS::Queue", "id": "key", "properties": {hostile.LONG: 1}, "tags": {hostile.LONG: "x"}},
    {"type": f"Custom::{'x' * 100_000}", "id": "type", "properties": {}},
]  # fmt: skip


def test_a_million_characters_do_not_fill_what_people_read(tmp_path: Path) -> None:
    lines = [json.dumps({**line, **hostile.PLACE}) for line in LONG_LINES]
    (tmp_path / "long.ndjson").write_text("\n".join(lines) + "\n")
    (tmp_path / f"{'n' * 200}.yaml").write_text(
        f"Resources:\n  {'B' * 200_000}: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {'q' * 200_000}}}}}\n"
    )
    found = scan(
        tmp_path, "long.ndjson", f"{'n' * 200}.yaml", "--rule=sqs-encrypted", "--rule=tags-mandatory"
    )
    findings = found.document["findings"]
    assert hostile.LONG in {f["resource"]["id"] for f in findings}
    bounds = {"terminal": 40_000, "markdown": 65_536, "github": 140_000, "gitlab": 40_000}
    assert {name: len(found.texts[name]) for name in bounds if len(found.texts[name]) > bounds[name]} == {}
    assert len(found.result.err) < 10_000
    json.loads(found.texts["sarif"])
    ET.fromstring(found.texts["junit"].encode())
    limit = csv.field_size_limit(40_000)
    try:
        rows = list(csv.reader(io.StringIO(found.texts["csv"], newline=""), strict=True))
    finally:
        csv.field_size_limit(limit)
    assert len(rows) == len(findings) + 1
    page = command(tmp_path, "explain", findings[0]["id"], "--run", "run")
    assert page.code == 0 and len(page.out) < 60_000
    assert sum(len(line) for line in RunReader(tmp_path / "run").lines()) > 1_000_000
