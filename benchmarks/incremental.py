"""Figure: the second scan of an account, of which nothing or 1 % has changed, with the results of the first kept.

Two accounts: that of the peers (500 security groups, 500 buckets, 300 roles and policies, …) by itself, where the
share of each type is changed; and several of them, as an organisation has.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, median, run
from benchmarks.snapshots import AS_OF, scan
from benchmarks.table import Row, Section, verdict

SHARE: Final = 0.01
GOAL: Final = 0.10
_IAM: Final = "AWS::IAM::"
_NOTHING: Final = "private-ca-post-quantum"
"""A rule about nothing that is there: what starting, loading the rules and reading the snapshot cost."""


class Scans:
    """CPU seconds of the scans of one size, in rounds that alternate."""

    def __init__(self, base: Path, name: str, options: Sequence[str]) -> None:
        self.base, self.name, self.options = base, name, ["-j", "1", "--as-of", AS_OF, *options]

    def once(self, first: Path, then: Path, *more: str) -> Cost:
        """Scan ``then`` with a copy of the results that a scan of ``first`` leaves."""
        kept = self.base / "kept" / f"{self.name}-{first.name}"
        if not kept.exists():
            scan(first, *self.options, "--cache", str(kept), discard=True)
        copy = self.base / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(kept, copy)
        copy.chmod(0o700)
        return scan(then, *self.options, *more, "--cache", str(copy), discard=True)

    def plain(self, folder: Path, *more: str) -> Cost:
        """Scan without results."""
        return scan(folder, *self.options, *more, discard=True)

    def cold(self, folder: Path) -> Cost:
        """Scan with an empty file of results."""
        copy = self.base / "cold"
        shutil.rmtree(copy, ignore_errors=True)
        return scan(folder, *self.options, "--cache", str(copy), discard=True)


def measure(rounds: int = 3, accounts: Sequence[int] = (1, 10)) -> Section:
    """Return the section."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="policyengine-bench-") as name:
        base = Path(name)
        (base / "kept").mkdir()
        for number in accounts:
            rows += _rows(base, number, rounds)
    return Section(
        "A second scan, with the results of the first",
        "CPU time (user and system) of the whole process, every rule, the terminal report (and every finding as "
        f"ndjson), `-j 1 --cache`, {_rounds(rounds)}. `evaluating` is without what a scan with one rule about nothing "
        "costs, which is taken off both sides: starting, loading the rules, reading the snapshot. What is beyond that, "
        "importing what rules reason with and reading and writing the results among it, counts on the side that "
        "does it. 1 % of the resources of each type have changed; an account is that of the peers.",
        rows,
    )


def _rounds(number: int) -> str:
    return f"{number} round{'s' if number > 1 else ''}"


def _rows(base: Path, number: int, rounds: int) -> list[Row]:
    first, same, some, few = (base / f"{number}-{name}" for name in ("first", "same", "some", "few"))
    for folder, share, but in ((first, 0.0, "-"), (same, 0.0, "-"), (some, SHARE, "-"), (few, SHARE, _IAM)):
        run([sys.executable, "-m", "benchmarks.account_data", folder, str(share), str(number), but])
    rows: list[Row] = []
    reports: list[tuple[str, list[str]]] = [("terminal", []), ("ndjson", ["--format", "ndjson"])]
    for what, options in reports if number == 1 else reports[:1]:
        scans = Scans(base, f"{number}-{what}", options)
        costs: dict[str, list[float]] = {}
        scans.plain(some)  # compiles the rules where they are not
        for _ in range(rounds):
            for name, cost in (
                ("nothing", scans.plain(some, "--rule", _NOTHING)),
                ("full", scans.plain(some)),
                ("cold", scans.cold(first)),
                ("same", scans.once(first, same)),
                ("some", scans.once(first, some)),
                ("few", scans.once(first, few)),
            ):
                costs.setdefault(name, []).append(cost.cpu)
        size = f"{number} account{'s' if number > 1 else ''}, {what}"
        rows += _of(size, what, {name: median(each) for name, each in costs.items()})
    return rows


def _of(size: str, what: str, cpu: dict[str, float]) -> list[Row]:
    full = cpu["full"] - cpu["nothing"]

    def row(name: str, words: str, goal: bool = False) -> Row:
        share = (cpu[name] - cpu["nothing"]) / full
        whole = cpu[name] / cpu["full"]
        said = f"{share:.1%} of evaluating everything ({full:.2f} s), {whole:.0%} of the whole command"
        met = verdict(share <= GOAL, f"at most {GOAL:.0%}") if goal else ""
        return Row(f"{size}: {words}", f"{cpu[name]:.2f} s CPU", said, met)

    return [
        Row(
            f"{size}: without results",
            f"{cpu['full']:.2f} s CPU",
            f"{cpu['nothing']:.2f} s without evaluating",
        ),
        row("cold", "first scan, results written"),
        row("same", "nothing changed"),
        row("few", "1 % changed, no role and no policy", goal=what == "terminal"),
        row("some", "1 % changed", goal=what == "terminal"),
    ]
