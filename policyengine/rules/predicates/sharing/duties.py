"""``sharing.one_may_both``: does a policy give one principal two duties that should be apart?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.documents import Policy, Statement
from policyengine.iam.domains import one_caller
from policyengine.iam.errors import PolicyError
from policyengine.iam.glob import compile_glob, has_wildcard
from policyengine.iam.reason import No, Unknown, Yes, grants
from policyengine.iam.request_set import RequestSet
from policyengine.model.finding import Evidence
from policyengine.model.logic import TRUE
from policyengine.model.resource import Path
from policyengine.rules.iam.held import Held, held
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import (
    about_own,
    allowed,
    requests_of,
    undecided,
    unreadable,
    unwanted,
    witness,
)

_EXPECTED: Final = "principal that may do both"
_MOST: Final = 100
"""Principals that are asked about; a document of AWS's largest size names fewer with statements of their own."""


def one_may_both(subject: Subject, *, policy: Path | None, one: Any, other: Any) -> Answer:
    """TRUE when one user or role that the policy names may do something of each of two sets.

    What the policy leaves to the account (``…:root``) is not asked about: identity policies decide there.
    """
    try:
        first, second = requests_of(one), requests_of(other)
    except PolicyError as error:
        return unreadable(error)
    found = held(subject, policy)
    found = replace(found, documents=tuple(_named_only(d) for d in found.documents))
    why: dict[str, None] = {}
    names = list(dict.fromkeys(_names(found.policies)))[:_MOST]
    allows = [s for p in found.policies for s in p.statements if s.allow]
    if not all(any(_may_be(s, requests) for s in allows) for requests in (first, second)):
        return allowed(found, No(), _EXPECTED)
    for name in names:
        answer = _both(found, name, first, second)
        if isinstance(answer, Answer):
            return answer
        why.update(dict.fromkeys(answer))
    if any(s.opaque is not None and s.allow for p in found.policies for s in p.statements):
        return undecided(found, tuple(why), unwanted(_EXPECTED))
    return undecided(found, tuple(why), unwanted(_EXPECTED)) if why else allowed(found, No(), _EXPECTED)


def _may_be(statement: Statement, requests: RequestSet) -> bool:
    """Whether a statement may be about an action of a set; a quick look before the proof."""
    if statement.not_action:
        return True
    for pattern in statement.actions:
        matches = compile_glob(pattern.lower())
        if any(has_wildcard(a) or matches(a.lower()) for a in requests.actions):
            return True
    return False


def _both(found: Held, name: str, one: RequestSet, other: RequestSet) -> Answer | tuple[str, ...]:
    """Return the answer where a principal may do both, else why that is not known."""
    callers = one_caller(name)
    answers = [grants(found.policies, about_own(requests, found), callers) for requests in (one, other)]
    if any(isinstance(answer, No) for answer in answers):
        return ()
    requests = [answer.witness for answer in answers if isinstance(answer, Yes)]
    if len(requests) < 2:
        return tuple(code for answer in answers if isinstance(answer, Unknown) for code in answer.why)
    shown = f"{name} may call {requests[0].action} and {requests[1].action}"
    return Answer(
        TRUE, (Evidence(found.where, shown, unwanted(_EXPECTED), "request_allowed"),), witness(requests[0])
    )


def _names(policies: Sequence[Policy]) -> Iterator[str]:
    """Yield the users, roles and sessions that Allow statements name."""
    for policy in policies:
        for statement in policy.statements:
            if statement.allow and not statement.not_principal:
                for name in (statement.principals or {}).get("AWS", ()):
                    if _is_one(name):
                        yield name
                for condition in statement.conditions:
                    if condition.key.lower() == "aws:principalarn":
                        yield from (v for v in condition.values if _is_one(v) and not has_wildcard(v))


def _is_one(name: str) -> bool:
    return name.startswith("arn:") and name.count(":") >= 5 and not name.endswith(":root")


def _named_only(document: Any) -> Any:
    """Return a document without what its Allow statements leave to accounts."""
    kept = [one for s in document.policy.statements if (one := _without_accounts(s)) is not None]
    return replace(document, policy=replace(document.policy, statements=tuple(kept)))


def _without_accounts(statement: Statement) -> Statement | None:
    principals = statement.principals
    if not statement.allow or statement.not_principal or not principals or "AWS" not in principals:
        return statement
    names = tuple(n for n in principals["AWS"] if n == "*" or _is_one(n) or n.startswith("A"))
    if len(names) == len(principals["AWS"]):
        return statement
    others = {k: v for k, v in principals.items() if k != "AWS"}
    if names:
        others["AWS"] = names
    return replace(statement, principals=others, compiled=[]) if others else None
