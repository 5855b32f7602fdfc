"""Counts over the findings of a page, and the few findings that its static part shows."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, SEVERITIES, UNKNOWN
from policyengine.reports.base import RuleInfo
from policyengine.reports.html.data import EXCLUDED, OPEN, PASSED, UNDETERMINED, WAIVED, status_of
from policyengine.reports.places import place
from policyengine.reports.tally import is_debt
from policyengine.reports.text import cut, visible
from policyengine.reports.worst import Worst

STATUSES: Final = 5
EXAMPLES: Final = (3, 1, 1)
"""Findings that a rule's page names, by status."""
WORST_FAILED, WORST_UNKNOWN = 60, 20
_KINDS: Final = 3
NAME_LIMIT: Final = 120


class Example(NamedTuple):
    """A resource that a rule's page names: ``status`` as in :mod:`policyengine.reports.html.data`."""

    status: int
    type: str
    name: str
    where: str
    message: str
    id: str


class Cell(NamedTuple):
    """Findings of one account: open FAILs, UNKNOWN, and everything else."""

    open: int
    unknown: int
    rest: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.open + self.unknown + self.rest


class Counts:
    """Takes every finding once."""

    def __init__(self) -> None:
        self.rules: dict[str, list[int]] = {}
        """rule -> how many findings have each status."""
        self.severities: dict[str, list[int]] = {}
        self.named: dict[str, Finding] = {}
        """The first finding of each rule: what is known of a rule that the context lacks."""
        self.reasons: Counter[str] = Counter()
        self.baseline: Counter[str] = Counter()
        self.examples: dict[str, list[Example]] = {}
        self.failed, self.undetermined = Worst(WORST_FAILED), Worst(WORST_UNKNOWN)
        self.fed = 0
        self._accounts: dict[str, array[int]] = {}
        self._order: dict[str, int] = {}

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        rule, status = finding.rule, status_of(finding)
        self.fed += 1
        if rule not in self.rules:
            self.rules[rule] = [0] * STATUSES
            self.named[rule] = finding
            self._order[rule] = len(self._order)
        self.rules[rule][status] += 1
        self.severities.setdefault(finding.severity, [0] * STATUSES)[status] += 1
        self._of_account(finding.account or "", self._order[rule], status)
        if status <= WAIVED:
            self._told(finding, status)

    def _of_account(self, account: str, rule: int, status: int) -> None:
        cells = self._accounts.get(account)
        if cells is None:
            cells = self._accounts[account] = array("I")
        at = rule * _KINDS
        if len(cells) <= at:
            cells.extend([0] * (at + _KINDS - len(cells)))
        cells[at + (status if status <= UNDETERMINED else _KINDS - 1)] += 1

    def _told(self, finding: Finding, status: int) -> None:
        if status == OPEN:
            self.failed.add(finding)
        elif status == UNDETERMINED:
            self.reasons[finding.reason] += 1
            self.undetermined.add(finding)
        if status == OPEN and is_debt(finding):
            self.baseline[finding.rule] += 1
        examples = self.examples.setdefault(finding.rule, [])
        if sum(1 for example in examples if example.status == status) < EXAMPLES[status]:
            examples.append(example_of(finding, status))

    def correct(self, exact: Mapping[tuple[str, str], int], rules: Mapping[str, RuleInfo]) -> None:
        """Take exact counts by (rule, verdict), for a page that was given only some of the findings.

        Waived FAILs are always given, so they are subtracted as counted. Counts by severity follow the rules' own.
        """
        if self.fed == sum(exact.values()):
            return
        waived = {rule: counts[WAIVED] for rule, counts in self.rules.items()}
        self.rules, self.severities = {}, {}
        for (rule, verdict), number in exact.items():
            accepted = min(waived.get(rule, 0), number) if verdict == FAIL else 0
            at = {FAIL: OPEN, UNKNOWN: UNDETERMINED, PASS: PASSED, NOT_APPLICABLE: EXCLUDED}[verdict]
            severity = rules[rule].severity if rule in rules else self.severity_of(rule)
            for counts in (
                self.rules.setdefault(rule, [0] * STATUSES),
                self.severities.setdefault(severity, [0] * STATUSES),
            ):
                counts[at] += number - accepted
                counts[WAIVED] += accepted

    def severity_of(self, rule: str) -> str:
        """Return the severity that the first finding of a rule has; the worst where there was none."""
        return self.named[rule].severity if rule in self.named else SEVERITIES[-1]

    @property
    def totals(self) -> list[int]:
        """How many findings have each status."""
        found = [0] * STATUSES
        for counts in self.rules.values():
            for status, number in enumerate(counts):
                found[status] += number
        return found

    @property
    def accounts(self) -> list[str]:
        """Every account that was given, "" for findings without one."""
        return list(self._accounts)

    def account(self, account: str) -> Cell:
        """Return the findings of an account for all rules together."""
        cells = self._accounts[account]
        return Cell(*(sum(cells[kind::_KINDS]) for kind in range(_KINDS)))

    def cell(self, account: str, rules: Sequence[str]) -> Cell:
        """Return the findings of an account for some rules together."""
        cells = self._accounts[account]
        found = [0, 0, 0]
        for rule in rules:
            at = self._order.get(rule, len(cells)) * _KINDS
            if at < len(cells):
                for kind in range(_KINDS):
                    found[kind] += cells[at + kind]
        return Cell(*found)


def example_of(finding: Finding, status: int) -> Example:
    """Return a finding as a line of a rule's page."""
    return Example(
        status, finding.resource_type, visible(cut(finding.resource_id, NAME_LIMIT)),
        cut(place(finding), NAME_LIMIT), visible(cut(finding.message, 200)), finding.id,
    )  # fmt: skip
