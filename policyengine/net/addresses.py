"""CIDR blocks and exact sets of addresses of both families."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Final, NamedTuple

from policyengine.net import special
from policyengine.net.intervals import EMPTY, Interval, IntervalSet

BITS: Final = {4: 32, 6: 128}


class Block(NamedTuple):
    """A CIDR block; ``first`` and ``last`` are addresses as integers."""

    version: int
    first: int
    last: int
    prefix: int

    def addresses(self) -> AddressSet:
        """Return the block as a set."""
        one = IntervalSet(((self.first, self.last),))
        return AddressSet(one, EMPTY) if self.version == 4 else AddressSet(EMPTY, one)


class AddressSet(NamedTuple):
    """Addresses of both families; the operators work on each family by itself."""

    v4: IntervalSet
    v6: IntervalSet

    def union(self, other: AddressSet) -> AddressSet:
        """Return the addresses in either set."""
        if self is other or other is NONE:
            return self
        if self is NONE:
            return other
        return AddressSet(self.v4 | other.v4, self.v6 | other.v6)

    def intersection(self, other: AddressSet) -> AddressSet:
        """Return the addresses in both sets."""
        if self is other or other is EVERYTHING or self is NONE:
            return self
        if self is EVERYTHING or other is NONE:
            return other
        return AddressSet(self.v4 & other.v4, self.v6 & other.v6)

    def minus(self, other: AddressSet) -> AddressSet:
        """Return the addresses of this set that are not in the other."""
        return AddressSet(self.v4 - other.v4, self.v6 - other.v6)

    def within(self, other: AddressSet) -> bool:
        """Return whether every address is in the other set."""
        return self.v4 <= other.v4 and self.v6 <= other.v6

    def public(self) -> AddressSet:
        """Return the part that can be an address on the internet: see :data:`PUBLIC`."""
        return _public_part(self)

    @property
    def is_empty(self) -> bool:
        """Whether no address is in the set."""
        return not self.v4 and not self.v6

    def cidrs(self) -> tuple[str, ...]:
        """Return the fewest CIDR blocks that make up the set, IPv4 first."""
        found = [text for low, high in self.v4 for text in _summarise(4, (low, high))]
        return (*found, *(text for low, high in self.v6 for text in _summarise(6, (low, high))))


def _summarise(version: int, interval: Interval) -> list[str]:
    make = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    return [str(n) for n in ipaddress.summarize_address_range(make(interval[0]), make(interval[1]))]


@lru_cache(maxsize=65_536)
def parse_cidr(text: str) -> Block:
    """Return the block that ``address/prefix`` names.

    Host bits are dropped, as EC2 does (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html:
    "100.68.0.18/18" becomes "100.68.0.0/18"). Raises ValueError for anything else, such as an
    address without a prefix length or a netmask.
    """
    address, slash, prefix = text.partition("/")
    if not slash or not (prefix.isascii() and prefix.isdigit()) or len(prefix) > 3 or "%" in address:
        raise ValueError(f"`{text}` is no CIDR block: write it as `10.0.0.0/8` or `2001:db8::/32`")
    try:
        network = ipaddress.ip_network((address, int(prefix)), strict=False)
    except ValueError:
        raise ValueError(f"`{text}` is no CIDR block: write it as `10.0.0.0/8` or `2001:db8::/32`") from None
    first = int(network.network_address)
    return Block(network.version, first, int(network.broadcast_address), network.prefixlen)


def address_set(*cidrs: str) -> AddressSet:
    """Return the union of CIDR blocks. Raises ValueError as :func:`parse_cidr` does."""
    blocks = [parse_cidr(text) for text in cidrs]
    return AddressSet(
        IntervalSet((b.first, b.last) for b in blocks if b.version == 4),
        IntervalSet((b.first, b.last) for b in blocks if b.version == 6),
    )


def _public() -> AddressSet:
    """The most specific row of a registry decides, as its footnotes say."""
    found = address_set("0.0.0.0/0", special.GLOBAL_UNICAST_V6)
    for rows in (special.IPV4, special.IPV6):
        for cidr, _name, reachable in sorted(rows, key=lambda row: parse_cidr(row[0]).prefix):
            block = parse_cidr(cidr).addresses()
            found = found.union(block) if reachable else found.minus(block)
    return found.intersection(address_set("0.0.0.0/0", special.GLOBAL_UNICAST_V6))


NONE: Final = AddressSet(EMPTY, EMPTY)
EVERYTHING: Final = address_set("0.0.0.0/0", "::/0")
ALL_V4: Final = address_set("0.0.0.0/0")
ALL_V6: Final = address_set("::/0")
PUBLIC: Final = _public()
"""IPv4 and IPv6 global unicast space without what the IANA registries keep for special purposes."""


@lru_cache(maxsize=256)
def _public_part(addresses: AddressSet) -> AddressSet:
    """The same few sets are asked about again and again, and :data:`PUBLIC` has dozens of intervals."""
    return addresses.intersection(PUBLIC)


INTERNET_V4: Final = 2**24
INTERNET_V6: Final = 2 ** (128 - 16)


def is_internet(public: AddressSet) -> bool:
    """Whether a set of public addresses is "the internet".

    It is when it has more IPv4 addresses than a /8 (2**24) or more IPv6 addresses than a /16.
    No organisation holds that much, so such a set cannot be a list of known parties; and a
    source split into pieces (``0.0.0.0/1`` and ``128.0.0.0/1``) is judged by its union.
    """
    return public.v4.size > INTERNET_V4 or public.v6.size > INTERNET_V6


def lets_internet(addresses: AddressSet) -> bool:
    """Whether the public part of a set is the internet."""
    if addresses is EVERYTHING or addresses is NONE:  # what most layers say
        return addresses is EVERYTHING
    return _lets_internet(addresses)


@lru_cache(maxsize=4096)
def _lets_internet(addresses: AddressSet) -> bool:
    return is_internet(addresses.public())


@lru_cache(maxsize=65_536)
def is_private(text: str) -> bool:
    """Whether a text is a CIDR block without a public address; False for what is no block."""
    try:
        return public_sizes(text) == (0, 0)
    except ValueError:
        return False


@lru_cache(maxsize=65_536)
def public_sizes(text: str) -> tuple[int, int]:
    """Return how many public IPv4 and IPv6 addresses a CIDR block holds; ValueError as above."""
    public = parse_cidr(text).addresses().public()
    return public.v4.size, public.v6.size
