"""``net.reachable_from_internet``: instances, load balancers and databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.net.opaque import Opaque
from policyengine.net.reachability import (
    Reach,
    acl_layers,
    group_layer,
    internet_reaches,
    listener_layer,
    public_address,
)
from policyengine.net.services import Service, Traffic, protocol_label, read_traffic
from policyengine.rules.predicates.api import Answer, Predicate, Subject
from policyengine.rules.predicates.asked import (
    DEFAULT_PROTOCOLS,
    EXCEPT_PORTS,
    PORTS,
    PROTOCOLS,
    asked_service,
    bad_argument,
    service_problem,
)
from policyengine.rules.predicates.net.acl import NETWORK_ACL, boolean
from policyengine.rules.predicates.net.address import (
    EIP,
    INSTANCE,
    INTERFACE,
    Interface,
    Known,
    interfaces_of,
    ipv4_of,
    ipv6_of,
)
from policyengine.rules.predicates.net.group_entries import GROUP, PREFIX_LIST, names
from policyengine.rules.predicates.net.layers import (
    BPA,
    BPA_EXCLUSION,
    INTERNET_GATEWAY,
    Missing,
    Note,
    Way,
    add_block,
    add_groups,
    add_subnet,
    find,
    listed,
)
from policyengine.rules.predicates.net.named import ROUTE_TABLE, SUBNET, VPC

LOAD_BALANCER: Final = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER: Final = "AWS::ElasticLoadBalancingV2::Listener"
DB_INSTANCE: Final = "AWS::RDS::DBInstance"
DB_CLUSTER: Final = "AWS::RDS::DBCluster"
DB_SUBNETS: Final = "AWS::RDS::DBSubnetGroup"

_ENGINE_PORTS: Final = (
    ("aurora-postgresql", 5432), ("postgres", 5432), ("aurora", 3306), ("mysql", 3306),
    ("mariadb", 3306), ("oracle", 1521), ("sqlserver", 1433),
)  # fmt: skip
"""Defaults by the start of the engine's name:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html (Port)."""

_LISTENER_PROTOCOLS: Final = {
    "UDP": ("udp",),
    "TCP_UDP": ("tcp", "udp"),
    "QUIC": ("udp",),
    "TCP_QUIC": ("tcp", "udp"),
}


def _reachable(
    subject: Subject, ports: Any = None, protocols: Any = DEFAULT_PROTOCOLS, except_ports: Any = None
) -> Answer:
    try:
        asked = asked_service(ports, protocols, except_ports)
    except ValueError as error:
        return bad_argument(error)
    make = {INSTANCE: _instance_ways, LOAD_BALANCER: _load_balancer_ways, DB_INSTANCE: _database_ways}
    ways = make.get(subject.resource.type)
    if ways is None:
        expected = "an instance, a load balancer or a database instance"
        return Answer(UNKNOWN, (Evidence((), subject.resource.type, expected, "wrong_type"),))
    return _judge([(way, internet_reaches(way.layers, asked)) for way in ways(subject)], asked)


def _judge(judged: list[tuple[Way, Reach]], asked: Service) -> Answer:
    for way, reach in judged:
        if reach.answer is True:
            return Answer(TRUE, tuple(_openings(way, reach)))
    doubts = [
        note.evidence(note.missing.reason, f"{note.text}: {note.missing.text}")
        for way, reach in judged
        if isinstance(reach.answer, Opaque)
        for name in reach.layers
        for note in way.notes.get(name, ())
        if note.missing is not None
    ]
    if any(isinstance(reach.answer, Opaque) for _way, reach in judged):
        return Answer(UNKNOWN, _distinct(doubts))
    expected = f"a way in from the internet for {asked.text}"
    stops = [
        note.evidence("none_satisfies", f"{expected}: {note.text} lets none through")
        for way, reach in judged
        for name in reach.layers
        for note in way.notes.get(name, ())
    ]
    return Answer(FALSE, _distinct(stops) or (Evidence((), ABSENT, expected, "none_satisfies"),))


def _openings(way: Way, reach: Reach) -> Iterator[Evidence]:
    assert reach.at is not None  # an answer True says where it holds
    protocol, port = reach.at
    service = f"{protocol_label(protocol)} port {port}"
    for name in ("address", "route", "acl", "block", "groups"):
        for note in way.notes.get(name, ()):
            yield note.evidence(
                "reachable_from_internet", f"{note.text} that keeps the internet from {service}"
            )


def _distinct(evidence: list[Evidence]) -> tuple[Evidence, ...]:
    seen: dict[tuple[Path, str], Evidence] = {}
    for one in evidence:
        seen.setdefault((one.path, one.expected), one)
    return tuple(seen.values())


def _instance_ways(subject: Subject) -> list[Way]:
    return [_interface_way(subject, interface) for interface in interfaces_of(subject)]


