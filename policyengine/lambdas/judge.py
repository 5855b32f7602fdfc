"""Judging one resource by some rules, again and again, quickly."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from policyengine.catalog.derive import derive
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.lambdas.bundle import Bundle
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.rules.pack import Pack

_WORST_FIRST: Final = (FAIL, UNKNOWN, PASS, NOT_APPLICABLE)
_KEPT: Final = 200
"""Sets of rules whose evaluators are kept between invocations."""


def worst_first(finding: Finding) -> tuple[int, bool, str]:
    """Return what sorts findings: the worst verdict first, what somebody accepts after what nobody does, then by rule."""
    return _WORST_FIRST.index(finding.verdict), finding.waiver is not None, finding.rule


class Judge:
    """Holds the evaluators of the rule sets it was asked about. A World without coverage stands behind them: what is
    not in the resource itself is UNKNOWN, ``not_collected``."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._evaluators: dict[tuple[str, ...], Evaluator] = {}

    def findings(self, resource: Resource, rules: Iterable[str]) -> list[Finding]:
        """Return the findings of rules on a resource, the worst first; rules about other types say nothing."""
        evaluator = self.evaluator(rules)
        derive(resource)
        found = evaluator.judge(resource, World())
        return sorted(found, key=worst_first)

    def evaluator(self, names: Iterable[str]) -> Evaluator:
        """Return the evaluator of a set of rules, kept from the last time."""
        rules = tuple(sorted(names))
        known = self._evaluators.get(rules)
        if known is None:
            if len(self._evaluators) >= _KEPT:
                self._evaluators.clear()
            forms = tuple(form for form in self.bundle.pack.rules if form["id"] in rules)
            pack = Pack(self.bundle.pack.digest, forms)
            known = self._evaluators[rules] = Evaluator(
                pack, now=datetime.now(UTC), settings=self.bundle.settings
            )
        known.now = datetime.now(UTC)
        return known
