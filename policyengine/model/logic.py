"""Strong Kleene logic over three truth values.

UNKNOWN stands for "TRUE or FALSE, we cannot say": a connective returns UNKNOWN exactly when its
known arguments do not settle the answer (Kleene, *Introduction to Metamathematics*, section 64).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final


class Truth(enum.Enum):
    """One of three truth values; compare with ``is``."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2

    def __bool__(self) -> bool:
        raise TypeError("a Truth has three values: compare it with `is TRUE`")


TRUE: Final = Truth.TRUE
FALSE: Final = Truth.FALSE
UNKNOWN: Final = Truth.UNKNOWN


def negate(value: Truth) -> Truth:
    """Return the Kleene negation."""
    if value is UNKNOWN:
        return UNKNOWN
    return FALSE if value is TRUE else TRUE


def conjunction(values: Iterable[Truth]) -> Truth:
    """Return FALSE if any is FALSE, else UNKNOWN if any is UNKNOWN, else TRUE."""
    result: Truth = TRUE
    for value in values:
        if value is FALSE:
            return FALSE
        if value is UNKNOWN:
            result = UNKNOWN
    return result


def disjunction(values: Iterable[Truth]) -> Truth:
    """Return TRUE if any is TRUE, else UNKNOWN if any is UNKNOWN, else FALSE."""
    result: Truth = FALSE
    for value in values:
        if value is TRUE:
            return TRUE
        if value is UNKNOWN:
            result = UNKNOWN
    return result


def truth_of(value: bool) -> Truth:
    """Return the Truth of a bool."""
    return TRUE if value else FALSE
