"""Figures as rows: printed while they are measured, written to ``RESULTS.md`` at the end."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One measurement: what, our figure or a baseline's, how they relate, whether a goal holds."""

    what: str
    figure: str
    relation: str = ""
    goal: str = ""


class Section(NamedTuple):
    """One benchmark: a heading, what was done, the rows."""

    title: str
    about: str
    rows: Sequence[Row]


def verdict(holds: bool, goal: str) -> str:
    """Return the goal with whether it was met."""
    return f"{goal}: {'met' if holds else 'NOT met'}"


def show(section: Section) -> None:
    """Print a section."""
    print(f"\n{section.title}\n  {section.about}")
    width = max(len(row.what) for row in section.rows)
    for row in section.rows:
        print(
            "  " + "  ".join((row.what.ljust(width), row.figure.rjust(26), row.relation, row.goal)).rstrip()
        )


def markdown(sections: Sequence[Section], versions: Mapping[str, str]) -> str:
    """Return the page ``RESULTS.md``."""
    lines = [
        "# Benchmark results",
        "",
        "Written by `make bench`; every figure stands beside its baseline, measured in the same run with the",
        "bytecode of both sides compiled. Runs alternate between the sides, and figures are medians. The machine may",
        "have been busy with other work: compare ratios, not seconds.",
        "",
        f"- date: {datetime.now(UTC):%Y-%m-%d}",
        f"- machine: {machine()}",
        f"- Python {platform.python_version()}; " + ", ".join(f"{k} {v}" for k, v in versions.items()),
    ]
    for section in sections:
        lines += ["", f"## {section.title}", "", section.about, ""]
        lines += ["| what | figure | relation | goal |", "|---|---:|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in section.rows]
    return "\n".join(lines) + "\n"


def machine() -> str:
    """Return what kind of machine this is, without a name of it."""
    kind = f"{platform.system()} {platform.machine()}"
    return f"{os.cpu_count()} CPUs ({cpu_model()}), {memory_gb()} GB of memory, {kind}"


def cpu_model() -> str:
    """Return the processor's name, without anything that names this very machine."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown"


def memory_gb() -> int:
    """Return the memory of the machine in whole gigabytes."""
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def our_version() -> str:
    """Return our installed version."""
    return importlib.metadata.version("policyengine-aws")
