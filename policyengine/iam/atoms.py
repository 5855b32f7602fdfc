"""A statement taken apart: each atom is what it asks of one dimension of a request.

Dimensions are the resource, the principal (with the keys that follow from it) and every other condition
key. An atom is tested with the very code that decides single requests; what it adds is ``patterns`` and
``points``: where its answer can change, so that a finite list of values stands for all.

A test answers with two Booleans: whether the atom *may* hold and whether it *must*. They differ where
something is not known, or where a policy variable ties the dimension to another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

from policyengine.iam.cells import (
    ANY_RUN,
    ANYTHING,
    PART,
    Either,
    Pattern,
    arn_glob,
    exact,
    glob,
    ignoring_case,
    joined,
    matches,
)
from policyengine.iam.comparisons import OPERATORS
from policyengine.iam.conditions import Operator, compile_condition, read_operator
from policyengine.iam.documents import Condition, Statement
from policyengine.iam.glob import compile_glob
from policyengine.iam.opaque import Answer, Opaque
from policyengine.iam.principals import Named, compile_exempt, compile_principals
from policyengine.iam.request import Request
from policyengine.iam.resource_types import wildcard_in_type
from policyengine.iam.variables import Template, Variable, template

Truth = tuple[bool, bool]
"""(may, must)."""
YES: Final[Truth] = (True, True)
NO: Final[Truth] = (False, False)
MAYBE: Final[Truth] = (True, False)

RESOURCE: Final = "resource"
PRINCIPAL: Final = "principal"
PRINCIPAL_KEYS: Final = frozenset(
    {
        "aws:principalarn", "aws:principalaccount", "aws:username", "aws:principalisawsservice",
        "aws:principalservicename", "aws:principaltype",
    }
)  # fmt: skip
"""Condition keys that follow from who asks."""

_ARN_SHAPE: Final = arn_glob("arn:*:*:*:*:*")


class Atom(NamedTuple):
    """What a statement asks of one dimension; ``values`` are the texts it names.

    An atom of family ``tie`` must hold where a policy variable has a value: without one a negated
    operator is not decided. One of family ``hint`` asks nothing, and only says where there is one.
    """

    dimension: str
    patterns: tuple[Pattern | Either, ...]
    test: Callable[[Any], Truth]
    family: str = "text"
    values: tuple[str, ...] = ()
    quantified: bool = False
    templates: tuple[Template, ...] = ()
    """Texts whose variables tie this dimension to others."""
    negative: bool = False


@dataclass(frozen=True)
class Setting:
    """What a question fixes: keys with one value, keys that are absent (None), and who may ask."""

    facts: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    partition: str = "aws"
    account: str = "123456789012"
    resource_account: str | None = None
    """Whose the resources are, where their ARNs do not say; by default the caller's."""

    def request(
        self, principal: str | None = None, context: Mapping[str, Any] | None = None, resource: str = "*"
    ) -> Request:
        """Return a request that shows one dimension to a test."""
        known = {k: v for k, v in self.facts.items() if v is not None}
        who = principal or f"arn:{self.partition}:iam::{self.account}:role/x"
        return Request(who, "x:x", resource, {**known, **(context or {})})


def truth_of(answer: Answer | str | None) -> Truth:
    """Return both readings of an answer."""
    if isinstance(answer, Opaque):
        return MAYBE
    return YES if answer is True else NO


def negated(truth: Truth) -> Truth:
    """Return both readings of the opposite."""
    return (not truth[1], not truth[0])


def atoms_of(statement: Statement, setting: Setting, named: frozenset[Named] | None = None) -> list[Atom]:
    """Return the atoms of a statement, its actions left out; all of them must hold.

    ``named``: only as far as the statement names the principal in one of these ways.
    """
    atoms: list[Atom] = []
    if statement.opaque is not None:
        atoms.append(Atom(RESOURCE, (), lambda value: MAYBE))
    if statement.resources is not None and "*" not in statement.resources:
        atoms.append(_resource_atom(statement, setting))
    elif statement.not_resource:
        atoms.append(Atom(RESOURCE, (), lambda value: NO))
    if statement.principals is not None:
        atoms.append(_principal_atom(statement, statement.principals, setting, named))
    atoms.extend(_condition_atom(c, statement.variables, setting) for c in statement.conditions)
    open_keys = {p.key for a in atoms for t in a.templates for p in t.parts if isinstance(p, Variable)}
    atoms.extend(_tie_atom(key, setting) for key in sorted(open_keys))
    if open_keys and not any(a.templates and a.negative for a in atoms):
        atoms = [a._replace(family="hint") if a.family == "tie" else a for a in atoms]
    return atoms


