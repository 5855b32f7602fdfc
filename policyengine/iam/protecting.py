"""Is a set of requests to the resources of a member account denied by its RCPs alone?"""

from __future__ import annotations

from collections.abc import Sequence

from policyengine.iam.atoms import Setting
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.catalogue import Catalogue
from policyengine.iam.coverage import RCP_EXEMPT_ACTIONS, RCP_SERVICES
from policyengine.iam.documents import Policy
from policyengine.iam.domains import any_caller
from policyengine.iam.opaque import Opaque
from policyengine.iam.reason import EVERYONE, EVERYTHING, Answer, every, extended
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Question, Way
from policyengine.iam.ways import parts


def protected(requests: RequestSet, chain: Sequence[Sequence[Policy]], account: str) -> Answer:
    """Say whether RCPs let a request of the set reach a resource of the account, whatever else allows.

    No: all are denied, whoever of whichever account asks, nobody in particular (``*``) too. Left out are
    service-linked roles and AWS's services as principals.
    """
    policies = Policies(identity=(EVERYTHING,), resource=EVERYONE, rcps=chain)
    documents = [policy for level in chain for policy in level]
    known = extended(documents, requests)

    def verify(request: Request) -> bool | Opaque:
        if request.account != account:
            return False
        decision = authorize(request, policies)
        return decision.unknown[0] if decision.unknown else decision.outcome == "Allowed"

    question = Question(requests, any_caller(), known, verify, Setting(resource_account=account))
    within = within_reach(known)
    denying = [
        part._replace(actions=part.actions & within) for level in chain for part in parts(level, known)[False]
    ]
    return next(every(question, [Way([], denying)]))


def within_reach(known: Catalogue) -> int:
    """Return the actions that RCPs can deny."""
    found = 0
    for service in RCP_SERVICES:
        found |= known.service_mask(service)
    for action in RCP_EXEMPT_ACTIONS:
        found &= ~known.matching(action)
    return found
