"""Judging one resource at one time: by all rules about it, or by some."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.reach import reach_of
from policyengine.engine.rule import predicate_names
from policyengine.engine.world import World
from policyengine.history.timeline.links import Links, links_of, looks_beyond
from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.rules.predicates.table import PREDICATES

CLOCKED: Final = frozenset(
    f"policyengine.rules.predicates.{name}" for name in ("time", "lifecycle", "usage", "backup.recovery")
)
"""The modules whose predicates look at the clock."""
_SECOND: Final = timedelta(seconds=1)
_EXPLAINED: Final = frozenset((FAIL, UNKNOWN, NOT_APPLICABLE))


class Judged(NamedTuple):
    """rule -> verdict, and rule -> what was found."""

    verdicts: Mapping[str, str]
    findings: Mapping[str, Finding]


class Judge:
    """Rules, and which of them look beyond the resource: at the clock, at others."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.reach = evaluator.reach
        self.held = self.reach.local | self.reach.whole | self.reach.named.keys()
        """Types of which the world has the resources, because a rule may ask about them."""
        self._clocked = {form["id"] for form in evaluator.forms if _looks_at_clock(form)}
        self._asking = _asking(evaluator.forms)
        self._some: dict[frozenset[str], Evaluator] = {}
        self._outside: dict[str, frozenset[str]] = {}
        self._links: dict[tuple[str, str], Mapping[str, Links]] = {}

    def judge(
        self,
        resource: Resource,
        world: World,
        at: datetime,
        known: Mapping[str, str],
        rules: Collection[str] | None = None,
    ) -> Judged:
        """Return the verdicts on a resource at a time, of all rules about it, or of some of them; and what was found where the
        verdict is not the one that is known."""
        evaluator = self.evaluator if rules is None else self._of(frozenset(rules))
        evaluator.judge_at(at)
        evaluator.take_tallies()

        def is_new(rule: str, verdict: str) -> bool:
            return known.get(rule) != verdict

        found = {each.rule: each for each in evaluator.findings(resource, world, _EXPLAINED, is_new)}
        verdicts = dict(list(evaluator.take_tallies()))
        return Judged(verdicts, found)

    def _of(self, rules: frozenset[str]) -> Evaluator:
        found = self._some.get(rules)
        if found is None:
            found = self._some[rules] = self.evaluator.of_rules(rules)
        return found

    def crashes(self) -> Counter[str]:
        """Return how often each rule crashed."""
        return sum((one.crashes for one in (self.evaluator, *self._some.values())), Counter())

    def clocked(self, type_: str) -> frozenset[str]:
        """Return the rules about a type whose verdict may change as time passes."""
        return frozenset(form["id"] for form, _ in self.evaluator.applicable(type_)) & self._clocked

    def asking(self, type_: str, about: str) -> Mapping[str, Links]:
        """Return the rules about ``type_`` that ask about resources of the type ``about``, and how they find them."""
        found = self._links.get((type_, about))
        if found is None:
            rules = self._asking.get(about, frozenset())
            found = self._links[type_, about] = {
                form["id"]: links_of(variant, type_, about)
                for form, variant in self.evaluator.applicable(type_)
                if form["id"] in rules
            }
        return found

    def keeps_out(self, type_: str) -> frozenset[str]:
        """Return the rules about a type whose ``when`` looks at the resource alone: where one does not apply, no other resource
        makes it apply."""
        found = self._outside.get(type_)
        if found is None:
            found = self._outside[type_] = frozenset(
                form["id"]
                for form, variant in self.evaluator.applicable(type_)
                if not looks_beyond(variant["when"])
            )
        return found

    def is_asked_about(self, type_: str) -> bool:
        """Whether any rule asks about resources of a type."""
        return type_ in self._asking

    def reaches_accounts(self, type_: str) -> bool:
        """Whether rules ask about a type across accounts."""
        return type_ in self.reach.whole or type_ in self.reach.named

    def flips(
        self, resource: Resource, world: World, start: datetime, verdicts: Mapping[str, str], end: datetime
    ) -> list[tuple[datetime, Judged]]:
        """Return when verdicts change between two times only because time passes, to the second.

        The verdict of each rule on the two sides is compared and the time between halved: a rule that changes its mind and
        back again between two looks is not seen. No predicate does: dates pass once.
        """
        rules = self.clocked(resource.type) & verdicts.keys()
        found: list[tuple[datetime, Judged]] = []
        while rules and end - start >= _SECOND:
            last = self.judge(resource, world, end - _SECOND, verdicts, rules)
            if all(last.verdicts.get(rule) == verdicts.get(rule) for rule in rules):
                break
            low, high, there = start, end - _SECOND, last
            while high - low > _SECOND:
                middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
                judged = self.judge(resource, world, middle, verdicts, rules)
                if all(judged.verdicts.get(rule) == verdicts.get(rule) for rule in rules):
                    low = middle
                else:
                    high, there = middle, judged
            found.append((high, there))
            start, verdicts = high, {**verdicts, **there.verdicts}
        return found


def _looks_at_clock(form: Mapping[str, Any]) -> bool:
    names = (
        name
        for variant in form["variants"]
        for tree in (variant["when"], variant["require"])
        for name in predicate_names(tree)
    )
    return any(PREDICATES[name].check.__module__ in CLOCKED for name in names)


def _asking(forms: Iterable[Mapping[str, Any]]) -> Mapping[str, frozenset[str]]:
    """Return type -> the rules that ask about other resources of it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for form in forms:
        reach = reach_of([form])
        for type_ in reach.local | reach.whole | reach.named.keys():
            found[type_].add(form["id"])
    return {type_: frozenset(rules) for type_, rules in found.items()}


def is_judged(evaluator: Evaluator, held: Collection[str], type_: str) -> bool:
    """Whether a type is of any use: a rule is about it, or asks about it."""
    return type_ in held or bool(evaluator.applicable(type_))
