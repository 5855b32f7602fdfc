"""What stands for a name in a rule's message: a value of the resource, of the evidence, or a parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from policyengine.engine.access import walk
from policyengine.engine.message import SENTENCE, SENTENCES, all_paths, dotted, show
from policyengine.engine.secrets import hide
from policyengine.model.finding import Evidence
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT
from policyengine.rules.paths import parse_path

Named = Callable[[Resource, Sequence[Evidence]], str]
"""Returns the text to put in for a resource and the evidence of its finding."""


def named(name: str, parameters: Mapping[str, Any], secrets: frozenset[str]) -> Named:
    """Return what a name stands for; ``secrets`` are the steps whose values are not shown."""
    if name in parameters:
        text = show(parameters[name])
        return lambda _resource, _evidence: text
    known = _OF_EVIDENCE.get(name)
    if known is not None:
        return known
    path = parse_path(name, in_resource=True)
    root, steps = path.root, path.steps
    if root == "resource":
        return lambda resource, _evidence: show(getattr(resource, steps[0]))
    hidden_at = (root, *steps)

    def at_path(resource: Resource, evidence: Sequence[Evidence]) -> str:
        tree = getattr(resource, root) if root in _TREES else None
        value = ABSENT if tree is None else walk(tree, steps)
        if value is ABSENT:
            value = next((e.observed for e in evidence if e.path == steps), ABSENT)
        return show(hide(hidden_at, value, secrets))

    return at_path


_TREES: Final = frozenset({"properties", "tags", "related"})


def _observed(_resource: Resource, evidence: Sequence[Evidence]) -> str:
    if not evidence:
        return show(ABSENT)
    first = evidence[0]
    if first.observed is ABSENT and first.provenance:
        return first.provenance
    return show(first.observed, SENTENCE) if first.reason in SENTENCES else show(first.observed)


_OF_EVIDENCE: Final[Mapping[str, Named]] = {
    "observed": _observed,
    "expected": lambda _resource, evidence: evidence[0].expected if evidence else "",
    "path": lambda _resource, evidence: dotted(evidence[0].path) if evidence else "",
    "paths": lambda _resource, evidence: all_paths(evidence),
}
