"""Value filters of Cloud Custodian: a key, an operator, a value, on what the describe call of a service says.

The keys are the API's names, mapped to CloudFormation's through the collectors' declarations and the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from policyengine.catalog import registry
from policyengine.migrate.drafts import Unlike
from policyengine.migrate.expressions import AllOf, Each, Expression, Not, Test
from policyengine.migrate.properties import fitted, from_api, kind_at, nearest, scalar, segments
from policyengine.rules.patterns import PatternError, compile_pattern

_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\[\*?\])?(\.[A-Za-z_][A-Za-z0-9_]*(\[\*?\])?)*")
"""The part of JMESPath that has a counterpart: names, and lists that are stepped through."""
_OPERATORS: Final = {
    "eq": "equals", "equal": "equals", "ne": "differs", "not-equal": "differs", "gt": "gt", "greater-than": "gt",
    "ge": "at_least", "gte": "at_least", "lt": "lt", "less-than": "lt", "le": "at_most", "lte": "at_most",
    "in": "in", "ni": "not_in", "not-in": "not_in", "contains": "contains", "regex": "regex",
    "regex-case": "regex-case", "glob": "glob",
}  # fmt: skip
_DATED: Final = ("older_than", "expires_within")
_SPECIAL: Final = ("absent", "present", "not-null", "empty")
_READ: Final = frozenset({"type", "key", "value", "op", "value_type"})


class Comparison(NamedTuple):
    """A value filter that is understood. ``path`` is CloudFormation's, ``missing`` whether a missing value is selected."""

    path: tuple[str, ...]
    tag: str | None
    kind: str | None
    operator: str
    value: Any
    type: str
    many: bool
    missing: bool
    notes: tuple[str, ...] = ()


def compared(data: Mapping[str, Any], type_: str, *, wrong: bool) -> Comparison:
    """Return what a value filter compares; ``wrong``: what it selects is a step towards FAIL.

    Raises Unlike saying what has no counterpart.
    """
    unknown = sorted(set(data) - _READ)
    if unknown:
        raise Unlike(f"`{unknown[0]}` has no counterpart")
    key, value = data.get("key"), data.get("value")
    if not isinstance(key, str):
        raise Unlike("expected a text as key")
    operator = _operator(data, value)
    if key.startswith("tag:"):
        return Comparison((), key.removeprefix("tag:"), "string", operator, value, type_, False, False)
    path, many = _path(key, type_)
    kind = scalar(kind_at(type_, path))
    value = _fitted(value, kind, operator)
    missing, notes = _missing(type_, path, kind, operator, wrong=wrong) if not many else (False, ())
    return Comparison(path, None, kind, operator, value, type_, many, missing, notes)


def _operator(data: Mapping[str, Any], value: Any) -> str:
    kind, op = data.get("value_type"), data.get("op")
    if isinstance(value, str) and value in _SPECIAL and kind is None:
        return str(value)
    if op is not None and op not in _OPERATORS:
        raise Unlike(f"operator `{op}` has no counterpart")
    known = _OPERATORS[op] if op is not None else "equals"
    if kind in ("age", "expiration"):
        return _dated(kind, known, value)
    if kind == "swap" and known == "in":
        return "contains"
    if kind not in (None, "integer"):
        raise Unlike(f"`value_type: {kind}` has no counterpart")
    if (
        value is None
        or isinstance(value, dict)
        or (isinstance(value, list) and known not in ("in", "not_in"))
    ):
        raise Unlike("its value is no single text, number or boolean")
    if known in ("in", "not_in") and not (isinstance(value, list) and value):
        raise Unlike(f"`{op}` needs a list of values")
    if known in ("gt", "lt", "at_least", "at_most") and not (
        isinstance(value, int) and not isinstance(value, bool)
    ):
        raise Unlike(f"`{op}` is converted for whole numbers only")
    return known


def _dated(kind: str, known: str, value: Any) -> str:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unlike("days that are no whole number have no counterpart")
    if kind == "age" and known in ("gt", "at_least"):
        return "older_than"
    if kind == "expiration" and known in ("lt", "at_most"):
        return "expires_within"
    raise Unlike(f"`{kind}` is converted only where what is too old, or expires too soon, is selected")


def _path(key: str, type_: str) -> tuple[tuple[str, ...], bool]:
    """Return the CloudFormation path of a key, and whether it steps through a list."""
    if not _KEY.fullmatch(key):
        raise Unlike("JMESPath beyond names and `[]` has no counterpart")
    steps = tuple(re.sub(r"\[\*?\]", "", key).split("."))
    path = from_api(type_, steps)
    if path is None:
        raise Unlike(f"no property of {type_} is known for this attribute of the API{nearest(type_, steps)}")
    listed = "[" in key
    lists = len(segments(type_, path)) - 1 + (1 if key.endswith("]") else 0)
    if (lists > 0) != listed or key.count("[") != lists or lists > 1:
        raise Unlike("it steps through lists otherwise than the property does")
    kind = kind_at(type_, path)
    if kind is None or kind.name == "json":
        raise Unlike("its value is free-form: predicates about policies ask what it means")
    return path, listed


