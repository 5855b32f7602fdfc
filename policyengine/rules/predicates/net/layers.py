"""The layers between the internet and a resource, read from the resources around it.

Each function returns layers of ``policyengine.net.reachability`` with a note for each: the value
of the subject that leads there, and why it is not known where it is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from policyengine.model.finding import Evidence
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.net.bounds import ALL
from policyengine.net.groups import Rule
from policyengine.net.opaque import Opaque
from policyengine.net.reachability import (
    BlockPublicAccess,
    Layer,
    LayerName,
    Route,
    acl_layers,
    block_layer,
    group_layer,
    route_layer,
)
from policyengine.net.services import read_traffic
from policyengine.rules.predicates.api import Subject
from policyengine.rules.predicates.net.acl import NETWORK_ACL, read_entries
from policyengine.rules.predicates.net.group_entries import (
    GROUP,
    INGRESS,
    names,
    prefix_list_blocks,
    read_block,
    read_lines,
)
from policyengine.rules.predicates.net.named import ROUTE_TABLE, SUBNET, VPC, named

INTERNET_GATEWAY: Final = "AWS::EC2::InternetGateway"
BPA: Final = "AWS::EC2::VPCBlockPublicAccessOptions"
BPA_EXCLUSION: Final = "AWS::EC2::VPCBlockPublicAccessExclusion"


class Missing(NamedTuple):
    """A resource that cannot be found, with the reason code and what was looked for."""

    reason: str
    text: str


class Note(NamedTuple):
    """What a layer was read from; ``missing`` where it could not be."""

    path: Path
    observed: Any
    text: str
    missing: Missing | None = None
    provenance: str | None = None

    def evidence(self, reason: str, expected: str) -> Evidence:
        """Return evidence with the given reason; provenance tells AWS defaults."""
        return Evidence(self.path, self.observed, expected, reason, self.provenance)


@dataclass(slots=True)
class Way:
    """One way in: the layers of one network interface or subnet, and their notes."""

    layers: list[Layer] = field(default_factory=list)
    notes: dict[LayerName, list[Note]] = field(default_factory=dict)

    def add(self, layers: Iterable[Layer], *notes: Note) -> None:
        """Append layers that share their notes."""
        for layer in layers:
            self.layers.append(layer)
            self.notes.setdefault(layer.name, []).extend(notes)


def find(subject: Subject, type_: str, value: Any) -> Resource | Missing:
    """Return the resource a property value names, or what is missing."""
    shown = f"`{value}`" if isinstance(value, str) else ""
    if value is ABSENT or value is None:
        return Missing("not_collected", f"no {type_} is named")
    table, found = named(subject, type_, value)
    if isinstance(table, Unresolved):
        return Missing(table.reason, f"{type_}: {table.describe()}")
    if found is not None:
        return found
    if isinstance(value, Unresolved):
        return Missing(value.reason, f"{type_}: {value.describe()}")
    return Missing("not_collected", f"{type_} {shown} is not in this source")


def listed(subject: Subject, type_: str) -> tuple[list[Resource], Missing | None]:
    """Return the known resources of a type, and what is missing where there may be more."""
    table = subject.tables(type_)
    if isinstance(table, Unresolved):
        return [], Missing(table.reason, f"{type_}: {table.describe()}")
    if isinstance(table, OpenList):
        return list(table), Missing(table.more.reason, f"{type_}: {table.more.describe()}")
    return table, None


def same(one: Any, other: Any) -> bool:
    """Whether two references certainly name the same resource."""
    if isinstance(one, Unresolved) and isinstance(other, Unresolved):
        return one.target is not None and other.target is not None and one.target[0] == other.target[0]
    return isinstance(one, str) and one == other


def add_subnet(way: Way, subject: Subject, value: Any, path: Path) -> Resource | Missing:
    """Add the route, ACL and block layers of a subnet; returns the subnet."""
    subnet = find(subject, SUBNET, value)
    if isinstance(subnet, Missing):
        note = Note(path, value, "the subnet", subnet)
        unknown = Opaque(subnet.text)
        way.add((route_layer(unknown), *acl_layers(unknown, unknown)), note)
        add_block(way, subject, None, path, value)
        return subnet
    _add_route(way, subject, subnet, path, value)
    _add_acl(way, subject, subnet, path, value)
    add_block(way, subject, subnet, path, value)
    return subnet


def _associated(subnet: Resource, name: str, key: str) -> Any:
    """Return what an association names: ABSENT for none, Unresolved when not known."""
    found = subnet.related.get(name, ABSENT)
    if isinstance(found, list) and found:
        first = found[0]
        return first.get(key, ABSENT) if isinstance(first, dict) else first
    if isinstance(found, OpenList):
        return found.more
    return found if isinstance(found, Unresolved) else ABSENT


class Routes(NamedTuple):
    """The routes of a subnet, what they were read from, and why they are not known where they are not."""

    routes: list[Route] | Opaque
    text: str
    missing: Missing | None = None
    provenance: str | None = None


def routes_of(subject: Subject, subnet: Resource) -> Routes:
    """Return the routes of the subnet's own route table, or of the main one of its VPC."""
    named = _associated(subnet, "route_table_associations", "RouteTableId")
    table = _main_table(subject, subnet) if named is ABSENT else find(subject, ROUTE_TABLE, named)
    text = "the route table of its subnet"
    if table is None:
        return Routes([], text, provenance="AWS default: only the local route")
    if isinstance(table, Missing):
        return Routes(Opaque(table.text), text, table)
    routes, missing = _routes(subject, table)
    return Routes(routes, f"route table `{table.id}` of its subnet", missing)


