"""What is not known never becomes a verdict: every bundled rule, on every value of its own test cases.

Laws, for the verdict of a rule (decision 1):

* Making one value unknown gives the same verdict or UNKNOWN. The known value is one way to fill the
  hole, so any other decided verdict would be wrong for it.
* Where the verdict stays decided although a value is unknown, the value does not matter: every other
  value that test cases have at such a place gives the same verdict, or UNKNOWN.
* Taking away what the source covers, or a related resource nobody promised, gives the same or UNKNOWN.
* Nothing that stands in a hole crashes a rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from policyengine.catalog import registry
from policyengine.engine.rule import predicate_names
from policyengine.model.finding import Finding
from policyengine.model.resource import NO_COVERAGE
from policyengine.model.values import ABSENT, Unresolved

from .holes import CERTAIN, HOLE, Place, opened, places, value_at, with_value
from .judging import Situation, judge, rules, situations

MOST_FILLERS = 12
ODD = (ABSENT, "zz", "", 7, -1, True, [], {}, ["zz"], {"zz": [{}]})
"""Fillers that no author had in mind."""


@cache
def fillers() -> dict[tuple[str, ...], list[Any]]:
    """Return what test cases have at each place of each type, a dozen different values."""
    found: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for rule in rules():
        for situation in situations(rule):
            for place in places(situation.resources, situation.tag_properties):
                value = value_at(situation.resources, place)
                values = found[kind(situation, place)]
                if not isinstance(value, Unresolved) and len(values) < MOST_FILLERS and value not in values:
                    values.append(value)
    return found


def kind(situation: Situation, place: Place) -> tuple[str, ...]:
    return (situation.resources[place.index].type, *place.kind)


MOST_PLACES = 4
"""Places of a case of a rule that is decided over all requests: each verdict takes milliseconds."""


@cache
def is_costly(rule: str) -> bool:
    trees = (tree for v in rules()[rule]["variants"] for tree in (v["when"], v["require"]))
    return any(name.startswith(("iam.", "org.")) for tree in trees for name in predicate_names(tree))


def all_places(situation: Situation) -> Iterator[tuple[Place, Any]]:
    """Yield the places of a case, of a costly rule some that are spread evenly, others in each case."""
    found = list(places(situation.resources, situation.tag_properties))
    if is_costly(situation.rule["id"]):
        step = max(1, -(-len(found) // MOST_PLACES))
        found = found[len(situation.case.case) % step :: step]
    for place in found:
        yield place, value_at(situation.resources, place)


def said(situation: Situation, place: Place, before: str, after: Finding) -> str:
    where = "/".join(str(step) for step in (place.side, *place.path))
    name = situation.resources[place.index].id
    return f"case `{situation.case.case}`, {name} {where}: {before} became {after.verdict}: {after.message}"


@pytest.mark.parametrize("rule", sorted(rules()))
def test_a_value_made_unknown_changes_no_verdict(rule: str) -> None:
    problems = []
    for situation in situations(rule):
        before = judge(situation, situation.resources).verdict
        for place, value in all_places(situation):
            if isinstance(value, Unresolved):
                continue
            for hole in (HOLE, CERTAIN, *opened(value)):
                after = judge(situation, with_value(situation.resources, place, hole))
                assert after.reason != "internal_error", said(situation, place, before, after)
                if after.verdict not in (before, "UNKNOWN") and before != "UNKNOWN":
                    problems.append(said(situation, place, before, after))
                elif after.verdict != "UNKNOWN" and isinstance(hole, Unresolved):
                    problems += refuted(situation, place, value, after.verdict, certain=hole.present)
    assert problems == []


def refuted(situation: Situation, place: Place, value: Any, verdict: str, *, certain: bool) -> Iterator[str]:
    """Yield the fillers that give another verdict than the hole did."""
    if place.path[-1] in registry.names(situation.resources[place.index].type):
        return  # a snapshot that shows a resource knows its name: the id
    for filler in [*fillers()[kind(situation, place)], ABSENT]:
        if filler is ABSENT and (certain or isinstance(place.path[-1], int)):
            continue
        if isinstance(value, dict | list) and not isinstance(filler, dict | list) and filler is not ABSENT:
            continue
        after = judge(situation, with_value(situation.resources, place, filler))
        if after.verdict not in (verdict, "UNKNOWN"):
            yield said(situation, place, f"{verdict} with a hole, which {filler!r} fills,", after)


@pytest.mark.parametrize("rule", sorted(rules()))
def test_whatever_fills_a_hole_no_rule_crashes(rule: str) -> None:
    problems = []
    for situation in situations(rule):
        before = judge(situation, situation.resources).verdict
        for place, value in all_places(situation):
            if not isinstance(value, Unresolved) or value.target is not None:
                continue
            legal = fillers()[kind(situation, place)]
            for filler in [*legal, *ODD]:
                if filler is ABSENT and isinstance(place.path[-1], int):
                    continue
                after = judge(situation, with_value(situation.resources, place, filler))
                assert after.reason != "internal_error", said(situation, place, before, after)
                if before != "UNKNOWN" and filler in legal and after.verdict not in (before, "UNKNOWN"):
                    problems.append(said(situation, place, before, after))
    assert problems == []


@pytest.mark.parametrize("rule", sorted(rules()))
def test_odd_values_crash_no_rule(rule: str) -> None:
    for situation in situations(rule):
        for place, _value in all_places(situation):
            for filler in ODD[1:]:
                after = judge(situation, with_value(situation.resources, place, filler))
                assert after.reason != "internal_error", said(situation, place, f"{filler!r}", after)


@pytest.mark.parametrize("rule", sorted(rules()))
def test_less_coverage_decides_nothing(rule: str) -> None:
    problems = []
    for situation in situations(rule):
        before = judge(situation, situation.resources).verdict
        bare = judge(situation, situation.resources, NO_COVERAGE)
        if bare.verdict not in (before, "UNKNOWN"):
            problems.append(f"case `{situation.case.case}` without coverage: {before} became {bare.verdict}")
        for index, resource in enumerate(situation.resources):
            if index == situation.subject:
                continue
            rest = [r for r in situation.resources if r is not resource]
            subject = situation.subject - (index < situation.subject)
            after = judge(situation, rest, NO_COVERAGE, subject)
            if after.verdict not in (before, "UNKNOWN"):
                problems.append(
                    f"case `{situation.case.case}` where nobody collected {resource.type} `{resource.id}`: "
                    f"{before} became {after.verdict}: {after.message}"
                )
    assert problems == []
