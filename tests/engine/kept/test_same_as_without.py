"""What is found with results of earlier runs is what is found without: every rule, along its own test cases.

The cases of a rule are run one after the other with one file of results, as if an account changed from one to the
next; in between one resource after the other goes, changes or becomes unknown, what was collected and the
clock change. Cases have the same ids again and again, so most of what is kept is about a resource that is
still as it was, beside others that are not.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from policyengine.model.resource import NO_COVERAGE
from policyengine.model.values import ABSENT, Unresolved
from tests.soundness.holes import CERTAIN, HOLE, places, value_at, with_value
from tests.soundness.judging import Situation, rules, situations
from tests.soundness.test_rules import is_costly

from .memory import InMemory, State, both

ALL = sorted(rules())
MOST_CASES, MOST_CASES_SLOWLY = 6, 40


def states(situation: Situation, rng: random.Random) -> Iterator[State]:
    """Yield the situation and what may become of it from one run to the next."""
    now, covered, own = situation.now, situation.coverage, situation.resources
    whole = State(own, covered, now)
    yield whole
    others = [i for i in range(len(own)) if i != situation.subject]
    for index in others[:3]:
        yield State([r for i, r in enumerate(own) if i != index], covered, now)
    found = [p for p in places(own, situation.tag_properties) if p.index != situation.subject]
    for place in rng.sample(found, min(3, len(found))):
        was = value_at(own, place)
        changed = f"{was}x" if isinstance(was, str) else rng.choice((ABSENT, HOLE, CERTAIN))
        yield State(with_value(own, place, changed), covered, now)
    yield State(own, NO_COVERAGE, now)
    place_ = own[situation.subject]
    types = {r.type for r in own}
    why = Unresolved("throttled", "the call")
    failed = {(place_.account or "", place_.region or "", t): why for t in types}
    yield State(own, frozenset(), now, failed)
    yield State(own, covered, now + timedelta(days=400))
    yield whole


def check(rule: str, most: int) -> int:
    """Run the law on a rule; return how many results were taken from the file."""
    rng = random.Random(zlib.crc32(rule.encode()))
    file = InMemory()
    taken = 0
    cases = [s for s in situations(rule) if all(r.file is None and not r.variants for r in s.resources)]
    for situation in rng.sample(cases, min(most, len(cases))):
        for state in states(situation, rng):
            plain, kept, judged = both(state, [dict(situation.rule)], file)
            assert [f.to_json() for f in kept] == [f.to_json() for f in plain]
            assert kept == plain
            taken += len(plain) - judged
    return taken


@pytest.mark.parametrize("part", range(16))
def test_rules_find_the_same(part: int) -> None:
    mine = ALL[part::16]
    taken = sum(check(rule, 2 if is_costly(rule) else MOST_CASES) for rule in mine)
    assert taken > 10 * len(mine) // 4


@pytest.mark.slow
@pytest.mark.parametrize("rule", ALL)
def test_rules_find_the_same_in_all_cases(rule: str) -> None:
    check(rule, MOST_CASES_SLOWLY)
