"""What a suppression in code amounts to: whether the waiver it refers to exists, holds and is about what it stands at.

That is known to who has the waivers, not to who reads the code: so it is added here, as ``State`` and ``Why`` of the resource
that a source makes of a suppression, and judged by a rule like any other (docs/decisions/0020-suppressions-in-place.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from policyengine.catalog import registry
from policyengine.config.waivers import Waiver
from policyengine.engine.accepted import day_of
from policyengine.engine.elsewhere import names_of_resource
from policyengine.model.resource import Resource
from policyengine.model.suppression import SUPPRESSION, Reference
from policyengine.model.values import Unresolved

if TYPE_CHECKING:
    from policyengine.engine.evaluate import Evaluator

ACTIVE: Final = "active"
NO_WAIVER: Final = "no_waiver"
UNREADABLE: Final = "unreadable"
NOWHERE: Final = "nowhere"
MISSING: Final = "missing"
ELSEWHERE: Final = "elsewhere"
OTHER_RULES: Final = "other_rules"
_TAGGABLE: Final = "taggable"

State = tuple[Any, str]
"""One of the words above or of ``config.waivers.Ended``, or why none can be said; and a sentence."""


def stated(resource: Resource, evaluator: Evaluator) -> Resource:
    """Return the resource of a suppression with its ``State`` and ``Why``.

    No source gives them; the cases of a rule do, and keep them.
    """
    if "State" in resource.properties:
        return resource
    state, why = _state(resource, evaluator)
    return replace(resource, properties={**resource.properties, "State": state, "Why": why})


def reference_of(resource: Resource) -> Reference | None:
    """Return the place of a suppression that refers to a waiver; None of any other resource."""
    waiver, at = resource.properties.get("Waiver"), resource.place()
    if resource.type != SUPPRESSION or not isinstance(waiver, str) or at is None:
        return None
    return Reference(waiver, at.file, at.line, at.column)


def _state(resource: Resource, evaluator: Evaluator) -> State:
    properties = resource.properties
    kind = properties.get("Kind")
    if kind == "unreadable":
        return UNREADABLE, "expected `waivers`, a list of ids"
    if kind != "waiver":
        return NO_WAIVER, "it names no waiver"
    id_ = str(properties.get("Waiver"))
    waiver = evaluator.waivers.get(id_)
    if waiver is None:
        return MISSING, f"there is no waiver `{id_}`"
    if ended := waiver.ended(day_of(evaluator.now)):
        return ended[0], f"waiver {waiver.id} {ended[1]}"
    listed = properties.get("Targets")
    targets = [_stand_in(each, resource.file) for each in listed or () if isinstance(each, Mapping)]
    if not targets:
        return NOWHERE, "it stands neither on the line of a resource nor right above one"
    return _about(waiver, targets, evaluator)


def _stand_in(target: Mapping[str, Any], file: str | None) -> Resource:
    """Return a resource that has the names of the one a suppression stands at."""
    text = {key: value for key, value in target.items() if isinstance(value, str)}
    path = text.get("ConstructPath")
    return Resource(
        type=text.get("Type", ""), id=text.get("Id", ""), account=text.get("Account"), region=text.get("Region"),
        properties={}, arn=text.get("Arn"), file=file,
        provenance=None if path is None else {"construct_path": path},
    )  # fmt: skip


def _about(waiver: Waiver, targets: Sequence[Resource], evaluator: Evaluator) -> State:
    """Whether the waiver is about some of what the suppression stands at. Tags are seen where the failure is, not here."""
    types = {each.type for each in targets}
    if not _has_a_rule(waiver, types, evaluator):
        named = ", ".join(sorted(types))
        return OTHER_RULES, f"waiver {waiver.id} is for {', '.join(waiver.rules)}, which is not about {named}"
    inside = [each for each in targets if _is_inside(waiver, each)]
    if not inside:
        return ELSEWHERE, f"waiver {waiver.id} is for {waiver.scope}, which is not here"
    if not waiver.ous:
        return ACTIVE, ""
    above = [evaluator.settings.ous.get(each.account or "") for each in inside]
    if any(units is not None and any(ou in units for ou in waiver.ous) for units in above):
        return ACTIVE, ""
    if any(units is None for units in above):
        detail = f"waiver {waiver.id} is for the OU {waiver.ous[0]}, and what stands above is not known here"
        return Unresolved("not_collected", detail, present=True), detail
    return ELSEWHERE, f"waiver {waiver.id} is for {waiver.scope}, which is not here"


def _is_inside(waiver: Waiver, resource: Resource) -> bool:
    if waiver.accounts and resource.account not in waiver.accounts:
        return False
    return not waiver.resources or any(name in waiver.resources for name in names_of_resource(resource))


def _has_a_rule(waiver: Waiver, types: set[str], evaluator: Evaluator) -> bool:
    """Whether a rule of the waiver may be about one of these types, or about what they are folded into; a rule that is not
    among those that run may be about anything."""
    within = types | {parent for type_ in types for parent, _ in registry.satellites().get(type_, ())}
    if any(map(registry.taggable, within)):
        within.add(_TAGGABLE)
    for rule in waiver.rules:
        form = evaluator.pack.rule(rule)
        if form is None or any(not within.isdisjoint(variant["types"]) for variant in form["variants"]):
            return True
    return False
