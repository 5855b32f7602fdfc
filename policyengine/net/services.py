"""Protocols and ports, as rules of security groups and network ACLs spell them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

from policyengine.net.intervals import IntervalSet
from policyengine.net.opaque import Opaque

ALL_PROTOCOLS: Final = -1
TCP: Final = 6
UDP: Final = 17
WITH_PORTS: Final = frozenset({TCP, UDP})
MAX_PORT: Final = 65_535
ALL_PORTS: Final = IntervalSet(((0, MAX_PORT),))
EPHEMERAL_PORTS: Final = IntervalSet(((1024, MAX_PORT),))
"""Where answers go: https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports."""

_NAMES: Final = {
    "all": -1, "-1": -1, "icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50,
    "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "sctp": 132,
}  # fmt: skip
"""Names the EC2 API and Terraform take: https://www.iana.org/assignments/protocol-numbers."""
_LABELS: Final = {-1: "all protocols", 1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}


def parse_protocol(value: Any) -> int | Opaque:
    """Return the protocol number of a name or number, -1 for all; Opaque when it is neither."""
    if isinstance(value, str):
        text = value.strip().lower()
        if text in _NAMES:
            return _NAMES[text]
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None
    number = _integer(value)
    if number is None or not -1 <= number <= 255:
        return Opaque("a protocol that is neither a known name nor a number")
    return number


def protocol_label(number: int) -> str:
    """Return what a reader calls a protocol."""
    return _LABELS.get(number, f"protocol {number}")


def _integer(value: Any) -> int | None:
    """Return a whole number of any spelling (22, 22.0, "22"), None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < 10:
            return int(text)
    return None


class Traffic(NamedTuple):
    """What one rule is about: a protocol (-1: all) and the ports ``low`` to ``high``."""

    protocol: int | Opaque
    low: int = 0
    high: int = MAX_PORT
    ports_known: bool = True


def read_traffic(protocol: Any, low: Any, high: Any) -> Traffic:
    """Return the traffic of a rule as EC2 reads it.

    ``low`` and ``high`` are None where absent. -1 and every protocol but TCP, UDP and ICMP mean
    all ports, whatever the range says
    (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html); -1 or absent
    on both sides means all as well. A range EC2 would refuse leaves the ports unknown.
    """
    number = parse_protocol(protocol)
    if not isinstance(number, Opaque) and number not in WITH_PORTS:
        return Traffic(number)  # the range of an ICMP rule is its type and code
    if low is None and high is None:
        return Traffic(number)
    first, last = _integer(low), _integer(high)
    if first == -1 and last in (-1, None):
        return Traffic(number)
    if first is None or last is None or not 0 <= first <= min(last, MAX_PORT):
        return Traffic(number, ports_known=False)
    return Traffic(number, first, min(last, MAX_PORT))


class Service:
    """What is asked about: protocols (None: any) and ports; ports only apply to TCP and UDP.

    Compared by identity so that it is a cheap key: make it with :func:`service`.
    """

    __slots__ = ("first", "last", "ports", "protocols", "text")

    def __init__(self, protocols: frozenset[int] | None, ports: IntervalSet) -> None:
        self.protocols = protocols
        self.ports = ports
        self.first = min((low for low, _high in ports), default=0)
        self.last = max((high for _low, high in ports), default=0)
        self.text = self._describe()

    def _describe(self) -> str:
        names = "any protocol" if self.protocols is None else "/".join(
            protocol_label(p) for p in sorted(self.protocols)
        )  # fmt: skip
        if self.ports == ALL_PORTS:
            return f"any {names} port" if self.protocols and self.protocols <= WITH_PORTS else names
        parts = [str(low) if low == high else f"{low}-{high}" for low, high in self.ports]
        shown = parts if len(parts) <= 6 else [*parts[:6], f"{len(parts) - 6} more"]
        return f"{names} port{'s' if len(parts) > 1 or '-' in parts[0] else ''} {', '.join(shown)}"

    def asks_about(self, protocol: int) -> bool:
        """Whether a rule for ``protocol`` (-1: all) is of interest."""
        return self.protocols is None or protocol == ALL_PROTOCOLS or protocol in self.protocols

    def meets(self, traffic: Traffic) -> bool | Opaque:
        """Whether a rule for this traffic lets some of the asked protocols and ports pass."""
        protocol = traffic.protocol
        if isinstance(protocol, Opaque):
            return (
                True
                if self.protocols is None and traffic.ports_known and self._crosses(traffic)
                else protocol
            )
        if not self.asks_about(protocol):
            return False
        if protocol not in WITH_PORTS:
            return True
        if not traffic.ports_known:
            return True if self.ports == ALL_PORTS else Opaque("a port range that cannot be read")
        return self._crosses(traffic)

    def _crosses(self, traffic: Traffic) -> bool:
        return any(low <= traffic.high and traffic.low <= high for low, high in self.ports)


@lru_cache(maxsize=4_096)
def service(protocols: tuple[str | int, ...] | None, ports: IntervalSet = ALL_PORTS) -> Service:
    """Return the one Service of these protocols and ports, so that it can be a key by identity.

    ``None`` and ``("all",)`` ask about any protocol. Raises ValueError for an unknown protocol
    and for an empty set of protocols or ports.
    """
    numbers = set()
    for protocol in protocols if protocols is not None else ("all",):
        number = parse_protocol(protocol)
        if isinstance(number, Opaque):
            raise ValueError(f"`{protocol}` is no protocol: write tcp, udp, icmp, all or a number")  # noqa: TRY004 - a value, not a type, is wrong
        numbers.add(number)
    if not numbers or not ports:
        raise ValueError("no protocol or no port is left to ask about")
    return Service(None if ALL_PROTOCOLS in numbers else frozenset(numbers), ports)


def parse_ports(values: tuple[Any, ...]) -> IntervalSet:
    """Return the ports of numbers and ``"from-to"`` texts. Raises ValueError for anything else."""
    intervals = []
    for value in values:
        low, dash, high = value.partition("-") if isinstance(value, str) else (value, "", "")
        first, last = _integer(low), _integer(high if dash else low)
        if first is None or last is None or not 0 <= first <= last <= MAX_PORT:
            raise ValueError(f"`{value}` is no port: write a number, or a range such as `8000-8999`")
        intervals.append((first, last))
    return IntervalSet(intervals)
