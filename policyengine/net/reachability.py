"""What really is reachable from the internet: address, route, ACL, group and block together.

Each layer says, for one protocol and port, from which addresses traffic passes; the internet
reaches the port when what passes *all* layers still is the internet. A layer that is not known
passes anything from above and nothing from below, so that a known layer that stops everything
decides, and otherwise the answer is Opaque.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from policyengine.net.acls import AclRule, admitted, answered
from policyengine.net.addresses import ALL_V4, ALL_V6, EVERYTHING, NONE, Block, lets_internet
from policyengine.net.bounds import ALL, NOTHING, UNKNOWN, Bounds, Step, exactly, first_match
from policyengine.net.groups import Rule, covers, points, sources
from policyengine.net.opaque import Opaque
from policyengine.net.services import Service, Traffic

LayerName = Literal["address", "block", "route", "acl", "answers", "groups", "listener"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One thing traffic must pass. ``passes(protocol, port)`` gives the addresses that do."""

    name: LayerName
    passes: Callable[[int, int], Bounds]
    traffics: tuple[Traffic, ...] = ()
    """The ranges at whose ends ``passes`` can change; it can between protocols."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route: its destination blocks, and whether its target is an internet gateway."""

    destinations: tuple[Block, ...] | Opaque
    to_internet: bool | Opaque


@dataclass(frozen=True, slots=True)
class BlockPublicAccess:
    """VPC block public access of a region, and whether this VPC or subnet is excluded from it.

    ``mode`` is ``off``, ``block-ingress`` or ``block-bidirectional``; only the exclusion
    ``allow-bidirectional`` lets traffic in.
    https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
    """

    mode: str | Opaque
    exclusion: str | Opaque | None


_FAMILIES: Final = {
    (True, True): EVERYTHING,
    (True, False): ALL_V4,
    (False, True): ALL_V6,
    (False, False): NONE,
}


def public_address(ipv4: bool | Opaque, ipv6: bool | Opaque) -> Layer:
    """Return the layer of the addresses by which something can be called."""
    must = _FAMILIES[ipv4 is True, ipv6 is True]
    may = _FAMILIES[ipv4 is not False, ipv6 is not False]
    bounds = Bounds(must, may)
    return Layer("address", lambda _protocol, _port: bounds)


def routed(routes: Sequence[Route] | Opaque) -> Bounds:
    """Return the addresses whose most specific route leads to an internet gateway.

    https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html#route-tables-priority
    """
    if isinstance(routes, Opaque):
        return UNKNOWN
    steps: list[Step] = []
    for route in routes:
        if isinstance(route.destinations, Opaque):
            steps.append(Step(route.destinations, route.to_internet, route.destinations))
        else:
            steps += [Step(-b.prefix, route.to_internet, b.addresses()) for b in route.destinations]
    return first_match(steps)


def route_layer(routes: Sequence[Route] | Opaque) -> Layer:
    """Return the layer of a subnet's route table."""
    bounds = routed(routes)
    return Layer("route", lambda _protocol, _port: bounds)


def has_internet_route(routes: Sequence[Route]) -> bool | Opaque:
    """Answer whether a route table leads to an internet gateway for any public address."""
    return routed(routes).ask(lambda found: not found.public().is_empty, "a route that cannot be read")


def block_layer(block: BlockPublicAccess) -> Layer:
    """Return the layer of VPC block public access: everything or nothing."""
    bounds = UNKNOWN
    if block.mode == "off" or block.exclusion == "allow-bidirectional":
        bounds = ALL
    elif not isinstance(block.mode, Opaque) and not isinstance(block.exclusion, Opaque):
        bounds = NOTHING
    return Layer("block", lambda _protocol, _port: bounds)


def acl_layers(
    inbound: Sequence[AclRule] | Opaque, outbound: Sequence[AclRule] | Opaque
) -> tuple[Layer, ...]:
    """Return the two layers of a network ACL: what comes in, and the answers that leave."""
    if isinstance(inbound, Opaque) or isinstance(outbound, Opaque):
        return (Layer("acl", lambda _protocol, _port: UNKNOWN),)
    traffics = tuple(rule.traffic for rule in inbound)
    coming: dict[tuple[bool | Opaque, ...], Bounds] = {}
    leaving: dict[int, Bounds] = {}

    def admits(protocol: int, port: int) -> Bounds:
        covered = tuple([covers(traffic, protocol, port) for traffic in traffics])
        if covered not in coming:
            coming[covered] = admitted(inbound, protocol, port)
        return coming[covered]

    def answers(protocol: int, _port: int) -> Bounds:
        if protocol not in leaving:
            leaving[protocol] = answered(outbound, protocol)
        return leaving[protocol]

    return (
        Layer("acl", admits, traffics),
        Layer("answers", answers),
    )