def _add_route(way: Way, subject: Subject, subnet: Resource, path: Path, value: Any) -> None:
    found = routes_of(subject, subnet)
    note = Note(path, value, found.text, found.missing, found.provenance)
    way.add((route_layer(found.routes),), note)


def _main_table(subject: Subject, subnet: Resource) -> Resource | Missing | None:
    """Return the VPC's main route table; None for that of a VPC the same template makes.

    It holds only the local route: https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html
    """
    vpc = subnet.properties.get("VpcId", ABSENT)
    tables, missing = listed(subject, ROUTE_TABLE)
    for table in tables:
        if table.properties.get("Main") in (True, "true") and same(table.properties.get("VpcId"), vpc):
            return table
    if subnet.file is not None and "." not in subnet.id and not isinstance(find(subject, VPC, vpc), Missing):
        return None
    return missing or Missing("not_collected", "the main route table of the VPC is not in this source")


def _routes(subject: Subject, table: Resource) -> tuple[list[Route] | Opaque, Missing | None]:
    value = table.related.get("routes", table.properties.get("Routes", ABSENT))
    if isinstance(value, Unresolved):
        return Opaque(value.describe()), Missing(value.reason, f"its routes: {value.describe()}")
    if value is ABSENT:
        return [], None
    if not isinstance(value, list):
        return Opaque("routes that are no list"), Missing("wrong_type", "its routes are no list")
    found: list[Route] = []
    missing: Missing | None = None
    for route in value:
        one, problem = _route(subject, route)
        found.append(one)
        missing = missing or problem
    if isinstance(value, OpenList):
        found.append(Route(Opaque("more routes"), Opaque("more routes")))
        missing = missing or Missing(value.more.reason, f"its routes: {value.more.describe()}")
    return found, missing


