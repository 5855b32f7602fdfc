"""Can a principal with a permissions boundary get rid of it?

By removing it, by setting another, or by writing a new version of the policy that is its boundary:
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from policyengine.iam.bounded import granted_within
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy
from policyengine.iam.domains import one_caller
from policyengine.iam.holding import masks
from policyengine.iam.reason import Answer, No, Unknown, Yes
from policyengine.iam.request_set import RequestSet, Values

_KEY: Final = "iam:permissionsboundary"
_SPELLED: Final = {_KEY: "iam:PermissionsBoundary"}
_VERSIONS: Final = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")


def sheds_boundary(
    policies: Sequence[Policy], boundary: Policy, boundary_arn: str | None, principal: str
) -> Answer:
    """Say whether a user or role may undo its own boundary; ``boundary_arn`` None: which one is not known."""
    why: dict[str, None] = {}
    for requests in _ways(boundary_arn, principal):
        actions = catalogue().matching_any(requests.actions)
        if not actions & masks(policies).may & masks((boundary,)).may:
            continue
        answer = granted_within(policies, boundary, requests, one_caller(principal))
        if isinstance(answer, Yes):
            return answer
        why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
    return Unknown(tuple(why)) if why else No()


def _ways(boundary: str | None, principal: str) -> Iterator[RequestSet]:
    kind = "Role" if principal.split(":", 5)[5].startswith("role/") else "User"
    own = Values((boundary,)) if boundary else Values()
    yield RequestSet((f"iam:Delete{kind}PermissionsBoundary",), (principal,), ("*",), {_KEY: own}, _SPELLED)
    other = Values((boundary,), True) if boundary else Values()
    yield RequestSet((f"iam:Put{kind}PermissionsBoundary",), (principal,), ("*",), {_KEY: other}, _SPELLED)
    if boundary is not None and boundary.startswith("arn:") and ":iam::aws:policy/" not in boundary:
        yield RequestSet(_VERSIONS, (boundary,))
