"""Who may reach which ports, as sets: of security groups, and of network ACLs by the order of their entries.

What one side does not know (a parameter for a block, another group) is an atom with a name of both sides; ICMP types
and codes are numbered as ports are, ``type * 256 + code``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenDict, Unresolved
from policyengine.net.addresses import NONE, AddressSet
from policyengine.net.bounds import Bounds, Step, first_match
from policyengine.net.groups import Group, Peer, PrefixList, peer_addresses
from policyengine.net.opaque import Opaque
from policyengine.net.services import ALL_PROTOCOLS, MAX_PORT, WITH_PORTS, Traffic
from policyengine.review.access_same import canonical
from policyengine.review.access_tokens import Hole, Names, readable
from policyengine.rules.iam.values import along
from policyengine.rules.predicates.api import Subject
from policyengine.rules.predicates.net.acl import read_entries, whole
from policyengine.rules.predicates.net.group_entries import Direction, read_lines

ICMP: Final = frozenset({1, 58})
NUMBERED: Final = WITH_PORTS | ICMP
"""Protocols of which a rule names a part: ports, types."""
_NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Atom(NamedTuple):
    """A peer or traffic whose addresses or ports are not known; equal ``key``: the same. ``shown`` is for readers;
    ``free``: it may turn out to be any, a parameter for one. ``kind``: ``group ``, ``prefix list `` or "" (a block)."""

    key: str
    shown: str
    free: bool = False
    kind: str = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class Opening(NamedTuple):
    """One rule: a protocol (-1: all), ports ``low`` to ``high``, and addresses or an atom as its peer.

    ``traffic``: set where protocol or ports are not known; then ``low`` and ``high`` are void.
    """

    protocol: int
    low: int
    high: int
    addresses: AddressSet
    atom: Atom | None
    path: Path
    traffic: Atom | None = None


class Openings(NamedTuple):
    """The rules of one direction. ``rest``: there may be more, written so."""

    found: list[Opening]
    rest: Atom | None = None


class Reader:
    """Reads the rules of one side."""

    def __init__(self, names: Names, tables: Callable[[Resource, str], list[Resource]]) -> None:
        self._names = names
        self._tables = tables

    def openings(self, resource: Resource, direction: Direction) -> Openings:
        """Return the rules of a security group, or of one standing alone, in one branch."""
        subject = Subject(resource, _NEVER, lambda _: [], lambda type_: self._tables(resource, type_))
        lines = read_lines(subject, direction)
        found = [
            self._opening(resource, line.rule.traffic, line.rule.peer, line.path, line.observed)
            for line in lines.found
        ]
        rest = None if lines.rest is None else self.atom(lines.rest.observed, resource)
        return Openings(found, rest)

    def _opening(
        self, resource: Resource, traffic: Traffic, peer: Peer, path: Path, observed: Any
    ) -> Opening:
        *_, entry = along(resource, path[:-1])
        atom = self._peer(resource, peer, observed)
        addresses = NONE if atom is not None else peer_addresses(peer).must
        unknown = self._traffic(resource, traffic, entry)
        if isinstance(traffic.protocol, Opaque) or unknown is not None:
            return Opening(ALL_PROTOCOLS, 0, MAX_PORT, addresses, atom, path, unknown)
        low, high = traffic.low, traffic.high
        if traffic.protocol in ICMP and isinstance(entry, dict):
            low, high = icmp(entry.get("FromPort"), entry.get("ToPort"))
        return Opening(traffic.protocol, low, high, addresses, atom, path)

    def _traffic(self, resource: Resource, traffic: Traffic, entry: Any) -> Atom | None:
        found = entry if isinstance(entry, dict) else {}
        values = [found.get(key) for key in ("IpProtocol", "FromPort", "ToPort")]
        types = traffic.protocol in ICMP and any(isinstance(value, Unresolved) for value in values)
        if not types and traffic.ports_known and not isinstance(traffic.protocol, Opaque):
            return None
        written = [self.atom(value, resource) for value in values if value is not None]
        return Atom(
            " ".join(atom.key for atom in written), " ".join(dict.fromkeys(atom.shown for atom in written))
        )

    def _peer(self, resource: Resource, peer: Peer, observed: Any) -> Atom | None:
        if isinstance(peer, Group):
            return self.atom(observed, resource, "group ", resource_only=True)
        if isinstance(peer, PrefixList):
            if not isinstance(peer.entries, Opaque):
                return None
            return self.atom(observed, resource, "prefix list ", resource_only=True)
        return self.atom(observed, resource) if isinstance(peer, Opaque) else None

    def atom(self, value: Any, resource: Resource, kind: str = "", *, resource_only: bool = False) -> Atom:
        """Return what both sides call a value; ``resource_only``: whichever attribute of a resource it is."""
        if not isinstance(value, Unresolved):
            text = value if isinstance(value, str) else canonical(value)
            return Atom(kind + text, f"{kind}`{text}`", False, kind)
        holes = self._names.holes(value, resource.file)
        hole: Hole = holes[0]
        if resource_only and len(holes) == 1 and value.parts is None and hole.resource is not None:
            return Atom(kind + self._names.of(hole.resource), f"{kind}`{hole.resource.id}`", False, kind)
        written = self._names.written(value, resource.file)
        shown = readable(hole.shown if len(holes) == 1 else written)
        return Atom(kind + written, f"{kind}`{shown}`", hole.resource is None, kind)


def icmp(type_: Any, code: Any) -> tuple[int, int]:
    """Return the types and codes of a rule as a range of numbers; -1 and what is absent mean all.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    first, second = whole_or_all(type_), whole_or_all(code)
    if first < 0:
        return 0, MAX_PORT
    return (first * 256, first * 256 + 255) if second < 0 else (first * 256 + second, first * 256 + second)