def _route(subject: Subject, route: Any) -> tuple[Route, Missing | None]:
    if not isinstance(route, dict):
        reason = route.reason if isinstance(route, Unresolved) else "wrong_type"
        return Route(Opaque("a route"), Opaque("a route")), Missing(reason, "a route that cannot be read")
    to_internet, missing = _to_internet(subject, route)
    prefix_list = route.get("DestinationPrefixListId")
    if prefix_list is not None:
        blocks, doubt = prefix_list_blocks(subject, prefix_list, ())
        if doubt is None:
            return Route(blocks, to_internet), missing
        problem = Missing(doubt.reason, "a prefix list of its routes cannot be read")
        return Route(Opaque(problem.text), to_internet), missing or problem
    named = [route[key] for key in ("DestinationCidrBlock", "DestinationIpv6CidrBlock") if key in route]
    parsed = [read_block(value) for value in named]
    known = tuple(block for block in parsed if not isinstance(block, Opaque))
    if parsed and len(known) == len(parsed):
        return Route(known, to_internet), missing
    value = next((v for v in named if isinstance(v, Unresolved)), None)
    problem = Missing(value.reason if value is not None else "wrong_type", "the destination of a route")
    # also a route to elsewhere matters: it may take from the internet's what it is more specific for
    return Route(Opaque(problem.text), to_internet), missing or problem


def _to_internet(subject: Subject, route: dict[str, Any]) -> tuple[bool | Opaque, Missing | None]:
    gateway, state = route.get("GatewayId", ABSENT), route.get("State", "")
    if gateway is ABSENT or str(state).lower() == "blackhole":
        return False, None
    if isinstance(state, Unresolved) and gateway != "local":
        return Opaque("a route"), Missing(state.reason, "whether a route is a black hole")
    if isinstance(gateway, str) and gateway.startswith("igw-"):
        return True, None
    found = find(subject, INTERNET_GATEWAY, gateway)
    if not isinstance(found, Missing):
        return True, None
    in_this_source = isinstance(gateway, Unresolved) and gateway.target is not None
    if isinstance(gateway, str) or (
        in_this_source and not isinstance(subject.tables(INTERNET_GATEWAY), Unresolved)
    ):
        return False, None  # `local`, a VPN gateway, or another resource of the same file
    return Opaque(found.text), found


def _add_acl(way: Way, subject: Subject, subnet: Resource, path: Path, value: Any) -> None:
    named = _associated(subnet, "network_acl_associations", "NetworkAclId")
    acl = _default_acl(subject, subnet) if named is ABSENT else find(subject, NETWORK_ACL, named)
    text = "the network ACL of its subnet"
    if acl is None:
        passing = Layer("acl", lambda _protocol, _port: ALL)
        way.add(
            (passing,), Note(path, value, text, provenance="AWS default: the default network ACL allows all")
        )
    elif isinstance(acl, Missing):
        unknown = Opaque(acl.text)
        way.add(acl_layers(unknown, unknown), Note(path, value, text, acl))
    else:
        entries = read_entries(acl)
        doubts = [d for entry in entries.found for d in entry.doubts] + (
            [entries.rest] if entries.rest else []
        )
        missing = Missing(doubts[0].reason, "an entry that cannot be read") if doubts else None
        layers = acl_layers(entries.rules(egress=False), entries.rules(egress=True))
        way.add(layers, Note(path, value, f"network ACL `{acl.id}` of its subnet", missing))


def _default_acl(subject: Subject, subnet: Resource) -> Resource | Missing | None:
    """Return the VPC's default ACL; None for code, where the one AWS makes allows everything.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html
    """
    vpc = subnet.properties.get("VpcId", ABSENT)
    acls, missing = listed(subject, NETWORK_ACL)
    for acl in acls:
        if acl.properties.get("IsDefault") in (True, "true") and same(acl.properties.get("VpcId"), vpc):
            return acl
    if subnet.file is not None:
        return None
    return missing or Missing("not_collected", "the default network ACL of the VPC is not in this source")


