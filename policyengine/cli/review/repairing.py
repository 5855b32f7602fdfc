"""The bundled remediations, as a review asks about them."""

from __future__ import annotations

from policyengine.aws.actions import actions_for
from policyengine.remediate.registry import load_remediations
from policyengine.review.remedies import Remedy


def remedies() -> list[Remedy]:
    """Return what each remediation changes, and the name of the role ``deploy render`` gives it."""
    return [
        Remedy(
            declared.id,
            frozenset(declared.types),
            tuple(sorted({action for operation in declared.writes for action in actions_for(operation)})),
            f"policyengine-{{region}}-{declared.id.replace('_', '-')}",
        )
        for declared in load_remediations()
    ]
