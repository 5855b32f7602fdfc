"""Everything that is compared of two sides, put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policyengine.review.acceptances import acceptance_changes
from policyengine.review.access import access_changes
from policyengine.review.changes import Change
from policyengine.review.consequences import with_consequences
from policyengine.review.gate import Gate, gate_changes, kept_entries, waivers_lost
from policyengine.review.merging import merged
from policyengine.review.network import network_changes
from policyengine.review.pairs import Pairing
from policyengine.review.protections import protection_changes
from policyengine.review.references import reference_changes
from policyengine.review.remedies import Remedy, remedy_changes
from policyengine.review.verdicts import ByRule, verdict_changes


def compared(
    pairing: Pairing,
    base: ByRule,
    head: ByRule,
    gates: tuple[Gate, Gate] | None = None,
    remedies: Sequence[Remedy] = (),
) -> list[Change]:
    """Return what a change did, worst first; findings are by identity and rule, those of what passes too.

    ``gates`` are what judges the base, and what will judge after the change; ``remedies`` the remediations there are.
    """
    return with_consequences(merged(_all(pairing, base, head, gates, remedies)), pairing)


def _all(
    pairing: Pairing,
    base: ByRule,
    head: ByRule,
    gates: tuple[Gate, Gate] | None,
    remedies: Sequence[Remedy],
) -> Iterator[Change]:
    judged = list(
        verdict_changes(pairing, base, head, kept_entries(gates[1]) if gates is not None else frozenset())
    )
    yield from judged
    tagged = {
        c.resource.identity
        for c in judged
        if c.resource is not None and c.kind == "tags" and c.effect == "worse"
    }
    yield from protection_changes(pairing, tagged)
    yield from access_changes(pairing)
    yield from network_changes(pairing)
    if gates is not None:
        yield from gate_changes(*gates)
        yield from waivers_lost(pairing, head, gates[1])
        yield from reference_changes(pairing, base, head)
        yield from acceptance_changes(pairing, base, head)
        tags = gates[0].settings.remediation.exclusion_tags
        yield from remedy_changes(pairing, remedies, tags)
