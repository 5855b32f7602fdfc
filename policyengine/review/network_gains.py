"""What rules of the head let through and those of the base do not: peers and ports, as sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from policyengine.model.resource import Path
from policyengine.net.addresses import ALL_V4, NONE, AddressSet, lets_internet
from policyengine.net.intervals import IntervalSet
from policyengine.net.services import ALL_PROTOCOLS, MAX_PORT, protocol_label
from policyengine.review.network_reach import (
    ICMP,
    NUMBERED,
    Admitted,
    Atom,
    Entries,
    Opening,
    Openings,
    Stretch,
    admitted,
    passes,
    stretches,
)

_SHOWN: Final = 3


class Peers(NamedTuple):
    """Who gains at some ports: addresses and atoms; ``internet`` if the internet is let in that was not."""

    addresses: AddressSet
    atoms: frozenset[Atom]
    internet: bool
    unless: tuple[str, ...] = ()


@dataclass(slots=True)
class Opened:
    """Ports that the same peers gain; ``had`` and ``has``: whom the rules let pass before and after."""

    peers: Peers
    ports: list[Stretch] = field(default_factory=list)
    path: Path = ()
    had: Admitted | None = None
    has: Admitted | None = None
    unknown: str | None = None
    """Set where ports or protocol are not known: what code calls them."""

    @property
    def certain(self) -> bool:
        """Say whether it is so whatever the unknown values are."""
        return not self.peers.unless


def opened(old: Openings, new: Openings) -> list[Opened]:
    """Return what rules of security groups newly let through."""
    mine, theirs = _unknown(new), _unknown(old)
    extra = [opening for key, opening in mine.items() if key not in theirs]
    lost = [opening for key, opening in theirs.items() if key not in mine]
    doubts = [o.traffic.shown for o in lost if o.traffic is not None]
    if old.rest is not None and old.rest != new.rest:
        doubts.append(old.rest.shown)
    found = list(_known(old, new, tuple(doubts)))
    gone = bool(lost) or any(opened for opened in _known(new, old, ()))
    for opening in extra:
        if opening.traffic is not None:
            peers = _peers(Admitted(opening.addresses, _atoms(opening)), Admitted(NONE, frozenset()), ())
            unless = ("the ports are those of before",) if gone else ()
            one = Opened(peers._replace(unless=unless), [], opening.path, unknown=opening.traffic.shown)
            found.append(one)
    if new.rest is not None and new.rest != old.rest:
        nobody = Peers(NONE, frozenset((new.rest,)), False, ("it names none",))
        found.append(Opened(nobody, [], unknown=new.rest.shown))
    return found


def _unknown(openings: Openings) -> dict[tuple[Atom, AddressSet, Atom | None], Opening]:
    return {(o.traffic, o.addresses, o.atom): o for o in openings.found if o.traffic is not None}


def _atoms(opening: Opening) -> frozenset[Atom]:
    return frozenset(() if opening.atom is None else (opening.atom,))


def _known(old: Openings, new: Openings, doubts: tuple[str, ...]) -> Iterator[Opened]:
    both = [o for o in (*old.found, *new.found) if o.traffic is None]
    gathered = Gathered()
    for stretch in stretches((o.protocol, o.low, o.high) for o in both):
        had, has = admitted(old.found, stretch), admitted(new.found, stretch)
        peers = _peers(has, had, doubts)
        if not peers.addresses.is_empty or peers.atoms:
            gathered.add(stretch, peers, _where(new.found, stretch, peers), had, has)
    yield from gathered.found()


def _peers(has: Admitted, had: Admitted, doubts: tuple[str, ...]) -> Peers:
    addresses = has.addresses.minus(had.addresses)
    everyone = ALL_V4.within(had.addresses)
    atoms = frozenset() if everyone else has.atoms - had.atoms
    gone = had.atoms - has.atoms
    lost = had.addresses.minus(has.addresses)
    unless = list(doubts)
    if not addresses.is_empty:
        unless += [
            f"{atom.shown} is among them" for atom in sorted(gone) if atom.free and atom.kind != "group "
        ]
    for atom in sorted(atoms):
        others = sorted(
            o for o in gone if (atom.free or o.free) and (o.kind == "group ") == (atom.kind == "group ")
        )
        unless += [f"{atom.shown} is {other.shown}" for other in others]
        if atom.free and atom.kind != "group " and not lost.is_empty:
            unless.append(f"{atom.shown} is {_some(lost.cidrs())}")
    internet = lets_internet(addresses) or (lets_internet(has.addresses) and not lets_internet(had.addresses))
    return Peers(addresses, atoms, internet and not addresses.is_empty, tuple(unless))


def _where(openings: Sequence[Opening], stretch: Stretch, peers: Peers) -> Path:
    """Return where a rule stands that lets the new peers pass."""
    for opening in openings:
        if opening.traffic is None and passes(opening.protocol, opening.low, opening.high, stretch):
            if opening.atom in peers.atoms:
                return opening.path
            if not opening.addresses.intersection(peers.addresses).is_empty:
                return opening.path
    return ()


class Gathered:
    """Puts stretches together that the same peers gain."""

    def __init__(self) -> None:
        self._of: dict[tuple[Peers, Path], Opened] = {}

    def add(self, stretch: Stretch, peers: Peers, path: Path, had: Admitted, has: Admitted) -> None:
        """Take what peers gain at one stretch; stretches come in the order of protocols, -1 first."""
        for known in self._of.values():
            every = any(s.protocol == ALL_PROTOCOLS for s in known.ports)
            if every and peers.addresses.within(known.peers.addresses) and peers.atoms <= known.peers.atoms:
                return
        one = self._of.setdefault((peers, path), Opened(peers, [], path, had, has))
        one.ports.append(stretch)

    def found(self) -> Iterator[Opened]:
        """Yield what was put together."""
        yield from self._of.values()


def acl_opened(old: Entries, new: Entries) -> list[Opened]:
    """Return what entries of a network ACL newly let through; where entries are not known, what perhaps."""
    ranges = [
        (e.protocol, e.low, e.high) for side in (old, new) for e in side.found if isinstance(e.protocol, int)
    ]
    gathered = Gathered()
    for stretch in stretches(ranges):
        had, has = old.admitted(stretch), new.admitted(stretch)
        sure, perhaps = has.must.minus(had.may), has.may.minus(had.must)
        found = sure if not sure.is_empty else perhaps
        if not found.is_empty:
            unless = () if not sure.is_empty else ("the entries that are not known are as before",)
            before, after = Admitted(had.may, frozenset()), Admitted(has.may, frozenset())
            peers = _peers(Admitted(found, frozenset()), Admitted(NONE, frozenset()), unless)
            path = next((e.path for e in new.found if not _refuses(e) and _covers(e, stretch, found)), ())
            gathered.add(stretch, peers, path, before, after)
    return list(gathered.found())


def _refuses(entry: object) -> bool:
    step = getattr(entry, "step", None)
    return step is not None and step.permit is False


def _covers(entry: object, stretch: Stretch, found: AddressSet) -> bool:
    step, protocol = getattr(entry, "step", None), getattr(entry, "protocol", None)
    if step is None or not isinstance(protocol, int) or not isinstance(step.addresses, AddressSet):
        return False
    low, high = getattr(entry, "low", 0), getattr(entry, "high", MAX_PORT)
    return passes(protocol, low, high, stretch) and not step.addresses.intersection(found).is_empty


def ports_text(ports: Sequence[Stretch]) -> str:
    """Return ``tcp 22, 80-90``, ``all protocols``, ``icmp`` for a reader."""
    by: dict[int, list[tuple[int, int]]] = {}
    for stretch in ports:
        ranges = by.setdefault(stretch.protocol, [])
        if ranges and ranges[-1][1] + 1 == stretch.low:
            ranges[-1] = (ranges[-1][0], stretch.high)
        else:
            ranges.append((stretch.low, stretch.high))
    if ALL_PROTOCOLS in by:
        return "all protocols" if len(by) == 1 else "all other protocols"
    return " and ".join(_protocol_text(protocol, ranges) for protocol, ranges in sorted(by.items()))


def _protocol_text(protocol: int, ranges: Sequence[tuple[int, int]]) -> str:
    name = protocol_label(protocol)
    if protocol not in NUMBERED or ranges == [(0, MAX_PORT)]:
        return f"all {name}" if protocol in NUMBERED else name
    if protocol in ICMP:
        types = IntervalSet((low // 256, high // 256) for low, high in ranges)
        shown = [str(low) if low == high else f"{low}-{high}" for low, high in types]
        return f"{name} type{'s' if types.size > 1 else ''} {_some(shown)}"
    return f"{name} {_some([str(low) if low == high else f'{low}-{high}' for low, high in ranges])}"


def peers_text(peers: Peers) -> str:
    """Return who gains, for a reader."""
    names = [atom.shown for atom in sorted(peers.atoms)]
    if peers.internet:
        over = "" if peers.addresses.v4 else " over IPv6"
        return " and ".join([f"the internet{over}", *names[:_SHOWN]])
    return _some([*peers.addresses.cidrs(), *names])


def peer_list(found: Admitted | None) -> list[str] | None:
    """Return whom rules let pass, as JSON."""
    if found is None:
        return None
    blocks = found.addresses.cidrs()
    more = [f"… and {len(blocks) - 20} more"] if len(blocks) > 20 else []
    return [*blocks[:20], *more, *(atom.shown.replace("`", "") for atom in sorted(found.atoms))]


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more
