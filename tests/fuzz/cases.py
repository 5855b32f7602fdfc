"""The rules' own test cases as seeds: policies of every kind, whole organisations, pipelines, networks."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st

from policyengine.model.resource import NO_COVERAGE, Resource
from policyengine.rules.pack import Pack
from policyengine.sources.snapshot.canonical import to_line
from tests.soundness.judging import Situation, rules, situations

from .damage import STEP, damaged
from .judging import Loud, everything, judge
from .mutate import STEPS, mutated

MOST_RESOURCES = 40
_NUMBER = st.integers(0, 1_000)


class Given:
    """A source of given resources."""

    target = "given"
    kind = "snapshot"

    def __init__(self, found: list[Resource], *, covered: bool) -> None:
        self._found = found
        self.errors: list[Any] = []
        places = {(r.account, r.region) for r in found}
        places |= {(account, "global") for account, _ in places}
        self.coverage = frozenset((a or "", r or "", "*") for a, r in places) if covered else NO_COVERAGE

    def resources(self) -> Any:
        """Yield the resources anew."""
        return iter(self._found)


def seeds() -> Any:
    """Draw (rule, number of a case): the cases of a rule are read when it is drawn."""
    return st.tuples(st.sampled_from(sorted(rules())), _NUMBER)


CASES = st.tuples(
    seeds(), st.none() | seeds(), st.lists(STEP, max_size=6), st.sampled_from(["case", "all", "none"])
)


def check(value: Any) -> None:
    """Judge damaged resources of one case or two together: by its rule with its parameters, then by every rule."""
    first, second, steps, coverage = value
    situation = _situation(*first)
    found = situation.resources + (_situation(*second).resources if second else [])
    found = damaged(found[:MOST_RESOURCES], steps)
    source = Given(found, covered=coverage == "all")
    if coverage == "case":
        source.coverage = situation.coverage
    judge_by_its_rule(situation, source)
    judge(everything(), [source])


def judge_by_its_rule(situation: Situation, source: Given) -> None:
    """Judge by the rule of a case, with the parameters that the case gives it."""
    judge(Loud(Pack("sha256:test", (dict(situation.rule),)), now=situation.now), [source])


def _situation(rule: str, number: int) -> Situation:
    every = situations(rule)
    return every[number % len(every)]


def files(make: Callable[[list[Resource]], bytes]) -> Any:
    """Draw damaged files made of the resources of a case."""

    @cache
    def seed(rule: str, number: int) -> bytes:
        return make(_situation(rule, number).resources[:MOST_RESOURCES])

    def build(drawn: tuple[str, int], steps: Any) -> bytes:
        return mutated(seed(*drawn), steps, "json")

    return st.builds(build, seeds(), STEPS)


def as_template(resources: list[Resource]) -> bytes:
    """Return a template; what is unresolved becomes a reference or an import."""
    made = {
        f"R{number}": {"Type": resource.type, "Properties": json.loads(json.dumps(resource.properties, default=_function))}
        for number, resource in enumerate(resources)
    }  # fmt: skip
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": made}).encode()


def _function(hole: Any) -> Any:
    return {"Fn::GetAtt": ["R0", "Arn"]} if hole.target else {"Fn::ImportValue": "x"}


def as_lines(resources: list[Resource]) -> bytes:
    """Return the lines of a snapshot as one list, so that steps reach from one resource to another."""
    return b"[" + b",".join(to_line(resource) for resource in resources) + b"]"


def lines_of(data: bytes) -> bytes:
    """Return the lines of a damaged list of lines, of anything else what it is."""
    try:
        found = json.loads(data)
    except ValueError:
        return data
    if not isinstance(found, list):
        return data
    return b"".join(json.dumps(one).encode() + b"\n" for one in found)
