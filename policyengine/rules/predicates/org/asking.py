"""What the questions about organisations have in common: the set that is asked about, the account, doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import WHY
from policyengine.iam.request_set import RequestSet, read_request_set
from policyengine.model.finding import Evidence
from policyengine.model.logic import UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.rules.iam.standins import ACCOUNT
from policyengine.rules.predicates.api import Answer
from policyengine.rules.predicates.iam.asking import requests_of

_ASKED: Final[dict[tuple[int, int], tuple[Any, Any, RequestSet]]] = {}
"""By identity of the arguments, which a rule binds once. INVARIANT: an entry holds its arguments."""


def asked_of(requests: Any, exempt: Sequence[str]) -> RequestSet:
    """Return the set without the principals that are left out, the same object for the same arguments.

    Raises PolicyError where either cannot be read.
    """
    if not exempt:
        return requests_of(requests)
    key = (id(requests), id(exempt))
    known = _ASKED.get(key)
    if known is not None:
        return known[2]
    left_out = read_request_set({"principal": {"not": list(exempt)}}).exempt
    asked = requests_of(requests)
    found = replace(asked, exempt=(*asked.exempt, *left_out))
    if len(_ASKED) >= 1024:
        _ASKED.clear()
    _ASKED[key] = (requests, exempt, found)
    return found


def names_of(resource: Resource) -> list[str]:
    """Return what may be the id of an account."""
    found = (resource.properties.get("AccountId"), resource.id, resource.account)
    own = found[:2] if resource.type == "AWS::Organizations::Account" else found
    return [name for name in own if isinstance(name, str)] or [ACCOUNT]


def unresolved(value: Unresolved, expected: str) -> Answer:
    """UNKNOWN for what the source did not show."""
    return Answer(UNKNOWN, (Evidence((), value, expected, value.reason),))


def not_shown(account: str, expected: str) -> Answer:
    """UNKNOWN for an account that the records of the organisation do not hold."""
    return unresolved(
        Unresolved("not_collected", f"the organisation's records do not show `{account}`"), expected
    )


def undecided(why: Sequence[str], expected: str) -> Answer:
    """UNKNOWN with what stood in the way of an answer."""
    return unresolved(Unresolved("not_collected", "; ".join(WHY.get(code, code) for code in why)), expected)


__all__ = ["PolicyError", "asked_of", "names_of", "not_shown", "undecided", "unresolved"]
