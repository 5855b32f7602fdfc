"""Security-group rules: who can reach a port, and what counts as open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from policyengine.net.addresses import NONE, AddressSet, Block, is_internet
from policyengine.net.bounds import UNKNOWN, Bounds, exactly
from policyengine.net.intervals import IntervalSet
from policyengine.net.opaque import Opaque
from policyengine.net.services import ALL_PROTOCOLS, WITH_PORTS, Service, Traffic


@dataclass(frozen=True, slots=True)
class PrefixList:
    """A managed prefix list; ``entries`` is Opaque when nobody could read it."""

    id: str
    entries: tuple[Block, ...] | Opaque


@dataclass(frozen=True, slots=True)
class Group:
    """Another security group: the private addresses of its members, so never the internet."""

    id: str | Opaque


Peer = Block | PrefixList | Group | Opaque
"""The source of an inbound rule, or the destination of an outbound one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An allow rule of a security group; groups have no others."""

    traffic: Traffic
    peer: Peer


class Sources(NamedTuple):
    """Who can reach one port: addresses, groups, and what of both could not be read."""

    addresses: Bounds
    groups: tuple[Group, ...]
    opaque: tuple[Opaque, ...]


@lru_cache(maxsize=4_096)
def peer_addresses(peer: Peer) -> Bounds:
    """Return the addresses a peer stands for; a group stands for none that this can count."""
    if isinstance(peer, Block):
        return exactly(peer.addresses())
    if isinstance(peer, Group):
        return exactly(NONE)
    if isinstance(peer, Opaque) or isinstance(peer.entries, Opaque):
        return UNKNOWN
    return exactly(
        AddressSet(
            IntervalSet((b.first, b.last) for b in peer.entries if b.version == 4),
            IntervalSet((b.first, b.last) for b in peer.entries if b.version == 6),
        )
    )


def covers(traffic: Traffic, protocol: int, port: int) -> bool | Opaque:
    """Whether a rule lets traffic of one protocol to one port pass.

    ``protocol`` -1 stands for a protocol no rule names; ``port`` is ignored where there are none.
    """
    if isinstance(traffic.protocol, Opaque):
        return traffic.protocol  # it may be -1, which makes the range void
    if traffic.protocol == ALL_PROTOCOLS:
        return True
    if traffic.protocol != protocol:
        return False
    if protocol not in WITH_PORTS:
        return True
    if not traffic.ports_known:
        return Opaque("a port range that cannot be read")
    return traffic.low <= port <= traffic.high


def sources(rules: Iterable[Rule], protocol: int, port: int) -> Sources:
    """Return who can reach ``port`` on ``protocol`` (destinations, for outbound rules)."""
    must = may = NONE
    groups: list[Group] = []
    opaque: list[Opaque] = []
    for rule in rules:
        passes = covers(rule.traffic, protocol, port)
        if passes is False:
            continue
        bounds = peer_addresses(rule.peer)
        may = may.union(bounds.may)
        if passes is True:
            must = must.union(bounds.must)
        else:
            opaque.append(passes)
        if isinstance(rule.peer, Group):
            groups.append(rule.peer)
        elif isinstance(rule.peer, Opaque):
            opaque.append(rule.peer)
        elif isinstance(rule.peer, PrefixList) and isinstance(rule.peer.entries, Opaque):
            opaque.append(rule.peer.entries)
    return Sources(Bounds(must, may), tuple(groups), tuple(opaque))


def points(traffics: Sequence[Traffic], service: Service) -> Iterator[tuple[int, int]]:
    """Yield (protocol, port) pairs such that every asked pair behaves like one of them.

    Between two neighbouring range ends no rule begins or stops to match, so one port of each such
    stretch speaks for all of it.
    """
    named = {t.protocol for t in traffics if not isinstance(t.protocol, Opaque)}
    wanted = sorted(service.protocols if service.protocols is not None else named | {ALL_PROTOCOLS})
    for protocol in wanted:
        if protocol not in WITH_PORTS:
            yield protocol, 0
            continue
        ends = {end for t in traffics for end in (t.low, t.high + 1)}
        starts = {low for low, _high in service.ports}
        for port in sorted(starts | {end for end in ends if end in service.ports}):
            yield protocol, port


def some_port(rules: Sequence[Rule], service: Service, holds: Callable[[AddressSet], bool]) -> bool | Opaque:
    """Answer whether, for some asked port, the union of the sources satisfies ``holds``.

    ``holds`` must stay true as the set grows. What cannot be read makes the answer Opaque unless
    the known part already decides.
    """
    doubt: Opaque | None = None
    for rule in rules:  # a range that is not known still holds some port, so `meets` may know more
        if service.meets(rule.traffic) is True and holds(peer_addresses(rule.peer).must):
            return True
    for protocol, port in points([rule.traffic for rule in rules], service):
        found = sources(rules, protocol, port)
        if holds(found.addresses.must):
            return True
        if doubt is None and holds(found.addresses.may):
            doubt = found.opaque[0] if found.opaque else Opaque("a source that is not known")
    return False if doubt is None else doubt


def every_port(rules: Sequence[Rule], service: Service, holds: Callable[[AddressSet], bool]) -> bool | Opaque:
    """Answer whether ``holds`` is satisfied at every asked port of one of the asked protocols."""
    answers: dict[int, bool | Opaque] = {}
    for protocol, port in points([rule.traffic for rule in rules], service):
        if answers.get(protocol, True) is False:
            continue
        found = sources(rules, protocol, port)
        answer = found.addresses.ask(holds, found.opaque[0].reason if found.opaque else "not known")
        if answer is not True:
            answers[protocol] = answer
        else:
            answers.setdefault(protocol, True)
    if any(answer is True for answer in answers.values()):
        return True
    return next((a for a in answers.values() if isinstance(a, Opaque)), False)


def public_internet(addresses: AddressSet) -> bool:
    """Whether the public part of a set of sources is the internet: :func:`is_internet`."""
    return is_internet(addresses.public())


def open_to_internet(rules: Sequence[Rule], service: Service) -> bool | Opaque:
    """Answer whether rules open one of the asked ports to the internet.

    They do when, for some asked port, the union of the *public* source addresses is larger than a
    /8 of IPv4 (2**24 addresses) or a /16 of IPv6 global unicast space. So 0.0.0.0/1 with
    128.0.0.0/1 is the internet, and 0.0.0.0/1 alone is; 10.0.0.0/8 (private) and 203.0.113.7/32
    are not. An unreadable prefix list, peer or port makes the answer Opaque unless the rest
    decides.
    """
    return some_port(rules, service, public_internet)
