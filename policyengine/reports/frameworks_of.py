"""The lists of controls a report goes by, also where it was given none, and what remains of a control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from policyengine.reports.base import Context
from policyengine.reports.controls import ControlResult
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


def rest_of(frameworks: Mapping[str, FrameworkInfo], result: ControlResult) -> tuple[str, str]:
    """Return with whom the rest of a control remains, and why; "" and "" where rules decide all of it.

    Where nobody has judged it, the first says so and the second is empty.
    """
    from policyengine.reports.control_pages import remaining  # it loads what only pages need

    framework = frameworks[result.framework]
    found = framework.remains.get(result.control)
    whom = remaining(framework, result)
    return whom, found.why if whom and found is not None else ""
