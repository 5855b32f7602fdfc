"""Findings of one cause told as one: what has to change is the same, so a reader wants to read it once.

A FAIL says itself what its cause is (``Finding.cause``: a policy statement, the SCPs above an account). What
could not be determined has the value that is not known as its cause. Formats for programs keep every finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from policyengine.model.finding import Finding
from policyengine.model.resource import json_pointer
from policyengine.model.values import Unresolved
from policyengine.reports.base import SEVERITY_RANK, is_unknown
from policyengine.reports.text import cut, visible

MOST_CAUSES: Final = 5_000
"""Beyond these, findings are told one by one: memory is bounded."""
MOST_NAMED: Final = 12
NAME_LIMIT: Final = 60


class OfRule(NamedTuple):
    """The findings of one rule that share a cause: the first of them in report order, and how many."""

    first: Finding
    number: int


class Together(NamedTuple):
    """Findings of one cause. ``lead`` is told, ``others`` are the other rules, worst first; ``resources`` the ids
    of resources other than the lead's that its rule fails on."""

    lead: Finding
    number: int
    """How many findings the lead's rule has."""
    others: tuple[OfRule, ...] = ()
    resources: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many findings there are."""
        return self.number + sum(other.number for other in self.others)

    def rules_text(self) -> str:
        """Return the other rules that the cause makes fail, empty where there is none."""
        return _listed([_named(other) for other in self.others], len(self.others))

    def resources_text(self) -> str:
        """Return the other resources, empty where there is none."""
        return _listed([visible(cut(name, NAME_LIMIT)) for name in self.resources], self.number - 1)


def _named(of: OfRule) -> str:
    """Return ``rule-id (high, 5)``: how bad it is where that is known, how often where that is more than once."""
    notes = [] if is_unknown(of.first) else [of.first.severity]
    notes += [f"{of.number:,}"] if of.number > 1 else []
    return f"{of.first.rule} ({', '.join(notes)})" if notes else of.first.rule


def _listed(names: list[str], count: int) -> str:
    more = count - min(len(names), MOST_NAMED)
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {more:,} more" if more > 0 and shown else shown


def cause_of(finding: Finding) -> str | None:
    """Return what findings with the same cause have in common; None for a finding by itself."""
    if not is_unknown(finding):
        return finding.cause
    first = finding.evidence[0] if finding.evidence else None
    if first is None or not first.path or not isinstance(first.observed, Unresolved):
        return None
    return f"{'/'.join(finding.identity)}?{json_pointer(first.path)} {first.observed.describe()}"


class _Cause:
    """What is known of one cause so far: the first finding of each rule, and where each rule fails."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: dict[str, tuple[OfRule, dict[tuple[str, ...], str]]] = {}

    def add(self, finding: Finding) -> None:
        known = self.found.get(finding.rule)
        if known is None:
            self.found[finding.rule] = (OfRule(finding, 1), {finding.identity: finding.resource_id})
            return
        of, names = known
        first = finding if finding.sort_key < of.first.sort_key else of.first
        names[finding.identity] = finding.resource_id
        self.found[finding.rule] = (OfRule(first, of.number + 1), names)

    def together(self) -> Together:
        rules = sorted((of for of, _ in self.found.values()), key=_worst)
        lead = rules[0]
        names = self.found[lead.first.rule][1]
        others = [names[key] for key in sorted(names) if key != lead.first.identity]
        return Together(lead.first, lead.number, tuple(rules[1:]), tuple(others))


def _worst(of: OfRule) -> tuple[int, int, str]:
    return (SEVERITY_RANK[of.first.severity], -of.number, of.first.rule)


class Causes:
    """Collects findings that say their cause."""

    def __init__(self, most: int = MOST_CAUSES) -> None:
        self._most = most
        self._known: dict[str, _Cause] = {}

    def add(self, finding: Finding) -> bool:
        """Take a finding; False where it has no cause, or there are too many already: it is told by itself."""
        cause = cause_of(finding)
        if cause is None:
            return False
        known = self._known.get(cause)
        if known is None:
            if len(self._known) >= self._most:
                return False
            known = self._known[cause] = _Cause()
        known.add(finding)
        return True

    def together(self) -> Iterator[Together]:
        """Yield what belongs together; a finding whose cause no other has is by itself."""
        for cause in self._known.values():
            yield cause.together()
