"""A live account and an organisation beside boto3's bare calls, against a moto server in the same run.

``python -m benchmarks.live [--rounds N] [--only account,organization]`` prints the sections.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks import live_data, table
from benchmarks.measure import ROOT, Cost, interleaved, median, run
from benchmarks.table import Row, Section, verdict
from tests.live import populate, server

PEAK: Final = 200
_PLAIN: Final = (
    "security-group-admin-ports-closed", "ebs-volume-encrypted", "rds-storage-encrypted", "tag-present",
    "iam-no-administrator-policy",
)  # fmt: skip
_BUCKETS: Final = ("s3-default-encryption", "s3-bucket-public-access-block")
_PEERS: Final = {
    True: "Cloud Custodian 23 s for each S3 policy, Prowler 47 s for S3 alone",
    False: "Cloud Custodian 6.4 s, Prowler 34 s at 420 MB",
}
"""As measured on this account and these checks when the project was planned, on another day."""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _scan(endpoint: str, rules: Sequence[str], *options: str) -> Cost:
    chosen = [part for rule in rules for part in ("--rule", rule)]
    cost = run(
        [sys.executable, "-m", "policyengine", "scan", *options, "--rules", "benchmarks/rules", *chosen, "-q",
         "--fail-on", "never"],
        env=server.environment(endpoint),
    )  # fmt: skip
    if cost.code:
        raise SystemExit(f"the scan failed:\n{cost.output}")
    return cost


def _floor(endpoint: str, *options: str) -> Cost:
    cost = run(
        [sys.executable, "-m", "benchmarks.live_floor", *options],
        env={**server.environment(endpoint), "PYTHONPATH": str(ROOT)},
    )
    if cost.code:
        raise SystemExit(f"the floor failed:\n{cost.output}")
    return cost


def _calls(endpoint: str, rules: Sequence[str], *options: str) -> int:
    """How many calls a collection makes, with the one that asks whose credentials these are."""
    chosen = [part for rule in rules for part in ("--rule", rule)]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "snapshot"
        run(
            [sys.executable, "-m", "policyengine", "snapshot", *options, "--rules", "benchmarks/rules", *chosen,
             "-q", "-o", target],
            env=server.environment(endpoint),
        )  # fmt: skip
        made = json.loads((target / "manifest.json").read_text())["collection"]["calls"]
    return int(sum(made.values())) + 1


def account(rounds: int = 3) -> Section:
    """Return the section of one account."""
    rows: list[Row] = []
    where = ["--live", "--regions", live_data.REGION]
    with server.running(_free_port()) as endpoint:
        live_data.fill(endpoint)
        for s3, rules in ((True, (*_PLAIN, *_BUCKETS)), (False, _PLAIN)):
            options = [live_data.REGION, *(["--s3"] if s3 else [])]
            _floor(endpoint, *options)  # the server's first answers are slow
            found = interleaved(
                rounds,
                {
                    "floor": lambda options=options: _floor(endpoint, *options),  # type: ignore[misc]  # mypy has no default of a lambda's argument
                    "ours": lambda rules=rules: _scan(endpoint, rules, *where),  # type: ignore[misc]  # as above
                },
            )
            made, needed = _calls(endpoint, rules, *where), int(found["floor"][0].output)
            name = "seven checks" if s3 else "five checks, without S3"
            rows += _rows(name, found["floor"], found["ours"], made, needed, 1.5, _PEERS[s3])
    counts = ", ".join(f"{number} {name}" for name, number in live_data.COUNTS.items())
    about = (
        f"Cold processes against a moto server, rates as they are by default: {counts}. The floor makes the same calls "
        "with boto3, one after the other, and evaluates nothing."
    )
    return Section("A live account", about, rows)


def organization(rounds: int = 3, size: int = 20) -> Section:
    """Return the section of twenty accounts in three regions."""
    regions = ("us-east-1", "eu-west-1", "ap-south-1")
    with server.running(_free_port()) as endpoint:
        populate.organization(endpoint, size, regions)
        named = ",".join(regions)
        options = [named, "--s3", "--role", "PolicyEngineScanner"]
        where = ["--org", "--regions", named]
        rules = (*_PLAIN, *_BUCKETS)
        found = interleaved(
            rounds,
            {"floor": lambda: _floor(endpoint, *options), "ours": lambda: _scan(endpoint, rules, *where)},
        )
        needed = int(found["floor"][0].output)
        rows = _rows(
            "seven checks", found["floor"], found["ours"], _calls(endpoint, rules, *where), needed, 1.3, ""
        )
    about = (
        f"{size} accounts in {len(regions)} regions, each entered by assuming a role. The floor shares one loader between "
        "its sessions, as ours does."
    )
    return Section("An organisation", about, rows)


def _rows(
    name: str, floor: list[Cost], ours: list[Cost], made: int, needed: int, most: float, peers: str
) -> list[Row]:
    bare, wall = median([c.wall for c in floor]), median([c.wall for c in ours])
    peak = max(c.peak for c in ours)
    return [
        Row(f"{name}: boto3 alone", f"{bare:.1f} s", f"{needed:,} calls"),
        Row(f"{name}: scan", f"{wall:.1f} s", f"{wall / bare:.2f} x boto3; {made:,} calls",
            verdict(wall <= most * bare, f"{most} x boto3")),
        Row(f"{name}: memory", f"{peak:.0f} MB", peers, verdict(peak < PEAK, f"under {PEAK} MB")),
    ]  # fmt: skip


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="account,organization")
    options = parser.parse_args()
    for part in options.only.split(","):
        table.show({"account": account, "organization": organization}[part](options.rounds))


if __name__ == "__main__":
    main()
