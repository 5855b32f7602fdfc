"""Predicate that compares two values of one resource."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.paths import Mistyped, read


def differs(subject: Subject, *, field: tuple[str, ...], **others: tuple[str, ...]) -> Answer:
    """TRUE when the values at ``field`` and ``from`` are not the same; a missing one differs from any."""
    against = others["from"]
    expected = f"another value than that of {'.'.join(against)}"
    one, two = read(subject, field), read(subject, against)
    if one is ABSENT or two is ABSENT:
        path = field if one is ABSENT else against
        return Answer(TRUE, (Evidence(path, ABSENT, expected, "requirement_met"),))
    for path, value in ((field, one), (against, two)):
        if isinstance(value, Mistyped):
            return Answer(UNKNOWN, (Evidence(path, value.value, expected, "wrong_type"),))
    same = _same(one, two)
    if isinstance(same, Unresolved):
        path = field if same is one else against
        return Answer(UNKNOWN, (Evidence(path, same, expected, same.reason),))
    reason = "value_mismatch" if same else "requirement_met"
    return Answer(FALSE if same else TRUE, (Evidence(field, one, expected, reason),))


def _same(one: Any, two: Any) -> bool | Unresolved:
    """Whether two values are one, or the one that is not known; references are one when they lead to one resource.

    A missing value behind a reference would be missing on both sides or refer to something that is there.
    """
    unknown = [value for value in (one, two) if isinstance(value, Unresolved)]
    if not unknown:
        return bool(one == two)
    targets = {value.target for value in unknown}
    if len(unknown) == 2 and None not in targets:
        return len(targets) == 1
    return unknown[0]


PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "value.differs",
        differs,
        "Two values of the resource are not the same.",
        {
            "field": Arg("path", help="the one value"),
            "from": Arg("path", help="the other value"),
        },
        reads=(),
    ),
)
