"""What stands at a path with lists in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, OpenList, Unresolved


def texts(value: Any) -> Iterator[str]:
    """Yield every text among the values of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def leaves(value: Any, steps: Sequence[Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield (path, value) of all that ``steps`` lead to, through every element of the lists on the way.

    What is not known is yielded where it stands, the rest of a list that may go on at ``-``.
    """
    if isinstance(value, Unresolved):
        yield path, value.part() if steps else value
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from leaves(element, steps, (*path, index))
        if isinstance(value, OpenList):
            yield (*path, "-"), value.more
    elif not steps:
        if value is not ABSENT:
            yield path, value
    elif isinstance(value, dict):
        step = steps[0]
        found = value.get(step, getattr(value, "more", ABSENT))
        yield from leaves(found, steps[1:], (*path, step))
