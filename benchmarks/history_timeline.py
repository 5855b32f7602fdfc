"""Figures: the time machine over a history of AWS Config, at one, four and ten times its size.

Baseline: the naive way, which judges every resource by every rule whenever anything changes; at the smallest size only. What
both find is compared.

``python -m benchmarks.history_timeline naive FILE`` is the naive way alone.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchmarks import timeline_data
from benchmarks.measure import Cost, median, run
from benchmarks.table import Row, Section, verdict
from policyengine.history.timeline import sweep

GOAL: Final = 60.0
SIZES: Final = ((1_850, 50), (7_400, 200), (18_500, 500))
NAIVE: Final = (600, 16)


class Naive(sweep.Sweep):
    """Asks everything again whenever anything changes, and looks at the clock before."""

    def _settle_all(
        self, changing: Iterable[Any], moved: Sequence[sweep.Moved], at: datetime
    ) -> dict[Any, set[str]]:
        everybody = {
            key: set(each.verdicts) for key, each in self.tracked.items() if each.resource is not None
        }
        super()._settle_all([*changing, *(self.tracked[key] for key in everybody)], moved, at)
        return everybody

    def _calm(self, *_: Any) -> dict[str, Any]:
        return {}


def replay(file: Path) -> list[str | Path]:
    """Return the command line of ours."""
    return [sys.executable, "-m", "policyengine", "history", "replay", file, "--format", "json"]


def measure(rounds: int = 1, sizes: Sequence[tuple[int, int]] = SIZES) -> Section:
    """Return the section."""
    with tempfile.TemporaryDirectory(prefix="policyengine-bench-") as name:
        rows = [*_naive(Path(name), rounds), *_ours(Path(name), rounds, sizes)]
    return Section(
        "The time machine: AWS Config's history",
        f"`history replay` with all rules over 90 days of one account, {rounds} rounds, CPU time (user and system) and peak "
        "memory of the whole process. Ten times the items are of ten times the resources. `naive` judges every resource by "
        "every rule at every change and finds the same.",
        rows,
    )


def _naive(base: Path, rounds: int) -> Iterable[Row]:
    file = base / "small.json"
    timeline_data.write(file, *NAIVE)
    ours = [run(replay(file)) for _ in range(rounds)]
    naive = [run([sys.executable, "-m", "benchmarks.history_timeline", "naive", file]) for _ in range(rounds)]
    same = {cost.digest for cost in (*ours, *naive)}
    cpu, slow = _cpu(ours), _cpu(naive)
    what = f"{NAIVE[0]:,} items, {NAIVE[1]} security groups"
    yield Row(
        f"{what}: replay",
        f"{cpu:.2f} s",
        f"{slow / cpu:.1f} times as fast as naive",
        verdict(len(same) == 1, "the same bytes"),
    )
    yield Row(f"{what}: naive", f"{slow:.2f} s")


def _ours(base: Path, rounds: int, sizes: Sequence[tuple[int, int]]) -> Iterable[Row]:
    first = 0.0
    for items, groups in sizes:
        file = base / f"{items}.json"
        timeline_data.write(file, items, groups)
        costs = [run(replay(file), discard=True) for _ in range(rounds)]
        cpu, peak = _cpu(costs), max(cost.peak for cost in costs)
        first = first or cpu
        goal = verdict(cpu <= GOAL, f"at most {GOAL:.0f} s") if items >= SIZES[-1][0] else ""
        ratio = f"{cpu / first:.1f} times the first" if cpu != first else ""
        yield Row(f"{items:,} items, {groups} security groups", f"{cpu:.1f} s, {peak:.0f} MB", ratio, goal)


def _cpu(costs: Sequence[Cost]) -> float:
    return median([cost.cpu for cost in costs])


def naive(file: Path) -> int:
    """Replay a history the naive way, printed as the command prints it."""
    from policyengine.cli.history import replaying
    from policyengine.cli.history.options import print_json

    setattr(replaying, "Sweep", Naive)  # noqa: B010  # the same command but for this
    options: Mapping[str, Any] = _options(file)
    print_json(replaying.replayed([str(file)], options).document)
    return 0


def _options(file: Path) -> Mapping[str, Any]:
    """The options of ``history replay FILE``, as the command itself takes them."""
    from policyengine.cli.history.replay import replay as command

    given = command.make_context("replay", [str(file), "--format", "json"]).params
    return {name: value for name, value in given.items() if name != "targets"}


if __name__ == "__main__":
    if sys.argv[1:2] == ["naive"]:
        sys.exit(naive(Path(sys.argv[2])))
    from benchmarks.table import show

    show(measure(sizes=SIZES[: int(sys.argv[1])] if sys.argv[1:] else SIZES))
