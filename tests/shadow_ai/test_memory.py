"""Memory does not grow with the log, nor with the sources in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shadow_ai.helpers import record

ROOT = Path(__file__).resolve().parents[2]
MEASURE = """
import resource, sys
from policyengine.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


def write(path: Path, count: int) -> None:
    """Every line is of another source, and every tenth of another VPC and another name."""
    template = json.dumps(record(srcaddr="ADDRESS", vpc_id="VPC", query_name="NAME.openai.com.", answers=[
        {"Rdata": "ANSWER", "Type": "A", "Class": "IN"}]))  # fmt: skip
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            line = template.replace("ADDRESS", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}").replace(
                "VPC", f"vpc-{n // 10}"
            )
            file.write(
                line.replace("NAME", f"n{n // 10}").replace(
                    "ANSWER", f"203.{n >> 16}.{n >> 8 & 255}.{n & 255}"
                )
                + "\n"
            )


def peak(path: Path, *options: str) -> tuple[float, int]:
    """Return the greatest memory in MB, and how many sources were counted."""
    out = path.with_suffix(".json")
    command = [
        sys.executable,
        "-c",
        MEASURE,
        "shadow-ai",
        str(path),
        "--format",
        "json",
        "-o",
        str(out),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=900, check=True)
    code, kilobytes = done.stderr.split()[-2:]
    assert code == b"0"
    (service,) = json.loads(out.read_bytes())["services"]
    return int(kilobytes) / 1024, len(service["sources"]) + service["sources_left_out"]


@pytest.mark.slow
def test_sources_go_to_disk(tmp_path: Path) -> None:
    write(tmp_path / "small", 60_000)
    write(tmp_path / "large", 300_000)
    (tmp_path / "flow").write_text(
        "version account-id srcaddr dstaddr bytes start end action\n"
        + "".join(
            f"2 111122223333 10.{n >> 16}.{n >> 8 & 255}.{n & 255} 203.{n >> 16}.{n >> 8 & 255}.{n & 255} 9 1612461115 1612461116 ACCEPT\n"
            for n in range(20_000)
        )
    )
    small, few = peak(tmp_path / "small")
    large, many = peak(tmp_path / "large")
    assert (few, many) == (60_000, 300_000)
    assert large < small + 30, "five times the log and the sources"
    joined, _ = peak(tmp_path / "large", "--flow-logs", str(tmp_path / "flow"))
    assert joined < 400
    found = json.loads((tmp_path / "large.json").read_bytes())["services"][0]
    assert found["queries"] == 300_000
    assert found["connected"]["flows"] == 20_000
