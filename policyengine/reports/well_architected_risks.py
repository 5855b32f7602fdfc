"""Risks by pillar of the Well-Architected Framework, and the plan that orders what to do about them.

**Risk.** AWS calls what a review finds high risk issues (HRIs: "choices that may cause significant negative impact to a
business") and medium risk issues (MRIs: "to a lesser extent")
(https://docs.aws.amazon.com/wellarchitected/latest/userguide/identify-and-understand-risks.html). Here an **issue** is
a rule that fails somewhere without a waiver, and its risk follows from the rule's severity: critical and high are HIGH,
medium is MEDIUM, low is LOW (ours: AWS has no third level). Waived failures are counted as accepted and UNKNOWN as
unknown, beside the issues and never as their absence.

**Effort.** :func:`effort` estimates it in points; one point is one change made by hand. It orders a plan and is no
estimate of hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, Literal, Protocol

from policyengine.model.finding import Finding
from policyengine.model.reasons import (
    FAIL,
    NOT_APPLICABLE,
    PILLARS,
    SEVERITIES,
    UNKNOWN,
    VERDICT_OF,
    VERDICTS,
)
from policyengine.reports.tally import is_accepted

Risk = Literal["high", "medium", "low"]
RISKS: Final[tuple[Risk, ...]] = ("high", "medium", "low")
RISK_OF: Final[Mapping[str, Risk]] = {"critical": "high", "high": "high", "medium": "medium", "low": "low"}
"""severity -> risk."""

Means = Literal["automatic", "approval", "plan", "remediation", "hand"]
MEANS_WORDS: Final[Mapping[Means, str]] = {
    "automatic": "a remediation that may run by itself",
    "approval": "a remediation that waits for approval",
    "plan": "a remediation that only proposes",
    "remediation": "a remediation",
    "hand": "by hand",
}
"""How something can be repaired. ``remediation`` is one of which it is not known how it runs."""
_PER_CHANGE: Final[Mapping[Means, int]] = {
    "automatic": 1, "approval": 2, "plan": 10, "remediation": 2, "hand": 20,
}  # fmt: skip
_PER_ACCOUNT: Final[Mapping[Means, int]] = {
    "automatic": 5, "approval": 5, "plan": 10, "remediation": 5, "hand": 20,
}  # fmt: skip
_ONE_POINT: Final = 20
SMALL: Final = 5
MEDIUM: Final = 50
"""Points up to which effort is called small, and medium."""

MAX_ROWS: Final = 50_000
"""Distinct rows kept before they are added up."""
MAX_CAUSES: Final = 200_000
"""Causes that are told apart; beyond them every finding counts as a change of its own, so memory is bounded."""


class RiskRule(Protocol):
    """What is needed of a rule; :class:`~policyengine.reports.base.RuleInfo` is one."""

    @property
    def title(self) -> str:
        """Its title."""

    @property
    def pillar(self) -> str:
        """Its pillar."""

    @property
    def severity(self) -> str:
        """Its severity."""


class RunFacts(Protocol):
    """What is needed of a rule as a run used it; :class:`~policyengine.store.rows.RuleFacts` is one."""

    @property
    def severity(self) -> str:
        """Its severity in the run."""

    @property
    def remediation(self) -> str | None:
        """The id of its remediation."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What repairing a rule's open failures takes; ``level`` is small, medium or large."""

    points: int
    level: str
    means: Means
    changes: int
    accounts: int


