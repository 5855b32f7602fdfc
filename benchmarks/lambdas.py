"""Functions in Lambda: one configuration item, ten thousand events, a cold import, beside Cloud Custodian's.

Ours is the very zip of ``deploy package``, unpacked, in a process that has nothing of ours beside it.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import lambda_data, peers
from benchmarks.measure import interleaved, median, run
from benchmarks.table import Row, Section, verdict
from policyengine.catalog import registry
from policyengine.config.settings import Settings
from policyengine.deploy.choice import Choice
from policyengine.deploy.package import package
from policyengine.remediate.registry import load_remediations
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs

HERE = Path(__file__).resolve().parent
ITEMS, EVENTS, FEWER_EVENTS = 300, 10_000, 1_000
"""``FEWER_EVENTS``: of Cloud Custodian, and of compliance changes, which cost what records cost once they are read."""
MODULES = ("config_rule", "events", "remediation")
_TAGGABLE = "taggable"
_TIMED = "import sys, time; t = time.process_time(); {code}; print(time.process_time() - t)"
ABOUT_ITEMS = (
    "One notification through the handler of the zip, warm, naming all rules of the type: CPU and wall time of an "
    "invocation, from JSON to JSON. Stubbed is the network alone: PutEvaluations is made, signed and parsed by botocore and "
    "answered in memory. Cloud Custodian's is its `config-rule` mode with one "
    "policy, its logging of events off."
)
ABOUT_EVENTS = (
    f"{EVENTS:,} events through the queue's handler in batches of ten ({FEWER_EVENTS:,} compliance changes, and as many "
    f"that lead to a plan), {FEWER_EVENTS:,} through `c7n.handler.dispatch_event` one by one, as each is called, in CPU "
    "time; both sides' requests are answered in memory below botocore, for an account "
    f"of {2 * lambda_data.GROUPS:,} security groups. Both read the group again and judge it by the same rule; "
    "ours also counts the type (for the limits), writes a journal and an audit line for each event (SQLite in memory in place "
    "of DynamoDB, whose calls would cost more), and, where the group fails, reads its rules and interfaces, makes the plan "
    "and stores it, where Cloud Custodian's policy has no action and ends. The pauses of our own rate limit (10 calls a second "
    "to EC2) are left out: in an account they are what bounds the events a second. Cloud Custodian has no mode for "
    "compliance events of AWS Config: it stands beside ours with its CloudTrail figure of the same kind."
)
ABOUT_IMPORT = (
    "CPU time of the import alone in a fresh interpreter, bytecode compiled. Ours does not load boto3, which "
    "Cloud Custodian's handler imports itself; both ways are shown."
)


def one_item(rounds: int, *, with_peers: bool) -> Section:
    """Measure one configuration item by type."""
    with _unpacked(_choice(_repaired())) as deployed:
        rows = [
            _item_row(deployed, type, _about(type, _repaired()), "deployed", rounds)
            for type in lambda_data.item_types()
        ]
    for type in lambda_data.item_types():
        forms = _about(type, load_packs().rules)
        with _unpacked(_choice(forms, repair=False)) as every:
            rows.append(_item_row(every, type, forms, "bundled", rounds))
    if with_peers:
        job = _peer("item", str(ITEMS))
        cpu = median([job()["cpu"] for _ in range(rounds)])
        rows.append(Row("Cloud Custodian: AWS::EC2::SecurityGroup, one policy", f"{cpu:.1f} ms CPU"))
    return Section("A configuration item in Lambda", ABOUT_ITEMS, rows)


def _item_row(folder: Path, type: str, forms: Sequence[Any], which: str, rounds: int) -> Row:
    rules = ",".join(form["id"] for form in forms)
    found = [_ours(folder, "item", type, rules, str(ITEMS))() for _ in range(rounds)]
    cpu, wall = (median([each[name] for each in found]) for name in ("cpu", "wall"))
    return Row(
        f"{type}, {len(forms)} rules ({which})",
        f"{cpu:.1f} ms CPU, {wall:.1f} ms",
        f"first invocation {median([each['first'] for each in found]):.0f} ms",
        verdict(cpu < 10, "under 10 ms"),
    )


def events(rounds: int, *, with_peers: bool, count: int = EVENTS) -> Section:
    """Measure events by what they lead to."""
    rows: list[Row] = []
    with _unpacked(_choice([f for f in load_packs().rules if f["id"] == lambda_data.RULE])) as folder:
        for kind in lambda_data.KINDS:
            fewer = str(min(count, FEWER_EVENTS))
            jobs = {
                "trail": _ours(
                    folder, "events", "trail", kind, str(count) if kind != lambda_data.KINDS[2] else fewer
                ),
                "compliance": _ours(folder, "events", "compliance", kind, fewer),
            }
            if with_peers:
                jobs["peer"] = _peer("events", kind, fewer)
            found = interleaved(rounds, jobs)
            a_second = {
                name: median([each["events"] / each["cpu"] for each in of]) for name, of in found.items()
            }
            rows += _event_rows(kind, a_second)
    return Section("Events in Lambda", ABOUT_EVENTS, rows)


def _event_rows(kind: str, a_second: dict[str, float]) -> Iterator[Row]:
    theirs = a_second.get("peer")
    for source, what in (("trail", "CloudTrail record"), ("compliance", "compliance change")):
        relation, goal = "", ""
        if theirs is not None:
            ratio = a_second[source] / theirs
            relation = f"{ratio:.1f} x Cloud Custodian"
            goal = verdict(ratio >= 10, "10 x") if kind != lambda_data.KINDS[0] else ""
        yield Row(f"{what}, {kind}: ours", f"{a_second[source]:,.0f} events a CPU second", relation, goal)
    if theirs is not None:
        yield Row(f"CloudTrail record, {kind}: Cloud Custodian", f"{theirs:,.0f} events a CPU second")


def cold_import(rounds: int, *, with_peers: bool) -> Section:
    """Measure the import of each handler."""
    with _unpacked(_choice(_repaired())) as folder:
        path = f"sys.path.insert(0, {str(folder)!r}); "
        jobs: dict[str, Callable[[], float]] = {
            name: _import(sys.executable, f"{path}import policyengine.lambdas.{name}") for name in MODULES
        }
        jobs["config_rule and boto3"] = _import(
            sys.executable, f"{path}import policyengine.lambdas.config_rule, boto3"
        )
        if with_peers:
            jobs["c7n"] = _import(str(peers.binary("engines", "python")), "import c7n.handler")
        found = {name: median(of) * 1000 for name, of in interleaved(max(rounds, 9), jobs).items()}
        size = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    theirs = found.pop("c7n", None)
    rows = []
    for name, cost in found.items():
        relation = "" if theirs is None else f"{cost / theirs:.2f} x c7n.handler"
        goal = ""
        if name in MODULES:
            holds = cost < 170 and (theirs is None or cost <= theirs / 2)
            goal = verdict(holds, "under 170 ms, half of c7n.handler")
        rows.append(Row(name, f"{cost:.0f} ms CPU", relation, goal))
    if theirs is not None:
        rows.append(Row("c7n.handler", f"{theirs:.0f} ms CPU"))
    rows.append(Row("package, unpacked", f"{size / 1e6:.1f} MB", "", verdict(size < 15e6, "under 15 MB")))
    return Section("Cold import of the functions", ABOUT_IMPORT, rows)


def _import(python: str, code: str) -> Callable[[], float]:
    return lambda: float(_output([python, "-I", "-c", _TIMED.format(code=code)]))


def _ours(folder: Path, *given: str) -> Callable[[], dict[str, Any]]:
    command = [sys.executable, "-I", str(HERE / "lambda_ours.py"), str(folder), *given]
    return lambda: _found(command)


def _peer(*given: str) -> Callable[[], dict[str, Any]]:
    command = [str(peers.binary("engines", "python")), "-I", str(HERE / "lambda_peer.py"), *given]
    return lambda: _found(command)


def _found(command: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_output(command))
    if found.get("failures"):
        raise SystemExit(f"{' '.join(command)}: {found['failures']} events could not be dealt with")
    return found


def _output(command: list[str]) -> str:
    cost = run(command)
    if cost.code:
        raise SystemExit(f"{' '.join(command)} ended with {cost.code}:\n{cost.output}")
    return cost.output


def _repaired() -> list[Any]:
    """What ``deploy`` deploys without arguments: the rules that have a remediation."""
    return [form for form in load_packs().rules if form["remediation"]]


def _about(type: str, forms: Sequence[Any]) -> list[Any]:
    names = {type, _TAGGABLE} if registry.taggable(type) else {type}
    return [form for form in forms if any(not names.isdisjoint(v["types"]) for v in form["variants"])]


def _choice(forms: Sequence[Any], *, repair: bool = True) -> Choice:
    return Choice(Pack(load_packs().digest, tuple(forms)), load_remediations(), Settings(), repair=repair)


@contextmanager
def _unpacked(choice: Choice) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="function-") as name:
        with zipfile.ZipFile(io.BytesIO(package(choice))) as archive:
            archive.extractall(name)
        yield Path(name)
