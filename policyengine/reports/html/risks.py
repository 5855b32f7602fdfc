"""Section 8: findings as risks of the pillars of the Well-Architected Framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policyengine.reports.base import RuleInfo
from policyengine.reports.html.counts import Counts


def risks(counts: Counts, rules: Mapping[str, RuleInfo]) -> Sequence[Any]:
    """TODO."""
    del counts, rules
    return []