def group_layer(rules: Sequence[Rule] | Opaque | None) -> Layer:
    """Return the layer of all groups together; None: no group at all, which stops nothing.

    A network load balancer without groups is such a thing:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
    """
    if rules is None:
        return Layer("groups", lambda _protocol, _port: ALL)
    if isinstance(rules, Opaque):
        return Layer("groups", lambda _protocol, _port: UNKNOWN)
    traffics = tuple(rule.traffic for rule in rules)
    known: dict[tuple[bool | Opaque, ...], Bounds] = {}

    def passes(protocol: int, port: int) -> Bounds:
        covered = tuple([covers(traffic, protocol, port) for traffic in traffics])
        if covered not in known:
            known[covered] = sources(rules, protocol, port).addresses
        return known[covered]

    return Layer("groups", passes, traffics)


def listener_layer(listening: Iterable[Traffic] | Opaque) -> Layer:
    """Return the layer of what answers at all: a port nobody listens on is not reachable."""
    if isinstance(listening, Opaque):
        return Layer("listener", lambda _protocol, _port: UNKNOWN)
    heard = tuple(listening)
    everything = exactly(EVERYTHING)

    def passes(protocol: int, port: int) -> Bounds:
        if any(t.protocol == protocol and t.ports_known and t.low <= port <= t.high for t in heard):
            return everything
        doubtful = any(isinstance(t.protocol, Opaque) or not t.ports_known for t in heard)
        return UNKNOWN if doubtful else NOTHING

    return Layer("listener", passes, heard)


class Reach(NamedTuple):
    """The answer, where it holds, and which layers it comes from.

    ``layers`` are those that stop the traffic (False; at every asked port, where there are such
    layers) or are not known (Opaque).
    """

    answer: bool | Opaque
    at: tuple[int, int] | None = None
    layers: tuple[LayerName, ...] = ()


class _Stops:
    """Whether bounds stop the internet, asked about the same few at many ports."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # the bounds are kept alive, and with them their ids
        self._known: dict[int, tuple[Bounds, bool]] = {}

    def __call__(self, bounds: Bounds) -> bool:
        known = self._known.get(id(bounds))
        if known is None:
            known = self._known[id(bounds)] = bounds, not lets_internet(bounds.may)
        return known[1]


def _stop_everywhere(
    layers: Sequence[Layer], asked: Sequence[tuple[int, int]], stops: _Stops
) -> set[LayerName]:
    """Return the layers that stop the internet at every point.

    Most things have such a layer (no public address), and then the others need not be worked out:
    a layer that once lets the internet through is not asked again.
    """
    if not asked:
        return set()
    # a layer without traffics answers the same at every port of a protocol
    firsts = dict(reversed(asked)).items()
    stopping = {
        layer.name
        for layer in layers
        if not layer.traffics and all(stops(layer.passes(protocol, port)) for protocol, port in firsts)
    }
    others = [layer for layer in layers if layer.name not in stopping]
    names = {layer.name for layer in others}
    for protocol, port in asked:
        if not names:
            break
        names = {
            layer.name for layer in others if layer.name in names and stops(layer.passes(protocol, port))
        }
    return stopping | names


def internet_reaches(layers: Sequence[Layer], asked: Service) -> Reach:
    """Answer whether the internet reaches one of the asked ports through all layers."""
    stopping: list[set[LayerName]] = []
    doubtful: set[LayerName] = set()
    traffics = [traffic for layer in layers for traffic in layer.traffics]
    asked_points = list(points(traffics, asked))
    stops = _Stops()
    always = _stop_everywhere(layers, asked_points, stops)
    if always:
        return Reach(False, None, tuple(sorted(always)))
    judged: dict[tuple[int, ...], list[tuple[LayerName, Bounds]]] = {}
    for protocol, port in asked_points:
        each = [(layer.name, layer.passes(protocol, port)) for layer in layers]
        same = tuple([id(bounds) for _name, bounds in each])
        if same in judged:  # what went before was not True, and would only be said again
            continue
        judged[same] = each  # keeps the bounds alive, and with them their ids
        alone = {name for name, bounds in each if stops(bounds)}
        if alone:  # then all together stop it too, and need not be intersected
            stopping.append(alone)
            continue
        whole = ALL
        for _name, bounds in each:
            whole = whole.both(bounds)
        if lets_internet(whole.must):
            return Reach(True, (protocol, port))
        if lets_internet(whole.may):
            doubtful |= {name for name, bounds in each if bounds.must != bounds.may}
        else:
            stopping.append({name for name, _bounds in each})
    if doubtful:
        return Reach(Opaque("a layer that is not known"), None, tuple(sorted(doubtful)))
    return Reach(False, None, tuple(sorted(set().union(*stopping))))
