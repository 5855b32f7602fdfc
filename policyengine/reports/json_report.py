"""The contract's JSON document and its streaming sibling, NDJSON.

``json`` prints one document ``policyengine/findings/v1``, one finding a line, keys in the order of
the contract. Beyond the contract ``run`` also says ``skipped``, ``unknown_types``, ``undecidable``
and ``notes``, and what became of ``waivers`` and the ``baseline`` where there are any. Findings
wait in a spool, because the summary stands before them.

``ndjson`` streams and holds nothing back. Every line is an object with exactly one key:

- first ``{"run": {...}}`` with ``schema`` and what is known before the first finding (its
  ``complete`` and ``errors`` are not final);
- then ``{"finding": {...}}``, one for each finding, the contract's object;
- last ``{"end": {"summary": {...}, "run": {...}}}`` with the final run. A file without this line
  was cut off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TextIO

from policyengine.model.finding import Finding
from policyengine.reports.base import Context, RunError, RunInfo
from policyengine.reports.extras import waiver_json
from policyengine.reports.jsontext import compact
from policyengine.reports.spool import Spool
from policyengine.reports.tally import Tally

SCHEMA = "policyengine/findings/v1"
NDJSON_SCHEMA = "policyengine/findings-stream/v1"


def run_json(run: RunInfo) -> dict[str, Any]:
    """Return the contract's ``run`` object, followed by what we say beyond it."""
    return {
        "id": run.id,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "engine_version": run.engine_version,
        "as_of": run.as_of,
        "rule_pack": {
            "digest": run.rule_pack_digest,
            "rules": run.rule_count,
            **({"version": run.rule_pack_version} if run.rule_pack_version is not None else {}),
        },
        "scope": {
            "targets": list(run.targets),
            "accounts": list(run.accounts),
            "regions": list(run.regions),
        },
        "complete": run.complete,
        "errors": [error_json(error) for error in run.errors],
        "skipped": _sorted(run.skipped),
        "unknown_types": _sorted(run.unknown_types),
        "undecidable": sorted(run.undecidable),
        "notes": list(run.notes),
        **({"waivers": [waiver_json(each) for each in run.waivers]} if run.waivers else {}),
        **({"baseline": asdict(run.baseline)} if run.baseline is not None else {}),
    }


def error_json(error: RunError) -> dict[str, Any]:
    """Return the contract's error object."""
    at = error.location
    return {
        "code": error.code,
        "message": error.message,
        "target": error.target,
        "location": None if at is None else {"file": at.file, "line": at.line, "column": at.column},
        "account": error.account,
        "region": error.region,
        "operation": error.operation,
        **({"types": list(error.types)} if error.types else {}),
    }


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {key: counts[key] for key in sorted(counts)}


class JsonReport:
    """``--format json``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        del context
        self._out = out
        self._spool = Spool()
        self._tally = Tally()

    def begin(self, run: RunInfo) -> None:
        """Nothing can be written yet: ``run`` is not final."""

    @staticmethod
    def line(finding: Finding) -> str:
        """Return the text of one finding, which a comma separates from the one before."""
        return ",\n  " + compact(finding.to_json())

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        self._write(self.line(finding))
        self._tally.add(finding)

    def add_block(self, text: str, verdicts: Mapping[tuple[str, bool], int]) -> None:
        """Take the next findings, of which each is a :meth:`line` already."""
        self._write(text)
        self._tally.add_verdicts(verdicts)

    def _write(self, text: str) -> None:
        self._spool.write(text if self._tally.verdicts else text.removeprefix(","))

    def end(self, run: RunInfo) -> None:
        """Write the document."""
        out = self._out
        out.write(f'{{"schema":"{SCHEMA}",\n "run":{compact(run_json(run))},\n')
        out.write(f' "summary":{compact(self._tally.summary())},\n "findings":[')
        self._spool.pour(out)
        out.write("]}\n")


class NdjsonReport:
    """``--format ndjson``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        del context
        self._out = out
        self._tally = Tally()

    def begin(self, run: RunInfo) -> None:
        """Write the first line."""
        self._out.write(compact({"run": {"schema": NDJSON_SCHEMA, **run_json(run)}}) + "\n")

    @staticmethod
    def line(finding: Finding) -> str:
        """Return the line of one finding."""
        return compact({"finding": finding.to_json()}) + "\n"

    def add(self, finding: Finding) -> None:
        """Write one finding."""
        self._tally.add(finding)
        self._out.write(self.line(finding))

    def add_block(self, text: str, verdicts: Mapping[tuple[str, bool], int]) -> None:
        """Write the next findings, of which each is a :meth:`line` already."""
        self._tally.add_verdicts(verdicts)
        self._out.write(text)

    def end(self, run: RunInfo) -> None:
        """Write the last line."""
        self._out.write(compact({"end": {"summary": self._tally.summary(), "run": run_json(run)}}) + "\n")
