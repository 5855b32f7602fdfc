"""Subnets: ``net.internet_route`` and ``net.spans_zones``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.net.opaque import Opaque
from policyengine.net.reachability import has_internet_route
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.group_entries import PREFIX_LIST
from policyengine.rules.predicates.network_layers import (
    INTERNET_GATEWAY,
    ROUTE_TABLE,
    SUBNET,
    VPC,
    Missing,
    find,
    routes_of,
)
from policyengine.rules.predicates.paths import Mistyped, read
from policyengine.rules.predicates.zones import fewest

_ROUTES: Final[Path] = ("related", "route_table_associations")


def _internet_route(subject: Subject) -> Answer:
    subnet = subject.resource
    found = routes_of(subject, subnet)
    answer = Opaque("routes") if isinstance(found.routes, Opaque) else has_internet_route(found.routes)
    observed = subnet.related.get("route_table_associations", ABSENT)
    if answer is True:
        expected = f"{found.text} without a route to an internet gateway"
        return Answer(TRUE, (Evidence(_ROUTES, observed, expected, "forbidden_present", found.provenance),))
    expected = f"a route to an internet gateway in {found.text}"
    if answer is False:
        return Answer(FALSE, (Evidence(_ROUTES, observed, expected, "none_satisfies", found.provenance),))
    missing = found.missing or Missing("unresolved_reference", "its routes are not known")
    return Answer(UNKNOWN, (Evidence(_ROUTES, observed, f"{expected}: {missing.text}", missing.reason),))


_Zone = tuple[Path, Any]
"""A place and what names a zone there: text, Unresolved, or what cannot be read."""


def _spans_zones(
    subject: Subject, at_least: int, subnets: Sequence[str] | None = None, zones: Sequence[str] | None = None
) -> Answer:
    """Count distinct zones; what is not known may be a zone of its own or one that was counted."""
    expected = f"at least {at_least} Availability Zones"
    found = [*_entries(subject, zones), *_of_subnets(subject, subnets)]
    known = {value for _path, value in found if isinstance(value, str)}
    unread = [(path, value) for path, value in found if not isinstance(value, str)]
    place: Path = tuple(subnets or zones or ())
    shown = ", ".join(sorted(known)) or "none"
    least = fewest(value for _path, value in found)
    if least >= at_least:
        shown = shown if len(known) >= at_least else f"{least} zones of the region's list"
        return Answer(TRUE, (Evidence(place, shown, expected, "requirement_met"),))
    endless = any(path[-1:] == ("-",) for path, _value in unread)
    if not endless and len(known) + len(unread) < at_least:
        observed = shown if not unread else f"{len(known) + len(unread)} or fewer"
        return Answer(FALSE, (Evidence(place, observed, expected, "none_satisfies"),))
    return Answer(
        UNKNOWN,
        tuple(
            Evidence(path, value, expected, value.reason if isinstance(value, Unresolved) else "wrong_type")
            for path, value in unread
        ),
    )


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
            yield path, _zone_of(item)
            continue
        value = item.get("SubnetId", ABSENT) if isinstance(item, dict) else item
        if path[-1:] == ("-",):
            yield path, value
            continue
        subnet = find(subject, SUBNET, value)
        if isinstance(subnet, Resource):
            yield path, _zone_of(subnet)
        else:
            yield path, value if isinstance(value, Unresolved) else Unresolved("not_collected", subnet.text)


def _zone_of(subnet: Resource) -> Any:
    zone = subnet.properties.get("AvailabilityZone", subnet.properties.get("AvailabilityZoneId", ABSENT))
    return Unresolved("default_depends", "AWS chooses the zone of the subnet") if zone is ABSENT else zone


def _zones_problem(arguments: Mapping[str, Any]) -> str | None:
    if "subnets" not in arguments and "zones" not in arguments:
        return "name where the zones stand: `subnets`, `zones` or both"
    return None


PREDICATES: Final = (
    Predicate(
        "net.internet_route",
        _internet_route,
        "The route table of the subnet leads to an internet gateway.",
        {},
        (SUBNET,),
        (ROUTE_TABLE, INTERNET_GATEWAY, VPC, PREFIX_LIST),
        lambda _arguments: None,
    ),
    Predicate(
        "net.spans_zones",
        _spans_zones,
        "What is listed lies in at least so many different Availability Zones.",
        {
            "at_least": Arg("integer", help="the number of different zones"),
            "subnets": Arg(
                "path",
                required=False,
                help="a list of subnets, of objects with a `SubnetId`, or `with.ALIAS`",
            ),
            "zones": Arg("path", required=False, help="a list of zones"),
        },
        (),
        (SUBNET,),
        _zones_problem,
    ),
)
