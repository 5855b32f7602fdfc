"""``--format terminal``: frames for people, grouped by rule, the summary at the bottom.

Rules come worst severity first; a rule's reason and remedy are said once, its resources below. Findings
of one cause are told once, under the worst of their rules, unless everything is asked for. When
there are more findings than a person reads, each rule shows its first few and says how many more.
UNKNOWN has a section of its own. Nothing to report is one line. The bytes depend only on findings,
run, sources and options.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TextIO

from policyengine.model.finding import PROPOSAL, Evidence, Finding
from policyengine.model.values import ABSENT, Unresolved
from policyengine.reports.ansi import Paint
from policyengine.reports.base import SEVERITY_RANK, Context, RunInfo, TerminalOptions, is_open, is_unknown
from policyengine.reports.causes import MOST_CAUSES, Causes, Together
from policyengine.reports.frame import frame
from policyengine.reports.places import place, resource_name, told
from policyengine.reports.rest import Row, rest_lines
from policyengine.reports.summary import summary_lines
from policyengine.reports.tally import Tally, is_debt
from policyengine.reports.text import (
    cut,
    display_width,
    observed,
    plural,
    show_value,
    visible,
    without_log_commands,
    wrap,
)
from policyengine.reports.waived import Waived, waiver_text
from policyengine.reports.worst import Worst

FRAMED_RULES, FRAME_BUDGET = 20, 40
FRAMED_UNKNOWN, UNKNOWN_BUDGET = 6, 10
KEEP_PER_RULE = FRAME_BUDGET + 10
"""More than are ever shown without ``--limit``; how many there are is counted."""
MAX_EVIDENCE = 4
MAX_MISSING = 12
SENTENCE_LIMIT = 600
MESSAGE_LIMIT = 600
EXPECTED_LIMIT = 200
NAME_LIMIT = 80
SHORT_ID = 12
_REQUESTS = frozenset({"request_allowed", "request_not_denied", "request_denied"})


class TerminalReport:
    """``--format terminal`` without ``--compact``.

    It groups and orders the findings itself, so that nobody need sort them before (``any_order``).
    """

    any_order = True

    def __init__(self, out: TextIO, context: Context) -> None:
        options = context.terminal
        self._out = out
        self._context = context
        self._paint = Paint(options)
        self._width = options.width
        self._keep = None if options.limit == 0 else max(options.limit or 0, KEEP_PER_RULE)
        self._tally = Tally()
        self._groups: dict[tuple[bool, str], Worst] = {}
        self._causes = Causes(0 if options.limit == 0 else MOST_CAUSES)
        self._together: dict[tuple[bool, str], Together] = {}
        self._built: Counter[tuple[bool, str]] = Counter()
        self._told: Counter[tuple[bool, str]] = Counter()
        self._waived = Waived(self._keep)
        self._counts: Mapping[tuple[str, str], int] = {}

    def begin(self, run: RunInfo) -> None:
        """Nothing is written before the findings can be grouped."""

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        self._tally.add(finding)
        unknown = is_unknown(finding)
        if unknown or is_open(finding):
            self._built[unknown, finding.rule] += 1
            if not self._causes.add(finding):
                self._show(finding)
        elif finding.waiver is not None and self._context.terminal.show_waived:
            self._waived.add(finding)

    def _show(self, finding: Finding) -> None:
        """Keep a finding for the frames of its rule."""
        key = (is_unknown(finding), finding.rule)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Worst(self._keep)
        group.add(finding)

    def _gather(self) -> None:
        """Put the findings of each cause under the worst of their rules; what could not be told there, because
        not all findings were built, under their own."""
        others: dict[str, Finding] = {}
        for cause in self._causes.together():
            self._show(cause.lead)
            if cause.total > 1:
                self._together[is_unknown(cause.lead), cause.lead.id] = cause
            for other in cause.others:
                self._told[is_unknown(other.first), other.first.rule] += other.number
                others.setdefault(other.first.rule, other.first)
        for finding in others.values():
            key = (is_unknown(finding), finding.rule)
            if key not in self._groups and self._size_of(finding) > 0:
                self._show(finding)

    def end(self, run: RunInfo) -> None:
        """Write the frames and the summary."""
        self._counts = run.verdicts or {}
        self._gather()
        if run.verdicts is not None:
            self._tally.correct(run.verdicts, self._context.rules)
        self._section(False, FRAMED_RULES, FRAME_BUDGET)
        self._section(True, FRAMED_UNKNOWN, UNKNOWN_BUDGET)
        for line in self._waived.lines(self._paint, self._width):
            self._line(line)
        for line in summary_lines(self._tally, run, self._paint, self._context.terminal):
            self._line(line)

    def _section(self, unknown: bool, rules: int, budget: int) -> None:
        """Write the worst rules in full and the others as a line each."""
        groups = [group for (kind, _rule), group in self._groups.items() if kind is unknown]
        groups.sort(key=_group_key)
        framed = len(groups) if self._context.terminal.limit == 0 else rules
        most = self._per_rule([len(group) for group in groups[:framed]], budget)
        for group in groups[:framed]:
            self._group(group, most, unknown)
        rest = [Row(group, self._size(group)) for group in groups[framed:]]
        for line in rest_lines(rest, unknown, self._paint, self._width):
            self._line(line)
        if rest:
            self._line("")

    def _size(self, group: Worst) -> int:
        return self._size_of(group.first())

    def _size_of(self, first: Finding) -> int:
        """Return how many findings a rule has, also those that were not kept or not built, without waived ones
        and those that are told with another rule."""
        key = (is_unknown(first), first.rule)
        waived = 0 if is_unknown(first) else self._tally.waived_rules[first.rule]
        return (
            max(self._built[key], self._counts.get((first.rule, first.verdict), 0) - waived) - self._told[key]
        )

    def _per_rule(self, sizes: list[int], budget: int) -> int:
        """Return how many findings each rule shows: the most with which all fit the budget."""
        if self._context.terminal.limit is not None:
            return self._context.terminal.limit or max(sizes, default=0)
        most = max(sizes, default=0)
        if sum(sizes) <= budget:
            return most
        return max((n for n in range(1, 11) if sum(min(size, n) for size in sizes) <= budget), default=1)

    def _group(self, group: Worst, most: int, unknown: bool) -> None:
        findings = group.sorted()
        size = self._size(group)
        self._header(findings[0], size, unknown)
        for finding in findings[:most]:
            self._line("")
            (self._unknown if unknown else self._failure)(finding)
        more = size - sum(self._weight(finding) for finding in findings[:most])
        if more > 0:
            self._line("")
            how = "`--limit 0` shows all, `--compact` one a line"
            self._prose("  ", f"... and {more:,} more of `{findings[0].rule}`: {how}", "dim")
        self._line("")

    def _weight(self, finding: Finding) -> int:
        """Return how many findings of its rule a frame stands for."""
        cause = self._together.get((is_unknown(finding), finding.id))
        return 1 if cause is None else cause.number

    def _header(self, finding: Finding, count: int, unknown: bool) -> None:
        paint, rule = self._paint, self._context.rules.get(finding.rule)
        label = "not determined" if unknown else finding.severity
        page = next(iter(rule.references), None) if rule else None
        head = paint("unknown" if unknown else finding.severity, label)
        name = paint.link(page, paint("bold", finding.rule))
        title = visible(finding.title)
        self._line(
            f"{head} {name} {paint('dim', f'[{finding.family}]')} {paint('dim', plural(count, 'resource'))}"
        )
        self._prose("  ", title, "bold")
        if rule is not None and not unknown:
            self._prose("  = why: ", cut(visible(" ".join(rule.why.split())), SENTENCE_LIMIT))
            self._prose("  = fix: ", cut(visible(" ".join(rule.fix.split())), SENTENCE_LIMIT))

    def _failure(self, finding: Finding) -> None:
        self._place(finding)
        self._frame(finding, cut(visible(finding.message), MESSAGE_LIMIT), finding.severity)
        witness = finding.witness
        first = finding.evidence[0] if finding.evidence else None
        told = witness is not None and (
            witness.action in finding.message or (first is not None and _told(first, finding.message))
        )
        self._evidence(finding, said=told)
        self._branch(finding)
        if witness is not None and not told:
            request = f"{witness.principal} calls {witness.action} on {witness.resource}"
            context = f" with {show_value(dict(witness.context))}" if witness.context else ""
            self._prose("    = for example: ", cut(visible(request + context), SENTENCE_LIMIT))
        self._with_it(finding)

    def _unknown(self, finding: Finding) -> None:
        self._place(finding)
        self._frame(finding, told(finding, MESSAGE_LIMIT), "unknown")
        first = finding.evidence[0] if finding.evidence else None
        said = first is not None and first.reason == finding.reason and isinstance(first.observed, Unresolved)
        self._evidence(finding, said=said)
        self._branch(finding)
        self._with_it(finding)

    def _with_it(self, finding: Finding) -> None:
        """Write what else has the same cause."""
        cause = self._together.get((is_unknown(finding), finding.id))
        if cause is not None and finding.cause is not None and "#" not in finding.cause:
            self._prose("    = cause: ", visible(cut(finding.cause, EXPECTED_LIMIT)))
        if cause is not None and cause.resources:
            self._prose("    = the same for: ", cause.resources_text())
        if cause is not None and cause.others:
            self._prose("    = same cause: ", cause.rules_text())

    def _place(self, finding: Finding) -> None:
        at = finding.location
        target = None
        if at is not None and (path := self._context.source.absolute(at.file)) is not None:
            target = f"file://{path}"
        arrow = self._paint("gutter", "-->")
        shown = self._paint.link(target, place(finding))
        name = f"{resource_name(finding, NAME_LIMIT)}  (id {finding.id[:SHORT_ID]})"
        if display_width(place(finding)) + display_width(name) + 8 <= self._width:
            self._line(f"  {arrow} {shown}  {self._paint('dim', name)}")
        else:
            self._line(f"  {arrow} {shown}")
            self._prose("      ", name, "dim")

    def _frame(self, finding: Finding, message: str, role: str) -> None:
        at = finding.location
        lines = self._context.source.lines(at.file) if at is not None and at.line is not None else None
        digits = len(str(at.end_line or at.line or 0)) if at is not None else 0
        room = self._width - digits - 5
        framed = frame(lines, at, room) if at is not None and lines is not None else []
        bar = self._paint("gutter", "|")
        said = False
        for item in framed:
            number = "" if item.number is None else str(item.number)
            text = item.text
            if item.is_mark:
                said = display_width(text) + 1 + display_width(message) <= room
                text = self._paint(role, f"{text} {message}" if said else text)
            self._line(f"  {self._paint('gutter', number.rjust(digits))} {bar} {text}")
        if not said:
            self._prose("    ", message, role)

    def _evidence(self, finding: Finding, *, said: bool = False) -> None:
        """Write what was observed and expected; ``said``: the message told already what the first saw."""
        lacking = missing(finding.evidence)
        if lacking:
            self._prose("    = missing: ", lacking)
            return
        shown = finding.evidence[:MAX_EVIDENCE]
        for index, evidence in enumerate(shown):
            if evidence.path[-1:] == (PROPOSAL,):
                self._prose("    = proposal: ", visible(cut(str(evidence.observed), SENTENCE_LIMIT * 2)))
            elif (index or not said) and not _told(evidence, finding.message):
                path = visible(cut(".".join(str(step) for step in evidence.path), 200))
                self._prose("    = observed: ", f"{observed(evidence)}{f' at {path}' if path else ''}")
            if index + 1 == len(shown) or shown[index + 1].expected != evidence.expected:
                self._prose("    = expected: ", visible(cut(evidence.expected, EXPECTED_LIMIT)))
        more = len(finding.evidence) - MAX_EVIDENCE
        if more > 0:
            how = f"`policyengine explain {finding.id[:SHORT_ID]}` shows all"
            self._prose("    ", f"... and {plural(more, 'more value')}: {how}", "dim")

    def _branch(self, finding: Finding) -> None:
        if finding.branch:
            terms = (
                f"{visible(name)} is {str(value).lower()}" for name, value in sorted(finding.branch.items())
            )
            self._prose("    = when: ", " and ".join(terms))

    def _prose(self, lead: str, text: str, role: str | None = None) -> None:
        for line in wrap(text, max(20, self._width - len(lead))):
            self._line(lead + (self._paint(role, line) if role else line))
            lead = " " * len(lead)

    def _line(self, text: str) -> None:
        self._out.write(output_line(text, self._context.terminal))


def output_line(text: str, options: TerminalOptions) -> str:
    """Return a finished line: no CI commands in it, and only ASCII where nothing else can be shown."""
    line = without_log_commands(text)
    if not options.unicode:
        line = line.replace("…", "...").encode("ascii", "backslashreplace").decode("ascii")
    return line + "\n"


def _told(evidence: Evidence, message: str) -> bool:
    """Say whether the message has told in a sentence what was observed: a request, or what is at no place."""
    seen = evidence.observed
    return (evidence.reason in _REQUESTS or not evidence.path) and isinstance(seen, str) and seen in message


def missing(evidence: Sequence[Evidence]) -> str:
    """Return in one line what several pieces of evidence found nothing of; empty when that is not all."""
    if len(evidence) < 2 or any(e.observed is not ABSENT or e.provenance or not e.path for e in evidence):
        return ""
    texts = []
    for one in evidence[:MAX_MISSING]:
        name = str(one.path[-1])
        texts.append(
            one.expected if name in one.expected else f"{'.'.join(map(str, one.path))} ({one.expected})"
        )
    more = len(evidence) - MAX_MISSING
    shown = ", ".join(dict.fromkeys(texts)) + (f" and {more:,} more" if more > 0 else "")
    return visible(cut(shown, SENTENCE_LIMIT))


def _group_key(group: Worst) -> tuple[int, str, str]:
    first = group.first()
    return (SEVERITY_RANK[first.severity], first.family, first.rule)


class CompactReport:
    """``--format terminal --compact``: ``file:line:column: severity rule resource: message``, streamed."""

    def __init__(self, out: TextIO, context: Context) -> None:
        self._out = out
        self._context = context
        self._paint = Paint(context.terminal)
        self._tally = Tally()

    def begin(self, run: RunInfo) -> None:
        """Nothing comes before the findings."""

    def add(self, finding: Finding) -> None:
        """Write an open FAIL or an UNKNOWN on one line, and a waived one when asked."""
        self._tally.add(finding)
        unknown = is_unknown(finding)
        if finding.waiver is not None and self._context.terminal.show_waived:
            label = self._paint("dim", "baseline" if is_debt(finding) else "waived")
            text = f"{told(finding, 400)} ({waiver_text(finding)})"
            line = f"{place(finding)}: {label} {finding.rule} {resource_name(finding)}: {text}"
            self._out.write(output_line(line, self._context.terminal))
        if not (unknown or is_open(finding)):
            return
        label = (
            self._paint("unknown", "unknown") if unknown else self._paint(finding.severity, finding.severity)
        )
        line = f"{place(finding)}: {label} {finding.rule} {resource_name(finding)}: {told(finding, 400)}"
        self._out.write(output_line(line, self._context.terminal))

    def end(self, run: RunInfo) -> None:
        """Write the summary."""
        if run.verdicts is not None:
            self._tally.correct(run.verdicts, self._context.rules)
        for line in summary_lines(self._tally, run, self._paint, self._context.terminal):
            self._out.write(output_line(line, self._context.terminal))
