"""Whether policies let every request of a set through: proved over all of them, or a request that is left out."""

from __future__ import annotations

from collections.abc import Sequence

from policyengine.iam.documents import Policy
from policyengine.iam.domains import Callers, account_callers, one_caller
from policyengine.iam.reason import EVERYONE, Answer, newly_allows
from policyengine.iam.request_set import RequestSet


def left_out(policies: Sequence[Policy], requests: RequestSet, callers: Callers) -> Answer:
    """Say whether the documents by themselves leave out a request of the set.

    No: they admit every one, whatever keys it carries that the set does not fix. Yes names one that they do not.
    """
    return newly_allows(policies, [EVERYONE], requests, callers)


def callers_named(principal: str, partition: str = "aws") -> Callers:
    """Return who may ask as a principal that a policy names: of an account (its id or root ARN) everybody in it."""
    account = principal if principal.isdigit() else ""
    if principal.startswith("arn:") and principal.endswith(":root"):
        account = principal.split(":")[4]
    return account_callers(account, partition) if account else one_caller(principal)
