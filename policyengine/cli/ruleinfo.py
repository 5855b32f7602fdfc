"""What reports show of a rule, from its compiled form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.reports.base import RuleInfo


def rule_info(form: Mapping[str, Any]) -> RuleInfo:
    """Return the RuleInfo of a compiled rule."""
    return RuleInfo(
        id=form["id"],
        title=form["title"],
        family=form["family"],
        pillar=form["pillar"],
        severity=form["severity"],
        why=form["why"],
        fix=form["fix"],
        references=form["references"],
        frameworks={name: [(c, d) for c, d in controls] for name, controls in form["frameworks"].items()},
    )