def _interface_way(subject: Subject, interface: Interface) -> Way:
    """Return the way through one interface."""
    props, way = subject.resource.properties, Way()
    at, own, eni = interface
    value, path = interface.subnet(subject)
    subnet = add_subnet(way, subject, value, path)
    groups, key = own.get("GroupSet", ABSENT), "GroupSet"
    if not at:
        groups, key = props.get("SecurityGroupIds", props.get("SecurityGroups", ABSENT)), "SecurityGroupIds"
    add_groups(way, subject, groups, (*at, key))
    ipv4, ipv4_missing = ipv4_of(subject, own, subnet, eni)
    ipv6, ipv6_missing = ipv6_of(subject, own, subnet, eni)
    note = Note(
        (*at, "AssociatePublicIpAddress") if at else ("PublicIp",),
        own.get("AssociatePublicIpAddress", props.get("PublicIp", ABSENT)),
        "its public address",
        ipv4_missing or ipv6_missing,
    )
    way.add((public_address(ipv4, ipv6),), note)
    return way


def _load_balancer_ways(subject: Subject) -> list[Way]:
    props = subject.resource.properties
    subnets = _load_balancer_subnets(props)
    scheme = props.get("Scheme", "internet-facing")
    kind, family = props.get("Type", "application"), props.get("IpAddressType", "ipv4")
    facing, missing = _is_one_of(scheme, ("internet-facing",))
    v4, v4_missing = _is_one_of(family, ("ipv4", "dualstack"))
    v6, v6_missing = _is_one_of(family, ("dualstack", "dualstack-without-public-ipv4"))
    if facing is False or kind == "gateway":
        v4, v6, v4_missing, v6_missing = False, False, None, None
    elif isinstance(facing, Opaque):
        v4, v6 = (facing if v4 is not False else False), (facing if v6 is not False else False)
    address = Note(("Scheme",), props.get("Scheme", ABSENT), "its scheme", missing or v4_missing or v6_missing,
                   None if "Scheme" in props else "AWS default: internet-facing")  # fmt: skip
    ways = []
    for value, path in subnets:
        way = Way()
        way.add((public_address(v4, v6),), address)
        add_subnet(way, subject, value, path)
        groups = props.get("SecurityGroups", ABSENT)
        if kind == "network" and (groups is ABSENT or (groups.__class__ is list and not groups)):
            note = Note(("SecurityGroups",), ABSENT, "security groups (it has none)")
            way.add((group_layer(None),), note)
        else:
            add_groups(way, subject, groups, ("SecurityGroups",))
        _add_listeners(way, subject)
        ways.append(way)
    return ways


def _is_one_of(value: Any, wanted: tuple[str, ...]) -> Known:
    if isinstance(value, str):
        return value.lower() in wanted, None
    reason = value.reason if isinstance(value, Unresolved) else "wrong_type"
    return Opaque("a value that is not known"), Missing(reason, "it is not known")


def _load_balancer_subnets(props: dict[str, Any]) -> list[tuple[Any, Path]]:
    mappings = props.get("SubnetMappings", ABSENT)
    if isinstance(mappings, list) and mappings:
        return [
            (m.get("SubnetId", ABSENT) if isinstance(m, dict) else m, ("SubnetMappings", i, "SubnetId"))
            for i, m in enumerate(mappings)
        ]
    subnets = props.get("Subnets", ABSENT)
    if isinstance(subnets, list) and subnets:
        more: list[tuple[Any, Path]] = [(subnets.more, ("Subnets", "-"))] if hasattr(subnets, "more") else []
        return [*((value, ("Subnets", i)) for i, value in enumerate(subnets)), *more]
    return [(mappings if mappings is not ABSENT else subnets, ("Subnets",))]


def _add_listeners(way: Way, subject: Subject) -> None:
    listeners, missing = listed(subject, LISTENER)
    mine = [one for one in listeners if names(one.properties.get("LoadBalancerArn"), subject.resource)]
    if not mine and missing is not None:
        way.add(
            (listener_layer(Opaque(missing.text)),), Note((), subject.resource.id, "its listeners", missing)
        )
        return
    # a listener that is not known, or whose load balancer is not, may be on any port of this one
    doubts = [v for one in listeners if isinstance(v := one.properties.get("LoadBalancerArn"), Unresolved)]
    others = missing or next((Missing(v.reason, v.describe()) for v in doubts if v.target is None), None)
    traffics: list[Traffic] = []
    for one in mine:
        named = one.properties.get("Protocol", "TCP")
        port = one.properties.get("Port", Opaque("port"))
        labels: tuple[Any, ...] = (Opaque("protocol"),)
        if isinstance(named, str):
            labels = _LISTENER_PROTOCOLS.get(named.upper(), ("tcp",))
        traffics += [read_traffic(label, port, port) for label in labels]
    unread = any(not t.ports_known or isinstance(t.protocol, Opaque) for t in traffics)
    problem = (
        Missing("unresolved_reference", "a listener's port or protocol is not known") if unread else others
    )
    if others is not None:
        traffics += [read_traffic(label, Opaque("port"), Opaque("port")) for label in ("tcp", "udp")]
    way.add((listener_layer(traffics),), Note((), subject.resource.id, "its listeners", problem))


