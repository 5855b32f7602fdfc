"""Figure: every rule of the families iam, bedrock and pipeline over a whole organisation, one process.

The goal is 60 s for 200 accounts with 50 roles and 40 policies each. What a role, a policy and a distinct
chain of SCPs cost is the difference to a scan with one rule about nothing that is there. Baseline:
cloudsplaining on the authorization details of one account with 500 roles and 500 policies.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from benchmarks import iam_data, peers
from benchmarks.measure import Cost, median, run
from benchmarks.snapshots import verdicts
from benchmarks.table import Row, Section, verdict
from policyengine.rules.packs import load_packs

FAMILIES: Final = ("iam", "bedrock", "pipeline")
ACCOUNTS: Final = (50, 200)
ONE: Final = (500, 500)
GOAL: Final = 60.0
_KINDS: Final = {
    "role": ("AWS::IAM::Role",),
    "managed policy": ("AWS::IAM::ManagedPolicy",),
    "distinct SCP chain": ("AWS::Organizations::Account",),
}
_NOTHING: Final = "private-ca-post-quantum"


def measure(rounds: int = 1, *, with_peers: bool = True) -> Section:
    """Return the section."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="policyengine-bench-") as name:
        for accounts in ACCOUNTS:
            folder = _made(Path(name), accounts)
            whole = scan(folder, _families())
            goal = verdict(whole.cpu < GOAL, f"{GOAL:.0f} s") if accounts == ACCOUNTS[-1] else ""
            rows.append(_row(f"{accounts} accounts, {_count()} rules", whole, verdicts(whole.output), goal))
        rows += _each(Path(name), ACCOUNTS[-1])
        folder = _made(Path(name), 1, *ONE)
        ours = [scan(folder, _families()) for _ in range(rounds)]
        cpu = median([cost.cpu for cost in ours])
        what = f"one account, {ONE[0]} roles, {ONE[1]} policies"
        rows.append(_row(f"{what}: policyengine, {_count()} rules", ours[0], verdicts(ours[0].output)))
        if with_peers:
            theirs = [_cloudsplaining(folder) for _ in range(rounds)]
            ratio = median([cost.cpu for cost in theirs]) / cpu
            rows.append(_row(f"{what}: cloudsplaining", theirs[0], f"policyengine is {ratio:.1f} x as fast"))
    return Section(
        "Rules that stand on IAM reasoning: an organisation, whole process",
        f"{iam_data.ROLES} roles and {iam_data.POLICIES} customer managed policies an account, no document twice; "
        f"families {', '.join(FAMILIES)}; `-j 1`.",
        rows,
    )


def _made(base: Path, accounts: int, *sizes: int) -> Path:
    folder = base / "-".join(map(str, (accounts, *sizes)))
    if not folder.exists():
        run([sys.executable, "-m", "benchmarks.iam_data", folder, *map(str, (accounts, *sizes))])
    return folder


def _each(base: Path, accounts: int) -> list[Row]:
    """Return what one role, one policy, one chain costs."""
    folder = _made(base, accounts)
    idle = scan(folder, ["--rule", _NOTHING])
    numbers = {
        "role": accounts * iam_data.ROLES,
        "managed policy": accounts * iam_data.POLICIES,
        "distinct SCP chain": _chains(folder),
    }
    rows = []
    for kind, types in _KINDS.items():
        names = list(_about(types))
        cost = scan(folder, [option for name in names for option in ("--rule", name)])
        each = (cost.cpu - idle.cpu) / numbers[kind] * 1_000
        said = f"{numbers[kind]:,} of them, {len(names)} rules"
        rows.append(Row(f"{accounts} accounts: each {kind}", f"{each:.2f} ms CPU", said))
    return rows


def _chains(folder: Path) -> int:
    from policyengine.cli.iam.world import read_world

    organization = read_world([str(folder)], ["organization"]).organization
    assert organization is not None
    found = (organization.chain(account, "scp") for account in organization.accounts)
    return len({getattr(chain, "key", None) for chain in found})


def _families() -> list[str]:
    return [option for family in FAMILIES for option in ("--family", family)]


def _count() -> int:
    return sum(form["family"] in FAMILIES for form in load_packs().rules)


def _about(types: Iterable[str]) -> Iterable[str]:
    wanted = set(types)
    for form in load_packs().rules:
        if form["family"] in FAMILIES and any(wanted.intersection(v["types"]) for v in form["variants"]):
            yield form["id"]


def scan(folder: Path, options: list[str]) -> Cost:
    """Scan in a process of its own."""
    program = Path(sys.executable).parent / "policyengine"
    cost = run([program, "scan", folder, "--fail-on", "never", "-j", "1", *options])
    if cost.code:
        raise SystemExit(f"the scan failed:\n{cost.output}")
    return cost


def _cloudsplaining(folder: Path) -> Cost:
    program = peers.binary("checkov", "cloudsplaining")
    output = folder / "cloudsplaining"
    output.mkdir(exist_ok=True)
    cost = run([program, "scan", "-s", "-m", "-i", folder / "authorization.json", "-o", output], discard=True)
    if cost.code:
        raise SystemExit(f"cloudsplaining failed:\n{cost.output}")
    return cost


def _row(what: str, cost: Cost, relation: str = "", goal: str = "") -> Row:
    return Row(what, f"{cost.wall:.1f} s, {cost.cpu:.1f} s CPU, {cost.peak:.0f} MB", relation, goal)