def _tie_atom(key: str, setting: Setting) -> Atom:
    if key not in PRINCIPAL_KEYS:
        return Atom(key, (), lambda value: YES if value else MAYBE, "tie")
    patterns = (glob("arn:*:iam::*:user/*"),) if key == "aws:username" else ()
    return Atom(
        PRINCIPAL, patterns, lambda value: MAYBE if setting.request(value).values(key) is None else YES, "tie"
    )


def _templates(values: Iterable[str], variables: bool, setting: Setting) -> tuple[Template, ...]:
    """Return the texts with variables nobody fills."""
    found = ((v, template(v, variables)) for v in values)
    return tuple(t for v, t in found if t is not None and not isinstance(_fill(v, variables, setting), str))


def _resource_atom(statement: Statement, setting: Setting) -> Atom:
    tests: list[Callable[[str], Truth]] = []
    patterns: dict[Truth, list[Pattern]] = {YES: [], MAYBE: []}
    for text in statement.resources or ():
        filled = _fill(text, statement.variables, setting)
        if isinstance(filled, str):
            hit = MAYBE if wildcard_in_type(filled) else YES
            patterns[hit].append(glob(filled))
            tests.append(_hit(compile_glob(filled), hit))
        else:
            patterns[MAYBE].append(filled)
            tests.append(_hit(partial(matches, filled), MAYBE))
    positive = _any(tests)
    test = (lambda value: negated(positive(value))) if statement.not_resource else positive
    ties = _templates(statement.resources or (), statement.variables, setting)
    return Atom(
        RESOURCE,
        tuple(Either(found) if len(found) > 1 else found[0] for found in patterns.values() if found),
        test,
        values=statement.resources or (),
        templates=ties,
        negative=statement.not_resource,
    )


def _hit(matcher: Callable[[str], bool], hit: Truth) -> Callable[[str], Truth]:
    return lambda value: hit if matcher(value) else NO


def _fill(text: str, variables: bool, setting: Setting) -> str | Pattern:
    """Return the text with its variables filled from the facts, or a pattern with runs in their place."""
    found = template(text, variables)
    if found is None:
        return text
    if all(not isinstance(p, Variable) or p.key in setting.facts for p in found.parts):
        pieces = found.fill(setting.request())
        if isinstance(pieces, list) and not any(lit and ("*" in t or "?" in t) for t, lit in pieces):
            return "".join(t for t, _ in pieces)
        if pieces is None:
            return "\0"
    parts = [ANY_RUN if isinstance(p, Variable) else exact(p[0]) if p[1] else glob(p[0]) for p in found.parts]
    return joined(*parts)


def _any(tests: Sequence[Callable[[Any], Truth]]) -> Callable[[Any], Truth]:
    if len(tests) == 1:
        return tests[0]

    def test(value: Any) -> Truth:
        found = [t(value) for t in tests]
        return any(may for may, _ in found), any(must for _, must in found)

    return test


def _principal_atom(
    statement: Statement,
    principals: Mapping[str, tuple[str, ...]],
    setting: Setting,
    named: frozenset[Named] | None,
) -> Atom:
    patterns = tuple(p for name in principals.get("AWS", ()) for p in _principal_patterns(name))
    if statement.not_principal:
        exempt = compile_exempt(principals, not statement.allow)

        def excluded(value: str) -> Truth:
            found = negated(truth_of(exempt(setting.request(value))))
            return found if named is None or Named.EVERYONE in named else NO

        return Atom(PRINCIPAL, patterns, excluded)
    by = compile_principals(principals)

    def test(value: str) -> Truth:
        found = by(setting.request(value))
        if isinstance(found, Opaque):
            return MAYBE
        if named is not None:
            return YES if found in named else NO
        return YES if found is not Named.NOT else NO

    return Atom(PRINCIPAL, patterns, test)


def _principal_patterns(name: str) -> Iterable[Pattern]:
    """Return where among the ARNs of principals the answer of an element can change."""
    if name.isdigit():
        yield joined(exact("arn:"), PART, exact(f":iam::{name}:"), ANY_RUN)
    elif name.endswith(":root"):
        yield joined(exact(name.removesuffix("root")), ANY_RUN)
        yield exact(name)
    elif ":assumed-role/" in name:
        head, _, tail = name.partition(":assumed-role/")
        role = tail.partition("/")[0]
        base = exact(head.replace(":sts:", ":iam:") + ":role/")
        yield joined(base, exact(role))
        yield joined(base, ANYTHING, exact("/" + role))
    elif name != "*":
        yield exact(name)


