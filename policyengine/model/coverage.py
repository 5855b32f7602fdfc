"""Coverage, told briefly: places of which the same types were collected whole stand together, as thousands mostly do."""

from __future__ import annotations

from collections import defaultdict

from policyengine.model.resource import Coverage

Place = tuple[str, str]
"""(account, region)"""


def places_alike(coverage: Coverage) -> list[tuple[tuple[str, ...], list[Place]]]:
    """Return (types, places), both sorted; each place stands in one of them, and what types stand in differs."""
    of_place: dict[Place, set[str]] = defaultdict(set)
    for account, region, type in coverage:
        of_place[account, region].add(type)
    alike: dict[frozenset[str], list[Place]] = defaultdict(list)
    for place in sorted(of_place):
        alike[frozenset(of_place[place])].append(place)
    return sorted((tuple(sorted(types)), places) for types, places in alike.items())
