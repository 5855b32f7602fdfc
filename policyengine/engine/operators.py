"""The comparison operators: what each says about a known value.

A test is called with a value that is neither ABSENT nor Unresolved and returns a Truth, or None
when the value's type cannot be compared (the caller makes that UNKNOWN ``wrong_type``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from policyengine.model.logic import FALSE, TRUE, UNKNOWN, Truth
from policyengine.model.values import OpenList, Unresolved
from policyengine.rules.patterns import compile_pattern

Test = Callable[[Any], Truth | None]

NEGATIVE: Final = frozenset({"not_equals", "not_in"})
EQUALITY: Final = frozenset({"equals", "not_equals"})


def coerce(value: Any, kind: str | None) -> Any:
    """Return the value as the catalog types it, or None when it cannot be.

    CloudFormation accepts numbers and booleans written as strings and strings written as numbers
    or booleans (AWS CloudFormation User Guide, "Resource attribute / property data types").
    """
    if kind == "boolean":
        return _as_boolean(value)
    if kind in ("integer", "number"):
        return _as_number(value)
    if kind == "string":
        return _as_string(value)
    return value


def _as_boolean(value: Any) -> bool | None:
    if value.__class__ is bool:
        return bool(value)
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return None


def _as_number(value: Any) -> int | float | None:
    if value.__class__ is int or value.__class__ is float:
        return value
    if isinstance(value, str) and len(value) < 40:
        try:
            return int(value)
        except ValueError:
            try:
                number = float(value)
            except ValueError:
                return None
            return number if number == number and abs(number) != float("inf") else None
    return None


def _as_string(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ is int or value.__class__ is float:
        return str(value)
    return None


def make_test(operator: str, expected: Any, kind: str | None) -> Test:
    """Return the test for an operator, its expected value and the catalog's kind of the value."""
    if operator in ("equals", "not_equals"):
        return _equality(expected, kind, negated=operator == "not_equals")
    if operator in ("in", "not_in"):
        return _membership(expected, kind, negated=operator == "not_in")
    if operator in ("at_least", "at_most"):
        return _bound(expected, least=operator == "at_least")
    if operator == "matches":
        return _matches(expected)
    if operator == "contains":
        return _contains(expected)
    raise KeyError(operator)


def _scalar_kind(kind: str | None, expected: Any) -> str | None:
    """Where the catalog has no kind, the expected value's own type is what is compared."""
    if kind is not None and kind != "json":
        return kind
    if isinstance(expected, bool):
        return "boolean"
    if isinstance(expected, int | float):
        return "number"
    return "string" if isinstance(expected, str) else None


def _equality(expected: Any, kind: str | None, *, negated: bool) -> Test:
    kind = _scalar_kind(kind, expected)
    wanted = coerce(expected, kind)
    same, other = (FALSE, TRUE) if negated else (TRUE, FALSE)

    def test(value: Any) -> Truth | None:
        known = value if value.__class__ is wanted.__class__ else coerce(value, kind)
        if known is None or isinstance(known, dict | list):
            return None
        return same if known == wanted else other

    test.operand = wanted, same, other  # type: ignore[attr-defined]  # for `fused.fuse`
    return test


def _membership(expected: Sequence[Any], kind: str | None, *, negated: bool) -> Test:
    kind = _scalar_kind(kind, expected[0] if expected else "")
    wanted = frozenset(coerce(e, kind) for e in expected)
    same, other = (FALSE, TRUE) if negated else (TRUE, FALSE)

    def test(value: Any) -> Truth | None:
        known = coerce(value, kind)
        if known is None or isinstance(known, dict | list):
            return None
        return same if known in wanted else other

    return test


def _bound(expected: int | float, *, least: bool) -> Test:
    def at_least(value: Any) -> Truth | None:
        number = _as_number(value)
        if number is None:
            return None
        return TRUE if number >= expected else FALSE

    def at_most(value: Any) -> Truth | None:
        number = _as_number(value)
        if number is None:
            return None
        return TRUE if number <= expected else FALSE

    return at_least if least else at_most


def _matches(expected: str) -> Test:
    pattern = compile_pattern(expected)

    def test(value: Any) -> Truth | None:
        text = _as_string(value)
        if text is None:
            return None
        return TRUE if pattern.fullmatch(text) else FALSE

    return test


def _contains(expected: Any) -> Test:
    same = _equality(expected, None, negated=False)

    def test(value: Any) -> Truth | None:
        if isinstance(value, str):
            return TRUE if isinstance(expected, str) and expected in value else FALSE
        if not isinstance(value, list):
            return None
        truth: Truth = UNKNOWN if value.__class__ is OpenList else FALSE
        for element in value:
            if isinstance(element, Unresolved):
                truth = UNKNOWN
            elif same(element) is TRUE:
                return TRUE
        return truth

    return test


def describe(operator: str, expected: Any, *, wanted: bool = True) -> str:
    """Return the requirement in words, e.g. ``at least 7``; ``wanted=False`` negates it."""
    shown = _show(expected)
    if operator == "is":
        return expected if wanted else {"present": "absent", "absent": "present"}[expected]
    positive, negative = _WORDS[operator]
    return (positive if wanted else negative).format(shown)


_WORDS: Final = {
    "equals": ("{}", "anything but {}"),
    "not_equals": ("anything but {}", "{}"),
    "in": ("one of {}", "none of {}"),
    "not_in": ("none of {}", "one of {}"),
    "at_least": ("at least {}", "less than {}"),
    "at_most": ("at most {}", "more than {}"),
    "matches": ("a match of `{}`", "no match of `{}`"),
    "contains": ("something that contains {}", "nothing that contains {}"),
}


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(_show(v) for v in value) or "(nothing)"
    return str(value)
