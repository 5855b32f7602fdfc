"""Figure: verifying a bundle of evidence about a million resources, and writing it, beside what any tool has to do.

``python -m benchmarks.evidence_verify write FOLDER COUNT`` writes the bundle (its lines are those of
:mod:`benchmarks.snapshot_data`), ``… hash BUNDLE`` is the baseline: every member unpacked and hashed once.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, interleaved, median, run
from benchmarks.snapshot_data import parts
from benchmarks.table import Row, Section, verdict
from policyengine.evidence.bundle_writer import BundleWriter
from policyengine.evidence.keys import ED25519
from policyengine.evidence.manifest import ROLE_POPULATION, ROLE_RESULTS, Fields
from policyengine.evidence.signers import FileSigner, generate
from policyengine.model.canonical_json import canonical

GOAL: Final = 20.0
GOAL_MEMORY: Final = 1024.0
_ROWS: Final = 100_000
_VECTORS: Final = ("PPPPNNPPPP", "PPPFNNPPPU", "PPPPNNPP-P")


def write(folder: Path, count: int) -> None:
    """Write a bundle of ``count`` resources, its key beside it."""
    generate(ED25519, folder / "key.pem")
    rows: list[bytes] = []
    with BundleWriter(folder / "bundle.zip") as bundle:
        number = 0
        for account, region, lines in parts(count):
            path = f"snapshot/0001/resources/{account}-{region}-0001.ndjson.gz"
            with bundle.lines(path, ROLE_POPULATION) as part:
                part.write_lines(line.rstrip(b"\n") for line in lines)
            rows += map(_row, lines)
            while len(rows) >= _ROWS:
                number += 1
                _write_rows(bundle, number, rows[:_ROWS])
                del rows[:_ROWS]
        if rows:
            _write_rows(bundle, number + 1, rows)
        bundle.finish(Fields({"id": "bench"}, {}, {}), FileSigner(folder / "key.pem"))


def _write_rows(bundle: BundleWriter, number: int, rows: list[bytes]) -> None:
    with bundle.lines(f"results/{number:04}.ndjson.gz", ROLE_RESULTS) as part:
        part.write_lines(rows)


def _row(line: bytes) -> bytes:
    record = json.loads(line)
    vector = _VECTORS[len(record["id"]) % len(_VECTORS)]
    detail = {"rule": "bench", "reason": "violated", "message": f"{record['id']} is not as it should be",
              "evidence": [{"path": "/X", "observed": False, "expected": "true", "provenance": "snapshot"}],
              "witness": None, "branch": None, "waiver": None, "location": None, "remediation": None}  # fmt: skip
    return canonical(
        {"account": record["account"], "arn": record.get("arn"), "details": [detail] if "F" in vector else [],
         "id": record["id"], "location": None, "region": record["region"], "type": record["type"], "verdicts": vector}
    )  # fmt: skip


def hash_members(bundle: Path) -> None:
    """Unpack every member and hash what is in it: what no verifier can do without."""
    with zipfile.ZipFile(bundle) as opened:
        for name in opened.namelist():
            hasher = hashlib.sha256()
            with opened.open(name) as stored, gzip.open(stored) if name.endswith(".gz") else stored as member:
                while block := member.read(1 << 18):
                    hasher.update(block)
            print(hasher.hexdigest(), name)


def measure(rounds: int = 3, count: int = 1_000_000) -> Section:
    """Return the section."""
    with tempfile.TemporaryDirectory(prefix="policyengine-bench-") as name:
        folder = Path(name)
        bundle, key = folder / "bundle.zip", folder / "key.pem.pub"
        written = _done(
            run([sys.executable, "-m", "benchmarks.evidence_verify", "write", folder, str(count)])
        )
        program = Path(sys.executable).parent / "policyengine"
        verify: list[str | Path] = [program, "evidence", "verify", bundle, "--key", key]
        ours: list[str | Path] = [
            sys.executable,
            "-I",
            "-S",
            _standalone(folder, bundle),
            bundle,
            "--key",
            key,
        ]
        jobs = {
            "ours": lambda: _done(run(verify)),
            "one process": lambda: _done(run([*verify, "-j", "1"])),
            "standalone": lambda: _done(run(ours)),
            "hashing": lambda: _done(
                run([sys.executable, "-m", "benchmarks.evidence_verify", "hash", bundle])
            ),
        }
        unzip = shutil.which("unzip")
        if unzip:
            jobs["unzip"] = lambda: _done(run([unzip, "-tqq", bundle], discard=True))
        found = interleaved(rounds, jobs)
        size = bundle.stat().st_size
    return Section(
        f"Verifying a bundle of evidence, {count:,} resources",
        f"Wall time and peak memory of whole processes, {rounds} rounds. The bundle has {size / 1e6:,.0f} MB, a row for "
        "each resource, and no population statement. `unzip -t` looks at the CRCs of what is stored and unpacks "
        "nothing; hashing is Python's zipfile, gzip and hashlib: every member unpacked and hashed once, no roots, no "
        "signature, no zip headers.",
        _figures(found, written),
    )


def _figures(found: dict[str, list[Cost]], written: Cost) -> list[Row]:
    seconds = {name: median([cost.wall for cost in costs]) for name, costs in found.items()}
    cpu = {name: median([cost.cpu for cost in costs]) for name, costs in found.items()}
    peak = {name: median([cost.peak for cost in costs]) for name, costs in found.items()}
    words = {
        "ours": "policyengine evidence verify",
        "one process": "policyengine evidence verify -j 1",
        "standalone": "verify.py of the bundle, standard library alone",
        "hashing": "unpacking and hashing every member once",
        "unzip": "unzip -t",
    }
    rows = []
    for name in found:
        relation = (
            "" if name == "hashing" else f"{seconds[name] / seconds['hashing']:.2f} x unpacking and hashing"
        )
        goal = verdict(seconds[name] < GOAL, f"under {GOAL:.0f} s") if name == "ours" else ""
        figure = f"{seconds[name]:.1f} s, {cpu[name]:.1f} s CPU, {peak[name]:,.0f} MB"
        rows.append(Row(words[name], figure, relation, goal))
    goal = verdict(written.peak < GOAL_MEMORY, f"under {GOAL_MEMORY:,.0f} MB")
    figure = f"{written.wall:.1f} s, {written.cpu:.1f} s CPU, {written.peak:,.0f} MB"
    rows.append(Row("writing it, with making up its lines", figure, "", goal))
    return rows


def _standalone(folder: Path, bundle: Path) -> Path:
    path = folder / "verify.py"
    with zipfile.ZipFile(bundle) as opened:
        path.write_bytes(opened.read("verify.py"))
    return path


def _done(cost: Cost) -> Cost:
    if cost.code:
        raise SystemExit(f"it failed:\n{cost.output}")
    return cost


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        hash_members(Path(sys.argv[2]))
