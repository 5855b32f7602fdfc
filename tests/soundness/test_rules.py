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
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TypeVar

import pytest

from policyengine.catalog import registry
from policyengine.engine.rule import predicate_names
from policyengine.model.finding import Finding
from policyengine.model.resource import NO_COVERAGE
from policyengine.model.values import ABSENT, Unresolved

from .holes import CERTAIN, HOLE, Place, opened, places, value_at, with_value
from .judging import Situation, judge, rules, situations

T = TypeVar("T")
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
"""Places, over all its cases, of a rule that is decided over all requests: each verdict takes milliseconds.
The slow tests take ``MOST_PLACES_SLOWLY`` of each case."""
MOST_PLACES_SLOWLY = 4
MANY_PLACES = 12
"""Of a rule that is answered quickly: a few have cases with thousands of places."""
CHEAP = (
    "backup",
    "code",
    "kms",
    "lifecycle",
    "list",
    "logs",
    "net",
    "parameter",
    "recovery",
    "related",
    "tags",
    "time",
)
"""Namespaces of predicates that are answered in microseconds."""


@cache
def is_costly(rule: str) -> bool:
    trees = (tree for v in rules()[rule]["variants"] for tree in (v["when"], v["require"]))
    return any(name.split(".")[0] not in CHEAP for tree in trees for name in predicate_names(tree))


def all_places(rule: str, *, slowly: bool = False) -> Iterator[tuple[Situation, Place, Any]]:
    """Yield the places of the cases of a rule; of a costly one some that are spread evenly over all."""
    found = [
        [(situation, place) for place in places(situation.resources, situation.tag_properties)]
        for situation in situations(rule)
    ]
    if slowly:
        chosen = [pair for own in found for pair in spread(own, MOST_PLACES_SLOWLY)]
    else:
        chosen = [pair for own in found for pair in own]
        chosen = spread(chosen, MOST_PLACES if is_costly(rule) else MANY_PLACES)
    for situation, place in chosen:
        yield situation, place, value_at(situation.resources, place)


def spread(found: list[T], most: int) -> list[T]:
    return found[:: max(1, -(-len(found) // most))]


def said(situation: Situation, place: Place, before: str, after: Finding) -> str:
    where = "/".join(str(step) for step in (place.side, *place.path))
    name = situation.resources[place.index].id
    return f"case `{situation.case.case}`, {name} {where}: {before} became {after.verdict}: {after.message}"


EVERY = pytest.mark.parametrize("rule", sorted(rules()))
SLOWLY = pytest.mark.parametrize("rule", sorted(rules()))


@EVERY
def test_a_value_made_unknown_changes_no_verdict(rule: str) -> None:
    assert list(changed_by_holes(all_places(rule))) == []


@pytest.mark.slow
@SLOWLY
def test_no_value_made_unknown_changes_a_verdict_over_all_requests(rule: str) -> None:
    assert list(changed_by_holes(all_places(rule, slowly=True))) == []


def changed_by_holes(found: Iterable[tuple[Situation, Place, Any]]) -> Iterator[str]:
    for situation, place, value in found:
        if isinstance(value, Unresolved):
            continue
        before = verdict_of(situation)
        for hole in (HOLE, CERTAIN, *opened(value)):
            after = judge(situation, with_value(situation.resources, place, hole))
            assert after.reason != "internal_error", said(situation, place, before, after)
            if after.verdict not in (before, "UNKNOWN") and before != "UNKNOWN":
                yield said(situation, place, before, after)
            elif after.verdict != "UNKNOWN" and isinstance(hole, Unresolved):
                yield from refuted(situation, place, value, after.verdict, certain=hole.present)


def verdict_of(situation: Situation) -> str:
    return _verdict(situation.rule["id"], situation.case.case)


@cache
def _verdict(rule: str, case: str) -> str:
    found = next(s for s in situations(rule) if s.case.case == case)
    return judge(found, found.resources).verdict


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


@EVERY
def test_whatever_fills_a_hole_no_rule_crashes(rule: str) -> None:
    problems = []
    for situation, place, value in all_places(rule):
        if not isinstance(value, Unresolved) or value.target is not None:
            continue
        before = verdict_of(situation)
        legal = fillers()[kind(situation, place)]
        for filler in [*legal, *ODD]:
            if filler is ABSENT and isinstance(place.path[-1], int):
                continue
            after = judge(situation, with_value(situation.resources, place, filler))
            assert after.reason != "internal_error", said(situation, place, before, after)
            if before != "UNKNOWN" and filler in legal and after.verdict not in (before, "UNKNOWN"):
                problems.append(said(situation, place, before, after))
    assert problems == []


@EVERY
def test_odd_values_crash_no_rule(rule: str) -> None:
    odd_values_crash_nothing(rule, ODD[1::3] if is_costly(rule) else ODD[1:], slowly=False)


@pytest.mark.slow
@SLOWLY
def test_no_odd_value_crashes_a_rule_over_all_requests(rule: str) -> None:
    odd_values_crash_nothing(rule, ODD[1:], slowly=True)


def odd_values_crash_nothing(rule: str, odd: tuple[Any, ...], *, slowly: bool) -> None:
    for situation, place, _value in all_places(rule, slowly=slowly):
        for filler in odd:
            after = judge(situation, with_value(situation.resources, place, filler))
            assert after.reason != "internal_error", said(situation, place, f"{filler!r}", after)


@EVERY
def test_less_coverage_decides_nothing(rule: str) -> None:
    whole = situations(rule)
    lacking = [(s, index) for s in whole for index in range(len(s.resources)) if index != s.subject]
    if is_costly(rule):
        whole, lacking = tuple(spread(list(whole), MOST_PLACES)), spread(lacking, MOST_PLACES)
    assert [*uncovered(whole), *without_one(lacking)] == []


@pytest.mark.slow
@SLOWLY
def test_less_coverage_decides_nothing_over_all_requests(rule: str) -> None:
    whole = situations(rule)
    lacking = [(s, index) for s in whole for index in range(len(s.resources)) if index != s.subject]
    assert [*uncovered(whole), *without_one(lacking)] == []


def uncovered(found: Iterable[Situation]) -> Iterator[str]:
    for situation in found:
        before = verdict_of(situation)
        bare = judge(situation, situation.resources, NO_COVERAGE)
        if bare.verdict not in (before, "UNKNOWN"):
            yield f"case `{situation.case.case}` without coverage: {before} became {bare.verdict}"


def without_one(found: Iterable[tuple[Situation, int]]) -> Iterator[str]:
    for situation, index in found:
        before, resource = verdict_of(situation), situation.resources[index]
        rest = [r for r in situation.resources if r is not resource]
        subject = situation.subject - (index < situation.subject)
        after = judge(situation, rest, NO_COVERAGE, subject)
        if after.verdict not in (before, "UNKNOWN"):
            yield (
                f"case `{situation.case.case}` where nobody collected {resource.type} `{resource.id}`: "
                f"{before} became {after.verdict}: {after.message}"
            )
