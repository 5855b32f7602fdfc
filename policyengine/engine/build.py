"""From the intermediate form to nodes, with parameters bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.engine.access import getter
from policyengine.engine.fused import fuse
from policyengine.engine.nodes import (
    ConnectiveNode,
    DefaultValue,
    FieldNode,
    Node,
    QuantifierNode,
)
from policyengine.engine.operators import Test, make_test
from policyengine.engine.predicate_node import PredicateNode
from policyengine.model.logic import truth_of
from policyengine.model.values import Unresolved
from policyengine.rules.predicates.table import PREDICATES


def build(form: Mapping[str, Any], parameters: Mapping[str, Any]) -> Node:
    """Return the node of a check's form; KeyError when the form is damaged."""
    op = form["op"]
    if op == "field":
        return _field(form, parameters)
    if op in ("every", "some"):
        return _quantifier(form, parameters)
    if op == "predicate":
        predicate = PREDICATES[form["name"]]
        given = {key: bind(value, parameters) for key, value in form["args"].items()}
        rest = {key: arg.default for key, arg in predicate.args.items() if key not in given}
        return PredicateNode(predicate, {**rest, **given})
    return ConnectiveNode(op, [build(child, parameters) for child in form["checks"]])


def bind(value: Any, parameters: Mapping[str, Any]) -> Any:
    """Replace ``{"$": name}`` by the parameter and ``{"path": [...]}`` by a tuple of steps.

    A parameter that is a list takes its place in the list around it element by element.
    """
    if isinstance(value, dict):
        if value.keys() == {"$"}:
            return parameters[value["$"]]
        if value.keys() == {"path"}:
            return tuple(value["path"])
        return {key: bind(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        found: list[Any] = []
        for item in value:
            one = bind(item, parameters)
            spread = isinstance(one, list) and isinstance(item, dict) and item.keys() == {"$"}
            found.extend(one if spread else [one])
        return found
    return value


def _field(form: Mapping[str, Any], parameters: Mapping[str, Any]) -> FieldNode:
    operator, expected = form["test"], bind(form["value"], parameters)
    steps = tuple(form["steps"])
    node = FieldNode(
        root=form["root"],
        steps=steps,
        get=getter(form["root"], steps, in_resource=form["in_resource"]),
        operator=operator,
        expected=expected,
        test=_test(form, expected),
        absent_passes=form["absent"],
        defaults=_defaults(form),
        secret=form["secret"],
    )
    node.decide = fuse(node.root, steps, in_resource=form["in_resource"], test=node.test, general=node.decide)
    return node


def _test(form: Mapping[str, Any], expected: Any) -> Test:
    """Return what is asked of a value that is known."""
    if form["test"] == "is":
        present = truth_of(expected == "present")
        return lambda _value: present
    return make_test(form["test"], expected, form["kind"])


def _quantifier(form: Mapping[str, Any], parameters: Mapping[str, Any]) -> QuantifierNode:
    steps = tuple(form["steps"])
    return QuantifierNode(
        universal=form["op"] == "every",
        root=form["root"],
        steps=steps,
        get=getter(form["root"], steps, in_resource=form["in_resource"]),
        inner=build(form["check"], parameters),
        empty_passes=form["empty"],
        defaults=_defaults(form),
    )


def _defaults(form: Mapping[str, Any]) -> list[DefaultValue]:
    return [
        DefaultValue(
            item["length"],
            item["value"] if item["depends"] is None else Unresolved("default_depends", item["depends"]),
            item["unless"],
            item["provenance"],
            item.get("deployed"),
        )
        for item in form["defaults"]
    ]
