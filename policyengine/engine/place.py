"""Where a finding stands: the place of the value its verdict rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policyengine.engine.message import split
from policyengine.model.finding import Evidence
from policyengine.model.location import Location
from policyengine.model.resource import Resource, no_location
from policyengine.model.values import ABSENT

Named = tuple[tuple[str, ...], ...]
"""Paths of properties."""


def named_in(message: str) -> Named:
    """Return the properties that a rule's message names, in its order."""
    names = (part[0] for part in split(message) if not isinstance(part, str))
    return tuple(tuple(name.split(".")) for name in names if name[:1].isupper())


def place_of(evidence: Sequence[Evidence], resource: Resource, named: Named = ()) -> Location | None:
    """Return the place of the value the verdict rests on.

    What the message names first is what the finding is about; else a given value comes before a
    missing one.
    """
    if resource.locate is no_location:
        return None
    decisive = [e for e in evidence if e.path and e.path[0] != "with" and e.reason != "requirement_met"]
    about = next(filter(None, (list(_below(path, decisive)) for path in named)), decisive)
    given = [e for e in about if e.observed is not ABSENT]
    first = next(iter(given or about), None)
    return resource.place(first.path if first is not None else ())


def _below(path: tuple[str, ...], evidence: Iterable[Evidence]) -> Iterator[Evidence]:
    first = path[0]
    for piece in evidence:
        if first in piece.path and tuple(s for s in piece.path if isinstance(s, str))[: len(path)] == path:
            yield piece
