"""``region.approved``: whether something stands in a region where it may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.bedrock.approved import Approved, approved
from policyengine.rules.predicates.paths import Mistyped, read


def stands(
    subject: Subject,
    *,
    approved_regions: Sequence[str],
    regions_by_classification: Any,
    classification_tag: str,
    resources: str | None,
    arn: tuple[str, ...] | None,
) -> Answer:
    """TRUE when the resource, those of a relation, or what an ARN names stands in an approved region."""
    found = approved(subject, approved_regions, regions_by_classification, classification_tag)
    evidence = [_one(path, region, found) for path, region in _places(subject, resources, arn)]
    bad = tuple(e for e in evidence if e.reason == "value_mismatch")
    if bad:
        return Answer(FALSE, bad)
    doubts = tuple(e for e in evidence if e.reason != "requirement_met")
    return Answer(UNKNOWN, doubts) if doubts else Answer(TRUE, tuple(evidence))


def _places(
    subject: Subject, resources: str | None, arn: tuple[str, ...] | None
) -> Iterator[tuple[Path, Any]]:
    """Yield where a region is said, with the region or Unresolved."""
    if arn is not None:
        value = read(subject, arn)
        if value is not ABSENT:
            yield arn, _region_of(value, subject.resource.region)
    elif resources is not None:
        related = subject.related(resources)
        if isinstance(related, Unresolved):
            yield ("with", resources), related
            return
        for one in related:
            yield ("with", resources), one.region or _unbound()
        if isinstance(related, OpenList):
            yield ("with", resources), related.more
    else:
        yield ("resource", "region"), subject.resource.region or _unbound()


def _unbound() -> Unresolved:
    return Unresolved("not_collected", "the region of code that is bound to none")


def _region_of(value: Any, own: str | None) -> Any:
    if isinstance(value, Unresolved):
        if value.target is not None:  # what code declares beside a resource stands in its region
            return own or _unbound()
        return value
    if isinstance(value, Mistyped) or not isinstance(value, str):
        return Unresolved("unsupported", "what names the resource is no text")
    parts = value.split(":")
    if len(parts) < 6 or not parts[3]:
        return Unresolved("unsupported", f"`{value}` names no region")
    return parts[3]


def _one(path: Path, region: Any, found: Approved) -> Evidence:
    expected = found.expected("one of")
    if isinstance(region, Unresolved):
        return Evidence(path, region, expected, region.reason)
    held = found.holds(lambda regions: region in regions)
    if held is None:
        doubt = found.unknown()
        return Evidence(path, doubt, expected, doubt.reason)
    return Evidence(path, region, expected, "requirement_met" if held else "value_mismatch")
