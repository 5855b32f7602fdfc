"""A run directory: what later commands take in place of a target.

``run.json`` (the run and its summary), ``findings.ndjson`` (every finding, in report order),
``rules.json`` (the compiled rules that were used), ``coverage.json`` (where the run looked). Written
beside the final name and renamed, so that a killed run leaves no half directory that looks whole. All
is ASCII: names of resources may hold what a terminal obeys or a reader takes for a line end.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from policyengine.model.errors import InputError, UsageError
from policyengine.model.finding import Finding
from policyengine.model.resource import NO_COVERAGE, Coverage
from policyengine.store.coverage import FILE as COVERAGE
from policyengine.store.coverage import coverage_json

RUN_FORMAT = 1
_encoded = json.JSONEncoder(separators=(",", ":")).encode


class RunDirectory:
    """Writes a run directory; used as a context manager."""

    def __init__(self, path: Path, compiled_rules: bytes) -> None:
        self.path = path
        self.compiled_rules = compiled_rules
        self.verdicts: Counter[str] = Counter()

    def __enter__(self) -> RunDirectory:
        if (
            self.path.exists()
            and not is_run_directory(self.path)
            and (not self.path.is_dir() or any(self.path.iterdir()))
        ):
            raise UsageError(f"`{self.path}` exists and is no run directory; choose another name")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.temporary = Path(tempfile.mkdtemp(dir=self.path.parent, prefix=f".{self.path.name}."))
        except OSError as error:
            raise UsageError(
                f"`{self.path}` cannot be written: {(error.strerror or 'error').lower()}"
            ) from error
        self.temporary.chmod(0o755)
        (self.temporary / "rules.json").write_bytes(self.compiled_rules)
        self.findings: TextIO = (self.temporary / "findings.ndjson").open("w", encoding="utf-8", newline="\n")
        return self

    @staticmethod
    def line(finding: Finding) -> str:
        """Return the line of one finding."""
        return _encoded(finding.to_json()) + "\n"

    def add(self, finding: Finding) -> None:
        """Write one finding."""
        self.verdicts[finding.verdict] += 1
        self.findings.write(self.line(finding))

    def add_block(self, text: str, verdicts: Mapping[tuple[str, bool], int]) -> None:
        """Write the next findings, of which each is a :meth:`line` already; counted by (verdict, waived)."""
        for (verdict, _waived), number in verdicts.items():
            self.verdicts[verdict] += number
        self.findings.write(text)

    def end(self, run: dict[str, Any], coverage: Coverage = NO_COVERAGE) -> None:
        """Write ``run.json`` and ``coverage.json``; ``run`` is the contract's run object."""
        body = {"format": RUN_FORMAT, "run": run, "summary": dict(sorted(self.verdicts.items()))}
        text = json.dumps(body, indent=1, sort_keys=True)
        (self.temporary / "run.json").write_text(text + "\n", encoding="utf-8")
        covered = json.dumps(coverage_json(coverage), separators=(",", ":"))
        (self.temporary / COVERAGE).write_text(covered + "\n", encoding="utf-8")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.findings.close()
            if kind is None:
                if self.path.exists():
                    shutil.rmtree(self.path)
                self.temporary.rename(self.path)
        except OSError as problem:
            reason = (problem.strerror or "error").lower()
            raise UsageError(f"`{self.path}` cannot be written: {reason}") from problem
        finally:
            shutil.rmtree(self.temporary, ignore_errors=True)


def is_run_directory(path: Path) -> bool:
    """Whether a folder was written by :class:`RunDirectory`."""
    return (path / "run.json").is_file() and (path / "findings.ndjson").is_file()


def read_findings(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the finding objects of a run directory, an ndjson report or a findings document.

    Raises InputError when the file is none of these.
    """
    file = path / "findings.ndjson" if path.is_dir() else path
    try:
        with file.open(encoding="utf-8") as stream:
            whole = not _is_json_line(stream.readline())
            stream.seek(0)
            if whole:
                yield from _document(json.load(stream), file)
                return
            for line in stream:
                item = json.loads(line)
                # a line of an ndjson report is {"finding": …}, one of a run directory the finding itself
                found = item.get("finding", item) if isinstance(item, dict) else None
                if isinstance(found, dict) and "verdict" in found:
                    yield found
    except (OSError, ValueError, RecursionError) as error:
        raise _no_run(path) from error


def _no_run(path: Path) -> InputError:
    if path.is_dir() and (path / "manifest.json").is_file():
        return InputError(
            f"`{path}` is a snapshot and no run: `policyengine snapshot diff` compares snapshots, `scan -o DIR` makes a run"
        )
    return InputError(f"`{path}` is no run: expected a run directory, findings.json or an ndjson report")


def read_run(path: Path) -> dict[str, Any]:
    """Return the run object beside the findings; {} where a report does not hold it.

    Raises InputError when the file is no run.
    """
    file = path / "run.json" if path.is_dir() else path
    try:
        with file.open(encoding="utf-8") as stream:
            first = stream.readline()
            stream.seek(0)
            value = json.loads(first) if _is_json_line(first) else json.load(stream)
    except (OSError, ValueError, RecursionError) as error:
        raise _no_run(path) from error
    run = value.get("run") if isinstance(value, dict) else None
    return run if isinstance(run, dict) else {}


def _is_json_line(line: str) -> bool:
    """A findings document is written over several lines: its first is no JSON by itself."""
    try:
        return "findings" not in json.loads(line)
    except (ValueError, TypeError):
        return False


def _document(value: Any, file: Path) -> Iterator[dict[str, Any]]:
    if not isinstance(value, dict) or value.get("schema") != "policyengine/findings/v1":
        raise InputError(f"`{file}` is no findings document (`policyengine/findings/v1`)")
    findings = value.get("findings")
    yield from (f for f in findings if isinstance(f, dict)) if isinstance(findings, list) else ()
