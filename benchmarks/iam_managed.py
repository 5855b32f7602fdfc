"""All policies that AWS manages through the questions about one principal's policies; goal: under 10 s.

``python -m benchmarks.iam_managed`` reads the documents from their JSON, asks each policy whether it is
administrator (of everything, of services), which escalation it opens, what it exposes and where it has
wildcards, and prints wall and CPU seconds of each and what was found. ``--slowest N`` names policies.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from benchmarks.measure import median, run
from benchmarks.table import Row, Section, verdict
from policyengine.iam import managed
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.questions import (
    administrator,
    escalates,
    exposures,
    service_administrators,
    wildcards,
)

GOAL: Final = 10.0
QUESTIONS: Final[dict[str, Callable[[Sequence[Policy]], Any]]] = {
    "administrator": administrator,
    "administrator of services": service_administrators,
    "escalation": escalates,
    "exposure": exposures,
    "wildcards": wildcards,
}


def main(argv: Sequence[str]) -> int:
    """Measure once; return 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slowest", type=int, default=0)
    options = parser.parse_args(argv)
    started, cpu = time.perf_counter(), time.process_time()
    policies = {arn: [_read(arn)] for arn in managed.names()}
    print(f"{len(policies)} policies; read in {time.perf_counter() - started:.2f} s")
    slow: list[tuple[float, str, str]] = []
    for name, ask in QUESTIONS.items():
        found: Counter[str] = Counter()
        wall, used = time.perf_counter(), time.process_time()
        for arn, documents in policies.items():
            before = time.perf_counter()
            answer = ask(documents)
            slow.append((time.perf_counter() - before, name, arn))
            found[_short(answer)] += 1
        counts = ", ".join(f"{n} {what}" for what, n in found.most_common())
        print(
            f"{name}: {time.perf_counter() - wall:.2f} s ({time.process_time() - used:.2f} s CPU); {counts}"
        )
    total, used = time.perf_counter() - started, time.process_time() - cpu
    print(f"all: {total:.2f} s ({used:.2f} s CPU), goal {GOAL:.0f} s")
    for seconds, name, arn in sorted(slow, reverse=True)[: options.slowest]:
        print(f"  {seconds * 1000:.0f} ms {name} {arn}")
    return int(used > GOAL)


def measure(rounds: int = 3) -> Section:
    """Return the section: the whole process, several times."""
    costs = [run([sys.executable, "-m", "benchmarks.iam_managed"]) for _ in range(rounds)]
    cpu = median([cost.cpu for cost in costs])
    lines = [line.partition(": ") for line in costs[-1].output.splitlines()]
    rows = [Row("all questions, whole process", f"{cpu:.1f} s CPU", "", verdict(cpu < GOAL, "10 s"))]
    rows.extend(Row(name, figures) for name, _, figures in lines if name in QUESTIONS)
    return Section(
        f"All {len(managed.names()):,} policies that AWS manages, every question about one policy",
        "Administrator of everything and of services, escalation, exposure, wildcards: read from JSON and asked. There is no "
        "baseline that answers the same questions; cloudsplaining needs 13 s for 500 roles and 500 policies.",
        rows,
    )


def _read(arn: str) -> Policy:
    entry = managed.entry(arn)
    assert entry is not None
    return read_policy(entry.text, "identity")


def _short(answer: object) -> str:
    if isinstance(answer, list):
        return "some" if answer else "none"
    return {"Escalates": "Yes", "NotAdministrator": "No"}.get(type(answer).__name__, type(answer).__name__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
