"""``net.spans_zones``: in how many Availability Zones something lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.net.layers import (
    find,
)
from policyengine.rules.predicates.net.named import SUBNET
from policyengine.rules.predicates.net.zones import fewest
from policyengine.rules.predicates.paths import Mistyped, read

_ZONE: Final = ("AvailabilityZone", "AvailabilityZoneId", "AvailabilityZoneName")

_Zone = tuple[Path, Any]
"""A place and what names a zone there: text, Unresolved, or what cannot be read."""


def _spans_zones(
    subject: Subject,
    at_least: int,
    subnets: Sequence[str] | None = None,
    zones: Sequence[str] | None = None,
    zone_ids: Sequence[str] | None = None,
    resources: str | None = None,
) -> Answer:
    """Count distinct zones; what is not known may be a zone of its own or one that was counted."""
    expected = f"at least {at_least} Availability Zones"
    found = [
        *_entries(subject, zones),
        *_entries(subject, zone_ids),
        *_of_subnets(subject, subnets),
        *_of_resources(subject, resources),
    ]
    known = {value for _path, value in found if isinstance(value, str)}
    unread = [(path, value) for path, value in found if not isinstance(value, str)]
    place: Path = ("with", resources) if resources else tuple(subnets or zones or zone_ids or ())
    shown = ", ".join(sorted(known)) or "none"
    least = fewest(value for _path, value in found)
    if least >= at_least:
        shown = shown if len(known) >= at_least else f"{least} zones of the region's list"
        return Answer(TRUE, (Evidence(place, shown, expected, "requirement_met"),))
    endless = any(path[-1:] == ("-",) for path, _value in unread)
    if not endless and len(known) + len(unread) < at_least:
        observed = shown if not unread else f"{len(known) + len(unread)} or fewer"
        return Answer(FALSE, (Evidence(place, observed, expected, "none_satisfies"),))
    return Answer(UNKNOWN, tuple(_doubts(found, unread, expected)))


def _doubts(found: list[_Zone], unread: list[_Zone], expected: str) -> Iterator[Evidence]:
    for path, value in unread:
        shown = path[:-1] if path[0] == "with" and path[-1] == "-" else path
        yield Evidence(
            shown, value, expected, value.reason if isinstance(value, Unresolved) else "wrong_type"
        )
    if not unread:
        mixed = Unresolved("default_depends", "AWS maps zone names to zone ids for each account")
        yield Evidence(found[0][0], mixed, expected, mixed.reason)


def _entries(subject: Subject, path: Sequence[str] | None) -> Iterator[_Zone]:
    """Yield the elements of the list at a path; the doubt of an open list stands at ``-``."""
    if path is None:
        return
    value = read(subject, path)
    place: Path = tuple(path)
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield (*place, index), item
        if isinstance(value, OpenList):
            yield (*place, "-"), value.more
    elif value is not ABSENT:
        yield (*place, "-"), value.value if isinstance(value, Mistyped) else value


def _of_subnets(subject: Subject, subnets: Sequence[str] | None) -> Iterator[_Zone]:
    for path, item in _entries(subject, subnets):
        if isinstance(item, Resource):
            yield path, _zone_of(subject, item)
            continue
        value = item.get("SubnetId", ABSENT) if isinstance(item, dict) else item
        yield path, value if path[-1:] == ("-",) else _zone_of_subnet(subject, value)


def _of_resources(subject: Subject, alias: str | None) -> Iterator[_Zone]:
    if alias is None:
        return
    found = subject.related(alias)
    place: Path = ("with", alias)
    if isinstance(found, Unresolved):
        yield (*place, "-"), found
        return
    for index, resource in enumerate(found):
        yield (*place, index), _zone_of(subject, resource)
    if isinstance(found, OpenList):
        yield (*place, "-"), found.more


def _zone_of(subject: Subject, resource: Resource) -> Any:
    """Return the zone a resource names, else that of the subnet it names."""
    for name in _ZONE:
        zone = resource.properties.get(name, ABSENT)
        if zone is not ABSENT:
            return zone
    named = resource.properties.get("SubnetId", ABSENT)
    if named is ABSENT or resource.type == SUBNET:
        return Unresolved("default_depends", f"AWS chooses the zone of `{resource.id}`")
    return _zone_of_subnet(subject, named)


def _zone_of_subnet(subject: Subject, value: Any) -> Any:
    subnet = find(subject, SUBNET, value)
    if isinstance(subnet, Resource):
        return _zone_of(subject, subnet)
    return value if isinstance(value, Unresolved) else Unresolved("not_collected", subnet.text)


def _problem(arguments: Mapping[str, Any]) -> str | None:
    if not {"subnets", "zones", "zone_ids", "resources"} & arguments.keys():
        return "name where the zones stand: `subnets`, `zones`, `zone_ids` or `resources`"
    return None


SPANS_ZONES: Final = Predicate(
    "net.spans_zones",
    _spans_zones,
    "What is listed or related lies in at least so many different Availability Zones.",
    {
        "at_least": Arg("integer", help="the number of different zones"),
        "subnets": Arg("path", required=False, help="a list of subnets, or of objects with a `SubnetId`"),
        "zones": Arg("path", required=False, help="a list of zones"),
        "zone_ids": Arg("path", required=False, help="a list of zone ids (`euw1-az1`)"),
        "resources": Arg("alias", required=False, help="a relation to what stands in zones or subnets"),
    },
    (),
    (SUBNET,),
    _problem,
)