def _condition_atom(condition: Condition, variables: bool, setting: Setting) -> Atom:
    key = condition.key.lower()
    operator = read_operator(condition.operator)
    dimension = PRINCIPAL if key in PRINCIPAL_KEYS and key not in setting.facts else key
    if operator is None or ":" not in key:
        return Atom(RESOURCE, (), lambda value: MAYBE)
    textual = operator.base.startswith(("String", "Arn"))
    ties = _templates(condition.values, variables, setting) if textual else ()
    answer: Callable[[Request], Answer | Truth]
    if ties:
        answer = _loosely(condition, operator, setting)
    else:
        answer = compile_condition(condition, variables)
    shown = _shown(key, dimension, setting)

    def test(value: Any) -> Truth:
        found = answer(shown(value))
        return found if isinstance(found, tuple) else truth_of(found)

    if key in setting.facts:
        constant = test(setting.facts[key])
        return Atom(RESOURCE, (), lambda value: constant)
    patterns = _condition_patterns(condition, operator, variables, setting) if textual else ()
    negative = operator.base in OPERATORS and OPERATORS[operator.base][1]
    if dimension is PRINCIPAL:
        inside = tuple(p for q in patterns for p in in_principal(key, q))
        return Atom(PRINCIPAL, inside, test, templates=ties, negative=negative)
    family = "null" if operator.base == "Null" else "text" if textual else _family(operator.base)
    return Atom(key, patterns, test, family, condition.values, bool(operator.quantifier), ties, negative)


def _family(base: str) -> str:
    for family in ("Numeric", "Date", "Bool", "Binary"):
        if base.startswith(family):
            return family.lower()
    return "ip"


def _shown(key: str, dimension: str, setting: Setting) -> Callable[[Any], Request]:
    """Return what makes the request that shows a value of the dimension to a condition."""
    if dimension is not PRINCIPAL:
        return lambda value: setting.request(context={} if value is None else {key: list(value)})
    return lambda value: setting.request(value)


def _condition_patterns(
    condition: Condition, operator: Operator, variables: bool, setting: Setting
) -> tuple[Pattern, ...]:
    patterns: list[Pattern] = []
    for value in condition.values:
        filled = _fill(value, variables, setting)
        if not isinstance(filled, str):
            patterns.append(filled)
        elif operator.base.startswith("Arn"):
            patterns.append(arn_glob(filled))
        elif "IgnoreCase" in operator.base:
            patterns.append(ignoring_case(filled))
        else:
            patterns.append(glob(filled) if operator.base.endswith("Like") else exact(filled))
    if operator.base.startswith("Arn"):
        patterns.append(_ARN_SHAPE)
    return tuple(patterns)


def in_principal(key: str, pattern: Pattern) -> Iterable[Pattern]:
    """Return the pattern of a key's value as patterns of the principal's ARN."""
    if key == "aws:principalarn":
        yield pattern
    elif key == "aws:principalaccount":
        yield joined(exact("arn:"), PART, exact(":iam::"), _within(pattern, ":"), exact(":"), ANY_RUN)
    elif key == "aws:principaltype":
        for kind in (":user/", ":role/", ":root"):
            yield joined(exact("arn:"), PART, exact(":iam::"), PART, exact(kind), ANY_RUN)
    elif key == "aws:username":
        head = joined(exact("arn:"), PART, exact(":iam::"), PART, exact(":user/"))
        yield joined(head, _within(pattern, ":/"))
        yield joined(head, ANY_RUN, exact("/"), _within(pattern, ":/"))


def _within(pattern: Pattern, without: str) -> Pattern:
    """Return the pattern with its open classes narrowed to texts without some characters."""
    return Pattern(t._replace(chars=t.chars | frozenset(without)) if t.negated else t for t in pattern)


def _loosely(condition: Condition, operator: Operator, setting: Setting) -> Callable[[Request], Truth]:
    """Return the test of a condition with variables nobody fills: any text may stand in their place."""
    _, negative = OPERATORS[operator.base]
    filled = {v: _fill(v, True, setting) for v in condition.values}
    loose = [p for p in filled.values() if not isinstance(p, str)]
    sure = tuple(v for v, p in filled.items() if isinstance(p, str))
    plain = operator.base.replace("Not", "")
    certain = compile_condition(Condition(plain, condition.key, sure), True) if sure else None
    absent = compile_condition(condition, False)
    key = condition.key.lower()

    def test(request: Request) -> Truth:
        values = request.values(key)
        if values is None:
            return truth_of(absent(request))
        if isinstance(values, Opaque) or len(values) != 1:
            return MAYBE
        _, must = truth_of(certain(request)) if certain else NO
        may = must or any(matches(p, values[0]) for p in loose) or "IgnoreCase" in operator.base
        return negated((may, must)) if negative else (may, must)

    return test
