"""The lists of controls a report goes by, also where it was given none."""

from __future__ import annotations

from dataclasses import replace

from policyengine.reports.base import Context
from policyengine.reports.extras import FrameworkInfo


def with_frameworks(context: Context) -> Context:
    """Return the context; where it was given no lists of controls, those that its rules name."""
    if context.extras.frameworks:
        return context
    named: dict[str, dict[str, None]] = {}
    for rule in sorted(context.rules):
        for framework, controls in context.rules[rule].frameworks.items():
            named.setdefault(framework, {}).update(dict.fromkeys(control for control, _ in controls))
    infos = {
        name: FrameworkInfo(name, name, "", "", "only controls that rules name", tuple(sorted(named[name])))
        for name in sorted(named)
    }
    return replace(context, extras=replace(context.extras, frameworks=infos))
