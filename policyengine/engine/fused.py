"""Shorter closures for the checks that most rules consist of.

A check of one property or tag normally costs three calls: the check, its getter, its test. Here
they are one or two, for the values nearly every resource has; every other value (absent,
unresolved, mistyped, of an open object) goes to ``general``, the check's own ``decide``.
INVARIANT: where a fused closure answers itself, ``general`` would say the same;
``tests/engine/test_fused.py`` holds that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policyengine.engine.access import PLAIN
from policyengine.engine.operators import Test
from policyengine.model.logic import UNKNOWN, Truth
from policyengine.rules.predicates.api import Subject

Decide = Callable[[Any, Subject], Truth]


def fuse(root: str, steps: tuple[str, ...], *, in_resource: bool, test: Test, general: Decide) -> Decide:
    """Return a closure that says what ``general`` says, or ``general`` where there is no shorter one."""
    if len(steps) != 1:
        return general
    if not in_resource:
        return _of_element(steps[0], test, general) if root in ("properties", "element") else general
    if root == "properties":
        wanted, same, other = getattr(test, "operand", (None, UNKNOWN, UNKNOWN))
        if isinstance(wanted, bool | int | float | str):
            return _equality(steps[0], wanted, same, other, general)
        return _of_resource(steps[0], test, general)
    return _of_tags(steps[0], test, general) if root == "tags" else general


def _equality(
    name: str, wanted: bool | int | float | str, same: Truth, other: Truth, general: Decide
) -> Decide:
    kind = wanted.__class__

    def decide(scope: Any, subject: Subject) -> Truth:
        value = scope.properties.get(name)
        if value.__class__ is kind:
            return same if value == wanted else other
        return general(scope, subject)

    return decide


def _of_resource(name: str, test: Test, general: Decide) -> Decide:
    def decide(scope: Any, subject: Subject) -> Truth:
        value = scope.properties.get(name)
        if value.__class__ in PLAIN:
            truth = test(value)
            return UNKNOWN if truth is None else truth
        return general(scope, subject)

    return decide


def _of_element(name: str, test: Test, general: Decide) -> Decide:
    def decide(scope: Any, subject: Subject) -> Truth:
        if scope.__class__ is dict:
            value = scope.get(name)
            if value.__class__ in PLAIN:
                truth = test(value)
                return UNKNOWN if truth is None else truth
        return general(scope, subject)

    return decide


def _of_tags(key: str, test: Test, general: Decide) -> Decide:
    def decide(scope: Any, subject: Subject) -> Truth:
        tags = scope.tags
        if tags.__class__ is dict:
            value = tags.get(key)
            if value.__class__ is str:
                truth = test(value)
                return UNKNOWN if truth is None else truth
        return general(scope, subject)

    return decide
