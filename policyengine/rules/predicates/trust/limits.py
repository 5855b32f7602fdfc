"""``trust.lasts_at_most`` and ``trust.of_management_account``: how long sessions last, and where."""

from __future__ import annotations

import re
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN, Truth
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.paths import Mistyped, read

_DURATION: Final = re.compile(
    r"P(?:(\d{1,3})D)?(?:T(?=\d)(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?", re.ASCII
)
"""https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html"""
_UNITS: Final = (86_400, 3_600, 60, 1)
_ORGANIZATION: Final = "AWS::Organizations::Organization"
_MANAGEMENT: Final = "the organisation's management account"


def lasts_at_most(subject: Subject, *, field: tuple[str, ...], seconds: int) -> Answer:
    """TRUE when the ISO 8601 duration at the property is at most so many seconds."""
    expected = f"at most {seconds} seconds"
    value = read(subject, field)
    if value is ABSENT:
        return _answer(FALSE, field, ABSENT, expected, "missing")
    if isinstance(value, Unresolved):
        return _answer(UNKNOWN, field, value, expected, value.reason)
    found = _seconds(value)
    if found is None:
        return _answer(UNKNOWN, field, value, expected, "wrong_type")
    fits = found <= seconds
    return _answer(
        TRUE if fits else FALSE, field, value, expected, "requirement_met" if fits else "value_mismatch"
    )


def _seconds(value: Any) -> int | None:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        return None
    return sum(int(n) * unit for n, unit in zip(match.groups(), _UNITS, strict=True) if n)


def of_management_account(subject: Subject, *, field: tuple[str, ...]) -> Answer:
    """TRUE when the property names the organisation's management account."""
    value = read(subject, field)
    if value is ABSENT:
        return _answer(FALSE, field, ABSENT, _MANAGEMENT, "missing")
    if isinstance(value, Unresolved | Mistyped):
        reason = value.reason if isinstance(value, Unresolved) else "wrong_type"
        return _answer(
            UNKNOWN, field, value if isinstance(value, Unresolved) else value.value, _MANAGEMENT, reason
        )
    known = _manager(subject)
    if isinstance(known, Unresolved):
        return _answer(UNKNOWN, ("with", "organization"), known, _MANAGEMENT, known.reason)
    same = str(value) == known
    return _answer(
        TRUE if same else FALSE, field, value, _MANAGEMENT, "requirement_met" if same else "value_mismatch"
    )


def _manager(subject: Subject) -> str | Unresolved:
    """Return the account that manages the organisation."""
    records = subject.organization(_ORGANIZATION)
    if isinstance(records, Unresolved):
        return records
    names = [r.properties.get("ManagementAccountId") for r in records]
    found = names[0] if names and all(name == names[0] for name in names) else None
    if isinstance(found, str) and getattr(records, "more", None) is None:
        return found
    return (
        found
        if isinstance(found, Unresolved)
        else Unresolved("not_collected", "who manages the organisation")
    )


def _answer(truth: Truth, path: Path, observed: Any, expected: str, reason: str) -> Answer:
    return Answer(truth, (Evidence(path, observed, expected, reason),))
