"""One entry for one thing: what rules say of a change is told with what the change allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from policyengine.model.reasons import SEVERITIES
from policyengine.model.resource import Path
from policyengine.review.changes import Change, Kind, worst

_ABOUT: dict[Kind, tuple[Kind, ...]] = {
    "network": ("network", "public"),
    "access": ("access", "public", "bedrock"),
    "bedrock": ("bedrock", "access"),
    "encryption": ("encryption",),
    "logging": ("logging",),
    "backup": ("backup", "logging"),
    "tags": ("tags",),
    "waiver": ("network", "access", "bedrock", "public", "encryption", "logging", "backup", "tags"),
    "rule": ("public", "encryption", "logging", "backup", "remediation"),
}
"""Kinds of compared changes that a rule's verdict of a kind may be about."""


def merged(changes: Iterable[Change]) -> list[Change]:
    """Return the changes in the order of reports, the verdicts of rules with the change that made them."""
    compared: dict[Any, list[Change]] = defaultdict(list)
    alone: list[Change] = []
    judged: list[Change] = []
    for change in changes:
        if change.rules:
            judged.append(change)
        elif change.resource is None:
            alone.append(change)
        else:
            compared[_subject(change)].append(change)
    alone += [change for change in judged if not _absorbed(change, compared.get(_subject(change), []))]
    return worst([*alone, *(change for several in compared.values() for change in several)])


def _subject(change: Change) -> Any:
    assert change.resource is not None
    return change.effect, change.resource.identity


def _absorbed(judged: Change, compared: list[Change]) -> bool:
    """Put a verdict into the compared change it is about: the one of its kind that stands nearest."""
    kinds = _ABOUT.get(judged.kind, ())
    fitting = [i for i, change in enumerate(compared) if change.kind in kinds]
    if not fitting:
        return False
    best = max(fitting, key=lambda i: (_common(compared[i].path, judged.path), -i))
    change = compared[best]
    severity = max(change.severity, judged.severity, key=SEVERITIES.index)
    compared[best] = change._replace(
        severity=severity,
        rules=(*change.rules, *judged.rules),
        location=change.location or (judged.location if not change.path else None),
        witness=change.witness or judged.witness,
    )
    return True


def _common(one: Path, other: Path) -> int:
    number = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        number += 1
    return number
