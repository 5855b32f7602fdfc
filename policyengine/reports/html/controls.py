"""Section 3 and the annex: a table of controls per framework, a page for each control, a page for each rule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from policyengine.model.reasons import FAIL
from policyengine.reports.base import SEVERITY_RANK, Context
from policyengine.reports.controls import STATUSES, ControlResult
from policyengine.reports.extras import Remains
from policyengine.reports.html.counts import STATUSES as KINDS
from policyengine.reports.html.counts import Counts, Example
from policyengine.reports.html.data import OPEN, UNDETERMINED, WAIVED

STATIC_TEXT: Final = 150_000
"""Characters of rule texts that stand on the page for readers without a script; the worst rules first."""
STATIC_RULES: Final = 200
"""Rules that have a page of their own there; the others are a line each."""
SHOWN_RULES: Final = 6
"""Rules of a control that have a line of their own, the worst; the others are added up."""
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]")


class RuleLine(NamedTuple):
    """A rule of a control: its share of the population by status."""

    rule: str
    decides: str
    counts: Sequence[int]


class ControlPage(NamedTuple):
    """A control. ``counts`` by status add up to the population: those of ``rules`` and of what is left together.
    ``idle`` are its rules that had nothing to judge."""

    anchor: str
    result: ControlResult
    counts: Sequence[int]
    rules: Sequence[RuleLine]
    left: int
    left_counts: Sequence[int]
    idle: Sequence[str]
    remains: Remains | None

    @property
    def judged(self) -> bool:
        """Tell whether any of its rules judged anything."""
        return bool(self.rules)


class FrameworkPage(NamedTuple):
    """A framework with its controls; ``statuses``: status -> how many controls."""

    id: str
    title: str
    version: str
    source: str
    note: str
    statuses: Mapping[str, int]
    controls: Sequence[ControlPage]
    undecided: Sequence[str]
    """Controls that no rule speaks of: people assess them."""


class RulePage(NamedTuple):
    """A rule. ``text`` is None where it does not stand on the static page."""

    id: str
    title: str
    severity: str
    family: str
    pillar: str
    why: str
    fix: str
    references: Sequence[str]
    remediation: str
    counts: Sequence[int]
    examples: Sequence[Example]
    controls: Mapping[str, Sequence[tuple[str, str]]]
    """framework -> (control, whole or part)"""
    text: str | None
    has_text: bool
    full: bool
    """Whether it has a page of its own on the static page."""

    @property
    def quiet(self) -> bool:
        """Tell whether nothing fails and everything is known: such a rule is one line."""
        return not any(self.counts[: WAIVED + 1])


def anchored(text: str) -> str:
    """Return text as a part of an anchor."""
    return _ODD.sub("_", text)


def anchor(framework: str, control: str) -> str:
    """Return the id of a control's page."""
    return f"control-{anchored(framework)}-{anchored(control)}"


def _by_status(result: ControlResult) -> list[int]:
    verdicts = result.verdicts
    return [
        verdicts[FAIL] - result.waived, verdicts["UNKNOWN"], result.waived, verdicts["PASS"], verdicts["NOT_APPLICABLE"]
    ]  # fmt: skip


def framework_pages(
    results: Sequence[ControlResult], context: Context, counts: Counts
) -> list[FrameworkPage]:
    """Return the frameworks in the order of the results."""
    found: dict[str, list[ControlResult]] = {}
    for result in results:
        found.setdefault(result.framework, []).append(result)
    return [_framework(name, members, context, counts) for name, members in found.items()]


def _framework(
    name: str, results: Sequence[ControlResult], context: Context, counts: Counts
) -> FrameworkPage:
    info = context.extras.frameworks[name]
    numbers = Counter(result.status for result in results)
    return FrameworkPage(
        id=name,
        title=info.title,
        version=info.version,
        source=info.source,
        note=info.note,
        statuses={status: numbers[status] for status in STATUSES if numbers[status]},
        controls=[
            _control(result, counts, info.remains.get(result.control)) for result in results if result.rules
        ],
        undecided=[result.control for result in results if not result.rules],
    )


def _control(result: ControlResult, counts: Counts, remains: Remains | None) -> ControlPage:
    lines = [
        RuleLine(rule, decides, counts.rules[rule]) for rule, decides in result.rules if rule in counts.rules
    ]
    lines.sort(key=lambda line: (-line.counts[OPEN], -line.counts[UNDETERMINED], line.rule))
    idle = [rule for rule, _ in result.rules if rule not in counts.rules]
    left = lines[SHOWN_RULES:]
    sums = [sum(numbers) for numbers in zip(*(line.counts for line in left), strict=True)]
    name = anchor(result.framework, result.control)
    return ControlPage(name, result, _by_status(result), lines[:SHOWN_RULES], len(left), sums, idle, remains)


def rule_pages(context: Context, counts: Counts) -> list[RulePage]:
    """Return the rules that judged anything: the worst severity first, then the most failures."""
    ranked = sorted(counts.rules, key=lambda rule: _rank(rule, context, counts))
    room = STATIC_TEXT
    pages: list[RulePage] = []
    for rule in ranked:
        page = _rule(rule, context, counts)
        page = page._replace(full=not page.quiet and len(pages) < STATIC_RULES)
        text = context.extras.rule_texts.get(rule)
        if text is not None and page.full and len(text) <= room:
            room -= len(text)
            page = page._replace(text=text)
        pages.append(page)
    return pages


def _rank(rule: str, context: Context, counts: Counts) -> tuple[bool, bool, int, int, str]:
    numbers = counts.rules[rule]
    severity = context.rules[rule].severity if rule in context.rules else counts.severity_of(rule)
    return (not any(numbers[: WAIVED + 1]), not numbers[OPEN], SEVERITY_RANK[severity], -numbers[OPEN], rule)


def _rule(rule: str, context: Context, counts: Counts) -> RulePage:
    info, first = context.rules.get(rule), counts.named.get(rule)
    mapped: Mapping[str, Sequence[tuple[str, str]]] = info.frameworks if info else {}
    return RulePage(
        id=rule,
        title=info.title if info else first.title if first else "",
        severity=first.severity if first else info.severity if info else "low",
        family=info.family if info else first.family if first else "",
        pillar=info.pillar if info else "",
        why=" ".join(info.why.split()) if info else "",
        fix=" ".join(info.fix.split()) if info else "",
        references=[link for link in (info.references if info else ()) if link.startswith("https://")],
        remediation=(first.remediation if first else None) or "",
        counts=counts.rules.get(rule, [0] * KINDS),
        examples=sorted(counts.examples.get(rule, []), key=lambda example: example.status),
        controls=mapped,
        text=None,
        has_text=rule in context.extras.rule_texts,
        full=False,
    )
