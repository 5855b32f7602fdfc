"""A Deny statement that would close a set of requests, proved to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policyengine.iam.documents import read_policy
from policyengine.iam.guard_statement import Inexpressible, compressed, spared, variants
from policyengine.iam.organization_records import FULL_ACCESS
from policyengine.iam.reason import No, covered, extended
from policyengine.iam.request_set import RequestSet

_ACCOUNT: Final = "123456789012"


def proposed(requests: RequestSet) -> Mapping[str, Any] | None:
    """Return the simplest Deny statement of an SCP that denies every request of the set.

    None where one statement cannot say the set.
    """
    everything = FULL_ACCESS["p-FullAWSAccess"][1]
    for statement in _statements(requests):
        policy = read_policy({"Version": "2012-10-17", "Statement": [statement]}, "scp")
        if isinstance(covered(requests, [[everything, policy]], _ACCOUNT), No):
            return statement
    return None


def _statements(requests: RequestSet) -> Iterator[Mapping[str, Any]]:
    known = extended([], requests)
    most = requests.actions != ("*",) and known.matching_any(requests.actions).bit_count() * 2 > len(
        known.names
    )
    actions = ("*",) if most else compressed(requests, known, "scp")[0]
    made = variants(requests, actions, "scp") if actions else Inexpressible("no action")
    if isinstance(made, Inexpressible):
        return
    for statement in made:
        if most:
            rest = {key: value for key, value in statement.items() if key not in ("Effect", "Action")}
            yield {"Effect": "Deny", "NotAction": list(spared(requests, known)), **rest}
        else:
            yield statement
