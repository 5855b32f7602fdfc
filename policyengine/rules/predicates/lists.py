"""Predicate about how long a list is."""

from __future__ import annotations

from typing import Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.paths import Mistyped, read


def at_least(subject: Subject, *, items: tuple[str, ...], count: int) -> Answer:
    """TRUE when the list has that many elements; one that is not resolved counts as one."""
    expected = f"at least {count} elements"
    value = read(subject, items)
    if isinstance(value, Unresolved):
        return Answer(UNKNOWN, (Evidence(items, value, expected, value.reason),))
    if value is ABSENT:
        truth, reason = (TRUE, "requirement_met") if count <= 0 else (FALSE, "missing")
        return Answer(truth, (Evidence(items, ABSENT, expected, reason),))
    if not isinstance(value, list):
        observed = value.value if isinstance(value, Mistyped) else value
        return Answer(UNKNOWN, (Evidence(items, observed, expected, "wrong_type"),))
    shown = f"{len(value)} elements"
    if len(value) >= count:
        return Answer(TRUE, (Evidence(items, shown, expected, "requirement_met"),))
    if isinstance(value, OpenList):
        return Answer(UNKNOWN, (Evidence(items, value.more, expected, value.more.reason),))
    return Answer(FALSE, (Evidence(items, shown, expected, "value_mismatch"),))


PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "list.at_least",
        at_least,
        "The list has at least so many elements.",
        {
            "items": Arg("path", help="the list"),
            "count": Arg("integer", help="the number of elements"),
        },
    ),
)
