"""One rule text, one verdict: what a look at one resource finds is what ``scan --live`` of the account finds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from policyengine.remediate.ports import Subject
from policyengine.rules.packs import load_packs
from policyengine.testing.moto_server import ACCOUNT
from tests.live import commands, populate
from tests.remediate.test_observe import Seen

pytestmark = pytest.mark.slow
REGIONS = ["eu-west-1", "us-east-1"]
TOLD = ("id", "verdict", "reason", "message", "evidence")


def test_every_rule_that_can_be_repaired_says_the_same_of_one_resource_as_of_an_account(
    server: str, tmp_path: Path
) -> None:
    made = list(populate.account(populate.Clients(server), ACCOUNT, REGIONS))
    assert made
    chosen = [f"--rule={form['id']}" for form in load_packs().rules if form["remediation"]]
    done = subprocess.run(
        [sys.executable, "-m", "policyengine", "scan", "--live", "--regions", ",".join(REGIONS), *chosen,
         "--format", "json", "-q"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=commands.environ(server, tmp_path),
    )  # fmt: skip
    scanned = json.loads(done.stdout)["findings"]
    seen = Seen()
    compared, differing = 0, []
    tried: set[tuple[str, str, str]] = set()
    for finding in scanned:
        place = finding["resource"]
        kind = (finding["rule"], finding["verdict"], place["type"])
        if kind in tried:
            continue
        tried.add(kind)
        subject = Subject(finding["rule"], place["type"], place["id"], place["account"], place["region"])
        found = seen.observer.observe(subject).finding
        assert found is not None, subject
        mine = json.loads(json.dumps(found.to_json()))
        if finding["reason"] == "not_collected":  # the scan looked into two regions, this looks into all
            continue
        compared += 1
        if any(mine[name] != finding[name] for name in TOLD):
            differing.append((subject, mine["message"], finding["message"]))
    assert differing == []
    assert compared >= 40
