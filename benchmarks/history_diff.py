"""Figures: two kept runs compared, and runs taken into the history.

The runs are of the peers' account, 1 % of whose resources changed, written again for as many accounts as it takes.
Baselines: both runs' rows unpacked and compared by ``comm``, which tells no finding, and every row of both parsed as JSON.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, median, run
from benchmarks.snapshots import AS_OF
from benchmarks.table import Row, Section, verdict

GOAL: Final = 15.0
SHARE: Final = 0.01
DAYS: Final = 30
_COMM: Final = """
set -e
comm -3 <(zstd -dcq "$1"/results/*.zst | LC_ALL=C sort) <(zstd -dcq "$2"/results/*.zst | LC_ALL=C sort) | wc -l
"""
_PARSE: Final = """
import json, sys
from pathlib import Path
from policyengine.store.rundir import RunReader
print(sum(len(json.loads(line)["verdicts"]) for run in sys.argv[1:] for line in RunReader(Path(run)).lines()))
"""


def ours(*arguments: str | Path) -> list[str | Path]:
    """Return the command line of ours."""
    return [sys.executable, "-m", "policyengine", *arguments]


def measure(rounds: int = 3, sizes: Sequence[int] = (100_000, 1_000_000)) -> Section:
    """Return the section."""
    with tempfile.TemporaryDirectory(prefix="policyengine-bench-") as name:
        base = Path(name)
        for which, share in (("a", "0.0"), ("b", str(SHARE))):
            run([sys.executable, "-m", "benchmarks.account_data", base / which, share, "1", "-"])
            run(ours("scan", base / which, "-q", "--as-of", AS_OF, "-o", base / f"run-{which}"), discard=True)
        rows = [*_diffs(base, rounds, sizes), *_history(base)]
    return Section(
        "Two runs compared, and runs over time",
        f"Kept runs (`scan -o`), {rounds} rounds, CPU time (user and system) and peak memory of the whole process; in the later "
        "run of each pair 1 % of the resources of every account changed. `comm` sorts and compares the unpacked rows; `json` "
        f"parses every row of both. The history takes {DAYS} daily runs, of each of which one account in a hundred changed.",
        rows,
    )


def _diffs(base: Path, rounds: int, sizes: Sequence[int]) -> Iterator[Row]:
    for size in sizes:
        pair = [base / f"{size}-{which}" for which in "ab"]
        _made(base, pair[0], size, 0.0, 0)
        _made(base, pair[1], size, 1.0, 1)
        found: dict[str, list[Cost]] = {"diff": [], "comm": [], "json": []}
        for _ in range(rounds):
            found["diff"].append(run(ours("diff", *pair), discard=True))
            found["comm"].append(run(["bash", "-c", _COMM, "bash", *pair]))
            found["json"].append(run([sys.executable, "-c", _PARSE, *pair]))
        cpu = {name: median([cost.cpu for cost in costs]) for name, costs in found.items()}
        peak = {name: max(cost.peak for cost in costs) for name, costs in found.items()}
        goal = verdict(cpu["diff"] <= GOAL, f"at most {GOAL:.0f} s") if size >= 1_000_000 else ""
        ratio = (
            f"{cpu['comm'] / cpu['diff']:.1f} times as fast as comm, {cpu['json'] / cpu['diff']:.1f} as json"
        )
        yield Row(f"{size:,} resources: diff", f"{cpu['diff']:.2f} s, {peak['diff']:.0f} MB", ratio, goal)
        yield Row(f"{size:,} resources: comm", f"{cpu['comm']:.2f} s, {peak['comm']:.0f} MB")
        yield Row(f"{size:,} resources: json", f"{cpu['json']:.2f} s, {peak['json']:.0f} MB")


def _history(base: Path, size: int = 100_000) -> Iterator[Row]:
    file = base / "history.db"
    costs: list[Cost] = []
    for day in range(DAYS):
        folder = base / f"day-{day}"
        _made(base, folder, size, 0.01 if day % 2 else 0.0, day)
        costs.append(run(ours("history", "add", folder, "--db", file), discard=True))
    first, later = costs[0], costs[1:]
    bytes_ = file.stat().st_size
    yield Row(f"{size:,} resources: first run added", f"{first.cpu:.2f} s, {first.peak:.0f} MB")
    yield Row(
        f"{size:,} resources: each later run",
        f"{median([c.cpu for c in later]):.2f} s, {max(c.peak for c in later):.0f} MB",
    )
    yield Row(
        f"{size:,} resources × {DAYS} runs: the file", f"{bytes_ / 1e6:.1f} MB",
        f"{bytes_ / size:.0f} bytes a resource, {bytes_ / size / DAYS:.1f} a resource and run",
    )  # fmt: skip
    shown = run(ours("history", "show", "--db", file), discard=True)
    trend = run(ours("history", "trend", "--db", file), discard=True)
    yield Row(f"{size:,} resources × {DAYS} runs: history show", f"{shown.cpu:.2f} s, {shown.peak:.0f} MB")
    yield Row(f"{size:,} resources × {DAYS} runs: history trend", f"{trend.cpu:.2f} s, {trend.peak:.0f} MB")


def _made(base: Path, folder: Path, size: int, share: float, day: int) -> None:
    run(
        [
            sys.executable,
            "-m",
            "benchmarks.history_data",
            base / "run-a",
            folder,
            str(size),
            base / "run-b",
            str(share),
            str(day),
        ]
    )


if __name__ == "__main__":
    from benchmarks.table import show

    show(measure(rounds=1, sizes=[int(size) for size in sys.argv[1:]] or (100_000,)))
