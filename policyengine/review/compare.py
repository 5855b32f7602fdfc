"""Everything that is compared of two sides, put together."""

from __future__ import annotations

from collections.abc import Iterator

from policyengine.review.changes import Change
from policyengine.review.merging import merged
from policyengine.review.pairs import Pairing
from policyengine.review.verdicts import ByRule, verdict_changes


def compared(pairing: Pairing, base: ByRule, head: ByRule) -> list[Change]:
    """Return what a change did, worst first; findings are by identity and rule, those of what passes too."""
    return merged(_all(pairing, base, head))


def _all(pairing: Pairing, base: ByRule, head: ByRule) -> Iterator[Change]:
    yield from verdict_changes(pairing, base, head)
