"""How many different Availability Zones there are among values of which some are not known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from policyengine.model.values import ZONE_LIST, Unresolved


def fewest(zones: Iterable[Any]) -> int:
    """Return how many different zones there are at least.

    Names differ, and so do two places of the same ``Fn::GetAZs``; a name and a place may be the same zone.
    """
    known: set[str] = set()
    places: dict[str, set[str]] = defaultdict(set)
    for zone in zones:
        if isinstance(zone, str):
            known.add(zone)
        elif isinstance(zone, Unresolved) and zone.target is not None:
            places[zone.target[0]].add(zone.target[1])
    lists = [found for name, found in places.items() if name.startswith(f"{ZONE_LIST}:")]
    return max(len(known), *(len(found) for found in lists), 0)
