"""Our side of the figures about functions: run by a path, beside an unpacked zip of ``deploy package``.

``python -I lambda_ours.py FOLDER item TYPE RULES COUNT`` and ``… FOLDER events SOURCE KIND COUNT`` print one JSON object.
What is not ours to measure stands in memory: calls of AWS are answered below botocore (``lambda_data.canned``), actions are
kept by the SQLite store, in memory, in place of DynamoDB, and the pauses that spare AWS's quotas are left out.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def _prepare(folder: str) -> dict[str, int]:
    sys.path.insert(0, folder)
    sys.path.append(str(Path(__file__).resolve().parent))
    data = importlib.import_module("lambda_data")
    os.environ.update(data.ENVIRON)
    found = importlib.import_module("policyengine").__file__ or ""
    if not found.startswith(folder):
        raise SystemExit(f"the package is {found}, expected the one in {folder}")
    return data.canned()  # type: ignore[no-any-return]  # of a module found by path


def item(type: str, rules: str, count: int) -> dict[str, Any]:
    """Return milliseconds, median and 95th percentile, of one invocation of the Config rule's function."""
    data = importlib.import_module("lambda_data")
    module = importlib.import_module("policyengine.lambdas.config_rule")
    invocations = [json.dumps(each) for each in data.notifications(type, rules.split(","), count)]
    began = time.perf_counter()
    answer = module.handler(json.loads(invocations[0]))
    first = time.perf_counter() - began
    for each in invocations[:20]:
        module.handler(json.loads(each))
    wall, cpu = [], []
    for each in invocations:
        at, used = time.perf_counter(), time.process_time()
        module.handler(json.loads(each))
        cpu.append(time.process_time() - used)
        wall.append(time.perf_counter() - at)
    return {"answer": answer, "first": first * 1000, "wall": statistics.median(wall) * 1000,
            "cpu": statistics.median(cpu) * 1000, "p95": sorted(wall)[int(len(wall) * 0.95)] * 1000}  # fmt: skip


def events(source: str, kind: str, count: int) -> dict[str, Any]:
    """Return seconds of CPU for events in batches of ten, and the actions there are then."""
    data = importlib.import_module("lambda_data")
    module = importlib.import_module("policyengine.lambdas.events")
    runtime = module._RUNTIME
    _in_memory(runtime)
    make = getattr(data, source)
    invocations = data.batches([make(number, kind) for number in range(count)])
    module.handler(json.loads(data.batches([make(0, kind)])[0]))
    gc.collect()
    wall, began = time.perf_counter(), time.process_time()
    failures = 0
    for each in invocations:
        failures += len(module.handler(json.loads(each))["batchItemFailures"])
    cpu = time.process_time() - began
    return {"events": count, "cpu": cpu, "wall": time.perf_counter() - wall, "failures": failures,
            "actions": sum(1 for _ in runtime.store.find())}  # fmt: skip


def _in_memory(runtime: Any) -> None:
    folder = "/dev/shm" if Path("/dev/shm").is_dir() else None  # mkdtemp makes a folder of its own
    doors = importlib.import_module("policyengine.remediate.accounts")
    rate = importlib.import_module("policyengine.aws.rate")
    store = importlib.import_module("policyengine.store.open_actions")
    runtime.doors = doors.Doors(runtime.sessions, runtime.identity, runtime.region, buckets=rate.Buckets(1e9))
    runtime.store = store.open_store(
        str(Path(tempfile.mkdtemp(dir=folder, prefix="actions-")) / "actions.sqlite")
    )


def main(folder: str, what: str, *given: str) -> None:
    """Measure one thing."""
    asked = _prepare(folder)
    out, sys.stdout = sys.stdout, Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # for as long as the process
    found = {"item": item, "events": events}[what](given[0], given[1], int(given[2]))
    out.write(json.dumps({**found, "calls": asked}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
