"""Whom the Deny statements of SCPs spare by name, and whom they spare besides.

``StringLike`` compares ``aws:PrincipalArn`` as a text: a star runs across ``:`` and ``/``. The path of a role
or a user may hold any character from ``!`` to DEL
(https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html), so
``arn:aws:iam::*:role/NetworkAdmin`` also spares a user ``NetworkAdmin`` with the path ``/x:role/``. ``ArnLike``
compares the parts of an ARN one by one. Service-linked roles are beyond every SCP
(https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from policyengine.iam.account_ids import names_accounts
from policyengine.iam.cells import signature_of
from policyengine.iam.conditions import read_operator
from policyengine.iam.dimensions import Domain, text_dimension
from policyengine.iam.documents import Statement
from policyengine.iam.domains import account_callers, caller_domain
from policyengine.iam.glob import has_wildcard
from policyengine.iam.request_set import RequestSet

_KEY: Final = "aws:principalarn"
_ANY_ACCOUNT: Final = "567890123456"
"""Stands for any account in the answer about a pattern that names none."""


class Exemption(NamedTuple):
    """A pattern of ``aws:PrincipalArn`` that a Deny statement spares; ``besides`` is the ARN of a principal
    that is spared as well because the operator compares texts."""

    pattern: str
    operator: str
    besides: str | None


def exemptions(statement: Statement, account: str) -> Iterable[Exemption]:
    """Yield whom a Deny statement spares by a negated condition on who asks."""
    for condition in statement.conditions:
        operator = read_operator(condition.operator)
        if operator is None or condition.key.lower() != _KEY or "Not" not in operator.base:
            continue
        for pattern in condition.values:
            loose = operator.base == "StringNotLike" and has_wildcard(pattern)
            yield Exemption(pattern, condition.operator, besides(pattern, account) if loose else None)


def besides(pattern: str, account: str) -> str | None:
    """Return a principal of the account whose ARN a pattern matches as a text but not part by part."""
    if names_accounts([pattern]):
        return _besides(pattern, account)
    found = _besides(pattern, _ANY_ACCOUNT)
    return None if found is None else found.replace(_ANY_ACCOUNT, account)


@lru_cache(maxsize=1024)
def _besides(pattern: str, account: str) -> str | None:
    if len(pattern.split(":", 5)) < 6:
        return None
    requests = RequestSet(principals=(pattern,), exempt=(pattern,))
    domain = caller_domain(account_callers(account), requests, lambda principal, key: None)
    found = (_plain(str(text), domain) for text in text_dimension([], domain).candidates)
    return next((text for text in found if text is not None), None)


def _plain(text: str, domain: Domain) -> str | None:
    """Return a principal as it may be called: with a name, and a path that reads like one."""
    named = f"{text}x" if text.endswith("/") else text
    return next(
        (
            t
            for t in (named.replace("/:", "/x:", 1), named)
            if signature_of(domain.universe, t) and domain.admits(t)
        ),
        None,
    )
