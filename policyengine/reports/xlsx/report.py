"""``--format xlsx``: a workbook. What is missing stands first; no colour says what a word beside it does not.

Sheets: Summary, Controls, Findings (FAIL and UNKNOWN), Rules, Waivers, Scope, Errors, Exclusions. What passes is counted
in Rules and Controls. A sheet that has no row says so; rows that do not fit are counted in Summary.
"""

from __future__ import annotations

from collections import Counter
from typing import IO, Final

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, UNKNOWN, VERDICTS
from policyengine.model.resource import json_pointer
from policyengine.reports.base import Context, RunInfo
from policyengine.reports.controls import ControlResult, control_tally
from policyengine.reports.frameworks_of import rest_of, with_frameworks
from policyengine.reports.places import place
from policyengine.reports.tally import Tally, is_accepted, is_debt
from policyengine.reports.text import observed
from policyengine.reports.waived import waiver_text
from policyengine.reports.xlsx import columns
from policyengine.reports.xlsx.sheets import MOST_ROWS, Book, Sheet
from policyengine.reports.xlsx.summary import summary_rows

TONES: Final = {
    "failed": "bad", "unknown": "unsure", "accepted": "unsure", "no_failure_found": "plain", "satisfied": "good",
    "not_tested": "plain", "not_decided": "plain",
}  # fmt: skip
"""Status of a control -> tone."""
MOST_EVIDENCE: Final = 20
"""Pieces of evidence of one finding; how many more there are is said."""


def _word(finding: Finding) -> str:
    """Return the verdict as a cell says it: what is in a baseline nobody accepted."""
    if finding.verdict != FAIL or finding.waiver is None:
        return finding.verdict
    return f"{FAIL}, in the baseline" if is_debt(finding) else f"{FAIL}, accepted by a waiver"


class XlsxReport:
    """``--format xlsx``; ``most_rows`` of one sheet, with its heading."""

    def __init__(self, out: IO[bytes], context: Context, *, most_rows: int = MOST_ROWS) -> None:
        self._out = out
        self._context = with_frameworks(context)
        self._most = most_rows
        self._controls = control_tally(self._context)
        self._tally = Tally()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._waived: Counter[str] = Counter()

    def begin(self, run: RunInfo) -> None:
        """Lay out the sheets: each has its rows in a file of its own until the end."""
        self._book = Book(self._out, f"policyengine {run.id}", run.started_at)
        self._sheets = {
            name: Sheet(self._book, name, cols, self._most) for name, cols in columns.SHEETS.items()
        }

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        self._tally.add(finding)
        self._controls.add(finding)
        self._counts[finding.rule, finding.verdict] += 1
        if finding.verdict == FAIL and is_accepted(finding.waiver):
            self._waived[finding.rule] += 1
        if finding.verdict in (FAIL, UNKNOWN):
            self._finding(finding)

    def end(self, run: RunInfo) -> None:
        """Write the other sheets and the file."""
        if run.verdicts is not None:
            self._tally.correct(run.verdicts, self._context.rules)
            self._counts = Counter(run.verdicts)
        results = self._controls.results_of(run)
        for result in results:
            self._control(result)
        self._rules(run)
        self._waivers(run)
        self._scope()
        for error in run.errors:
            place_of = str(error.location) if error.location else error.target
            self._sheets["Errors"].add(
                [error.code, error.account, error.region, error.operation, place_of, error.message,
                 ", ".join(error.types)]
            )  # fmt: skip
        self._exclusions(run)
        left_out = {name: sheet.left_out for name, sheet in self._sheets.items() if sheet.left_out}
        for row, tone in summary_rows(run, self._tally, self._context.extras, results, left_out):
            self._sheets["Summary"].add(row, tone)
        for name, sheet in self._sheets.items():
            sheet.end(columns.NOTHING.get(name, ""))
        self._book.close()

    def _finding(self, finding: Finding) -> None:
        waived = finding.waiver is not None and finding.verdict == FAIL
        first = finding.evidence[:MOST_EVIDENCE]
        more = len(finding.evidence) - len(first)
        self._sheets["Findings"].add(
            [
                _word(finding),
                finding.severity,
                finding.rule,
                finding.title,
                finding.resource_type,
                finding.resource_id,
                finding.account,
                finding.region,
                finding.arn,
                place(finding) if finding.location is not None else None,
                finding.message,
                "\n".join(
                    [*(json_pointer(e.path) for e in first), *([f"and {more:,} more"] if more else [])]
                ),
                "\n".join(observed(e, 500) for e in first),
                "\n".join(e.expected for e in first),
                finding.reason,
                "; ".join(f"{name} {', '.join(ids)}" for name, ids in sorted(finding.frameworks.items())),
                waiver_text(finding) if waived else None,
                finding.id,
            ],
            "unsure" if (waived and is_accepted(finding.waiver)) or finding.verdict == UNKNOWN else "bad",
        )

    def _control(self, result: ControlResult) -> None:
        self._sheets["Controls"].add(
            [
                result.label,
                result.framework,
                result.control,
                result.sentence,
                result.decides,
                result.decided,
                result.population,
                *(result.verdicts[name] for name in VERDICTS),
                result.waived,
                ", ".join(f"{rule} ({decides})" for rule, decides in result.rules),
                ", ".join(result.unasked),
                *rest_of(self._context.extras.frameworks, result),
            ],
            TONES[result.status],
        )

    def _rules(self, run: RunInfo) -> None:
        undecidable = set(run.undecidable)
        rules = self._context.rules
        for rule in sorted(rules.keys() | {rule for rule, _ in self._counts}):
            info = rules.get(rule)
            counts = [self._counts[rule, name] for name in VERDICTS]
            about = [info.title, info.family, info.pillar, info.severity] if info else [None] * 4
            asked = (
                "not decidable from this source"
                if rule in undecidable
                else "asked"
                if any(counts)
                else "nothing to judge"
            )
            more = [info.why, info.fix, "\n".join(info.references)] if info else []
            self._sheets["Rules"].add([rule, *about, asked, sum(counts), *counts, self._waived[rule], *more])

    def _waivers(self, run: RunInfo) -> None:
        for w in run.waivers:
            self._sheets["Waivers"].add(
                [w.state, w.id, w.rule, w.scope, w.owner, w.approver, w.reason, w.ticket, w.granted, w.expires,
                 w.findings, w.why, "\n".join(w.warnings)],
                "plain" if w.state == "active" else "unsure",
            )  # fmt: skip

    def _scope(self) -> None:
        for looked in self._context.extras.looked:
            missing = "\n".join(f"{kind}: {reason}" for kind, reason in looked.missing)
            whole = not looked.missing and looked.collected >= looked.expected
            self._sheets["Scope"].add(
                [
                    "all" if whole else "not all",
                    looked.account,
                    looked.region,
                    looked.expected,
                    looked.collected,
                    missing,
                ],
                "plain" if whole else "unsure",
            )

    def _exclusions(self, run: RunInfo) -> None:
        sheet = self._sheets["Exclusions"]
        for rule in sorted(run.undecidable):
            sheet.add(["rule", rule, None, "this kind of source cannot decide it"])
        for rule in sorted(self._context.extras.pack.keys() - self._context.rules.keys()):
            sheet.add(["rule", rule, None, "not asked in this run"])
        for reason, count in sorted(run.skipped.items()):
            sheet.add(["skipped", reason, count, "left out on purpose"])
        for kind, count in sorted(run.unknown_types.items()):
            sheet.add(["type", kind, count, "no rule looks at resources of this type"])
        for note in run.notes:
            sheet.add(["note", note])
