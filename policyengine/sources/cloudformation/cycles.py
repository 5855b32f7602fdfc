"""Circles of references: CloudFormation refuses them, so a template that has one is reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from policyengine.sources.cloudformation.template import Declared, Template
from policyengine.sources.cloudformation.usage import Usage

_MOST: Final = 20
"""How many circles of one template are reported."""


def report_cycles(template: Template, declared: Sequence[Declared], usages: Mapping[str, Usage]) -> None:
    """Add an error for every circle of resources; references inside ``Fn::If`` may never meet.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html: "circular
    dependency between resources".
    """
    by_id = {d.id: d for d in declared}
    edges = {d.id: sorted(_needs(d, usages[d.id]) & by_id.keys()) for d in declared}
    for circle in islice(_circles(edges), _MOST):
        shown = " → ".join([*circle[:8], "…"] if len(circle) > 8 else [*circle, circle[0]])
        path = by_id[circle[0]].path
        template.error(f"resources depend on each other in a circle: {shown}", path, key=True)


def _needs(declared: Declared, usage: Usage) -> set[str]:
    """References in ``Metadata`` and the like count for CloudFormation too; conditional ones may not."""
    if "Condition" in declared.raw:
        return set()
    waits = declared.raw.get("DependsOn", [])
    listed = waits if isinstance(waits, list) else [waits]
    return usage.always | {name for name in listed if isinstance(name, str)}


def _circles(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield circles, each from its first name, until every node is done (depth first, no recursion)."""
    done: set[str] = set()
    for start in edges:
        if start in done:
            continue
        trail = [start]
        on_trail = {start}
        waiting = [iter(edges[start])]
        while trail:
            name = next(waiting[-1], None)
            if name is None:
                waiting.pop()
                done.add(trail[-1])
                on_trail.discard(trail.pop())
            elif name in on_trail:
                circle = trail[trail.index(name) :]
                first = circle.index(min(circle))
                yield circle[first:] + circle[:first]
            elif name not in done:
                trail.append(name)
                on_trail.add(name)
                waiting.append(iter(edges[name]))
