"""What a shell may complete: names of remediations, and the rules they repair."""

from __future__ import annotations

import click


def remediations(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Return the remediations whose name begins so."""
    from policyengine.remediate.registry import load_remediations

    return sorted(name for name in load_remediations().declarations if name.startswith(begun))


def repaired_rules(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Return the rules that a remediation repairs, whose id begins so."""
    from policyengine.remediate.registry import load_remediations

    return sorted({rule for each in load_remediations() for rule in each.fixes if rule.startswith(begun)})
