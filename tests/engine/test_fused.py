"""A fused closure says what the check's own ``decide`` says, for every value a source may give."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policyengine.engine.build import build
from policyengine.engine.nodes import FieldNode
from policyengine.model.logic import UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved
from policyengine.rules.predicates.api import Subject
from tests.engine.test_nodes_laws import subject

DOUBT = Unresolved("access_denied", "test")
SCALARS = st.sampled_from([True, False, 0, 1, 1.0, 7, "true", "True", "1", "", "x", "xy"])
VALUES = st.one_of(
    SCALARS,
    st.just(ABSENT),
    st.just(DOUBT),
    st.lists(SCALARS, max_size=2),
    st.just(OpenList(["x"], DOUBT)),
    st.just({"x": 1}),
)
TESTS = st.one_of(
    st.tuples(
        st.sampled_from(["equals", "not_equals"]),
        SCALARS,
        st.sampled_from([None, "string", "boolean", "integer"]),
    ),
    st.tuples(st.just("is"), st.sampled_from(["present", "absent"]), st.none()),
    st.tuples(st.just("in"), st.lists(SCALARS, min_size=1, max_size=2), st.none()),
    st.tuples(st.sampled_from(["at_least", "at_most"]), st.just(3), st.just("integer")),
    st.tuples(st.just("contains"), st.just("x"), st.none()),
)


def forms(root: str, in_resource: bool, test: tuple[str, Any, Any]) -> dict[str, Any]:
    """Return the form of a field check of one step."""
    operator, value, kind = test
    return {"op": "field", "root": root, "steps": ["P"], "in_resource": in_resource, "test": operator, "value": value,
            "kind": kind, "absent": operator == "not_equals", "defaults": [], "secret": False}  # fmt: skip


def scopes(root: str, value: Any, open_: bool) -> tuple[Any, Resource, bool]:
    """Return (scope, its resource, whether the scope is that resource) with the value in its place."""
    held: Any = {} if value is ABSENT else {"P": value}
    held = OpenDict(held, DOUBT) if open_ else held
    tags = held if root == "tags" else None
    resource = Resource("T", "t", "1", "r", held if root == "properties" else {}, tags=tags)
    return (held if root == "element" else resource), resource, root != "element"


@given(TESTS, VALUES, st.sampled_from(["properties", "tags", "element"]), st.booleans())
def test_fused_and_general_agree(test: tuple[str, Any, Any], value: Any, root: str, open_: bool) -> None:
    scope, resource, in_resource = scopes(root, value, open_)
    node = build(forms(root, in_resource, test), {})
    assert isinstance(node, FieldNode)
    about: Subject = subject(resource)
    general = FieldNode._make_decide(node)
    assert node.decide(scope, about) is general(scope, about)


def test_the_usual_value_does_not_reach_the_general_check() -> None:
    node = build(forms("properties", True, ("equals", True, "boolean")), {})
    resource = Resource("T", "t", "1", "r", {"P": DOUBT})
    assert node.decide(resource, subject(resource)) is UNKNOWN
    assert isinstance(node, FieldNode)
    assert node.decide.__qualname__.startswith("_equality")
