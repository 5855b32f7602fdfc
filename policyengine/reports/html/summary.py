"""Section 2: counts by verdict, severity, family and pillar."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from policyengine.model.reasons import FAMILIES, PILLARS, SEVERITIES
from policyengine.reports.base import RuleInfo
from policyengine.reports.html.counts import STATUSES, Counts
from policyengine.reports.html.data import OPEN, UNDETERMINED


class Line(NamedTuple):
    """Counts of one severity, family or pillar: by status, and where each piece of a bar begins and how wide it is."""

    name: str
    counts: Sequence[int]
    bar: Sequence[tuple[int, float, float]]

    @property
    def total(self) -> int:
        """All findings of the line."""
        return sum(self.counts)


def bar(counts: Sequence[int]) -> list[tuple[int, float, float]]:
    """Return (status, start, width) in percent; what occurs at all is at least half a percent wide."""
    total = sum(counts)
    if not total:
        return []
    widths = [max(0.5, 100 * number / total) if number else 0.0 for number in counts]
    scale = 100 / sum(widths)
    found, at = [], 0.0
    for status, width in enumerate(widths):
        if width:
            found.append((status, round(at, 2), round(width * scale, 2)))
            at += width * scale
    return found


def line(name: str, counts: Sequence[int]) -> Line:
    """Return a line with its bar."""
    return Line(name, counts, bar(counts))


def tables(counts: Counts, rules: Mapping[str, RuleInfo]) -> list[dict[str, Any]]:
    """Return the three tables: by severity, by family, by pillar."""
    severities = {name: counts.severities.get(name, [0] * STATUSES) for name in reversed(SEVERITIES)}
    families = _by(counts, lambda rule: _family(counts, rules, rule))
    pillars = _by(counts, lambda rule: rules[rule].pillar if rule in rules else "")
    return [
        {
            "title": "By severity",
            "head": "Severity",
            "lines": [line(n, c) for n, c in severities.items() if sum(c)],
        },
        {"title": "By family", "head": "Family", "lines": _worst_first(families, FAMILIES)},
        {"title": "By pillar", "head": "Well-Architected pillar", "lines": _worst_first(pillars, PILLARS)},
    ]


def _family(counts: Counts, rules: Mapping[str, RuleInfo], rule: str) -> str:
    if rule in rules:
        return rules[rule].family
    return counts.named[rule].family if rule in counts.named else ""


def _by(counts: Counts, group: Callable[[str], str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for rule, numbers in counts.rules.items():
        sums = found.setdefault(group(rule), [0] * STATUSES)
        for status, number in enumerate(numbers):
            sums[status] += number
    return found


def _worst_first(found: Mapping[str, list[int]], order: Sequence[str]) -> list[Line]:
    rank = {name: at for at, name in enumerate(order)}
    named = sorted(
        found.items(),
        key=lambda pair: (-pair[1][OPEN], -pair[1][UNDETERMINED], rank.get(pair[0], len(rank)), pair[0]),
    )
    return [line(name or "not said", numbers) for name, numbers in named]
