"""Figure: decisions per second of ``policyengine iam decide``, beside the npm package iam-simulate.

20,000 scenarios: the oracle file ten times over under other ids, whole processes, one core. The package
(AGPL-3.0) is fetched into the benchmark's own folder when npm can; it is never shipped.
"""

from __future__ import annotations

import compileall
import json
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks import peers
from benchmarks.measure import ROOT, Cost, interleaved, median, run
from benchmarks.table import Row, Section, verdict

ORACLE = ROOT.parent / "shared" / "oracles" / "iam-decisions.ndjson"
PACKAGE = "@cloud-copilot/iam-simulate"
VERSION = "0.1.173"
TIMES = 10


def measure(rounds: int = 3, *, with_peers: bool = True) -> Section | None:
    """Return the section; None where the oracle is not beside this checkout."""
    if not ORACLE.is_file():
        return None
    with tempfile.TemporaryDirectory() as folder:
        scenarios = Path(folder) / "scenarios.ndjson"
        count = write(scenarios)
        # an installed package is compiled; a checkout is after its first run, unless the environment forbids it
        compileall.compile_dir(ROOT / "policyengine", quiet=1)
        sides = {"ours": partial(_timed, _our_command(scenarios))}
        package = install() if with_peers else None
        if package is not None:
            sides["simulate"] = partial(_timed, _their_command(package, scenarios))
        found = interleaved(rounds, sides)
    speed = {name: count / median([cost.cpu for cost in costs]) for name, costs in found.items()}
    return Section(
        f"IAM decisions: {count:,} scenarios, whole process",
        "Decisions per CPU second: the oracle's scenarios ten times over, other ids. Ours writes every deciding statement "
        f"and the reason of every other one; {PACKAGE} explains too.",
        rows(speed, agreed(package) if package is not None else None),
    )


def rows(speed: dict[str, float], agreement: str | None) -> list[Row]:
    """Return the figures."""
    if "simulate" not in speed:
        return [
            Row(
                "ours", f"{speed['ours']:,.0f}/s", "", f"15 x {PACKAGE}: not measured, npm could not fetch it"
            )
        ]
    ratio = speed["ours"] / speed["simulate"]
    return [
        Row("ours", f"{speed['ours']:,.0f}/s", f"{ratio:.1f} x", verdict(ratio >= 15, f"15 x {PACKAGE}")),
        Row(f"{PACKAGE} {VERSION}", f"{speed['simulate']:,.0f}/s", agreement or ""),
    ]


def write(path: Path) -> int:
    """Write the scenarios and return how many they are."""
    lines = ORACLE.read_text(encoding="utf-8").splitlines()
    with path.open("w", encoding="utf-8") as file:
        for turn in range(TIMES):
            for line in lines:
                scenario = json.loads(line)
                scenario["id"] = f"{turn}-{scenario['id']}"
                file.write(json.dumps(scenario, separators=(",", ":")) + "\n")
    return len(lines) * TIMES


def install() -> Path | None:
    """Return the package's module, fetched once; None where npm or the network is missing."""
    folder = peers.folder() / "simulate"
    module = folder / "node_modules" / PACKAGE / "dist" / "esm" / "index.js"
    npm = shutil.which("npm")
    if not module.is_file() and npm is not None:
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", f"{PACKAGE}@{VERSION}"]
        subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300)
    return module if module.is_file() else None


def agreed(package: Path) -> str:
    """Say on how many scenarios of the oracle both answer the same; not timed."""
    ours, theirs = (
        subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
        for command in (_our_command(ORACLE), _their_command(package, ORACLE))
    )
    pairs = list(zip(map(json.loads, ours.splitlines()), theirs.split(), strict=True))
    return f"same decision on {sum(a['decision'] == b for a, b in pairs):,} of {len(pairs):,}"


def _our_command(scenarios: Path) -> list[str | Path]:
    return [sys.executable, "-m", "policyengine", "iam", "decide", scenarios]


def _their_command(package: Path, scenarios: Path) -> list[str | Path]:
    return [shutil.which("node") or "node", Path(__file__).with_name("iam_simulate.mjs"), package, scenarios]


def _timed(command: list[str | Path]) -> Cost:
    return _checked(run(command, discard=True))


def _checked(cost: Cost) -> Cost:
    if cost.code:
        raise SystemExit(f"the benchmark failed:\n{cost.output[:2000]}")
    return cost


if __name__ == "__main__":
    from benchmarks import table

    found = measure(1)
    if found is not None:
        table.show(found)
