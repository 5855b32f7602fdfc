"""Comparing run directories row by row says what comparing finding by finding does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policyengine.history.compare import Change, Rules, compare
from policyengine.history.looked import Looked
from policyengine.history.rowdiff import RowDiff
from policyengine.history.runs import RunRead, rows_of
from policyengine.model.canonical_json import canonical
from policyengine.model.errors import InputError
from policyengine.model.finding import identity_key
from policyengine.store.run_writer import RunWriter
from policyengine.store.rundir import RunReader, read_findings

ACCOUNT = "111122223333"
TYPES = {"AWS::EC2::Volume": ("a-rule", "b-rule"), "AWS::S3::Bucket": ("c-rule",)}
NAMES = st.sampled_from(["a", "b", '"F', "F", "\u202e", "x:"])
Rows = dict[tuple[str, str, str], tuple[str, int]]


@st.composite
def rows(draw: st.DrawFn) -> Rows:
    found: Rows = {}
    for type_, rules in TYPES.items():
        names = draw(
            st.lists(st.tuples(st.sampled_from(["eu-west-1", "us-east-1"]), NAMES), unique=True, max_size=5)
        )
        for region, name in names:
            letters = draw(st.text(st.sampled_from("PFUN"), min_size=len(rules), max_size=len(rules)))
            found[region, type_, name] = (letters, draw(st.integers(0, 1)))
    return found


def write(folder: Path, rows: Rows, used: dict[str, tuple[str, ...]] = TYPES) -> RunReader:
    """A run directory with these rows; the number is a value that evidence shows."""
    rules: list[Any] = [
        {
            "id": rule,
            "title": rule,
            "family": "encryption",
            "severity": "high",
            "frameworks": {},
            "remediation": None,
        }
        for rule in sorted({rule for some in used.values() for rule in some})
    ]
    with RunWriter(folder) as writer:
        writer.file("rules.json", json.dumps({"rules": rules}).encode())
        for (region, type_, name), (letters, value) in sorted(rows.items()):
            details = [
                {"rule": rule, "reason": "value_mismatch" if letter == "F" else "access_denied", "message": f"m{value}",
                 "evidence": [{"path": "/A", "observed": value, "expected": "x", "provenance": None, "reason": "value_mismatch"}]}
                for rule, letter in zip(used[type_], letters, strict=True) if letter in "FU"
            ]  # fmt: skip
            record = {"account": ACCOUNT, "id": name, "region": region, "type": type_, "verdicts": letters,
                      **({"details": details} if details else {})}  # fmt: skip
            writer.add_row(canonical(record))
        run = {
            "id": folder.name,
            "as_of": "2026-01-01T00:00:00Z",
            "complete": True,
            "errors": [],
            "scope": {"targets": ["s"]},
        }
        writer.end(run, rules_of=used, inputs=[])
    return RunReader(folder)


def told(changes: Any) -> list[tuple[str, str, str, str]]:
    return [(c.kind, c.why, c.finding["id"], c.finding["message"]) for c in changes]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows(), rows(), st.sampled_from([TYPES, {**TYPES, "AWS::EC2::Volume": ("a-rule", "z-rule")}]))
def test_row_by_row_says_what_finding_by_finding_says(
    tmp_path_factory: pytest.TempPathFactory, before: Rows, after: Rows, used: dict[str, tuple[str, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    one, other = write(folder / "one", before), write(folder / "other", after, used)

    def sides() -> tuple[Looked, Looked]:
        everywhere = {(ACCOUNT, region): frozenset({"*"}) for region in ("eu-west-1", "us-east-1")}
        return Looked(everywhere, ["s"]), Looked(everywhere, ["s"])

    rules = Rules(one.rules, other.rules)
    plain: list[Change] = list(compare(read_findings(one.path), read_findings(other.path), rules, sides()))
    whole = RowDiff(one, other, rules, sides(), tell_open=True)
    assert told(whole.changes()) == told(plain)
    quiet = RowDiff(one, other, rules, sides(), tell_open=False)
    assert told(quiet.changes()) == told(change for change in plain if change.kind != "open")
    assert quiet.open == sum(change.kind == "open" for change in plain)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows())
def test_history_reads_rows_as_it_reads_findings(
    tmp_path_factory: pytest.TempPathFactory, given_rows: Rows
) -> None:
    folder = tmp_path_factory.mktemp("runs") / "one"
    write(folder, given_rows)
    found = [(row.identity, dict(zip(row.rules, row.letters, strict=True))) for row in RunRead(folder).rows()]
    plain = [
        (row.identity, dict(zip(row.rules, row.letters, strict=True)))
        for row in rows_of(read_findings(folder))
    ]
    assert found == plain
    assert [identity_key(identity) for identity, _ in found] == sorted(
        identity_key(identity) for identity, _ in found
    )


def test_a_damaged_run_is_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {("eu-west-1", "AWS::EC2::Volume", "a"): ("PF", 0)})
    fewer = write(tmp_path / "fewer", {("eu-west-1", "AWS::EC2::Volume", "a"): ("PP", 0)})
    about = json.loads((fewer.path / "run.json").read_text())
    about["rules_of"]["AWS::EC2::Volume"] = ["a-rule"]
    (fewer.path / "run.json").write_text(json.dumps(about))
    looked = (Looked({}, None), Looked({}, None))
    with pytest.raises(InputError, match="2 verdicts, and its type 1 rules"):
        list(RowDiff(one, RunReader(fewer.path), Rules(None, None), looked, tell_open=False).changes())
    with pytest.raises(InputError, match="it is damaged"):
        list(RunRead(fewer.path).rows())
