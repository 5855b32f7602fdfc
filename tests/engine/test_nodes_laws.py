"""The two ways to evaluate a check tree agree, and UNKNOWN is honest.

The laws hold for every operator: what `decide` says, `explain` says; a FALSE or UNKNOWN comes
with evidence; and whatever an unresolved value turns out to be, a decided verdict stays.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policyengine.engine.build import build
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.predicates.api import Subject

NAMES = ("A", "B", "C")
HOLE = Unresolved("unresolved_reference", "Ref: X")

scalars = st.sampled_from([True, False, 0, 1, 7, "1", "true", "x", "", "7"])
holes = st.just(HOLE)
leaf_values = st.one_of(scalars, holes)
values = st.one_of(
    leaf_values,
    st.lists(leaf_values, max_size=3),
    st.lists(leaf_values, max_size=2).map(lambda items: OpenList(items, HOLE)),
    st.dictionaries(st.sampled_from(NAMES), leaf_values, max_size=2),
)
resources = st.dictionaries(st.sampled_from(NAMES), values, max_size=3)


def field_forms(in_resource: bool) -> st.SearchStrategy[dict[str, Any]]:
    tests = st.one_of(
        st.sampled_from([("is", "present"), ("is", "absent")]),
        st.tuples(st.sampled_from(["equals", "not_equals"]), scalars),
        st.tuples(st.sampled_from(["in", "not_in"]), st.lists(scalars, min_size=1, max_size=3)),
        st.tuples(st.sampled_from(["at_least", "at_most"]), st.integers(-2, 8)),
        st.tuples(st.just("contains"), scalars),
        st.just(("matches", "x|7*")),
    )
    steps = st.lists(st.sampled_from(NAMES), min_size=1 if in_resource else 0, max_size=2)
    return st.builds(
        lambda test, steps, absent, default: {
            "op": "field", "root": "properties" if in_resource else "element", "steps": steps,
            "in_resource": in_resource, "test": test[0], "value": test[1], "kind": None, "absent": absent,
            "defaults": default if steps and test[0] != "is" else [], "secret": False,
        },
        tests, steps, st.sampled_from([None, True, False]),
        st.sampled_from([[], [{"length": 1, "value": 7, "depends": None, "unless": ["B"], "provenance": "AWS default"}]]),
    )  # fmt: skip


def trees(in_resource: bool = True, depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    leaf = field_forms(in_resource)
    if depth == 0:
        return leaf
    connective = st.builds(
        lambda op, checks: {"op": op, "checks": checks},
        st.sampled_from(["all", "any", "none"]),
        st.lists(trees(in_resource, depth - 1), min_size=1, max_size=3),
    )
    quantifier = st.builds(
        lambda op, name, empty, check: {
            "op": op, "root": "properties" if in_resource else "element", "steps": [name], "in_resource": in_resource,
            "empty": empty, "defaults": [], "check": check,
        },
        st.sampled_from(["every", "some"]), st.sampled_from(NAMES), st.booleans(), trees(False, depth - 1),
    )  # fmt: skip
    return st.one_of(leaf, connective, quantifier)


def resource(properties: dict[str, Any]) -> Resource:
    return Resource("AWS::Test::Thing", "x", "1", "r", properties, tags={})


def subject(of: Resource) -> Subject:
    return Subject(of, datetime(2026, 1, 1, tzinfo=UTC), lambda alias: [], lambda kind: [])


def decide(form: dict[str, Any], properties: dict[str, Any]) -> Any:
    of = resource(properties)
    return build(form, {}).decide(of, subject(of))


@given(trees(), resources, st.booleans())
def test_explain_says_what_decide_says(
    form: dict[str, Any], properties: dict[str, Any], wanted: bool
) -> None:
    of = resource(properties)
    node = build(form, {})
    truth, evidence = node.explain(of, subject(of), (), wanted)
    assert truth is node.decide(of, subject(of))
    assert evidence, "every verdict rests on something that was looked at"


@given(trees(), resources)
def test_none_is_the_negation_of_any(form: dict[str, Any], properties: dict[str, Any]) -> None:
    opposite = {TRUE: FALSE, FALSE: TRUE, UNKNOWN: UNKNOWN}
    assert decide({"op": "none", "checks": [form]}, properties) is opposite[decide(form, properties)]


def fill(value: Any, filler: Any) -> Any:
    """Replace what is unresolved by a known value, open lists by longer ones; None removes it."""
    if isinstance(value, OpenList):
        items = [fill(v, filler) for v in value]
        return items if filler is None else [*items, filler]
    if isinstance(value, list):
        return [v for v in (fill(v, filler) for v in value) if v is not None]
    if isinstance(value, dict):
        return {k: f for k, v in value.items() if (f := fill(v, filler)) is not None}
    return filler if isinstance(value, Unresolved) else value


@given(trees(), resources, st.one_of(st.none(), scalars))
def test_a_decided_check_stays_whatever_the_unresolved_values_are(
    form: dict[str, Any], properties: dict[str, Any], filler: Any
) -> None:
    before = decide(form, properties)
    if before is UNKNOWN:
        return
    after = decide(form, fill(properties, filler))
    assert after is before or after is UNKNOWN
