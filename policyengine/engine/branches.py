"""Which conditions of a template a finding names: those without which it would not be the same.

A resource is evaluated in every branch of the conditions that it or a related resource depends on. A
finding that is the same whatever a condition says must not read as if the condition mattered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policyengine.engine.world import agree
from policyengine.model.finding import Finding

Branch = Mapping[str, bool]


def telling(found: Finding, others: Sequence[tuple[Branch | None, Finding | None]]) -> Branch | None:
    """Return the conditions of ``found.branch`` that matter, None when none does.

    ``others`` are the branches of the resource with their findings, None for one of another verdict. A
    condition matters when some branch that agrees on the rest has another verdict, message or evidence.
    """
    said = dict(found.branch or {})
    differing = [branch for branch, other in others if other is None or not _same(found, other)]
    for name in sorted(said):
        rest = {key: value for key, value in said.items() if key != name}
        if not any(agree(branch, rest) for branch in differing):
            said = rest
    return said or None


def _same(one: Finding, other: Finding) -> bool:
    return (one.verdict, one.message, one.evidence) == (other.verdict, other.message, other.evidence)
