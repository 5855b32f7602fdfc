"""``--format github``: annotations on a workflow run.

``::error file=…,line=…,col=…,title=…::message``, escaped as the runner unescapes it
(https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts): ``%``, CR and LF in
messages, also ``:`` and ``,`` in properties. critical and high are errors, medium are warnings, low
and UNKNOWN are notices. GitHub displays at most 10 annotations of each kind for a step, so the worst
10 of each are written, findings of one cause as one, and a last plain line says how many there are besides.
"""

from __future__ import annotations

from collections import Counter
from typing import TextIO

from policyengine.model.finding import Finding
from policyengine.reports.base import Context, RunInfo, is_open, is_unknown
from policyengine.reports.causes import Causes, Together
from policyengine.reports.places import place, resource_name, told
from policyengine.reports.tally import Tally
from policyengine.reports.text import cut, observed, plural, visible, without_log_commands
from policyengine.reports.worst import Worst

PER_KIND = 10
KINDS = {"critical": "error", "high": "error", "medium": "warning", "low": "notice"}
MESSAGE_LIMIT = 4_000


def escape_data(text: str) -> str:
    """Return ``text`` as the part of a workflow command after the second ``::``."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Return ``text`` as the value of a property of a workflow command."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


class GithubReport:
    """``--format github``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        self._out = out
        self._rules = context.rules
        self._tally = Tally()
        self._kept = {kind: Worst(PER_KIND) for kind in ("error", "warning", "notice")}
        self._number: Counter[str] = Counter()
        self._causes = Causes()
        self._together: dict[str, Together] = {}

    def begin(self, run: RunInfo) -> None:
        """Nothing is written before the worst are known."""

    def add(self, finding: Finding) -> None:
        """Take an open FAIL or an UNKNOWN."""
        self._tally.add(finding)
        if is_unknown(finding) or is_open(finding):
            self._number[_kind(finding)] += 1
            if not self._causes.add(finding):
                self._kept[_kind(finding)].add(finding)

    def end(self, run: RunInfo) -> None:
        """Write the annotations, run errors first."""
        room = PER_KIND if run.complete and not run.errors else PER_KIND - 1
        for cause in self._causes.together():
            self._kept[_kind(cause.lead)].add(cause.lead)
            self._together[cause.lead.id] = cause
        told: Counter[str] = Counter()
        if room < PER_KIND:
            self._out.write(_run_line(run))
        for kind, kept in self._kept.items():
            findings = kept.sorted()[: room if kind == "error" else PER_KIND]
            for finding in findings:
                told.update(self._kinds(finding))
            self._out.writelines(self._line(kind, finding) for finding in findings)
        self._summary({kind: self._number[kind] - told[kind] for kind in self._kept})

    def _kinds(self, finding: Finding) -> dict[str, int]:
        """Return how many findings of each kind an annotation stands for."""
        found: Counter[str] = Counter()
        cause = self._together.get(finding.id)
        found[_kind(finding)] += 1 if cause is None else cause.number
        for other in () if cause is None else cause.others:
            found[_kind(other.first)] += other.number
        return found

    def _line(self, kind: str, finding: Finding) -> str:
        unknown = is_unknown(finding)
        title = f"{finding.rule} ({'not determined' if unknown else finding.severity})"
        parts = [f"{resource_name(finding)}: {told(finding, 1_000)}"]
        if finding.location is None:
            parts[0] = f"{place(finding)} {parts[0]}"
        parts += [
            f"observed {observed(e)}, expected {visible(cut(e.expected, 300))}" for e in finding.evidence[:3]
        ]
        rule = self._rules.get(finding.rule)
        if rule is not None and not unknown:
            parts.append(f"fix: {' '.join(visible(line) for line in rule.fix.split())}")
        cause = self._together.get(finding.id)
        if cause is not None and cause.resources:
            parts.append(f"the same for: {cause.resources_text()}")
        if cause is not None and cause.others:
            parts.append(f"same cause: {cause.rules_text()}")
        parts.append(f"finding {finding.id}")
        text = escape_data(cut("\n".join(parts), MESSAGE_LIMIT))
        return f"::{kind} {_properties(finding, title)}::{text}\n"

    def _summary(self, dropped: dict[str, int]) -> None:
        counts = self._tally.summary()
        line = (
            f"policyengine: {self._tally.open:,} failed, {counts['UNKNOWN']:,} not determined, "
            f"{counts['PASS']:,} passed, {counts['WAIVED'] - self._tally.debt:,} waived"
        )
        if self._tally.debt:
            line += f", {self._tally.debt:,} in the baseline and still open"
        rest = [plural(count, f"more {kind}") for kind, count in dropped.items() if count]
        if rest:
            line += (
                f"; {', '.join(rest)} not annotated, because GitHub displays {PER_KIND} of each kind "
                f"for a step: upload `--format sarif` to see all"
            )
        self._out.write(without_log_commands(line) + "\n")


def _kind(finding: Finding) -> str:
    return "notice" if is_unknown(finding) else KINDS[finding.severity]


def _properties(finding: Finding, title: str) -> str:
    found: list[tuple[str, str]] = []
    at = finding.location
    if at is not None:
        found.append(("file", visible(at.file)))
        # The annotation API refuses columns when an annotation spans several lines.
        column = at.column if at.end_line in (None, at.line) else None
        numbers = (("line", at.line), ("endLine", at.end_line), ("col", column))
        found += [(name, str(number)) for name, number in numbers if number is not None]
    return ",".join(f"{name}={escape_property(value)}" for name, value in [*found, ("title", title)])


def _run_line(run: RunInfo) -> str:
    title = "run incomplete" if not run.complete else "some input could not be read"
    text = "\n".join(visible(str(error)) for error in run.errors[:20]) or "the run did not finish"
    return f"::error title={escape_property(title)}::{escape_data(cut(text, MESSAGE_LIMIT))}\n"
