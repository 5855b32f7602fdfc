"""How many different Availability Zones there are among values of which some are not known."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from policyengine.model.values import ZONE_LIST, Unresolved

_ID = re.compile(r"[a-z0-9-]+-az[0-9]+")


def fewest(zones: Iterable[Any]) -> int:
    """Return how many different zones there are at least.

    Names differ, and so do ids and two places of the same ``Fn::GetAZs``; a name, an id and a place may be
    the same zone (https://docs.aws.amazon.com/ram/latest/userguide/working-with-az-ids.html).
    """
    names: set[str] = set()
    ids: set[str] = set()
    places: dict[str, set[str]] = defaultdict(set)
    for zone in zones:
        if isinstance(zone, str):
            (ids if _ID.fullmatch(zone) else names).add(zone)
        elif isinstance(zone, Unresolved) and zone.target is not None:
            places[zone.target[0]].add(zone.target[1])
    lists = [found for name, found in places.items() if name.startswith(f"{ZONE_LIST}:")]
    return max(len(names), len(ids), *(len(found) for found in lists), 0)