def add_block(way: Way, subject: Subject, subnet: Resource | None, path: Path, value: Any) -> None:
    """Add VPC block public access; off is AWS's default, which code that says nothing is given."""
    options, missing = listed(subject, BPA)
    provenance = None
    mode: str | Opaque = "off"
    if options:
        given = options[0].properties.get("InternetGatewayBlockMode", ABSENT)
        mode = given if isinstance(given, str) else Opaque("a block mode that is not known")
        missing = Missing("unresolved_reference", f"{BPA}: its mode") if isinstance(mode, Opaque) else None
    elif missing is not None and subject.resource.file is None:
        mode = Opaque(missing.text)
    elif missing is not None:
        missing, provenance = None, "AWS default: VPC block public access is off"
    exclusion: str | Opaque | None = None
    if mode != "off":
        exclusion, unread = _exclusion(subject, subnet)
        missing = missing or unread
    note = Note(path, value, "VPC block public access", missing, provenance)
    way.add((block_layer(BlockPublicAccess(mode, exclusion)),), note)


def _exclusion(subject: Subject, subnet: Resource | None) -> tuple[str | Opaque | None, Missing | None]:
    exclusions, missing = listed(subject, BPA_EXCLUSION)
    if subnet is None:
        absent = not exclusions and missing is None
        return (
            (None, None)
            if absent
            else (Opaque("the subnet"), missing or Missing("not_collected", "the subnet"))
        )
    vpc = subnet.properties.get("VpcId", ABSENT)
    for exclusion in exclusions:
        props = exclusion.properties
        if names(props.get("SubnetId"), subnet) or same(props.get("VpcId"), vpc):
            mode = props.get("InternetGatewayExclusionMode")
            if isinstance(mode, str):
                return mode, None
            return Opaque("an exclusion mode"), Missing("unresolved_reference", f"{BPA_EXCLUSION}: its mode")
        about = (props.get("SubnetId"), props.get("VpcId"), vpc if "VpcId" in props else None)
        unread = next((v for v in about if isinstance(v, Unresolved) and v.target is None), None)
        if unread is not None and missing is None:
            missing = Missing(unread.reason, f"{BPA_EXCLUSION}: {unread.describe()}")
    return (None, None) if missing is None else (Opaque(missing.text), missing)


def add_groups(
    way: Way, subject: Subject, values: Any, path: Path, where: str = "its security groups"
) -> None:
    """Add the layer of all security groups a property lists; ABSENT means the VPC's default group."""
    if values is ABSENT or (values.__class__ is list and not values):
        missing = Missing("not_collected", "the default security group of the VPC is used")
        way.add((group_layer(Opaque(missing.text)),), Note(path, values, where, missing))
        return
    if not isinstance(values, list):
        reason = values.reason if isinstance(values, Unresolved) else "wrong_type"
        missing = Missing(reason, "the list of groups cannot be read")
        way.add((group_layer(Opaque(missing.text)),), Note(path, values, where, missing))
        return
    rules: list[Rule] = []
    notes: list[Note] = []
    for index, value in enumerate(values):
        at = (*path, index)
        group = find(subject, GROUP, value)
        if isinstance(group, Missing):
            rules.append(_ANY_RULE)
            notes.append(Note(at, value, "its security group", group))
            continue
        lines = read_lines(subject.about(group), INGRESS)
        rules += [line.rule for line in lines.found]
        doubts = [doubt for line in lines.found for doubt in line.doubts]
        if lines.rest is not None:
            rules.append(_ANY_RULE)
            doubts.append(lines.rest)
        missing_rule = Missing(doubts[0].reason, "a rule that cannot be read") if doubts else None
        notes.append(Note(at, value, f"security group `{group.id}`", missing_rule))
    if isinstance(values, OpenList):
        rules.append(_ANY_RULE)
        more = Missing(values.more.reason, values.more.describe())
        notes.append(Note((*path, "-"), values.more, "more security groups", more))
    way.add((group_layer(rules),), *notes)


_ANY_RULE: Final = Rule(read_traffic(-1, None, None), Opaque("a group that is not known"))
