"""The benchmark code runs, on sizes that take no time and without the peers."""

from __future__ import annotations

import json
import platform
import re
import sys
from pathlib import Path

import pytest

from benchmarks import (
    engines,
    evidence_verify,
    hand_written,
    in_memory,
    lambda_data,
    lambdas,
    peers,
    snapshot_data,
    table,
    templates,
)
from benchmarks.measure import interleaved, median, run
from benchmarks.memory_data import records
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot import open_snapshot

PINNED = re.compile(r"[A-Za-z0-9._-]+==[^\s=]+")


def test_every_pass_finds_the_same_failures() -> None:
    found = {what: in_memory.measure(400, what)["findings"] for what in in_memory.PASSES}
    assert found["verdicts"] == 0
    assert found["failures"] == found["hand-failures"] > 0
    assert found["all"] == found["hand-all"] == 800


def test_hand_written_functions_say_what_our_rules_say() -> None:
    theirs = {
        (f["rule"], f["resource"]["id"]) for f in hand_written.evaluate(list(records(200)), passing=False)
    }
    ours = {(f.rule, f.resource_id) for f in in_memory.failures(200)}
    assert ours == theirs


def test_the_figures_in_memory_are_ratios_to_a_baseline() -> None:
    section = engines.measure(200, 1, with_peers=False)
    relations = [
        row.relation for row in section.rows if row.what.startswith("ours, f") or "every" in row.what
    ]
    assert any("x the functions" in relation for relation in relations)


@pytest.mark.parametrize("count", [50, 1500])
def test_a_generated_snapshot_is_sound_and_the_same_each_time(tmp_path: Path, count: int) -> None:
    folders = [snapshot_data.write(tmp_path / name, count) for name in ("one", "two")]
    first, second = ({p.name: p.read_bytes() for p in sorted(f.rglob("*")) if p.is_file()} for f in folders)
    assert first == second
    source = open_snapshot(folders[0], SourceOptions())
    resources = list(source.resources())
    assert (len(resources), source.errors, source.sorted) == (count, [], True)
    assert len({r.identity for r in resources}) == count


def test_a_process_is_measured_with_its_children() -> None:
    busy = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(3_000_000))']); print('done')"
    cost = run([sys.executable, "-c", busy])
    assert (cost.code, cost.output.strip()) == (0, "done")
    assert min(cost.cpu, cost.wall, cost.peak) > 0
    assert run([sys.executable, "-c", "raise SystemExit(3)"]).code == 3


def test_sides_take_turns() -> None:
    order: list[str] = []
    interleaved(2, {"a": lambda: order.append("a"), "b": lambda: order.append("b")})
    assert order == ["a", "b", "a", "b"]
    assert median([3.0, 1.0, 2.0]) == 2.0


def test_results_name_no_machine() -> None:
    page = table.markdown(
        [table.Section("t", "about", [table.Row("w", "1 s", "2 x", "g: met")])], {"ours": "1"}
    )
    assert "| w | 1 s | 2 x | g: met |" in page
    assert platform.node() not in page


def test_the_peers_are_pinned() -> None:
    for name in peers.NAMES:
        lines = (peers.HERE / f"requirements-{name}.txt").read_text().split("\n")
        assert all(PINNED.fullmatch(line) for line in lines if line), name


def test_some_template_is_there_to_measure() -> None:
    assert all(path.is_file() for path in templates.chosen())


@pytest.mark.parametrize("what", ["c7n", "jsonschema-rs"])
def test_the_peers_agree(what: str) -> None:
    python = peers.binary("engines", "python")
    if not python.exists():
        pytest.skip("`make bench` has not built the peers' environment")
    cost = run([python, "-m", "benchmarks.peer_engines", "400", what])
    assert json.loads(cost.output)["findings"] == in_memory.measure(400, "failures")["findings"]


def test_functions_do_what_their_figures_are_about() -> None:
    """Each kind of event leads to what it is called by: nothing read, nothing planned, one plan for each group."""
    forms = [form for form in load_packs().rules if form["id"] == lambda_data.RULE]
    with lambdas._unpacked(lambdas._choice(forms)) as folder:
        found = [lambdas._ours(folder, "events", "trail", kind, "12")() for kind in lambda_data.KINDS]
        item = lambdas._ours(folder, "item", "AWS::EC2::SecurityGroup", lambda_data.RULE, "5")()
    assert [each["actions"] for each in found] == [0, 0, 12]
    assert [each["calls"].get("DescribeSecurityGroups", 0) for each in found] == [0, 13, 13]
    assert [each["failures"] for each in found] == [0, 0, 0]
    assert item["answer"] == {"NON_COMPLIANT": 1} and item["calls"]["PutEvaluations"] == 11


def test_verifying_a_bundle_stands_beside_unpacking_it() -> None:
    section = evidence_verify.measure(1, 300)
    rows = {row.what: row for row in section.rows}
    assert "x unpacking and hashing" in rows["policyengine evidence verify"].relation
    assert rows["policyengine evidence verify"].goal.endswith("met")
