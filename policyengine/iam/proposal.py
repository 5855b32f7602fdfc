"""A Deny statement that would close a set of requests, proved to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.iam.documents import read_policy
from policyengine.iam.guard_statement import Inexpressible, compressed, variants
from policyengine.iam.organization_records import FULL_ACCESS
from policyengine.iam.reason import No, covered, extended
from policyengine.iam.request_set import RequestSet

_ACCOUNT: Final = "123456789012"


def proposed(requests: RequestSet) -> Mapping[str, Any] | None:
    """Return the simplest Deny statement of an SCP that denies every request of the set.

    None where one statement cannot say the set.
    """
    actions, _ = compressed(requests, extended([], requests), "scp")
    made = variants(requests, actions, "scp") if actions else Inexpressible("no action")
    if isinstance(made, Inexpressible):
        return None
    everything = FULL_ACCESS["p-FullAWSAccess"][1]
    for statement in made:
        policy = read_policy({"Version": "2012-10-17", "Statement": [statement]}, "scp")
        if isinstance(covered(requests, [[everything, policy]], _ACCOUNT), No):
            return statement
    return None
