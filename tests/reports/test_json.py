"""The JSON contract and its stream."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from policyengine.reports import spool
from policyengine.reports.base import Context, write_reports
from policyengine.reports.jsontext import compact
from policyengine.reports.table import REPORTS

from . import sample
from .helpers import render

ROOT = Path(__file__).parents[2]
OURS = ROOT / "policyengine/reports/schemas/findings-v1.schema.json"
SHARED = ROOT.parent / "shared/contracts/findings-v1.schema.json"
CONTRACT_ORDER = [
    "id", "rule", "family", "severity", "verdict", "reason", "message", "resource", "location", "branch",
    "evidence", "witness", "frameworks", "remediation", "waiver",
]  # fmt: skip


def refuse_constants(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(OURS.read_text()))


def test_our_copy_of_the_schema_is_the_contract() -> None:
    if not SHARED.exists():
        pytest.skip("the shared contracts are not beside this checkout")
    assert json.loads(OURS.read_text()) == json.loads(SHARED.read_text())


@pytest.mark.parametrize("run", [sample.run(), sample.broken_run()], ids=["complete", "broken"])
@pytest.mark.parametrize("found", [sample.findings(), []], ids=["findings", "empty"])
def test_document_is_valid_and_in_contract_order(validator, run, found) -> None:
    document = json.loads(render("json", found, run), parse_constant=refuse_constants)
    validator.validate(document)
    assert list(document) == ["schema", "run", "summary", "findings"]
    assert all(list(finding) == CONTRACT_ORDER for finding in document["findings"])
    assert [f["id"] for f in document["findings"]] == [f.id for f in found]


def test_waived_failures_are_counted_as_failures_too() -> None:
    summary = json.loads(render("json", sample.findings(hostile=False)))["summary"]
    assert summary == {"PASS": 1, "FAIL": 6, "UNKNOWN": 2, "NOT_APPLICABLE": 1, "WAIVED": 1}


def test_run_says_what_was_left_out() -> None:
    run = json.loads(render("json", run=sample.broken_run()))["run"]
    assert run["complete"] is False
    assert [error["code"] for error in run["errors"]] == ["input_error", "access_denied"]
    assert run["skipped"] == {"macro event": 1, "not an AWS template": 3}
    assert run["unknown_types"] == {"AWS::New::Service": 1, "Custom::Thing": 3}
    assert run["undecidable"] == ["cloudtrail-multi-region", "iam-root-mfa"]


def test_a_report_larger_than_memory_allows_goes_through_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = render("json")
    monkeypatch.setattr(spool, "_IN_MEMORY", 1_000)
    assert render("json") == expected


def test_stream_is_run_then_findings_then_end(validator) -> None:
    lines = [json.loads(line) for line in render("ndjson", run=sample.broken_run()).splitlines()]
    assert [next(iter(line)) for line in lines] == ["run", *["finding"] * (len(lines) - 2), "end"]
    assert all(len(line) == 1 for line in lines)
    assert lines[0]["run"]["schema"] == "policyengine/findings-stream/v1"
    rebuilt = {
        "schema": "policyengine/findings/v1",
        "run": lines[-1]["end"]["run"],
        "summary": lines[-1]["end"]["summary"],
        "findings": [line["finding"] for line in lines[1:-1]],
    }
    validator.validate(rebuilt)
    assert rebuilt == json.loads(render("json", run=sample.broken_run()))


def test_stream_holds_nothing_back() -> None:
    import io

    out = io.StringIO()
    report = REPORTS["ndjson"].make(out, Context())
    report.begin(sample.run())
    for count, finding in enumerate(sample.findings(), start=2):
        report.add(finding)
        assert out.getvalue().count("\n") == count


def test_the_final_run_is_asked_for_after_the_last_finding() -> None:
    import io

    seen: list[str] = []

    def findings():
        yield from sample.findings(hostile=False)
        seen.append("last finding")

    def finish():
        seen.append("finish")
        return sample.broken_run()

    out, second = io.StringIO(), io.StringIO()
    reports = [REPORTS["json"].make(out, Context()), REPORTS["csv"].make(second, Context())]
    tally = write_reports(findings(), reports, sample.run(), finish)
    assert seen == ["last finding", "finish"]
    assert json.loads(out.getvalue())["run"]["complete"] is False
    assert second.getvalue().count("\r\n") == 1 + sum(tally.verdicts.values())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ("\ud800", "\ufffd"),
        ("\ud83d\ude00", "\U0001f600"),
        ({1: b"x"}, {"1": "b'x'"}),
        ({("a", "b")}, [["a", "b"]]),
        (1 << 20_000, hex(1 << 20_000)),
    ],
    ids=lambda _value: "",
)
def test_what_json_cannot_hold_becomes_something_it_can(value, expected) -> None:
    text = compact(value)
    assert text.isascii()
    assert json.loads(text, parse_constant=refuse_constants) == expected


def test_nesting_beyond_any_parser_does_not_crash() -> None:
    deep: list = []
    for _ in range(5_000):
        deep = [deep]
    assert "nested too deeply" in compact(deep)
