"""``iam.allows`` and ``iam.denies``: one set of requests against the policies of a resource."""

from __future__ import annotations

from typing import Any

from policyengine.iam.bounded import granted_within
from policyengine.iam.errors import PolicyError
from policyengine.iam.holding import surely_not
from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import No, Yes, denies, grants
from policyengine.iam.request_set import RequestSet
from policyengine.iam.sentences import goes_undenied
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT
from policyengine.rules.iam.held import Held, held
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import (
    about_own,
    allowed,
    callers_of,
    names_others,
    requests_of,
    undecided,
    unreadable,
    witness,
)

_ALLOWED = "such request that is allowed"
_DENIED = "a Deny of every such request"


def allows(subject: Subject, *, requests: Any, policy: Path | None) -> Answer:
    """TRUE when the policies allow a request of the set, with that request."""
    try:
        asked = requests_of(requests)
    except PolicyError as error:
        return unreadable(error)
    found = held(subject, policy)
    answer = granted(found, about_own(asked, found))
    if isinstance(answer, No) and names_others(found):
        answer = granted(found, asked)
    return allowed(found, answer, _ALLOWED)


def granted(found: Held, requests: RequestSet) -> Reasoned:
    """Say whether the documents grant a request, within the boundary where there is one."""
    if surely_not(found.policies, requests.actions):
        return No()
    callers = callers_of(found)
    if found.boundary is None:
        return grants(found.policies, requests, callers)
    return granted_within(found.policies, found.boundary.policy, requests, callers)


def denied(subject: Subject, *, requests: Any, policy: Path | None) -> Answer:
    """TRUE when the policies explicitly deny every request of the set; else with one they do not."""
    try:
        asked = requests_of(requests)
    except PolicyError as error:
        return unreadable(error)
    found = held(subject, policy)
    if found.about == "resource" and found.arn is None and asked.resources == ("*",):
        return undecided(found, ("the ARN of the resource is not known",), _DENIED)
    # a boundary allows nothing by itself, but its Deny is one: IAM/latest/UserGuide/access_policies_boundaries.html
    limit = () if found.boundary is None else (found.boundary.policy,)
    answer = denies((*found.policies, *limit), about_own(asked, found), callers_of(found))
    if isinstance(answer, No):
        return Answer(TRUE, (Evidence(found.where, _DENIED, _DENIED, "requirement_met"),))
    if not isinstance(answer, Yes):
        return undecided(found, answer.why, _DENIED)
    observed = goes_undenied(answer.witness) if found.documents else ABSENT
    evidence = Evidence(
        found.where, observed, _DENIED, "request_not_denied" if found.documents else "missing"
    )
    return Answer(FALSE, (evidence,), witness(answer.witness))
