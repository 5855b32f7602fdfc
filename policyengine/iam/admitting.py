"""Whether policies let every request of a set through: proved over all of them, or a request that is left out."""

from __future__ import annotations

from collections.abc import Sequence

from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.domains import Callers, account_callers, one_caller
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import EVERYONE, Answer, No, Unknown, newly_allows
from policyengine.iam.request_set import RequestSet, read_request_set


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


def key_leaves_out(
    policy: str, key: str, principal: str, actions: Sequence[str], context: dict[str, Sequence[str]]
) -> str:
    """Return "" where a key policy is proved to let a principal do all actions in every request that has the values of
    ``context``, whatever else it carries; otherwise what stands in the way, in words.

    A condition on any other key is in the way: which keys a service sends to KMS differs from service to service, and
    EventBridge sends none (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
    """
    asked = {
        "action": list(actions),
        "resource": [key],
        "context": {name: list(values) for name, values in context.items()},
    }
    try:
        document = read_policy(policy, "key")
        found = left_out([document], read_request_set(asked), callers_named(principal, key.split(":")[1]))
    except PolicyError as error:
        return f"the policy of {key} does not tell about {principal}: {error}"
    if isinstance(found, No):
        return ""
    if isinstance(found, Unknown):
        return f"whether {key} lets {principal} in is not decided: {', '.join(found.why)}"
    sent = "".join(f", {name} {value}" for name, value in sorted(found.witness.context.items()))
    return f"{key} does not let {principal} do {found.witness.action}{f' in a request with{sent[1:]}' if sent else ''}"
