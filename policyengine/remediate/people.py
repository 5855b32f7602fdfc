"""Names of people who ask and approve, as they are kept."""

from __future__ import annotations

from policyengine.model.people import LONGEST, person, same_person, why_nobody
from policyengine.remediate.api import Refused

__all__ = ["LONGEST", "named", "person", "same_person"]


def named(who: str) -> str:
    """Return the name as it is kept. Raises Refused (``not_approved``) for one that could pass for another's."""
    name = " ".join(who.split())
    if not name or len(name) > LONGEST:
        raise Refused(
            "not_approved", f"a name has 1 to {LONGEST} characters; somebody else has to approve it"
        )
    wrong = why_nobody(name)
    if wrong:
        raise Refused("not_approved", wrong)
    return name
