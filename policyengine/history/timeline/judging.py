"""Judging one resource at one time: by all rules about it, or by some."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.kept.recording import CLOCK, Dependency
from policyengine.engine.reach import reach_of
from policyengine.engine.references import ACROSS
from policyengine.engine.rule import predicate_names
from policyengine.engine.world import World
from policyengine.history.timeline.links import Links, links_of
from policyengine.history.timeline.resting import Judged, RestingEvaluator, Rests
from policyengine.model.resource import Resource
from policyengine.rules.predicates.table import PREDICATES

CLOCKED: Final = frozenset(
    f"policyengine.rules.predicates.{name}" for name in ("time", "lifecycle", "usage", "backup.recovery")
)
"""The modules whose predicates look at the clock."""
SECOND: Final = timedelta(seconds=1)


class Clocked(NamedTuple):
    """Rules about a type that look at the clock: those that look at nothing else besides the resource, those that may ask about
    others, and of these those with one date at most to pass."""

    alone: frozenset[str]
    others: frozenset[str]
    once: frozenset[str]


class Judge:
    """Rules, and which of them look beyond the resource: at the clock, at others."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = RestingEvaluator(evaluator.pack, now=evaluator.now, settings=evaluator.settings)
        self.reach = evaluator.reach
        self.held = self.reach.local | self.reach.whole | self.reach.named.keys()
        """Types of which the world has the resources, because a rule may ask about them."""
        self._clocked = {form["id"] for form in evaluator.forms if _looks_at_clock(form)}
        self._asking = _asking(evaluator.forms)
        self._ask_others = frozenset(rule for rules in self._asking.values() for rule in rules)
        self._links: dict[tuple[str, str], Mapping[str, Links]] = {}
        self._by_type: dict[str, Clocked] = {}

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
        return self.evaluator.judged(
            resource, world, at, lambda rule, verdict: known.get(rule) != verdict, rules
        )

    def crashes(self) -> Counter[str]:
        """Return how often each rule crashed."""
        return self.evaluator.crashes

    def clocked(self, type_: str) -> Clocked:
        """Return the rules about a type whose verdict may change as time passes."""
        found = self._by_type.get(type_)
        if found is None:
            about = {form["id"]: variant for form, variant in self.evaluator.applicable(type_)}
            rules = about.keys() & self._clocked
            others = rules & self._ask_others
            once = {rule for rule in others if _looks_once(about[rule])}
            found = self._by_type[type_] = Clocked(
                frozenset(rules - others), frozenset(others), frozenset(once)
            )
        return found

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

    def may_rest_on(self, rule: str, rests: Rests) -> frozenset[Dependency]:
        """Return what a verdict rests on of others; all that the rule may ask about where that is not known."""
        if rests is None:
            return frozenset(("t", type_, ACROSS) for type_, rules in self._asking.items() if rule in rules)
        return rests - {CLOCK}

    def reaches_accounts(self, type_: str) -> bool:
        """Whether rules ask about a type across accounts."""
        return type_ in self.reach.whole or type_ in self.reach.named

    def flips(
        self,
        resource: Resource,
        world: World,
        start: datetime,
        verdicts: Mapping[str, str],
        end: datetime,
        rules: Collection[str],
    ) -> list[tuple[datetime, Judged]]:
        """Return when verdicts of some rules change between two times only because time passes, to the second.

        The verdict of each rule on the two sides is compared and the time between halved: a rule that changes its mind and
        back again between two looks is not seen. No predicate does: dates pass once.
        """
        rules = rules & verdicts.keys()
        found: list[tuple[datetime, Judged]] = []
        while rules and end - start >= SECOND:
            last = self.judge(resource, world, end - SECOND, verdicts, rules)
            if all(last.verdicts.get(rule) == verdicts.get(rule) for rule in rules):
                break
            low, high, there = start, end - SECOND, last
            while high - low > SECOND:
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
    return any(map(_is_clocked, names))


def _looks_once(variant: Mapping[str, Any]) -> bool:
    """Whether a rule looks at the clock in one place, about the resource itself. As time passes it then decides in two
    ways at most, the one at the beginning and the one at the end: no predicate changes its mind twice."""
    names = [name for tree in (variant["when"], variant["require"]) for name in predicate_names(tree)]
    plain = [name for tree in (variant["when"], variant["require"]) for name in _asked_plainly(tree)]
    return sum(map(_is_clocked, names)) == sum(map(_is_clocked, plain)) == 1


def _asked_plainly(form: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the predicates that are asked about the resource and not about elements of it, or other resources."""
    if form is not None and form["op"] == "predicate":
        yield form["name"]
    for child in (form or {}).get("checks") or ():
        yield from _asked_plainly(child)


def _is_clocked(name: str) -> bool:
    return PREDICATES[name].check.__module__ in CLOCKED


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
