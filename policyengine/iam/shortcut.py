"""One statement that plainly denies a whole set of requests: the common case, seen without a search.

"Plainly" is by texts: the statement's own patterns are those of the question, its conditions hold for
every value in question. What is not plain is left to the search.
"""

from __future__ import annotations

from policyengine.iam.atoms import PRINCIPAL_KEYS, Setting
from policyengine.iam.conditions import compile_condition, read_operator
from policyengine.iam.documents import Condition, Statement
from policyengine.iam.glob import has_wildcard
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Part


def denies_all(part: Part, requests: RequestSet, actions: int, setting: Setting) -> bool:
    """Say whether a Deny statement plainly holds for every request of the set; ``actions``: as bits."""
    statement = part.statement
    if actions & ~part.actions or statement.opaque is not None or not _names_everybody(statement):
        return False
    if statement.not_resource or not _names_resources(statement, requests):
        return False
    return all(_holds(c, statement.variables, requests, setting) for c in statement.conditions)


def _names_everybody(statement: Statement) -> bool:
    if statement.principals is None:
        return True
    return not statement.not_principal and "*" in statement.principals


def _names_resources(statement: Statement, requests: RequestSet) -> bool:
    names = statement.resources
    if names is None or "*" in names:
        return True
    return all(r in names and "${" not in r for r in requests.resources)


def _holds(condition: Condition, variables: bool, requests: RequestSet, setting: Setting) -> bool:
    key, operator = condition.key.lower(), read_operator(condition.operator)
    wanted = requests.context.get(key)
    if wanted is None or wanted.absent or operator is None or operator.quantifier or key in PRINCIPAL_KEYS:
        return False
    if any("${" in v for v in condition.values):
        return False
    if wanted.negated:
        same = {"StringNotEquals": False, "StringNotLike": True}.get(operator.base)
        if same is None or not set(condition.values) <= set(wanted.patterns):
            return False
        return same or not any(has_wildcard(v) for v in condition.values)
    if any(has_wildcard(p) or "/" in p for p in wanted.patterns):
        return False
    holds = compile_condition(condition, variables)
    return all(holds(setting.request(context={key: [p]})) is True for p in wanted.patterns)
