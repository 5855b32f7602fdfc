"""One clause of Guard about one resource, as an expression.

A query that finds nothing is a failure of its clause, but for `empty` and `!exists`, which hold of it
(https://github.com/aws-cloudformation/cloudformation-guard/blob/main/docs/QUERY_AND_FILTERING.md, CLAUSES.md); without
`some` every value that a query finds has to hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from policyengine.catalog.schema import Kind
from policyengine.migrate.drafts import NotConverted, Unlike
from policyengine.migrate.expressions import AllOf, AnyOf, Each, Expression, Not, Test
from policyengine.migrate.guard_parser import Clause, Filter, Pattern, Query, Range
from policyengine.migrate.properties import fitted, kind_at, nearest, scalar
from policyengine.rules.patterns import PatternError, compile_pattern

_OF_TEMPLATES: Final = frozenset(
    {"is_string", "is_list", "is_struct", "is_bool", "is_int", "is_float", "is_null"}
)
Names = tuple[str, ...]


def compared(
    clause: Clause, parts: Sequence[str | Filter], type_: str, base: Names, variables: Mapping[str, Any]
) -> Expression:
    """Return a clause whose query goes on with ``parts`` behind the properties at ``base`` (lists stepped through).

    Raises NotConverted where nothing means the same.
    """
    try:
        if clause.operator in _OF_TEMPLATES:
            raise Unlike(f"`{clause.operator}` is about how a template is written")
        if clause.prefixed and clause.operator not in ("exists", "empty"):
            raise Unlike("`not` before a comparison has no counterpart; write `!=` or `not in`")
        return _along(clause, list(parts), type_, base, (), variables)
    except Unlike as error:
        raise NotConverted(shown(clause), str(error), clause.line) from None


def shown(clause: Clause) -> str:
    """Return a clause as its author would know it."""
    query = ".".join(each if isinstance(each, str) else "[…]" for each in clause.query.parts).replace(
        ".[]", "[*]"
    )
    start = f"%{clause.query.start}" if clause.query.start not in ("", "this") else clause.query.start
    return f"`{'.'.join(part for part in (start, query) if part)} {'!' if clause.negated else ''}{clause.operator}`"


def _along(
    clause: Clause,
    parts: list[str | Filter],
    type_: str,
    base: Names,
    path: Names,
    variables: Mapping[str, Any],
) -> Expression:
    """Go along a query; ``path`` is what was gone since the last list."""
    for number, part in enumerate(parts):
        here = (*base, *path)
        if isinstance(part, Filter):
            raise Unlike("a filter within a query has no counterpart")
        kind = kind_at(type_, here) if here else None
        if part in ("[]", "*"):
            if kind is None or kind.name != "list":
                raise Unlike(f"`{'.'.join(here)}` is no list of the property tree")
            if clause.operator == "empty" and number == len(parts) - 1:
                return _ends(clause, type_, base, path, variables)
            inner = _along(clause, parts[number + 1 :], type_, here, (), variables)
            absent = clause.operator == "exists" and _opposite(clause)
            return Each(path, inner, clause.some, empty=absent and not clause.some)
        if kind is not None and kind.name == "list" and path:
            raise Unlike(f"`{'.'.join(here)}` is a list; Guard steps through it with `[*]`")
        if kind is not None and kind.name == "json":
            raise Unlike(f"`{'.'.join(here)}` is free-form: predicates about policies ask what it means")
        path = (*path, part)
        if kind_at(type_, (*base, *path)) is None:
            raise Unlike(
                f"{type_} has no property `{'.'.join((*base, *path))}`{nearest(type_, (*base, *path))}"
            )
    return _ends(clause, type_, base, path, variables)


def _opposite(clause: Clause) -> bool:
    return clause.negated != clause.prefixed


def _ends(clause: Clause, type_: str, base: Names, path: Names, variables: Mapping[str, Any]) -> Expression:
    whole = (*base, *path)
    kind = kind_at(type_, whole)
    if kind is not None and kind.name == "list" and not path:
        kind = kind.element  # the elements themselves: `List[*] == …`
    name = scalar(kind)
    if clause.operator == "exists":
        there = Test(path, "present", kind=kind.name if kind is not None else None)
        return Not(there) if _opposite(clause) else there
    if clause.operator == "empty":
        filled = _filled(path, kind, name)
        return filled if _opposite(clause) else Not(filled)
    if name is None:
        raise Unlike(f"`{'.'.join(whole)}` is no single value")
    return _binary(clause, path, name, _resolved(clause.value, variables))


def _filled(path: Names, kind: Kind | None, name: str | None) -> Expression:
    if kind is not None and kind.name == "list":
        return Each(
            path, Test((), "present", kind=kind.element.name if kind.element is not None else None), some=True
        )
    if name == "string":
        return Test(path, "filled", kind="string")
    if name is not None:
        return Test(path, "present", kind=name)
    raise Unlike("`empty` of an object has no counterpart; `exists` has")


def _resolved(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return the literal behind a variable."""
    if not isinstance(value, Query):
        return value
    found = variables.get(value.start)
    if value.parts or not value.start or found is None or isinstance(found, Query):
        raise Unlike("comparing two queries has no counterpart")
    return found


