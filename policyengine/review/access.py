"""What a change newly allows, decided over all requests: who may do what, and who may use which resource.

docs/review-meaning.md says what is compared with what. Every request that is shown is allowed by the head and not by
the base; where that hangs on a value nobody knows the effect is ``unclear``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policyengine.review.access_same import Same
from policyengine.review.access_tokens import both_names
from policyengine.review.changes import Change
from policyengine.review.pairs import Pairing
from policyengine.rules.iam.tables import SPOTS, STATEMENTS

HOLDERS: Final = frozenset({*SPOTS, *STATEMENTS, "AWS::IAM::UserToGroupAddition"})
"""Types whose resources decide who may do what."""
_ORGANIZATION: Final = "AWS::Organizations::"


def access_changes(pairing: Pairing) -> Iterator[Change]:
    """Yield what is newly allowed, no longer allowed, new, or not clear; nothing where the meaning is the same.

    What reasons about policies is loaded where a resource changed that holds one.
    """
    names = both_names(pairing)
    same = Same(*names)
    changed = [
        pair
        for pair in pairing.pairs
        if (pair.either.type in HOLDERS or pair.either.type.startswith(_ORGANIZATION))
        and (pair.base is None or pair.head is None or not same.resources(pair.base, pair.head))
    ]
    holders = [pair for pair in changed if pair.either.type in HOLDERS]
    if holders:
        from policyengine.review.access_review import Review

        yield from Review(pairing, names, holders).changes()
    if len(holders) < len(changed):
        from policyengine.review.access_organization import organization_changes

        first = next(pair for pair in changed if pair.either.type not in HOLDERS)
        yield from organization_changes(pairing, names, first)
