"""Figure a: evaluations per second in memory, beside c7n, jsonschema-rs and hand-written functions."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.measure import interleaved, median, run
from benchmarks.table import Row, Section, verdict

LABELS = {
    "verdicts": "ours, verdicts only",
    "failures": "ours, findings of FAIL and UNKNOWN built",
    "all": "ours, every finding built",
    "c7n": "Cloud Custodian, matches only",
    "hand-failures": "three functions, findings of FAIL built",
    "hand-all": "three functions, every finding built",
    "jsonschema-rs": "jsonschema-rs, yes or no",
}
PEERS = ("c7n", "jsonschema-rs")


def measure(count: int = 100_000, rounds: int = 5, *, with_peers: bool = True) -> Section:
    """Return the section; every pass runs in a process of its own."""
    names = [name for name in LABELS if with_peers or name not in PEERS]
    found = interleaved(rounds, {name: partial(one, name, count) for name in names})
    differing = {
        name: runs[0]["findings"]
        for name, runs in found.items()
        if name not in ("verdicts", "all", "hand-all")
    }
    if len(set(differing.values())) > 1:
        raise SystemExit(f"the engines do not agree on what fails: {differing}")
    speed = {name: median([r["evaluations"] / r["cpu"] for r in runs]) for name, runs in found.items()}
    return Section(
        f"In memory: {count:,} resources, three rules",
        "Evaluations per CPU second: volumes (encrypted, tag present) and security groups with three entries (tag "
        "present, SSH closed to the internet); one in ten fails. All engines found the same failures. The garbage "
        "collector is off on every side while the clock runs. A run keeps every verdict and builds what FAIL and UNKNOWN "
        "say; what PASS says is made when somebody asks, which the row of every finding measures.",
        [Row(LABELS[name], f"{speed[name]:,.0f}/s", *_relation(name, speed)) for name in names],
    )


def one(name: str, count: int) -> dict[str, Any]:
    """Return what one pass prints."""
    python: str | Path = peers.binary("engines", "python") if name in PEERS else sys.executable
    module = "benchmarks.peer_engines" if name in PEERS else "benchmarks.in_memory"
    cost = run([python, "-m", module, str(count), name])
    if cost.code:
        raise SystemExit(f"{name} failed:\n{cost.output}")
    result: dict[str, Any] = json.loads(cost.output)
    return result


def _relation(name: str, speed: dict[str, float]) -> tuple[str, str]:
    mine = speed[name]
    if name == "failures":
        share = mine / speed["hand-all"]
        functions = (
            f"{share:.2f} x the functions that build all, "
            f"{mine / speed['hand-failures']:.2f} x those that build FAIL"
        )
        half = verdict(share >= 0.5, "half the functions that answer every evaluation")
        if "c7n" not in speed:
            return functions, half
        ratio = mine / speed["c7n"]
        return f"{ratio:.1f} x c7n, {functions}", f"{verdict(ratio >= 4, '4 x c7n')}; {half}"
    if name == "verdicts" and "jsonschema-rs" in speed:
        return f"{mine / speed['jsonschema-rs']:.2f} x jsonschema-rs, {mine / speed['c7n']:.1f} x c7n", ""
    if name == "all":
        return f"{mine / speed['hand-all']:.2f} x the functions that build all", ""
    return "", ""