def effort(means: Means, changes: int, accounts: int) -> Effort:
    """Return the effort of ``changes`` in ``accounts``: (changes x a + accounts x b) / 20, rounded up.

    (a, b) is (20, 20) by hand, (10, 10) where a remediation proposes, (2, 5) where it waits for approval and (1, 5)
    where it runs by itself. ``changes`` are places to change: findings with the same cause are one.
    """
    points = -(-(changes * _PER_CHANGE[means] + accounts * _PER_ACCOUNT[means]) // _ONE_POINT)
    level = "small" if points <= SMALL else "medium" if points <= MEDIUM else "large"
    return Effort(points, level, means, changes, accounts)


@dataclass(frozen=True, slots=True)
class RuleRisk:
    """What a run says of one rule. ``accounts`` are those where it fails without a waiver."""

    rule: str
    title: str
    pillar: str
    severity: str
    risk: Risk
    verdicts: Mapping[str, int]
    waived: int
    accounts: int
    changes: int
    remediation: str | None

    @property
    def open(self) -> int:
        """FAILs that nobody has accepted."""
        return self.verdicts[FAIL] - self.waived


@dataclass(frozen=True, slots=True)
class RiskCounts:
    """``issues``: rules that fail without a waiver; ``findings``: their FAILs; ``accepted``: FAILs with a waiver;
    ``unknown``: verdicts that could not be determined."""

    issues: int = 0
    findings: int = 0
    accepted: int = 0
    unknown: int = 0

    def __add__(self, other: RiskCounts) -> RiskCounts:
        return RiskCounts(
            self.issues + other.issues,
            self.findings + other.findings,
            self.accepted + other.accepted,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True, slots=True)
class PillarRisk:
    """One pillar. It is ``assessed`` where a rule of it applied to something; what rules cannot judge of a pillar
    (people, processes, architecture) is never assessed. ``rules``: how many applied to something."""

    pillar: str
    assessed: bool
    rules: int
    verdicts: Mapping[str, int]
    waived: int
    risks: Mapping[Risk, RiskCounts]


@dataclass(frozen=True, slots=True)
class AccountRisk:
    """One account; None for code that is bound to none."""

    account: str | None
    verdicts: Mapping[str, int]
    waived: int
    risks: Mapping[Risk, RiskCounts]


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One step of the plan: a rule to satisfy. ``quick_win``: high risk and small effort."""

    rank: int
    rule: RuleRisk
    effort: Effort

    @property
    def quick_win(self) -> bool:
        """Whether much is gained for little."""
        return self.rule.risk == "high" and self.effort.level == "small"


@dataclass(frozen=True, slots=True)
class RiskReport:
    """All of it. ``pillars`` has every pillar of the framework, in its order; ``rules`` every rule with a verdict."""

    pillars: Sequence[PillarRisk]
    accounts: Sequence[AccountRisk]
    rules: Sequence[RuleRisk]
    plan: Sequence[PlanItem]
    totals: Mapping[Risk, RiskCounts]


@dataclass
class _Place:
    """One rule in one account."""

    open: int = 0
    waived: int = 0
    unknown: int = 0


@dataclass
class _Rule:
    severity: str
    verdicts: Counter[str] = field(default_factory=Counter)
    remediation: str | None = None
    changes: int = 0
    places: dict[str | None, _Place] = field(default_factory=dict)


class RiskTally:
    """Counts risks. ``rules``: id -> what is known of it (a rule without an entry has the pillar ``""``);
    ``modes``: remediation id -> ``automatic``, ``approval`` or ``plan``."""

    def __init__(self, rules: Mapping[str, RiskRule], modes: Mapping[str, str] | None = None) -> None:
        self._rules = rules
        self._modes = modes or {}
        self._found: dict[str, _Rule] = {}
        self._accounts: Counter[tuple[str | None, str]] = Counter()
        self._causes: set[int] = set()
        self._rows: Counter[tuple[str | None, tuple[str, ...], str, tuple[str, ...]]] = Counter()
        self._fewer: Counter[str] = Counter()
        self._facts: Mapping[str, RunFacts] = {}

    def add(self, finding: Finding) -> None:
        """Count one finding; findings may come in any order."""
        self.count(
            finding.rule, finding.severity, finding.verdict, finding.account,
            waived=is_accepted(finding.waiver), cause=finding.cause, remediation=finding.remediation,
        )  # fmt: skip

    def count(
        self,
        rule: str,
        severity: str,
        verdict: str,
        account: str | None,
        number: int = 1,
        *,
        waived: bool = False,
        cause: str | None = None,
        remediation: str | None = None,
    ) -> None:
        """Count ``number`` verdicts of a rule in an account; ``cause``: what has to change, once for all with it."""
        found = self._found.get(rule)
        if found is None:
            found = self._found[rule] = _Rule(severity)
        found.verdicts[verdict] += number
        self._accounts[account, verdict] += number
        if verdict not in (FAIL, UNKNOWN):
            return
        place = found.places.setdefault(account, _Place())
        if verdict == UNKNOWN:
            place.unknown += number
        elif waived:
            place.waived += number
        else:
            place.open += number
            found.remediation = found.remediation or remediation
            found.changes += number if cause is None else self._is_new(rule, cause)

    def add_row(
        self,
        account: str | None,
        rules: Sequence[str],
        letters: str,
        details: Sequence[Mapping[str, Any]],
        facts: Mapping[str, RunFacts],
    ) -> None:
        """Count one resource as a run directory keeps it: a letter for each of ``rules``, ``-`` for one not asked.

        ``details`` are those of its FAILs and UNKNOWNs (``rule``, ``waiver``, ``cause``); ``facts``: what the run says of
        each rule. The same as :meth:`count` for each letter, without the time that takes.
        """
        waived: list[str] = []
        for detail in details:
            if is_accepted(detail.get("waiver")):
                waived.append(detail["rule"])
            elif (cause := detail.get("cause")) is not None and not self._is_new(detail["rule"], cause):
                self._fewer[detail["rule"]] += 1
        self._facts = facts
        self._rows[account, tuple(rules), letters, tuple(waived)] += 1
        if len(self._rows) > MAX_ROWS:
            self._add_up()

    def _add_up(self) -> None:
        for (account, rules, letters, waived), number in self._rows.items():
            for rule, letter in zip(rules, letters, strict=True):
                if letter == "-":
                    continue
                facts = self._facts[rule]
                self.count(
                    rule, facts.severity, VERDICT_OF[letter], account, number,
                    waived=rule in waived, remediation=facts.remediation,
                )  # fmt: skip
        self._rows.clear()
        for rule, number in self._fewer.items():
            self._found[rule].changes -= number
        self._fewer.clear()

    def _is_new(self, rule: str, cause: str) -> bool:
        # not hash(): a collision must not depend on the process
        text = f"{rule}\0{cause}".encode("utf-8", "surrogatepass")
        key = int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
        if key in self._causes:
            return False
        if len(self._causes) < MAX_CAUSES:
            self._causes.add(key)
        return True

    def results(self) -> RiskReport:
        """Return the report; what has the same rank is in the order of ids."""
        self._add_up()
        rules = [self._rule(name, self._found[name]) for name in sorted(self._found)]
        pillars = [*PILLARS, *sorted({rule.pillar for rule in rules} - set(PILLARS))]
        return RiskReport(
            pillars=[_pillar(name, [rule for rule in rules if rule.pillar == name]) for name in pillars],
            accounts=self._by_account(),
            rules=rules,
            plan=plan_of(rules, self._modes),
            totals=_risks(rules),
        )

    def _rule(self, name: str, found: _Rule) -> RuleRisk:
        known = self._rules.get(name)
        return RuleRisk(
            rule=name,
            title=known.title if known else "",
            pillar=known.pillar if known else "",
            severity=found.severity,
            risk=RISK_OF[found.severity],
            verdicts={verdict: found.verdicts[verdict] for verdict in VERDICTS},
            waived=sum(place.waived for place in found.places.values()),
            accounts=sum(place.open > 0 for place in found.places.values()),
            changes=found.changes,
            remediation=found.remediation,
        )

    def _by_account(self) -> list[AccountRisk]:
        risks: dict[str | None, dict[Risk, RiskCounts]] = {account: {} for account, _ in self._accounts}
        waived: Counter[str | None] = Counter()
        for found in self._found.values():
            risk = RISK_OF[found.severity]
            for account, place in found.places.items():
                counts = RiskCounts(int(place.open > 0), place.open, place.waived, place.unknown)
                risks[account][risk] = risks[account].get(risk, RiskCounts()) + counts
                waived[account] += place.waived
        return [
            AccountRisk(
                account=account,
                verdicts={verdict: self._accounts[account, verdict] for verdict in VERDICTS},
                waived=waived[account],
                risks={risk: risks[account].get(risk, RiskCounts()) for risk in RISKS},
            )
            for account in sorted(risks, key=lambda name: name or "")
        ]


def _pillar(name: str, rules: Sequence[RuleRisk]) -> PillarRisk:
    verdicts = {v: sum(rule.verdicts[v] for rule in rules) for v in VERDICTS}
    applied = [rule for rule in rules if any(rule.verdicts[v] for v in VERDICTS if v != NOT_APPLICABLE)]
    return PillarRisk(
        name, bool(applied), len(applied), verdicts, sum(rule.waived for rule in rules), _risks(rules)
    )


def _risks(rules: Sequence[RuleRisk]) -> dict[Risk, RiskCounts]:
    found: dict[Risk, RiskCounts] = {risk: RiskCounts() for risk in RISKS}
    for rule in rules:
        found[rule.risk] += RiskCounts(int(rule.open > 0), rule.open, rule.waived, rule.verdicts[UNKNOWN])
    return found


def plan_of(rules: Sequence[RuleRisk], modes: Mapping[str, str]) -> list[PlanItem]:
    """Return the plan: by risk, then severity, then least effort, then most findings, then rule id."""
    items = [(rule, effort(_means(rule, modes), rule.changes, rule.accounts)) for rule in rules if rule.open]
    items.sort(
        key=lambda item: (
            RISKS.index(item[0].risk),
            -SEVERITIES.index(item[0].severity),
            item[1].points,
            -item[0].open,
            item[0].rule,
        )
    )
    return [PlanItem(rank, rule, cost) for rank, (rule, cost) in enumerate(items, start=1)]


def _means(rule: RuleRisk, modes: Mapping[str, str]) -> Means:
    if rule.remediation is None:
        return "hand"
    found: Mapping[str, Means] = {"automatic": "automatic", "approval": "approval", "plan": "plan"}
    return found.get(modes.get(rule.remediation, ""), "remediation")
