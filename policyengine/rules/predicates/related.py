"""Predicates about the region where related resources stand, and about launch-template versions."""

from __future__ import annotations

from typing import Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.paths import Mistyped, read

_MOVING: Final = frozenset({"$Latest", "$Default"})
_NUMBERS: Final = frozenset(
    {"LatestVersionNumber", "DefaultVersionNumber", "latest_version", "default_version"}
)
"""Attributes of a launch template that are a number by the time the group is made
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-launchtemplate.html)."""


def in_another_region(subject: Subject, *, resources: str) -> Answer:
    """TRUE when one of the related resources stands in another region than this one."""
    expected = "one in another region"
    path: Path = ("with", resources)
    found = subject.related(resources)
    if isinstance(found, Unresolved):
        return Answer(UNKNOWN, (Evidence(path, found, expected, found.reason),))
    own = subject.resource.region
    regions = {resource.region for resource in found}
    if own is not None and regions - {own, None}:
        shown = ", ".join(sorted(region for region in regions if region not in (own, None)))
        return Answer(TRUE, (Evidence(path, shown, expected, "requirement_met"),))
    if isinstance(found, OpenList):
        return Answer(UNKNOWN, (Evidence(path, found.more, expected, found.more.reason),))
    if found and (own is None or None in regions):
        unknown = Unresolved("not_collected", "the region of code that is bound to none")
        return Answer(UNKNOWN, (Evidence(path, unknown, expected, unknown.reason),))
    return Answer(FALSE, (Evidence(path, own if found else ABSENT, expected, "none_satisfies"),))


def version_pinned(subject: Subject, *, field: tuple[str, ...]) -> Answer:
    """TRUE when the launch-template version is a number; without one AWS takes ``$Default``.

    A template or plan that takes the number of a launch template's latest version pins it: the group
    changes when the code is deployed, not when somebody makes a version.
    """
    expected = "the number of a version"
    value = read(subject, field)
    if isinstance(value, Unresolved):
        pinned = value.target is not None and value.target[1] in _NUMBERS
        reason = "requirement_met" if pinned else value.reason
        return Answer(TRUE if pinned else UNKNOWN, (Evidence(field, value, expected, reason),))
    if value is ABSENT:
        return Answer(FALSE, (Evidence(field, ABSENT, expected, "missing"),))
    if isinstance(value, Mistyped) or not isinstance(value, str | int):
        observed = value.value if isinstance(value, Mistyped) else value
        return Answer(UNKNOWN, (Evidence(field, observed, expected, "wrong_type"),))
    if str(value) in _MOVING:
        return Answer(FALSE, (Evidence(field, value, expected, "value_mismatch"),))
    return Answer(TRUE, (Evidence(field, value, expected, "requirement_met"),))


_RESOURCES: Final = Arg("alias", help="the relation to them")
PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "related.in_another_region",
        in_another_region,
        "One of the related resources stands in another region.",
        {"resources": _RESOURCES},
    ),
    Predicate(
        "related.version_pinned",
        version_pinned,
        "The launch-template version is a number, neither `$Latest` nor `$Default`.",
        {"field": Arg("path", help="the property with the version")},
        (),
    ),
)
