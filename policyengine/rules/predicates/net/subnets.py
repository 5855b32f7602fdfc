"""Subnets: ``net.internet_route``, and ``net.spans_zones`` from beside."""

from __future__ import annotations

from typing import Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT
from policyengine.net.opaque import Opaque
from policyengine.net.reachability import has_internet_route
from policyengine.rules.predicates.api import Answer, Predicate, Subject
from policyengine.rules.predicates.net.group_entries import PREFIX_LIST
from policyengine.rules.predicates.net.layers import (
    INTERNET_GATEWAY,
    Missing,
    routes_of,
)
from policyengine.rules.predicates.net.named import ROUTE_TABLE, SUBNET, VPC
from policyengine.rules.predicates.net.spans_zones import SPANS_ZONES

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
    SPANS_ZONES,
)
