"""When two tag keys, or a value and a placeholder, are the same but for how they are spelt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_SEPARATORS: Final = str.maketrans("", "", "-_ :./")
_SHORTEST_TYPO: Final = 4
"""One edit turns `Name` into `Game`: in shorter keys it is more likely another word."""


@lru_cache(maxsize=4096)
def normal_key(key: str) -> str:
    """Return a key without case and separators: ``Cost-Center`` and ``costcenter`` are the same."""
    return key.casefold().translate(_SEPARATORS)


@lru_cache(maxsize=4096)
def normal_value(value: str) -> str:
    """Return the letters and digits of a value: ``<N/A>`` is ``na``, ``-`` is nothing."""
    return "".join(c for c in value.casefold() if c.isalnum())


def is_aws_key(key: str) -> bool:
    """Return whether AWS set the tag itself; the prefix is reserved in any case.

    https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    """
    return key[:4].casefold() == "aws:"


def variant_of(wanted: str, keys: Iterable[str]) -> str | None:
    """Return the key that is ``wanted`` spelt differently, None when there is none.

    Case and separators count for nothing; in keys of four and more characters neither does one
    edit (a character too many, too few, another, or two swapped). Of several the closest is
    returned, then the first in alphabetical order.
    """
    goal = normal_key(wanted)
    typo = None
    for key in sorted(keys):
        if key == wanted or is_aws_key(key):
            continue
        normal = normal_key(key)
        if normal == goal and normal:
            return key
        if typo is None and min(len(goal), len(normal)) >= _SHORTEST_TYPO and one_edit(goal, normal):
            typo = key
    return typo


def one_edit(one: str, other: str) -> bool:
    """Return whether one insertion, deletion, replacement or swap of neighbours joins two texts."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    if len(one) > len(other):
        one, other = other, one
    start = next((i for i, c in enumerate(one) if c != other[i]), len(one))
    if len(one) < len(other):
        return one[start:] == other[start + 1 :]
    swapped = one[start : start + 2] == other[start : start + 2][::-1]
    return one[start + 1 :] == other[start + 1 :] or (swapped and one[start + 2 :] == other[start + 2 :])


def matches_wildcard(pattern: str, value: str) -> bool:
    """Return whether the whole value matches; ``*`` stands for any characters, also none."""
    first, *rest = pattern.split("*")
    if not rest:
        return value == first
    *middle, last = rest
    if len(value) < len(first) + len(last) or not (value.startswith(first) and value.endswith(last)):
        return False
    position, end = len(first), len(value) - len(last)
    for part in middle:
        found = value.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


_CAMEL: Final = re.compile(r"[^a-z0-9]+")


def plain_type(text: str) -> str:
    """Return a resource type without case and punctuation, to compare AWS's spellings of it."""
    return _CAMEL.sub("", text.lower())
