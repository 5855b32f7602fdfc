"""A bare policy document asked by itself: what it allows less what it denies, whatever else there is."""

from __future__ import annotations

from policyengine.cli.iam.access import Access
from policyengine.iam.domains import Callers, one_caller
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import grants
from policyengine.iam.request import read_caller
from policyengine.iam.request_set import RequestSet
from policyengine.model.errors import InputError
from policyengine.rules.iam.reader import Document

HOLDER = "whoever holds it"
"""Who asks, where a document names no principals."""


def asked_alone(document: Document, requests: RequestSet, principal: str | None) -> Access:
    """Return what a principal may do by a document alone; None: whoever it is about.

    Raises InputError for one that is no principal's ARN or name.
    """
    answer = grants([document.policy], requests, _callers(principal, document))
    named = any(s.principals is not None for s in document.policy.statements)
    return Access(principal or ("anybody" if named else HOLDER), answer)


def _callers(principal: str | None, document: Document) -> Callers | None:
    if principal is None:
        return None
    try:
        read_caller(principal)
    except PolicyError as error:
        hint = f"`{document.place}` is one policy, without principals of its own: name one by its ARN"
        raise InputError(f"{error}; {hint}", code="no_principal") from None
    return one_caller(principal)
