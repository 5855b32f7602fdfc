"""Predicates about how long a list is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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
    shown = _counted(len(value))
    if len(value) >= count:
        return Answer(TRUE, (Evidence(items, shown, expected, "requirement_met"),))
    if isinstance(value, OpenList):
        return Answer(UNKNOWN, (Evidence(items, value.more, expected, value.more.reason),))
    return Answer(FALSE, (Evidence(items, shown, expected, "value_mismatch"),))


def at_most(
    subject: Subject, *, items: tuple[str, ...], count: int, not_counting: Mapping[str, Any]
) -> Answer:
    """TRUE when no more elements than ``count`` lack the values of ``not_counting``; a missing list has none."""
    expected = f"at most {count} elements" + "".join(f" without {k} {v}" for k, v in not_counting.items())
    value = read(subject, items)
    if isinstance(value, Unresolved):
        return Answer(UNKNOWN, (Evidence(items, value, expected, value.reason),))
    if value is ABSENT:
        value = []
    if not isinstance(value, list):
        observed = value.value if isinstance(value, Mistyped) else value
        return Answer(UNKNOWN, (Evidence(items, observed, expected, "wrong_type"),))
    left_out = [_left_out(element, not_counting) for element in value]
    certain = left_out.count(None)
    if certain > count:
        return Answer(FALSE, (Evidence(items, _counted(certain), expected, "value_mismatch"),))
    doubts = [doubt for doubt in left_out if isinstance(doubt, Unresolved)]
    if isinstance(value, OpenList):
        doubts.append(value.more)
    if isinstance(value, OpenList) or certain + len(doubts) > count:
        return Answer(UNKNOWN, (Evidence(items, doubts[0], expected, doubts[0].reason),))
    return Answer(TRUE, (Evidence(items, _counted(certain), expected, "requirement_met"),))


def _counted(number: int) -> str:
    return f"{number} element" if number == 1 else f"{number} elements"


def _left_out(element: Any, values: Mapping[str, Any]) -> bool | Unresolved | None:
    """Return True for an element that does not count, None for one that does, or what is not known of it."""
    if isinstance(element, Unresolved):
        return element if values else None
    if not isinstance(element, dict) or not values:
        return None
    found = [element.get(key, ABSENT) == wanted for key, wanted in values.items()]
    unknown = [v for key in values if isinstance(v := element.get(key, ABSENT), Unresolved)]
    if found.count(False) > len(unknown):
        return None
    return unknown[0] if unknown else True


PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "list.at_least",
        at_least,
        "The list has at least so many elements.",
        {
            "items": Arg("path", help="the list"),
            "count": Arg("integer", help="the number of elements"),
        },
        reads=(),
    ),
    Predicate(
        "list.at_most",
        at_most,
        "The list has at most so many elements.",
        {
            "items": Arg("path", help="the list"),
            "count": Arg("integer", help="the number of elements"),
            "not_counting": Arg("json", False, {}, "values of elements that do not count"),
        },
        reads=(),
    ),
)
