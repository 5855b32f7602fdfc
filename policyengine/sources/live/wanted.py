"""Whether the rules in use read what a call gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

Needs = Mapping[str, frozenset[str]]
"""Type -> the top-level properties (``tags``, ``related.NAME``, ``*`` for any) that rules read."""
EVERYTHING: Final = "*"
"""Among the names of a type: some rule may read any of them."""


def wanted(needs: Needs, type: str, names: Iterable[str], *, named: bool = False) -> bool:
    """Whether a rule reads one of these top-level properties of a type; ``named``: it must say which."""
    read: frozenset[str] = needs.get(type, frozenset())
    return not read.isdisjoint(names) or (EVERYTHING in read and not named)
