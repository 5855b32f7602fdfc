"""What a rule of one check remembers of a value is what it would say afresh."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.engine.build import build
from policyengine.engine.nodes import FieldNode
from policyengine.engine.wording import MOST_REMEMBERED, Wording, WordingOfOneCheck, wording_of
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.reasons import FAIL, PASS, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from tests.engine.test_nodes_laws import field_forms, resource, resources, subject, trees

MESSAGES = [
    "it is {A}",
    "it is {B}",
    "{resource.id}: {observed}, not {expected}",
    "{path} is {limit}",
    "said",
]
NO_SECRETS: frozenset[str] = frozenset()


def wordings(
    form: dict[str, Any], message: str, secrets: frozenset[str] = NO_SECRETS
) -> tuple[Wording, Wording]:
    """Return the wording a rule gets, and the one that remembers nothing."""
    about = {"title": "T", "message": message}
    node = build(form, {})
    return wording_of(about, None, node, {"limit": 7}, secrets), Wording(
        about, None, node, {"limit": 7}, secrets
    )


def verdict_of(form: dict[str, Any], of: Resource) -> str:
    truth = build(form, {}).decide(of, subject(of))
    return PASS if truth is TRUE else FAIL if truth is FALSE else UNKNOWN


@given(
    st.one_of(field_forms(True), trees()),
    st.lists(resources, min_size=2, max_size=6),
    st.sampled_from(MESSAGES),
)
def test_the_second_time_the_same_is_said(
    form: dict[str, Any], several: list[dict[str, Any]], message: str
) -> None:
    remembering, afresh = wordings(form, message)
    for number, properties in enumerate([*several, *several]):
        of = resource(properties)
        of = replace(of, id=f"thing-{number}")
        verdict = verdict_of(form, of)
        got, expected = remembering.say(verdict, of, subject(of)), afresh.say(verdict, of, subject(of))
        assert got[:2] == expected[:2]
        assert repr(got[2]) == repr(expected[2])  # True is not 1 here


def field(**changes: Any) -> dict[str, Any]:
    return {"op": "field", "root": "properties", "steps": ["A"], "in_resource": True, "test": "equals", "value": "x",
            "kind": None, "absent": None, "defaults": [], "secret": False, **changes}  # fmt: skip


def test_a_value_met_before_is_said_with_the_same_objects() -> None:
    remembering, _ = wordings(field(), "it is {A}")
    said = [remembering.say(FAIL, of, subject(of)) for of in (resource({"A": "y"}), resource({"A": "y"}))]
    assert said[0] is said[1]
    assert said[0][1] == "it is y"


@pytest.mark.parametrize(
    "values", [range(2 * MOST_REMEMBERED), ["y" * n for n in range(2 * MOST_REMEMBERED)]]
)
def test_little_is_remembered(values: Any) -> None:
    remembering, _ = wordings(field(), "it is {A}")
    assert isinstance(remembering, WordingOfOneCheck)
    for value in values:
        of = resource({"A": value})
        remembering.say(FAIL, of, subject(of))
    assert len(remembering._said) <= MOST_REMEMBERED
    assert all(len(str(key[-1])) <= 64 for key in remembering._said)


@pytest.mark.parametrize("changed", [{"secret": True}, {"steps": ["Secret"]}])
def test_secrets_are_not_remembered(changed: dict[str, Any]) -> None:
    remembering, _ = wordings(field(**changed), "it is there", frozenset({"Secret"}))
    assert not isinstance(remembering, WordingOfOneCheck)
    of = resource({"A": "hidden words", "Secret": "hidden words"})
    assert "hidden" not in repr(remembering.say(FAIL, of, subject(of)))


def test_a_default_that_depends_on_other_values_is_said_afresh() -> None:
    default = {"length": 1, "value": "y", "depends": None, "unless": ["B"], "provenance": "AWS default"}
    form = field(defaults=[default])
    remembering, _ = wordings(form, "it is {A}")
    assert isinstance(build(form, {}), FieldNode)
    for properties, reason in (({}, "aws_default"), ({"B": 1}, "default_depends"), ({}, "aws_default")):
        of = resource(properties)
        assert remembering.say(verdict_of(form, of), of, subject(of))[0] == reason


def test_a_value_that_is_not_known_is_said_with_its_own_detail() -> None:
    remembering, _ = wordings(field(), "it is {A}")
    for detail in ("Ref: One", "Ref: Two"):
        of = resource({"A": Unresolved("unresolved_reference", detail)})
        assert detail in remembering.say(UNKNOWN, of, subject(of))[1]
