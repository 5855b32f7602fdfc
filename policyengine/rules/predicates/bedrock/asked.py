"""``bedrock.models_in_regions`` and ``bedrock.models_allowed``: what is asked of the models a resource uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from policyengine.iam.glob import compile_glob
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.bedrock.approved import Approved, approved
from policyengine.rules.predicates.bedrock.models import Model, geographies, models_of

_NO_REGION: Final = Unresolved("not_collected", "the region of code that is bound to none")
_NOTHING: Final[Mapping[str, Any]] = {}
_Judge = Callable[[Model, Approved, str], Evidence]


def in_regions(
    subject: Subject,
    *,
    approved_regions: Sequence[str],
    regions_by_classification: Any,
    classification_tag: str,
    profile_regions: Any,
) -> Answer:
    """TRUE when every region that may process a request to the resource's models is approved."""
    found = approved(subject, approved_regions, regions_by_classification, classification_tag)
    known = profile_regions if isinstance(profile_regions, dict) else {}
    return _all(subject, found, _region, found.expected("processed only in"), known)


def allowed(
    subject: Subject,
    *,
    allowed_models: Sequence[str],
    models_by_classification: Any,
    classification_tag: str,
) -> Answer:
    """TRUE when every model that the resource uses is on the list."""
    found = approved(subject, allowed_models, models_by_classification, classification_tag)
    return _all(subject, found, _listed, found.expected("one of"))


def _all(
    subject: Subject, found: Approved, judge: _Judge, expected: str, known: Mapping[str, Any] = _NOTHING
) -> Answer:
    """Return the conjunction over the models: what is not approved decides, then doubts."""
    evidence = list(_evidence(subject, found, judge, expected, known))
    bad = tuple(e for e in evidence if e.reason == "value_mismatch")
    if bad:
        return Answer(FALSE, bad)
    doubts = tuple(e for e in evidence if e.reason != "requirement_met")
    if doubts:
        return Answer(UNKNOWN, doubts)
    return Answer(TRUE, tuple(evidence) or (Evidence((), ABSENT, "no model is named", "requirement_met"),))


def _evidence(
    subject: Subject, found: Approved, judge: _Judge, expected: str, known: Mapping[str, Any]
) -> Iterator[Evidence]:
    for one in models_of(subject, known):
        if isinstance(one, Model):
            yield judge(one, found, expected)
        else:
            path, why = one
            yield Evidence(path, why, expected, why.reason)


def _region(model: Model, found: Approved, expected: str) -> Evidence:
    if model.regions == ():
        return Evidence(model.path, _NO_REGION, expected, _NO_REGION.reason)
    held = found.holds(lambda regions: _within(model, regions))
    if held is not None:
        reason = "requirement_met" if held else "value_mismatch"
        return Evidence(model.path, f"{model.named}{_where(model)}", expected, reason)
    if found.doubt is not None:
        return Evidence(model.path, found.doubt, expected, found.doubt.reason)
    why = Unresolved("not_collected", f"`{model.named}`: its regions depend on the model{_where(model)}")
    return Evidence(model.path, why, expected, why.reason)


def _within(model: Model, regions: Sequence[str]) -> bool | None:
    """Say whether a model is processed in these regions only.

    A geographic profile has some of its geography's regions, two at least outside GovCloud.
    """
    if model.regions is None:
        return False
    inside = sum(region in regions for region in model.regions)
    if inside == len(model.regions):
        return True
    least = 1 if model.regions == geographies().get("us-gov") else 2
    return False if model.exact or inside < least else None


def _where(model: Model) -> str:
    if model.regions is None:
        return ", processed in any region"
    if model.exact:
        return "" if model.regions[0] in model.named else f" in {', '.join(model.regions)}"
    return f", processed in any of {', '.join(model.regions)}"


def _listed(model: Model, found: Approved, expected: str) -> Evidence:
    names = {model.id, model.named}
    held = found.holds(lambda patterns: any(compile_glob(p)(name) for p in patterns for name in names))
    if held is None:
        why = found.unknown()
        return Evidence(model.path, why, expected, why.reason)
    return Evidence(model.path, model.named, expected, "requirement_met" if held else "value_mismatch")
