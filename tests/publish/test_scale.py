"""100,000 findings: as few calls as batches allow, none for what is the same, and memory that does not hold them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import json, resource, sys, time, zlib
from policyengine.publish.security_hub import Publisher
from policyengine.reports.asff import Stamp
from tests.publish.cloud import finding, looking

ACCOUNTS, EACH = 10, int(sys.argv[1]) // 10

class Disk:
    calls = 0
    def __init__(self):
        self.held = {}
    def findings(self, account, region, filters):
        return (json.loads(zlib.decompress(text)) for text in list(self.held.get(account, {}).values()))
    def import_findings(self, account, region, findings):
        self.calls += 1
        held = self.held.setdefault(account, {})
        held.update((f["Id"], zlib.compress(json.dumps(f).encode())) for f in findings)
        return []

def run(first):
    for account in range(ACCOUNTS):
        for number in range(first, first + EACH):
            yield finding(f"bucket-{number:08}", account=f"{account:012}")

hub, told = Disk(), []
covered = {(f"{account:012}", "eu-west-1"): ["*"] for account in range(ACCOUNTS)}
for day, first in (("01", 0), ("02", 0), ("03", 5)):
    calls, begun = hub.calls, time.process_time()
    outcome = Publisher(hub, Stamp(f"2026-01-{day}T00:00:00Z", "r"), {}, looking(covered)).publish(run(first))
    told.append([dict(outcome.sent), outcome.unchanged, hub.calls - calls, time.process_time() - begun])
held = sum(len(text) for texts in hub.held.values() for text in texts.values())
print(json.dumps({"told": told, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - held}))
"""


def publish(findings: int) -> dict[str, list[list[object]] | int]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(findings)], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_hundred_thousand_findings() -> None:
    found = publish(100_000)
    (first, again, later) = found["told"]
    assert first[:3] == [{"create": 100_000}, 0, 1000]
    assert again[:3] == [{}, 100_000, 0]
    assert later[:3] == [{"create": 50, "archive": 50}, 99_950, 10]
    assert max(times[3] for times in found["told"]) < 60  # seconds of processor time; 10 on a quiet machine
    small = publish(10_000)
    assert found["peak"] - small["peak"] < 150 << 20
