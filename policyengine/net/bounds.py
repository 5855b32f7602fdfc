"""Sets that are known from below and from above, and lists where the first match decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from policyengine.net.addresses import EVERYTHING, NONE, AddressSet
from policyengine.net.opaque import Opaque


class Bounds(NamedTuple):
    """An address set of which ``must`` is certain and nothing outside ``may`` is possible.

    INVARIANT: ``must`` is within ``may``. Every operation is monotone, so bounds of the parts give
    bounds of the whole.
    """

    must: AddressSet
    may: AddressSet

    def both(self, other: Bounds) -> Bounds:
        """Return the bounds of the intersection."""
        must = self.must.intersection(other.must)
        if self.must is self.may and other.must is other.may:  # both known: one set says it all
            return Bounds(must, must)
        return Bounds(must, self.may.intersection(other.may))

    def either(self, other: Bounds) -> Bounds:
        """Return the bounds of the union."""
        return Bounds(self.must.union(other.must), self.may.union(other.may))

    def ask(self, holds: Callable[[AddressSet], bool], why: str) -> bool | Opaque:
        """Answer a question that can only become truer as the set grows."""
        if holds(self.must):
            return True
        return Opaque(why) if holds(self.may) else False


UNKNOWN: Final = Bounds(NONE, EVERYTHING)
NOTHING: Final = Bounds(NONE, NONE)
ALL: Final = Bounds(EVERYTHING, EVERYTHING)


def exactly(addresses: AddressSet) -> Bounds:
    """Return the bounds of a set that is known."""
    return Bounds(addresses, addresses)


class Step(NamedTuple):
    """One line of a list where, for each address, the line of lowest ``order`` decides."""

    order: int | Opaque
    permit: bool | Opaque
    addresses: AddressSet | Opaque
    applies: bool | Opaque = True


def first_match(steps: Iterable[Step]) -> Bounds:
    """Return which addresses are permitted; what no line matches is not.

    From below, an unknown permit is taken for nothing and an unknown refusal for everything,
    before all others; from above it is the other way round.
    """
    listed = [step for step in steps if step.applies is not False]
    return Bounds(_decide(listed, generous=False), _decide(listed, generous=True))


def _decide(steps: list[Step], *, generous: bool) -> AddressSet:
    lines: list[tuple[int, bool, AddressSet]] = []
    for step in steps:
        order, permit, addresses, applies = step
        if applies is True and not any(isinstance(part, Opaque) for part in step):
            lines.append((_order(order), permit is True, _widest(addresses)))
        elif isinstance(permit, Opaque) or permit is generous:
            lines.append((_order(order), generous, _widest(addresses)))
    permitted, decided = NONE, NONE
    for _number, permit, addresses in sorted(lines, key=lambda line: line[0]):
        if permit:
            permitted = permitted.union(addresses.minus(decided))
        decided = decided.union(addresses)
    return permitted


def _order(order: int | Opaque) -> int:
    return -(2**31) if isinstance(order, Opaque) else order


def _widest(addresses: AddressSet | Opaque) -> AddressSet:
    return EVERYTHING if isinstance(addresses, Opaque) else addresses