def _binary(clause: Clause, path: Names, kind: str, value: Any) -> Expression:
    operator = clause.operator
    if isinstance(value, list) and operator in ("==", "!="):
        raise Unlike("comparing with a whole list has no counterpart; `in` has")
    if operator == "in" and not isinstance(value, list | Range):
        value = [value]
    negated = clause.negated != (operator == "!=")
    if operator in ("==", "!=", "in"):
        return _equal(path, kind, value, negated=negated)
    if clause.negated:
        raise Unlike("`not` before an order has no counterpart; turn the sign")
    return _ordered(path, kind, operator, value)


def _equal(path: Names, kind: str, value: Any, *, negated: bool) -> Expression:
    """A value that is missing fails, also where the clause says `!=`."""
    if isinstance(value, Range):
        inside = _range(path, kind, value)
        return AllOf((Test(path, "present", kind=kind), Not(inside))) if negated else inside
    if isinstance(value, list):
        return _one_of(path, kind, value, negated=negated)
    made = _single(path, kind, value, missing=negated)
    return Not(made) if negated else made


def _one_of(path: Names, kind: str, values: list[Any], *, negated: bool) -> Expression:
    if not values:
        raise Unlike("an empty list has no counterpart")
    if any(isinstance(each, Pattern | Range) for each in values):
        parts = tuple(_equal(path, kind, each, negated=negated) for each in values)
        return AllOf(parts) if negated else AnyOf(parts)
    inside = Test(path, "in", tuple(_literal(each, kind) for each in values), negated, kind=kind)
    return Not(inside) if negated else inside


def _single(path: Names, kind: str, value: Any, *, missing: bool) -> Test:
    if isinstance(value, Pattern):
        if kind != "string":
            raise Unlike("a pattern about what is no text has no counterpart")
        return Test(path, "matches", _whole(value.text), missing, kind=kind)
    return Test(path, "equals", _literal(value, kind), missing, kind=kind)


def _literal(value: Any, kind: str) -> Any:
    if not isinstance(value, str | int | float):
        raise Unlike("the value has no counterpart")
    found = fitted(value, kind)
    if isinstance(found, bool) != (kind == "boolean") or isinstance(found, str) != (kind == "string"):
        raise Unlike(f"the property is of kind {kind}, and {value!r} is not: Guard never holds these equal")
    return found


def _whole(text: str) -> str:
    """Return a pattern for whole texts that holds where the given one is found anywhere."""
    flags, rest = ("(?i)", text.removeprefix("(?i)")) if text.startswith("(?i)") else ("", text)
    begun, ended = rest.startswith("^"), rest.endswith("$") and not rest.endswith("\\$")
    inner = rest[1 if begun else 0 : len(rest) - (1 if ended else 0)]
    if (begun or ended) and "|" in inner:
        raise Unlike("a pattern that is anchored in one of several alternatives has no counterpart")
    pattern = f"{flags}{'' if begun else '.*'}(?:{inner}){'' if ended else '.*'}"
    try:
        compile_pattern(pattern)
    except PatternError as error:
        raise Unlike(f"the pattern has no counterpart: {error}") from None
    return pattern


def _ordered(path: Names, kind: str, operator: str, value: Any) -> Expression:
    number = _number(value, kind)
    if operator in (">", "<"):
        if kind != "integer":
            raise Unlike("`<` and `>` are converted for whole numbers only")
        number += 1 if operator == ">" else -1
    return Test(path, "at_least" if operator.startswith(">") else "at_most", number, kind=kind)


def _range(path: Names, kind: str, value: Range) -> Expression:
    if (value.low_open or value.high_open) and kind != "integer":
        raise Unlike("open ranges are converted for whole numbers only")
    low = _number(value.low, kind) + (1 if value.low_open else 0)
    high = _number(value.high, kind) - (1 if value.high_open else 0)
    return AllOf((Test(path, "at_least", low, kind=kind), Test(path, "at_most", high, kind=kind)))


def _number(value: Any, kind: str) -> int | float:
    if kind not in ("integer", "number") or isinstance(value, bool) or not isinstance(value, int | float):
        raise Unlike("an order is converted for numbers only")
    return int(value) if math.isclose(value, int(value)) else value
