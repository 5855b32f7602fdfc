"""OSCAL and the workbook with 50,000 findings: writing, validating, reading. Goal: validated in under 2 s.

``python -m benchmarks.reports_oscal WHAT COUNT FILE`` does one step in a process of its own and prints JSON; WHAT is a
key of :data:`STEPS`. The findings are those of the bundled rules about S3 buckets, each on its own resource in turn.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.measure import Cost, median, run
from benchmarks.table import Row, Section, verdict
from policyengine.cli.frameworkinfo import framework_infos
from policyengine.cli.outputs import open_reports
from policyengine.cli.ruleinfo import rule_info
from policyengine.model.finding import Evidence, Finding, build_finding
from policyengine.model.resource import Resource
from policyengine.reports.base import Context, RunInfo, write_reports
from policyengine.reports.extras import Extras
from policyengine.rules.packs import load_packs

GOAL: Final = 2.0
COUNT: Final = 50_000
MANY: Final = 500_000
TIME: Final = "2026-01-01T00:00:00Z"
SCHEMA: Final = (
    Path(__file__).resolve().parent.parent / "tests/reports/data/oscal/oscal_assessment-results_schema.json"
)
ALGORITHM: Final = ("BucketEncryption", "ServerSideEncryptionConfiguration", 0, "SSEAlgorithm")


def findings(count: int, forms: list[Any]) -> Iterator[Finding]:
    """Yield ``count`` failures in report order, all rules on one bucket after the other."""
    evidence = [Evidence(ALGORITHM, "AES256", "aws:kms", "value_mismatch")]
    for number in range(count):
        form = forms[number % len(forms)]
        bucket = f"bucket-{number // len(forms):07}"
        yield build_finding(
            rule=form["id"], title=form["title"], family=form["family"], severity=form["severity"],
            verdict="FAIL", reason="value_mismatch", message=f"`{bucket}` is not as the rule requires",
            resource=Resource("AWS::S3::Bucket", bucket, "111122223333", "eu-west-1", {}, arn=f"arn:aws:s3:::{bucket}"),
            evidence=evidence,
            frameworks={name: [c for c, _ in found] for name, found in form["frameworks"].items()},
        )  # fmt: skip


def write(name: str) -> Callable[[int, Path], float]:
    """Return the step that writes a format."""

    def step(count: int, path: Path) -> float:
        forms = sorted(
            (f for f in load_packs([]).rules if "AWS::S3::Bucket" in f["applies_to"]),
            key=lambda f: str(f["id"]),
        )
        context = Context(
            rules={form["id"]: rule_info(form) for form in forms},
            extras=Extras(frameworks=framework_infos()),
        )
        info = RunInfo("bench", TIME, TIME, "0", TIME, "sha256:0", len(forms), accounts=["111122223333"])
        start = time.process_time()
        with ExitStack() as stack:
            reports = open_reports([(name, path)], sys.stdout, context, stack)
            write_reports(findings(count, forms), reports, info)
        return time.process_time() - start

    return step


def dumps(count: int, path: Path) -> float:
    """Write the same document with ``json.dumps``."""
    del count
    document = json.loads(path.read_text(encoding="utf-8"))
    start = time.process_time()
    path.with_suffix(".again").write_text(json.dumps(document), encoding="utf-8")
    return time.process_time() - start


def validate(count: int, path: Path) -> float:
    """Validate a document against NIST's schema with jsonschema-rs."""
    del count
    import jsonschema_rs

    document = json.loads(path.read_text(encoding="utf-8"))
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    start = time.perf_counter()
    if not validator.is_valid(document):
        raise SystemExit("NIST's schema does not accept it")
    return time.perf_counter() - start


def loads(count: int, path: Path) -> float:
    """Read a document with ``json.loads``."""
    del count
    text = path.read_text(encoding="utf-8")
    start = time.perf_counter()
    json.loads(text)
    return time.perf_counter() - start


def trestle(count: int, path: Path) -> float:
    """Read a document with compliance-trestle, which checks it against its own models."""
    from trestle.oscal.assessment_results import AssessmentResults

    start = time.perf_counter()
    found: Any = AssessmentResults.oscal_read(path)
    if found is None or len(found.results[0].observations) < count:
        raise SystemExit("compliance-trestle does not read it")
    return time.perf_counter() - start


STEPS: Final[dict[str, Callable[[int, Path], float]]] = {
    **{f"write-{name}": write(name) for name in ("oscal", "oscal-poam", "xlsx", "json", "csv")},
    "dumps": dumps,
    "validate": validate,
    "loads": loads,
    "trestle": trestle,
}


def step(what: str, count: int, path: Path) -> tuple[float, Cost]:
    """Return seconds of the step itself, and what its process cost."""
    cost = run([sys.executable, "-m", "benchmarks.reports_oscal", what, str(count), path])
    if cost.code:
        raise SystemExit(f"{what}: {cost.output}")
    return float(json.loads(cost.output)["seconds"]), cost


def measure(rounds: int = 3) -> Section:
    """Return the section."""
    with TemporaryDirectory() as folder:
        rows = list(_rows(Path(folder), rounds))
    return Section(
        f"OSCAL and workbook of {COUNT:,} findings, each an observation",
        "Written by the reporters with all bundled frameworks, validated against NIST's schema with jsonschema-rs. Baselines: "
        "the standard library writing and reading the same document in memory, compliance-trestle reading it, our own "
        "CSV for the workbook.",
        rows,
    )


def _rows(folder: Path, rounds: int) -> Iterator[Row]:
    path = folder / "ar.json"
    found: dict[str, list[tuple[float, Cost]]] = {}
    for _ in range(rounds):  # the steps alternate, so that a busy minute hits all of them
        for what in ("write-oscal", "dumps", "validate", "loads"):
            found.setdefault(what, []).append(step(what, COUNT, path))
    for what in ("write-oscal-poam", "write-xlsx", "write-csv"):
        found[what] = [step(what, COUNT, folder / what) for _ in range(rounds)]
    slow, _ = step("trestle", COUNT, path)
    _, large = step("write-oscal", MANY, folder / "large.json")
    seconds = {what: median([s for s, _ in steps]) for what, steps in found.items()}
    peaks = {what: median([cost.peak for _, cost in steps]) for what, steps in found.items()}
    size = path.stat().st_size / 1e6

    def cost(what: str) -> str:
        return f"{seconds[what]:.1f} s CPU, {peaks[what]:.0f} MB"

    checked, read = seconds["validate"], seconds["loads"]
    yield Row("assessment results, written", cost("write-oscal"), f"{size:.0f} MB of JSON")
    yield Row("the same document by json.dumps", cost("dumps"), "without making it")
    yield Row(
        f"with {MANY:,} findings",
        f"{large.peak:.0f} MB",
        f"{large.peak / peaks['write-oscal']:.1f} times the memory of {COUNT:,}",
    )
    yield Row("validated", f"{checked:.2f} s", "", verdict(checked < GOAL, f"{GOAL:.0f} s"))
    yield Row("read by json.loads", f"{read:.2f} s", f"validating takes {checked / read:.1f} of it")
    yield Row("read by compliance-trestle", f"{slow:.1f} s", f"{slow / checked:.0f} times validating")
    yield Row("POA&M, written", cost("write-oscal-poam"))
    yield Row("workbook, written", cost("write-xlsx"))
    yield Row("CSV, written", cost("write-csv"))


if __name__ == "__main__":
    print(json.dumps({"seconds": STEPS[sys.argv[1]](int(sys.argv[2]), Path(sys.argv[3]))}))
