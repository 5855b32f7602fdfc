"""Figure: writing the evidence of a run, and performing it again, beside packing the same lines.

``python -m benchmarks.evidence_export pack RUN FILE`` is the baseline: the run's lines unpacked, packed as gzip and put into a
zip by Python's library, unsigned, without roots, populations and everything else.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, run
from benchmarks.snapshot_data import write
from benchmarks.table import Row, Section, verdict
from policyengine.store.lines import read_lines
from policyengine.store.rundir import RunReader

GOAL_MEMORY: Final = 1024.0
FAMILY: Final = "encryption"
REPORTS: Final = ("html", "xlsx", "oscal", "oscal-poam", "well-architected")
AS_OF: Final = "2026-11-22T00:00:00Z"


def pack(folder: Path, target: Path) -> None:
    """Put the lines of a run into a zip of gzip files."""
    reader = RunReader(folder)
    files = [
        *reader.files(),
        *(part for place in reader.inputs() for part in sorted(place.glob("resources/*"))),
    ]
    with zipfile.ZipFile(target, "w") as out:
        for number, file in enumerate(files):
            with out.open(f"{number}.ndjson.gz", "w") as member, gzip.open(member, "wb", 6) as packed:
                for line in read_lines(file):
                    packed.write(line + b"\n")


def measure(sizes: Sequence[int] = (100_000, 1_000_000)) -> Section:
    """Return the section."""
    rows: list[Row] = []
    program = Path(sys.executable).parent / "policyengine"
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="policyengine-bench-") as name:
            rows += _of_size(program, Path(name), size)
    return Section(
        "Evidence of a run: writing it and performing it again",
        "Whole processes, one round each. Rules of the family encryption on a generated snapshot that says its secrets were "
        "taken out; SOC 2's populations. The baseline packs the same lines with Python's gzip and zipfile and does nothing "
        "else. Replay verifies first.",
        rows,
    )


def _of_size(program: Path, folder: Path, size: int) -> list[Row]:
    snapshot, kept, bundle, key = (folder / name for name in ("snapshot", "run", "bundle.zip", "key"))
    write(snapshot, size)
    manifest = json.loads((snapshot / "manifest.json").read_text())
    (snapshot / "manifest.json").write_text(
        json.dumps({**manifest, "collection": {"redaction_key": "00000000"}})
    )
    run([program, "evidence", "keygen", key])
    scan = [program, "scan", snapshot, "-q", "--family", FAMILY, "--fail-on", "never", "--as-of", AS_OF]
    export = [program, "evidence", "export", kept, "--sign-key", key, "--framework", "soc2"]
    bare = [part for name in REPORTS for part in ("--without", name)]
    judged = run(scan)
    keeping = _done(run([*scan, "-o", kept]))
    packing = _done(
        run([sys.executable, "-m", "benchmarks.evidence_export", "pack", kept, folder / "packed.zip"])
    )
    writing = _done(run([*export, *bare, "-o", bundle]))
    replay = _done(run([program, "evidence", "replay", bundle, "--key", f"{key}.pub"]))
    page = _done(
        run([*export, *(p for n in REPORTS[1:] for p in ("--without", n)), "-o", folder / "page.zip"])
    )
    goal = verdict(writing.peak < GOAL_MEMORY, f"under {GOAL_MEMORY:,.0f} MB")
    return [
        Row(f"{size:,}: judging, nothing kept", _figure(judged)),
        Row(
            f"{size:,}: scan -o (judging and keeping)",
            _figure(keeping),
            f"{keeping.cpu / judged.cpu:.2f} x judging",
        ),
        Row(f"{size:,}: packing the same lines", _figure(packing)),
        Row(
            f"{size:,}: evidence export, without reports",
            _figure(writing),
            f"{writing.cpu / packing.cpu:.2f} x packing",
            goal,
        ),
        Row(
            f"{size:,}: evidence export, with report.html",
            _figure(page),
            f"{page.cpu / packing.cpu:.2f} x packing",
        ),
        Row(f"{size:,}: evidence replay", _figure(replay), f"{replay.cpu / judged.cpu:.2f} x judging"),
    ]


def _figure(cost: Cost) -> str:
    return f"{cost.cpu:.1f} s CPU, {cost.wall:.1f} s, {cost.peak:,.0f} MB"


def _done(cost: Cost) -> Cost:
    if cost.code:
        raise SystemExit(f"it failed:\n{cost.output}")
    return cost


if __name__ == "__main__":
    pack(Path(sys.argv[2]), Path(sys.argv[3]))