def whole_or_all(value: Any) -> int:
    """Return a whole number from 0 to 255; -1 for anything else."""
    number = whole(value)
    return number if number is not None and 0 <= number <= 255 else -1


class Stretch(NamedTuple):
    """Ports of a protocol between which no rule begins or ends."""

    protocol: int
    low: int
    high: int


def stretches(ranges: Iterable[tuple[int, int, int]]) -> Iterator[Stretch]:
    """Yield the stretches that (protocol, low, high) cut all traffic into; -1 stands for protocols nobody names."""
    listed = list(ranges)
    named = sorted({protocol for protocol, _, _ in listed} | {ALL_PROTOCOLS})
    for protocol in named:
        if protocol not in NUMBERED:
            yield Stretch(protocol, 0, MAX_PORT)
            continue
        starts = {0}
        for other, low, high in listed:
            if other == protocol:
                starts.update((low, high + 1))
        edges = sorted(start for start in starts if start <= MAX_PORT)
        for start, end in zip(edges, [*edges[1:], MAX_PORT + 1], strict=True):
            yield Stretch(protocol, start, end - 1)


def passes(protocol: int, low: int, high: int, stretch: Stretch) -> bool:
    """Say whether a rule is about a stretch."""
    if protocol == ALL_PROTOCOLS:
        return True
    return protocol == stretch.protocol and (protocol not in NUMBERED or low <= stretch.low <= high)


class Admitted(NamedTuple):
    """Whom rules let pass at one stretch."""

    addresses: AddressSet
    atoms: frozenset[Atom]


def admitted(openings: Sequence[Opening], stretch: Stretch) -> Admitted:
    """Return whom the rules of a security group let pass."""
    addresses, atoms = NONE, set()
    for opening in openings:
        if opening.traffic is None and passes(opening.protocol, opening.low, opening.high, stretch):
            addresses = addresses.union(opening.addresses)
            if opening.atom is not None:
                atoms.add(opening.atom)
    return Admitted(addresses, frozenset(atoms))


class Entry(NamedTuple):
    """One entry of a network ACL, with its range."""

    step: Step
    protocol: int | Opaque
    low: int
    high: int
    ports_known: bool
    path: Path


class Entries(NamedTuple):
    """The entries of one direction of a network ACL."""

    found: list[Entry]
    unknown: bool

    def admitted(self, stretch: Stretch) -> Bounds:
        """Return the addresses that pass: surely, and perhaps."""
        return first_match(entry.step._replace(applies=_applies(entry, stretch)) for entry in self.found)


def _applies(entry: Entry, stretch: Stretch) -> bool | Opaque:
    if isinstance(entry.protocol, Opaque):
        return entry.protocol
    if not entry.ports_known and entry.protocol in (ALL_PROTOCOLS, stretch.protocol):
        return Opaque("a port range that cannot be read")
    return passes(entry.protocol, entry.low, entry.high, stretch)


def acl_entries(acl: Resource, *, egress: bool) -> Entries:
    """Return the entries of one direction in one branch; those of which the direction is not known stand in both."""
    read = read_entries(acl)
    found: list[Entry] = []
    for entry in read.found:
        if entry.egress is (not egress):
            continue
        rule = entry.rule
        order = rule.number if entry.egress is egress else Opaque("a direction that is not known")
        block = rule.block if isinstance(rule.block, Opaque) else rule.block.addresses()
        low, high = rule.traffic.low, rule.traffic.high
        *_, raw = along(acl, entry.path[:-1])
        types = raw.get("Icmp") if isinstance(raw, dict) and not isinstance(raw, OpenDict) else None
        if rule.traffic.protocol in ICMP and isinstance(types, dict):
            low, high = icmp(types.get("Type"), types.get("Code"))
        step = Step(order, rule.allow, block)
        found.append(Entry(step, rule.traffic.protocol, low, high, rule.traffic.ports_known, entry.path))
    doubts = any(entry.doubts for entry in read.found) or read.rest is not None
    if read.rest is not None:
        why = Opaque("entries that cannot be read")
        found.append(Entry(Step(why, why, why), ALL_PROTOCOLS, 0, MAX_PORT, True, read.path))
    return Entries(found, doubts)