def _database_ways(subject: Subject) -> list[Way]:
    props = subject.resource.properties
    given = props.get("PubliclyAccessible", ABSENT)
    public = boolean(given)
    missing = None
    if isinstance(public, Opaque):
        reason = given.reason if isinstance(given, Unresolved) else "wrong_type"
        reason = "default_depends" if given is ABSENT else reason
        missing = Missing(reason, "the default depends on whether its VPC has an internet gateway")
    cluster = (
        find(subject, DB_CLUSTER, props["DBClusterIdentifier"]) if "DBClusterIdentifier" in props else None
    )
    note = Note(("PubliclyAccessible",), given, "its public address", missing)
    ways = []
    named = props.get("DBSubnetGroupName", ABSENT)
    for value, path in _database_subnets(subject, props):
        way = Way()
        way.add((public_address(public, False),), note)
        if value is ABSENT:  # AWS refuses a public database without a way out, so its routes need no proof
            add_block(way, subject, None, path, value)
        elif isinstance(value, Missing):
            way.add(
                acl_layers(Opaque(value.text), Opaque(value.text)), Note(path, named, "its subnets", value)
            )
            add_block(way, subject, None, path, named)
        else:
            add_subnet(way, subject, value, path)
        _add_database_groups(way, subject, cluster)
        _add_database_port(way, props, cluster)
        ways.append(way)
    return ways


def _database_subnets(subject: Subject, props: dict[str, Any]) -> list[tuple[Any, Path]]:
    path: Path = ("DBSubnetGroupName",)
    named = props.get("DBSubnetGroupName", ABSENT)
    if named is ABSENT:
        return [(ABSENT, path)]
    group = find(subject, DB_SUBNETS, named)
    if isinstance(group, Missing):
        return [(group, path)]
    subnets = group.properties.get("SubnetIds")
    if not isinstance(subnets, list) or not subnets:
        return [(Missing("not_collected", f"the subnets of `{group.id}`"), path)]
    found = [find(subject, SUBNET, subnet) for subnet in subnets]
    missing = next((one for one in found if isinstance(one, Missing)), None)
    return [(missing, path)] if missing is not None else [(value, path) for value in subnets]


def _add_database_groups(way: Way, subject: Subject, cluster: Resource | Missing | None) -> None:
    if cluster is None:
        add_groups(
            way, subject, subject.resource.properties.get("VPCSecurityGroups", ABSENT), ("VPCSecurityGroups",)
        )
    elif isinstance(cluster, Missing):
        path: Path = ("DBClusterIdentifier",)
        note = Note(
            path, subject.resource.properties["DBClusterIdentifier"], "the groups of its cluster", cluster
        )
        way.add((group_layer(Opaque(cluster.text)),), note)
    else:
        add_groups(
            way, subject, cluster.properties.get("VpcSecurityGroupIds", ABSENT), ("DBClusterIdentifier",)
        )


def _add_database_port(way: Way, props: dict[str, Any], cluster: Resource | Missing | None) -> None:
    """Restrict to the port the database listens on; what is not known may be any."""
    holder = cluster.properties if isinstance(cluster, Resource) else props
    port = holder.get("Port", props.get("Port", ABSENT))
    provenance = None
    if port is ABSENT:
        engine = str(props.get("Engine", "")).lower()
        port = next((number for start, number in _ENGINE_PORTS if engine.startswith(start)), ABSENT)
        provenance = "AWS default"
    traffic = read_traffic("tcp", *((port, port) if port is not ABSENT else (Opaque("port"), Opaque("port"))))
    missing = None if traffic.ports_known else Missing("default_depends", "its port is not known")
    way.add((listener_layer([traffic]),), Note(("Port",), port, "its port", missing, provenance))


PREDICATE: Final = Predicate(
    "net.reachable_from_internet",
    _reachable,
    "Address, route, network ACL, security groups and block public access together let the internet in.",
    {"ports": PORTS, "protocols": PROTOCOLS, "except_ports": EXCEPT_PORTS},
    (INSTANCE, LOAD_BALANCER, DB_INSTANCE),
    (
        SUBNET, VPC, ROUTE_TABLE, INTERNET_GATEWAY, NETWORK_ACL, GROUP, PREFIX_LIST, INTERFACE, EIP, BPA,
        BPA_EXCLUSION, LISTENER, DB_SUBNETS, DB_CLUSTER,
    ),
    service_problem,
)  # fmt: skip
