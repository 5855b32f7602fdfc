"""``--format markdown``: for pull-request comments and job summaries.

A summary table, the findings worst first in folded sections by rule, and what could not be
determined. GitHub refuses comments over 65,536 characters, so the report stops in time and says how
much it left out. Names and messages cannot form markup, links, mentions or issue references.
"""

from __future__ import annotations

import html
import re
from itertools import groupby
from typing import TextIO

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, sentence
from policyengine.reports.base import Context, RunInfo, is_open, is_unknown
from policyengine.reports.causes import Causes, Together
from policyengine.reports.jsontext import cleaned_text
from policyengine.reports.places import place
from policyengine.reports.tally import Tally
from policyengine.reports.text import cut, observed, plural, visible
from policyengine.reports.waived import waiver_text
from policyengine.reports.worst import Worst

KEEP = 1_000
KEEP_ACCEPTED = 100
TEXT_LIMIT = 1_000
MOST_NOTES = 20
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_MARKUP = re.compile(r"[\\`*_{}\[\]()#!|<>&@~:$]|^[-+=.]")
_LIST = re.compile(r"^(\d{1,9})([.)])")
_REFERENCE = re.compile(r"(?<=[@#])(?=\w)|(?<=GH-)(?=\d)|(?<=www)(?=\.)")
_NO_SPAN = re.compile(r"[`|\\]|##")


def escape(text: str) -> str:
    """Return ``text`` so that Markdown shows it as it is, on one line.

    Punctuation that could form markup is escaped (CommonMark section 2.4); the escaped colon also
    stops autolinks. A zero-width space keeps ``@name`` and ``#1`` from notifying people and linking issues.
    """
    shown = visible(cleaned_text(cut(text, TEXT_LIMIT))).strip()
    return _LIST.sub(r"\1\\\2", _MARKUP.sub(r"\\\g<0>", _REFERENCE.sub("\u200b", shown)))


def code(text: str) -> str:
    """Return ``text`` as code that also holds inside a table cell and within ``summary``.

    Text with a backtick, pipe or backslash goes into ``<code>`` as character references, because
    no code span can hold it in a cell; so does ``##``, which may begin a command for a log reader.
    """
    shown = visible(cleaned_text(cut(text, TEXT_LIMIT))) or " "
    if not _NO_SPAN.search(shown) and shown == shown.strip():
        return f"`{shown}`"
    return f"<code>{_PUNCTUATION.sub(lambda match: f'&#{ord(match[0])};', shown)}</code>"


def html_text(text: str) -> str:
    """Return ``text`` for inside an HTML block, whose text Markdown does not read: neither markup nor references."""
    return html.escape(_REFERENCE.sub("\u200b", visible(cleaned_text(cut(text, TEXT_LIMIT)))))