def _fitted(value: Any, kind: str | None, operator: str) -> Any:
    if operator in ("in", "not_in"):
        return tuple(fitted(each, kind) for each in value)
    if operator in _SPECIAL or operator in (
        *_DATED,
        "contains",
        "regex",
        "regex-case",
        "glob",
    ):
        return value
    if kind is None:
        raise Unlike("the property is a list or an object, compared with one value")
    found = fitted(value, kind)
    if isinstance(found, bool) != (kind == "boolean"):
        raise Unlike(f"the property is of kind {kind}, and the value {value!r} is not")
    return found


def _missing(
    type_: str, path: tuple[str, ...], kind: str | None, operator: str, *, wrong: bool
) -> tuple[bool, tuple[str, ...]]:
    """Whether a missing value is selected: as Custodian has it, but never so that an unknown setting passes.

    A describe call says of every flag and number what it is; a template says nothing where nobody set it. Where no AWS
    default is known either, such a value counts against the resource.
    """
    if operator in _DATED:
        return True, (f"{'.'.join(path)}: a date that is not there fails; Custodian does not select it",)
    selected = operator in ("differs", "not_in")
    flag = kind in ("boolean", "integer", "number")
    if operator in _SPECIAL or not flag or registry.default(type_, path) is not None or selected == wrong:
        return selected, ()
    return wrong, (
        f"{'.'.join(path)}: no AWS default is known, so a template that leaves it out fails; Custodian sees the value in force",
    )


def tested(found: Comparison) -> Expression:
    """Return the expression that holds where the filter selects."""
    parts = segments(found.type, found.path) if found.tag is None else [()]
    if found.many and len(parts) == 1:
        parts = [parts[0], ()]
    if found.many:
        listed, below = parts
        return Each(listed, _one(found, below, element=True), some=True)
    return _one(found, parts[-1], element=False)


def _one(found: Comparison, path: tuple[str, ...], *, element: bool) -> Expression:
    def test(op: str, value: Any = None, *, missing: bool = False) -> Test:
        return Test(path, op, value, missing, found.tag, found.kind)

    operator, value = found.operator, found.value
    if element and operator not in ("contains", "present", "not-null"):
        raise Unlike("of a list only `contains` has a counterpart")
    if operator in ("absent", "present"):
        return test("present") if operator == "present" else Not(test("present"))
    if operator in ("empty", "not-null"):
        filled = _filled(found, test, path)
        return filled if operator == "not-null" else Not(filled)
    if operator == "contains":
        return _contains(found, test, path, element=element)
    if operator in ("differs", "not_in"):
        return Not(test("equals" if operator == "differs" else "in", value, missing=not found.missing))
    if operator in ("gt", "lt"):
        return (
            test("at_least", value + 1, missing=found.missing)
            if operator == "gt"
            else test("at_most", value - 1, missing=found.missing)
        )
    if operator in ("regex", "regex-case", "glob"):
        return test("matches", _pattern(operator, value))
    return test(operator, value, missing=found.missing)


def _filled(found: Comparison, test: Any, path: tuple[str, ...]) -> Expression:
    """Neither missing, nor empty, nor false, nor zero: what Python calls true."""
    kind = kind_at(found.type, found.path)
    if found.tag is not None or found.kind == "string":
        return AllOf((test("present"), test("filled")))
    if found.kind == "boolean":
        return Test(path, "equals", True, False, None, "boolean")
    if kind is not None and kind.name == "list":
        inner = kind.element.name if kind.element is not None else None
        return Each(path, Test((), "present", kind=inner), some=True)
    raise Unlike("`empty` and `not-null` of a number or an object have no counterpart")


def _contains(found: Comparison, test: Any, path: tuple[str, ...], *, element: bool) -> Expression:
    kind = kind_at(found.type, found.path)
    if element:
        return Test(path, "equals", found.value, False, None, found.kind)
    if kind is not None and kind.name == "list" and scalar(kind.element) is not None:
        return Each(path, Test((), "equals", found.value, False, None, scalar(kind.element)), some=True)
    if found.kind == "string" and isinstance(found.value, str):
        return Test(path, "contains", found.value, False, found.tag, "string")
    raise Unlike("`contains` of this property has no counterpart")


def _pattern(operator: str, value: Any) -> str:
    """Return a pattern for whole texts: c7n's match at the beginning, `regex` without regard to case."""
    if not isinstance(value, str):
        raise Unlike(f"`{operator}` needs a text")
    if operator == "glob":
        return _glob(value)
    inner = value.removesuffix("$") if value.endswith("$") and not value.endswith("\\$") else value
    whole = f"(?:{inner.removeprefix('^')})" + ("" if inner != value else ".*")
    pattern = f"(?i){whole}" if operator == "regex" else whole
    try:
        compile_pattern(pattern)
    except PatternError as error:
        raise Unlike(f"the pattern has no counterpart: {error}") from None
    return pattern


def _glob(value: str) -> str:
    if "[" in value:
        raise Unlike("`glob` with brackets has no counterpart")
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in value)
