"""Condition blocks: set operators, ``IfExists``, ``Null``, absent keys.

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from policyengine.iam.comparisons import OPERATORS, Test, filled_arn_like, filled_like
from policyengine.iam.documents import Condition
from policyengine.iam.opaque import Answer, Opaque, all_of, any_of, negate
from policyengine.iam.request import Request
from policyengine.iam.variables import Piece, Template, template

Holds = Callable[[Request], Answer]
Quantifier = Callable[[Sequence[str], Test, bool, bool], Answer]

_TEXTUAL: Final = ("String", "Arn", "Bool")
_HASHED: Final = ("StringEquals", "StringNotEquals")

FEW_VALUES: Final = 8
SHORT: Final = 1024
"""Conditions with so few values, and no longer, are compiled once for all statements."""

MAX_COMPARISONS: Final = 1_000_000
"""Most pairs of values one condition compares one by one."""


class Operator(NamedTuple):
    """A condition operator taken apart; ``quantifier`` is ``forallvalues``, ``foranyvalue`` or empty."""

    base: str
    quantifier: str
    if_exists: bool


def read_operator(name: str) -> Operator | None:
    """Return the operator (any case), ``Null`` among them; None for one AWS does not have."""
    return _OPERATORS.get(name.lower())


def _operators() -> dict[str, Operator]:
    """Return every operator AWS has, by its name in lower case."""
    found = {"null": Operator("Null", "", False)}
    for quantifier in ("", "forallvalues", "foranyvalue"):
        prefix = f"{quantifier}:" if quantifier else ""
        for base in OPERATORS:
            found[prefix + base.lower()] = Operator(base, quantifier, False)
            found[prefix + base.lower() + "ifexists"] = Operator(base, quantifier, True)
    return found


_OPERATORS: Final = _operators()


def compile_condition(condition: Condition, variables: bool) -> Holds:
    """Return what decides one key under one operator."""
    values = condition.values
    if len(values) <= FEW_VALUES and len(condition.key) + sum(map(len, values)) <= SHORT:
        return _compiled(condition.operator, condition.key, values, variables)
    return _compile(condition.operator, condition.key, values, variables)


def _compile(name: str, spelled: str, values: tuple[str, ...], variables: bool) -> Holds:
    operator = read_operator(name)
    if operator is None:
        return _undecided(f"unsupported operator `{name[:60]}`")
    key = spelled.lower()
    if ":" not in key:
        return _undecided(f"unsupported key `{spelled[:60]}`")
    if operator.base == "Null":
        return _null(key, values)
    build, negated = OPERATORS[operator.base]
    absent = _absent(operator, negated)
    over = _QUANTIFIERS[operator.quantifier]
    if variables and operator.base.startswith(_TEXTUAL) and any("${" in v for v in values):
        templates = [template(v, variables) for v in values]
        if any(templates):
            make = _with_variables(operator.base, values, templates)
            over = _bounded(over, len(values))
            return lambda request: _ask(request, key, absent, over, make(request), negated)
    if not operator.base.startswith(_HASHED):
        over = _bounded(over, len(values))
    return _fixed(key, absent, over, build(values), negated, single=not operator.quantifier)


_compiled = lru_cache(maxsize=4096)(_compile)
"""The same few conditions stand in most policies."""


def _fixed(key: str, absent: bool, over: Quantifier, test: Test, negated: bool, *, single: bool) -> Holds:
    """Return what decides a condition whose values no request changes."""

    def holds(request: Request) -> Answer:
        values = request.context.get(key)
        if values is None:
            values = request.values(key)
            if values is None:
                return absent
        if type(values) is tuple and len(values) == 1 and single:
            answer = test(values[0])
            if negated:
                return not answer if answer is True or answer is False else answer
            return answer
        return _ask(request, key, absent, over, test, negated)

    return holds


def _absent(operator: Operator, negated: bool) -> bool:
    """Return what an absent key means: IfExists holds, ForAllValues holds, ForAnyValue does not,
    otherwise a negated operator holds and a positive one does not."""
    if operator.if_exists or operator.quantifier == "forallvalues":
        return True
    return negated and operator.quantifier != "foranyvalue"


def _ask(
    request: Request, key: str, absent: bool, over: Quantifier, test: Test | Opaque, negated: bool
) -> Answer:
    values = request.values(key)
    if values is None:
        return absent
    if isinstance(values, Opaque):
        return values
    if isinstance(test, Opaque):
        return test
    return over(values, test, negated, absent)


def _single(values: Sequence[str], test: Test, negated: bool, absent: bool) -> Answer:
    """A key with several values needs a set operator; without one only a unanimous answer is known."""
    if not values:
        return absent
    answers = [test(v) for v in values]
    if all(a is True for a in answers):
        return not negated
    if all(a is False for a in answers):
        return negated
    if len(answers) == 1:
        return answers[0]
    return Opaque("several values under an operator without ForAllValues or ForAnyValue")


def _for_all(values: Sequence[str], test: Test, negated: bool, absent: bool) -> Answer:
    """Every value of the request matches; so do no values."""
    if not any(values):
        return True
    return all_of(negate(test(v)) if negated else test(v) for v in values)


def _for_any(values: Sequence[str], test: Test, negated: bool, absent: bool) -> Answer:
    """At least one value of the request matches (for a negated operator: matches none of the policy's).

    "If the key values in the request resolve to an empty data set (for example, an empty string)",
    ForAllValues holds and ForAnyValue does not; with IfExists the page leaves it open.
    """
    if not any(values):
        return Opaque("ForAnyValue with IfExists on a key without values") if absent else False
    return any_of(negate(test(v)) if negated else test(v) for v in values)


def _bounded(over: Quantifier, cost: int) -> Quantifier:
    """Return the quantifier that gives up where each value of the request meets too many of the policy."""

    def bounded(values: Sequence[str], test: Test, negated: bool, absent: bool) -> Answer:
        if len(values) * cost > MAX_COMPARISONS:
            return Opaque(f"too_large: {len(values)} values against {cost}")
        return over(values, test, negated, absent)

    return bounded


_QUANTIFIERS: Final[dict[str, Quantifier]] = {
    "": _single,
    "forallvalues": _for_all,
    "foranyvalue": _for_any,
}


def _null(key: str, values: Sequence[str]) -> Holds:
    """`true`: the key is absent; `false`: it is there "and its value is not null"."""
    wanted = {v.lower() for v in values}
    if not wanted <= {"true", "false"}:
        return _undecided("`Null` takes `true` or `false`")

    def holds(request: Request) -> Answer:
        found = request.values(key)
        if isinstance(found, Opaque):
            # a key whose values are not known may be absent as well
            return found if len(wanted) == 1 else True
        return ("false" if found else "true") in wanted

    return holds


def _with_variables(
    base: str, values: Sequence[str], templates: Sequence[Template | None]
) -> Callable[[Request], Test | Opaque]:
    """Return what builds the test once a request fills the variables."""
    build, negated = OPERATORS[base]
    like = base.endswith("Like") or base.startswith("Arn")

    def make(request: Request) -> Test | Opaque:
        filled: list[list[Piece]] = []
        for value, found in zip(values, templates, strict=True):
            pieces = [(value, False)] if found is None else found.fill(request)
            if isinstance(pieces, Opaque):
                return pieces
            if pieces is not None:
                filled.append(pieces)
            elif negated:
                return Opaque("a policy variable without a value under a negated operator")
        if not filled:
            return lambda value: False
        if base.startswith("Arn"):
            return filled_arn_like(filled)
        if like:
            return filled_like(filled)
        return build(["".join(text for text, _ in pieces) for pieces in filled])

    return make


def _undecided(reason: str) -> Holds:
    answer = Opaque(reason)
    return lambda request: answer
