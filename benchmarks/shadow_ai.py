"""Figure: ``policyengine shadow-ai`` on a gzip query log, lines a second of CPU time.

Beside it a loop of ``json.loads`` over the same file (reading, unpacking and parsing, counting nothing) and ``zcat | grep
-c``, which cannot tell labels, answers and sources.

One line in a hundred asks for an AI service; 20 VPCs, thousands of sources.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.measure import Cost, interleaved, median, run
from benchmarks.table import Row, Section, verdict

LINES = 300_000
GOAL = 0.5
"""Of the loop's speed: half of it at least."""
LOOP = """
import gzip, json, sys
count = 0
for line in gzip.open(sys.argv[1], "rb"):
    json.loads(line)
    count += 1
print(count)
"""


def measure(rounds: int = 3, lines: int = LINES) -> Section:
    """Return the section."""
    with tempfile.TemporaryDirectory(prefix="policyengine-bench-") as folder:
        path = Path(folder) / "queries.log.gz"
        write(path, lines)
        command = [
            sys.executable,
            "-m",
            "policyengine",
            "shadow-ai",
            path,
            "--format",
            "json",
            "-o",
            path.with_suffix(".json"),
        ]
        nothing = Path(folder) / "empty.log"
        nothing.write_bytes(b"")
        start = [*command[:4], nothing, *command[5:]]
        found = interleaved(
            rounds,
            {
                "ours": partial(_timed, command),
                "starting": partial(_timed, start),
                "loop": partial(_timed, [sys.executable, "-c", LOOP, path]),
                "grep": partial(_timed, ["sh", "-c", f"zcat '{path}' | grep -c openai.com"]),
            },
        )
        cpu = {name: median([cost.cpu for cost in costs]) for name, costs in found.items()}
        peak = median([cost.peak for cost in found["ours"]])
    rate = {name: lines / seconds for name, seconds in cpu.items()}
    share = rate["ours"] / rate["loop"]
    return Section(
        "Shadow AI: reading Resolver query logs",
        f"{lines:,} lines in gzip, one in a hundred of an AI service, 20 VPCs; CPU time of the whole process, JSON report.",
        [
            Row("shadow-ai", f"{rate['ours']:,.0f} lines/s", f"{share:.2f} x json.loads", verdict(share >= GOAL, f"{GOAL} x")),
            Row("shadow-ai: memory", f"{peak:.0f} MB", f"starting takes {cpu['starting']:.2f} s", ""),
            Row("a loop of json.loads", f"{rate['loop']:,.0f} lines/s"),
            Row("zcat | grep -c openai.com", f"{rate['grep']:,.0f} lines/s", "finds notopenai.com too"),
        ],
    )  # fmt: skip


def _timed(command: list[str | Path]) -> Cost:
    cost = run(command)
    if cost.code:
        raise RuntimeError(f"{command} ended with {cost.code}: {cost.output}")
    return cost


def write(path: Path, count: int) -> None:
    """Write a log, the same each time."""
    rng = random.Random(1)
    names = [f"host{n}.example{n % 97}.com." for n in range(3000)]
    services = [
        "api.openai.com.",
        "claude.ai.",
        "bedrock-runtime.us-east-1.amazonaws.com.",
        "huggingface.co.",
    ]
    with gzip.open(path, "wt", encoding="ascii", compresslevel=4) as file:
        for n in range(count):
            answers = [{"Rdata": f"203.0.113.{(n + k) % 250}", "Type": "A", "Class": "IN"} for k in range(2)]
            line = {
                "version": "1.100000", "account_id": "111122223333", "region": "us-east-1",
                "vpc_id": f"vpc-{n % 20:017x}",
                "query_timestamp": f"2026-02-{1 + n * 20 // count:02d}T{n % 24:02d}:{n % 60:02d}:{n // 60 % 60:02d}Z",
                "query_name": rng.choice(services if n % 100 == 0 else names), "query_type": rng.choice(["A", "AAAA"]),
                "query_class": "IN", "rcode": "NOERROR", "answers": answers,
                "srcaddr": f"10.{n % 250}.{n % 7}.{n % 200}", "srcport": str(1024 + n % 60000), "transport": "UDP",
                "srcids": {"instance": f"i-{n % 5000:017x}"},
            }  # fmt: skip
            file.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    from benchmarks.table import show

    show(measure())
