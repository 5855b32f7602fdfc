"""Figure: ``policyengine iam covers`` on an organisation of 10,000 accounts, and how it grows.

300 OUs five deep, up to 10 SCPs a node, all of AWS's published examples and a Bedrock region control among
them. The whole process is measured: reading the snapshot, chains, decisions, a verified witness for
each open account. Growth: with accounts, and with distinct chains that all matter to the question (each
node's SCP names other regions).
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, Cost, interleaved, median, run
from benchmarks.table import Row, Section, verdict

EXAMPLES = ROOT.parent / "shared" / "corpora" / "scp-examples"
MANAGEMENT, FIRST = "999999999999", 100_000_000_000
UNITS, DEEP, MOST = 300, 5, 10
LIMIT = 2.0
BEDROCK = {"action": ["bedrock:InvokeModel*"], "context": {"aws:RequestedRegion": {"not": ["eu-west-1"]}}}


def measure(rounds: int = 3) -> Section:
    """Return the section."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "q.json").write_text(json.dumps(BEDROCK), encoding="utf-8")
        sizes = {
            "1,000 accounts": (1_000, 0),
            "10,000 accounts": (10_000, 0),
            "100,000 accounts": (100_000, 0),
            "10,000 accounts, 100 chains that matter": (10_000, 100),
            "10,000 accounts, 300 chains that matter": (10_000, 300),
            "10,000 accounts, 3,000 chains that matter": (10_000, 3_000),
        }
        sides = {}
        for number, (name, (accounts, distinct)) in enumerate(sizes.items()):
            path = base / f"{number}.ndjson"
            with path.open("w", encoding="utf-8") as file:
                file.writelines(
                    json.dumps(line, separators=(",", ":")) + "\n" for line in lines(accounts, distinct)
                )
            sides[name] = partial(_timed, path, base / "q.json")
        found = interleaved(rounds, sides)
    rows = []
    for name, costs in found.items():
        seconds = median([cost.cpu for cost in costs])
        limit = verdict(seconds < LIMIT, f"{LIMIT:.0f} s") if name == "10,000 accounts" else ""
        rows.append(Row(name, f"{seconds:.2f} s", f"{median([c.wall for c in costs]):.2f} s wall", limit))
    return Section(
        "IAM coverage: is Bedrock outside one region denied in every account, whole process",
        f"{UNITS} OUs {DEEP} deep, up to {MOST} SCPs a node; CPU seconds; JSON line and verified witness for each account.",
        rows,
    )


def _timed(snapshot: Path, requests: Path) -> Cost:
    command = [sys.executable, "-m", "policyengine", "iam", "covers", "--format", "json"]
    return run([*command, "--in", snapshot, "--requests", requests], discard=True)


def lines(accounts: int, distinct: int) -> Iterator[dict[str, Any]]:
    """Yield the organisation; ``distinct``: accounts with an SCP of their own for Bedrock, each another."""
    rng = random.Random(1)
    types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
    about = {
        "Id": "o-abcdefghij",
        "ManagementAccountId": MANAGEMENT,
        "RootId": "r-abcd",
        "PolicyTypes": types,
    }
    yield _line("Organization", "o-abcdefghij", about)
    levels: list[list[str]] = [["r-abcd"]]
    units = [f"ou-abcd-{n:08d}" for n in range(UNITS)]
    for number, unit in enumerate(units):
        depth = min(1 + number * DEEP // UNITS, DEEP)
        parent = rng.choice(levels[depth - 1])
        levels.extend([] for _ in range(depth + 1 - len(levels)))
        levels[depth].append(unit)
        yield _line("OrganizationalUnit", unit, {"Id": unit, "Name": unit, "ParentId": parent})
    ids = [str(FIRST + n) for n in range(accounts)]
    for account in ids:
        yield _line("Account", account, {"AccountId": account, "ParentIds": [rng.choice(units)]})
    nodes = ["r-abcd", *units]
    yield _policy("p-FullAWSAccess", _allow_all(), [*nodes, *ids, MANAGEMENT])
    yield from _attached(nodes, rng)
    for number, account in enumerate(ids[:distinct]):
        yield _policy(f"p-own{number:05d}", _regions("eu-west-1", f"eu-made-{number}"), [account])


def _attached(nodes: list[str], rng: random.Random) -> Iterator[dict[str, Any]]:
    contents = [*_published(), _regions("eu-west-1")]
    count = 5 * len(contents)
    targets: list[list[str]] = [[] for _ in range(count)]
    for node in nodes:
        for number in rng.sample(range(count), rng.randint(0, MOST - 1)):
            targets[number].append(node)
    for number, found in enumerate(targets):
        yield _policy(f"p-{number:08d}", contents[number % len(contents)], found)


def _published() -> Iterator[Any]:
    for path in sorted(EXAMPLES.glob("*.json")):
        try:
            yield json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # one is malformed as published
            continue


def _regions(*allowed: str) -> dict[str, Any]:
    condition = {"StringNotEquals": {"aws:RequestedRegion": list(allowed)}}
    statement = {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _allow_all() -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def _policy(id_: str, content: Any, targets: list[str]) -> dict[str, Any]:
    properties = {"Name": id_, "Type": "SERVICE_CONTROL_POLICY", "Content": content, "TargetIds": targets}
    return _line("Policy", id_, properties)


def _line(type_: str, id_: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": f"AWS::Organizations::{type_}",
        "id": id_,
        "account": MANAGEMENT,
        "region": "global",
        "properties": properties,
    }


if __name__ == "__main__":
    section = measure()
    print(section.title)
    for row in section.rows:
        print(*row, sep="\t")
