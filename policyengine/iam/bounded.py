"""What identity policies grant within a permissions boundary, over all requests.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html: both must allow.
"""

from __future__ import annotations

from collections.abc import Sequence

from policyengine.iam.documents import Policy
from policyengine.iam.domains import Callers
from policyengine.iam.opaque import Opaque, all_of
from policyengine.iam.reason import Answer, extended, first, granted
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Question, Way
from policyengine.iam.ways import parts


def granted_within(
    policies: Sequence[Policy], boundary: Policy, requests: RequestSet, callers: Callers
) -> Answer:
    """Say whether documents grant a request that the boundary grants too; resource policies are not asked."""
    known = extended([*policies, boundary], requests)

    def verify(request: Request) -> bool | Opaque:
        return all_of((granted((boundary,), request), granted(policies, request)))

    own, limit = parts(policies, known), parts([boundary], known)
    way = Way([own[True], limit[True]], [*own[False], *limit[False]])
    return first(Question(requests, callers, known, verify), [way])