class MarkdownReport:
    """``--format markdown``."""

    def __init__(self, out: TextIO, context: Context) -> None:
        self._out = out
        self._context = context
        self._room = context.markdown_chars
        self._tally = Tally()
        self._failed, self._unknown = Worst(KEEP), Worst(KEEP)
        self._accepted = Worst(KEEP_ACCEPTED)
        self._causes = Causes()
        self._together: dict[str, Together] = {}

    def begin(self, run: RunInfo) -> None:
        """Nothing is written before the counts are known."""

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        self._tally.add(finding)
        if finding.verdict == FAIL and finding.waiver is not None:
            self._accepted.add(finding)
        elif (is_open(finding) or is_unknown(finding)) and not self._causes.add(finding):
            self._keep(finding)

    def _keep(self, finding: Finding) -> None:
        (self._unknown if is_unknown(finding) else self._failed).add(finding)

    def end(self, run: RunInfo) -> None:
        """Write the report."""
        for cause in self._causes.together():
            self._keep(cause.lead)
            if cause.total > 1:
                self._together[cause.lead.id] = cause
        self._write(self._head(run))
        left = self._sections(self._failed) + self._sections(self._unknown) + self._still_failing()
        if left:
            self._out.write(
                f"\n{plural(left, 'more finding')} left out to keep this short; `--format json` has all.\n"
            )

    def _write(self, text: str) -> None:
        self._room -= len(text)
        self._out.write(text)

    def _head(self, run: RunInfo) -> str:
        tally, counts = self._tally, self._tally.summary()
        certain = run.complete and not counts["UNKNOWN"] and not tally.waived  # what is waived still fails
        mark = "❌" if tally.open else "✅" if certain else "⚠️"
        lines = [f"### {mark} policyengine: {plural(tally.open, 'violation')}", ""]
        if not run.complete:
            errors = plural(len(run.errors), "error")
            lines += [f"**The run is incomplete ({errors}): it says nothing about the rest.**", ""]
        lines += [f"- {escape(str(error))}" for error in run.errors[:10]]
        lines += [""] if run.errors else []
        lines += [
            f"| failed | not determined | passed | not applicable | {'waived or in the baseline' if tally.debt else 'waived'} |",
            "|---:|---:|---:|---:|---:|",
        ]
        cells = (tally.open, counts["UNKNOWN"], counts["PASS"], counts["NOT_APPLICABLE"], counts["WAIVED"])
        lines += ["| " + " | ".join(f"{cell:,}" for cell in cells) + " |", ""]
        if tally.open:
            by = [f"{count:,} {name}" for name, count in tally.by_severity()]
            lines += [f"By severity: {', '.join(by)}.", ""]
        if tally.reasons:
            why = [f"{count:,} because {escape(sentence(code_))}" for code_, count in tally.by_reason()[:6]]
            lines += [f"Not determined: {'; '.join(why)}.", ""]
        if tally.debt:
            verb = "is" if tally.debt == 1 else "are"
            lines += [f"{plural(tally.debt, 'finding')} of the baseline {verb} still open.", ""]
        if run.waivers or run.baseline is not None:
            lines += [*(f"- {escape(note)}" for note in run.notes[:MOST_NOTES]), ""] if run.notes else []
        if run.undecidable:
            lines += [f"{plural(len(run.undecidable), 'rule')} cannot be decided from this source.", ""]
        return "\n".join(lines)

    def _sections(self, kept: Worst) -> int:
        """Write one folded section a rule while there is room; return how many findings were left out."""
        findings = kept.sorted()
        left = kept.dropped
        rank: dict[str, int] = {}
        for finding in findings:
            rank.setdefault(finding.rule, len(rank))
        ranked = sorted(findings, key=lambda finding: (rank[finding.rule], finding.sort_key))
        for _rule, group in groupby(ranked, key=lambda f: f.rule):
            members = list(group)
            text, shown = self._section(members)
            if shown:
                self._write(text)
            left += sum(map(self._weight, members[shown:]))
        return left

    def _still_failing(self) -> int:
        """Write what somebody accepted, and the baseline, while there is room; return how many were left out."""
        findings = self._accepted.sorted()
        if not findings:
            return 0
        total = len(findings) + self._accepted.dropped
        head = (
            f"\n<details><summary>{plural(total, 'failure')} waived or in the baseline, and still failing</summary>\n\n"
            "| rule | where | resource | waiver or baseline |\n|---|---|---|---|\n"
        )
        tail = "\n</details>\n"
        rows: list[str] = []
        used = len(head) + len(tail)
        for finding in findings:
            row = (
                f"| {code(finding.rule)} | {code(place(finding))} | {code(finding.resource_id)} | "
                f"{escape(waiver_text(finding))} |\n"
            )
            if used + len(row) > self._room:
                break
            rows.append(row)
            used += len(row)
        if rows:
            self._write(head + "".join(rows) + tail)
        return total - len(rows)

    def _weight(self, finding: Finding) -> int:
        cause = self._together.get(finding.id)
        return 1 if cause is None else cause.total

    def _section(self, members: list[Finding]) -> tuple[str, int]:
        first = members[0]
        label = "not determined" if is_unknown(first) else first.severity
        head = (
            f"\n<details><summary><b>{label}</b> · <code>{first.rule}</code> · {escape(first.title)} · "
            f"{plural(len(members), 'resource')}</summary>\n\n{self._advice(first)}"
            f"| where | resource | what |\n|---|---|---|\n"
        )
        tail = "\n</details>\n"
        rows: list[str] = []
        used = len(head) + len(tail)
        for finding in members:
            row = _row(finding, self._together.get(finding.id))
            if used + len(row) > self._room:
                break
            rows.append(row)
            used += len(row)
        return head + "".join(rows) + tail, len(rows)

    def _advice(self, finding: Finding) -> str:
        rule = self._context.rules.get(finding.rule)
        if rule is None or is_unknown(finding):
            return ""
        return f"{escape(' '.join(rule.why.split()))}\n\n**Fix:** {escape(' '.join(rule.fix.split()))}\n\n"


def _row(finding: Finding, cause: Together | None) -> str:
    parts = [escape(finding.message)]
    parts += [f"{code(observed(e, 80))}, expected {code(cut(e.expected, 120))}" for e in finding.evidence[:3]]
    if finding.branch:
        parts.append(
            "when " + ", ".join(f"{code(k)} is {str(v).lower()}" for k, v in sorted(finding.branch.items()))
        )
    if cause is not None and cause.resources:
        parts.append(f"the same for: {escape(cause.resources_text())}")
    if cause is not None and cause.others:
        parts.append(f"same cause: {escape(cause.rules_text())}")
    parts.append(f"<sub>{finding.id}</sub>")
    resource = f"{code(finding.resource_id)}<br>{code(finding.resource_type)}"
    if finding.construct_path:
        resource += f"<br>{code(finding.construct_path)}"
    return f"| {code(place(finding))} | {resource} | {'<br>'.join(parts)} |\n"
