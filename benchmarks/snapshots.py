"""Figure d: a generated snapshot as it grows, on one process and on two."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Cost, run
from benchmarks.table import Row, Section, verdict
from policyengine.engine.rule import predicate_names
from policyengine.rules.packs import load_packs
from policyengine.rules.predicates.table import PREDICATES

PEAK = 500
AS_OF = "2026-11-21T00:00:00Z"

FLOOR = """
import json, pathlib, sys, zstandard
for part in sorted(pathlib.Path(sys.argv[1]).glob("resources/*")):
    for line in zstandard.ZstdDecompressor().decompressobj().decompress(part.read_bytes()).splitlines():
        json.loads(line)
"""
"""What reading alone costs: the baseline, since no peer reads such a thing."""


def alone() -> list[str]:
    """Return the ids of the rules that look at one resource only."""
    found = []
    for form in load_packs().rules:
        trees = [tree for v in form["variants"] for tree in (v["when"], v["require"])]
        needs = any(PREDICATES[name].needs for tree in trees for name in predicate_names(tree))
        if not needs and not any(v["with"] for v in form["variants"]):
            found.append(form["id"])
    return found


def scan(folder: Path, *options: str, discard: bool = False) -> Cost:
    """Scan a snapshot in a process of its own."""
    program = Path(sys.executable).parent / "policyengine"
    cost = run([program, "scan", folder, "--fail-on", "never", *options], discard=discard)
    if cost.code:
        raise SystemExit(f"the scan failed:\n{cost.output}")
    return cost


def measure(sizes: Sequence[int] = (10_000, 100_000, 1_000_000)) -> Section:
    """Return the section."""
    single = [option for rule in alone() for option in ("--rule", rule)]
    rows: list[Row] = []
    before: Cost | None = None
    with tempfile.TemporaryDirectory(prefix="policyengine-bench-") as name:
        for size in sizes:
            folder = Path(name) / str(size)
            run([sys.executable, "-m", "benchmarks.snapshot_data", folder, str(size)])
            floor = run([sys.executable, "-c", FLOOR, folder])
            one = scan(folder, "-j", "1", "--as-of", AS_OF)
            checks = verdicts(one.output)
            rows.append(
                _row(
                    f"{size:,}, every rule, -j 1", one, f"{checks}; {_growth(one, before, floor)}", _peak(one)
                )
            )
            two = scan(folder, "-j", "2", "--as-of", AS_OF)
            rows.append(_row(f"{size:,}, every rule, -j 2", two, _two(one, two), _peak(two)))
            few = scan(folder, "-j", "1", *single)
            rows.append(
                _row(f"{size:,}, the {len(single) // 2} rules about one resource, -j 1", few, "", _peak(few))
            )
            if size <= 100_000:
                stream = scan(folder, "-j", "1", "--format", "ndjson", discard=True)
                rows.append(_row(f"{size:,}, every rule, every finding as ndjson, -j 1", stream, ""))
            before = one
    return Section(
        "A snapshot as it grows",
        "Whole process, compressed snapshot of some twenty types in accounts of about two thousand resources. "
        "The baseline is decompressing and `json.loads` of every line. Peak memory is the sum of the peaks of "
        "all processes, in which pages they share are counted for each.",
        rows,
    )


def verdicts(report: str) -> str:
    """Return what the terminal report says it checked."""
    found = re.search(r"^checks: +(.*)$", report, re.MULTILINE)
    return found[1].replace(" · ", ", ") if found else "no summary"


def _two(one: Cost, two: Cost) -> str:
    same = "the same bytes" if one.digest == two.digest else "OTHER BYTES"
    return f"{two.cpu / two.wall:.2f} CPUs busy, {one.wall / two.wall:.2f} x as fast as -j 1, {same}"


def _peak(cost: Cost) -> str:
    return verdict(cost.peak < PEAK, f"under {PEAK} MB")


def _growth(cost: Cost, before: Cost | None, floor: Cost) -> str:
    grown = f", {cost.cpu / before.cpu:.1f} x the CPU of the size before" if before else ""
    return f"{cost.cpu / floor.cpu:.0f} x the CPU of reading alone ({floor.cpu:.1f} s){grown}"


def _row(what: str, cost: Cost, relation: str, goal: str = "") -> Row:
    return Row(what, f"{cost.wall:.1f} s, {cost.cpu:.1f} s CPU, {cost.peak:.0f} MB", relation, goal)
