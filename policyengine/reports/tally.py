"""Counts over findings: the summary of every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, FAMILIES, SEVERITIES, UNKNOWN, VERDICTS


class RuleLike(Protocol):
    """What the counts need of a rule."""

    @property
    def severity(self) -> str:
        """Its severity."""

    @property
    def family(self) -> str:
        """Its family."""


def is_debt(finding: Finding) -> bool:
    """Whether a FAIL is in the baseline: it was there when the project began, and nobody has accepted it."""
    return finding.waiver is not None and finding.waiver.get("kind") == "baseline"


def is_accepted(waiver: Mapping[str, Any] | None) -> bool:
    """Whether a FAIL that carries this was accepted by a person: what is in the baseline was not."""
    return waiver is not None and waiver.get("kind") != "baseline"


def accepted_text(waived: int, debt: int) -> list[str]:
    """Return how many failures were accepted and how many are the baseline's, of ``waived`` together."""
    parts = [f"{waived - debt:,} waived"] if waived > debt else []
    return [*parts, f"{debt:,} in the baseline"] if debt else parts


class Tally:
    """Counts by verdict, and of unwaived FAILs by severity, family and rule; of UNKNOWN by reason."""

    __slots__ = ("debt", "families", "reasons", "rules", "severities", "verdicts", "waived", "waived_rules")

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.severities: Counter[str] = Counter()
        self.families: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.waived = 0
        self.debt = 0
        """Those of :attr:`waived` that nobody accepted: they stand in the baseline."""
        self.waived_rules: Counter[str] = Counter()

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        verdict = finding.verdict
        self.verdicts[verdict] += 1
        if verdict == FAIL:
            if finding.waiver is not None:
                self.waived += 1
                self.waived_rules[finding.rule] += 1
                self.debt += is_debt(finding)
                return
            self.severities[finding.severity] += 1
            self.families[finding.family] += 1
            self.rules[finding.rule] += 1
        elif verdict == UNKNOWN:
            self.reasons[finding.reason] += 1

    def add_verdicts(self, counts: Mapping[tuple[str, bool], int]) -> None:
        """Count findings by (verdict, whether it is waived): all that :meth:`summary` needs."""
        for (verdict, waived), number in counts.items():
            self.verdicts[verdict] += number
            self.waived += number if waived and verdict == FAIL else 0

    def correct(self, counts: Mapping[tuple[str, str], int], rules: Mapping[str, RuleLike]) -> None:
        """Take exact counts by (rule, verdict), for a report that was given only some of the findings.

        Waived FAILs are always given, so they are subtracted as counted.
        """
        self.verdicts, self.severities, self.families = Counter(), Counter(), Counter()
        waived = self.waived_rules
        for (rule, verdict), number in counts.items():
            self.verdicts[verdict] += number
            if verdict == FAIL:
                unwaived = number - waived[rule]
                self.rules[rule] = unwaived
                if rule in rules:
                    self.severities[rules[rule].severity] += unwaived
                    self.families[rules[rule].family] += unwaived

    @property
    def open(self) -> int:
        """FAILs without a waiver."""
        return self.verdicts[FAIL] - self.waived

    def summary(self) -> dict[str, int]:
        """Return the contract's summary object; WAIVED are counted in FAIL too."""
        return {**{name: self.verdicts[name] for name in VERDICTS}, "WAIVED": self.waived}

    def by_severity(self) -> list[tuple[str, int]]:
        """Return (severity, count) of what occurs, worst first."""
        return [(name, self.severities[name]) for name in reversed(SEVERITIES) if self.severities[name]]

    def by_family(self) -> list[tuple[str, int]]:
        """Return (family, count) of what occurs, most first."""
        found = [(name, self.families[name]) for name in FAMILIES if self.families[name]]
        return sorted(found, key=lambda pair: -pair[1])

    def by_reason(self) -> list[tuple[str, int]]:
        """Return (reason code, count) of the UNKNOWN findings, most first."""
        return sorted(self.reasons.items(), key=lambda pair: (-pair[1], pair[0]))
