"""Trust policies that plainly let no token of a question through: most need no search.

Every statement that lets the provider in has a condition which all tokens of the question fail. Where that is
not plain, nothing is said, and the search decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from policyengine.iam.conditions import read_operator
from policyengine.iam.documents import Condition, Policy, Statement
from policyengine.iam.glob import compile_glob, has_wildcard

Spells = Callable[[str, str], "str | None"]
"""Form, value → the pattern of those whom the value spells out."""


def all_fail(policies: Sequence[Policy], principal: str, fails: Callable[[Condition], bool]) -> bool:
    """Say whether each statement that may let a principal in has a condition that surely fails."""
    return all(
        any(fails(condition) for condition in statement.conditions)
        for policy in policies
        for statement in policy.statements
        if statement.allow and _may_name(statement, principal)
    )


def _may_name(statement: Statement, principal: str) -> bool:
    principals = statement.principals
    if statement.not_principal or principals is None or "*" in principals:
        return True
    return any(name in ("*", principal) for several in principals.values() for name in several)


def positive(condition: Condition) -> bool:
    """Say whether a condition holds only for a claim that is there and has one of the values."""
    operator = read_operator(condition.operator)
    if operator is None or operator.if_exists or operator.quantifier == "forallvalues":
        return False
    return operator.base in ("StringEquals", "StringLike") and not any("${" in v for v in condition.values)


def fails_by_name(condition: Condition, forms: Mapping[str, Sequence[str]], spells: Spells) -> bool:
    """Say whether a condition holds only for tokens of those whom it spells out. ``forms``: key → forms."""
    found = forms.get(condition.key.lower())
    if found is None or not positive(condition):
        return False
    return all(
        _wholly(form, value, spells) or _apart(form, value) for value in condition.values for form in found
    )


def _wholly(form: str, value: str, spells: Spells) -> bool:
    """Whether everything a value matches, of this form, has the name that it spells out."""
    pattern = spells(form, value)
    if pattern is None:
        return False
    return value == pattern or (pattern.endswith("*") and value.startswith(pattern[:-1]))


def _apart(form: str, value: str) -> bool:
    """Whether no text is of the form and matches the value."""
    if value == "\0":
        return True
    head, start = form.partition("{")[0], _literal(value)
    if not head.startswith(start) and not start.startswith(head):
        return True
    return start == value and "{" not in form and form != value


def _literal(value: str) -> str:
    ends = [value.index(c) for c in "*?" if c in value]
    return value[: min(ends)] if ends else value


def fails_by_audience(condition: Condition, key: str, audiences: Collection[str]) -> bool:
    """Say whether a condition holds only for audiences that count; without any, for those it names."""
    if condition.key.lower() != key or not positive(condition) or any(map(has_wildcard, condition.values)):
        return False
    return not audiences or all(any(compile_glob(a)(v) for a in audiences) for v in condition.values)
