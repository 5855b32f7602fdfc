"""The IANA special-purpose address registries, pinned.

Sources: https://www.iana.org/assignments/iana-ipv4-special-registry (updated 2025-10-09),
https://www.iana.org/assignments/iana-ipv6-special-registry (updated 2025-10-09), and for
multicast, which never is a source address, https://www.iana.org/assignments/multicast-addresses.
``True`` is the column "Globally Reachable"; ``None`` stands for its "N/A" and counts as not.
"""

from __future__ import annotations

from typing import Final

Row = tuple[str, str, bool | None]

IPV4: Final[tuple[Row, ...]] = (
    ("0.0.0.0/8", "this network (RFC 791)", False),
    ("0.0.0.0/32", "this host on this network (RFC 1122)", False),
    ("10.0.0.0/8", "private use (RFC 1918)", False),
    ("100.64.0.0/10", "shared address space (RFC 6598)", False),
    ("127.0.0.0/8", "loopback (RFC 1122)", False),
    ("169.254.0.0/16", "link local (RFC 3927)", False),
    ("172.16.0.0/12", "private use (RFC 1918)", False),
    ("192.0.0.0/24", "IETF protocol assignments (RFC 6890)", False),
    ("192.0.0.0/29", "IPv4 service continuity prefix (RFC 7335)", False),
    ("192.0.0.8/32", "IPv4 dummy address (RFC 7600)", False),
    ("192.0.0.9/32", "port control protocol anycast (RFC 7723)", True),
    ("192.0.0.10/32", "TURN anycast (RFC 8155)", True),
    ("192.0.0.170/32", "NAT64/DNS64 discovery (RFC 8880)", False),
    ("192.0.0.171/32", "NAT64/DNS64 discovery (RFC 8880)", False),
    ("192.0.2.0/24", "documentation, TEST-NET-1 (RFC 5737)", False),
    ("192.31.196.0/24", "AS112-v4 (RFC 7535)", True),
    ("192.52.193.0/24", "AMT (RFC 7450)", True),
    ("192.88.99.0/24", "deprecated 6to4 relay anycast (RFC 7526)", None),
    ("192.88.99.2/32", "6a44 relay anycast (RFC 6751)", False),
    ("192.168.0.0/16", "private use (RFC 1918)", False),
    ("192.175.48.0/24", "direct delegation AS112 service (RFC 7534)", True),
    ("198.18.0.0/15", "benchmarking (RFC 2544)", False),
    ("198.51.100.0/24", "documentation, TEST-NET-2 (RFC 5737)", False),
    ("203.0.113.0/24", "documentation, TEST-NET-3 (RFC 5737)", False),
    ("224.0.0.0/4", "multicast (RFC 5771)", False),
    ("240.0.0.0/4", "reserved (RFC 1112)", False),
    ("255.255.255.255/32", "limited broadcast (RFC 8190)", False),
)

IPV6: Final[tuple[Row, ...]] = (
    ("::1/128", "loopback (RFC 4291)", False),
    ("::/128", "unspecified (RFC 4291)", False),
    ("::ffff:0:0/96", "IPv4-mapped (RFC 4291)", False),
    ("64:ff9b::/96", "IPv4-IPv6 translation (RFC 6052)", True),
    ("64:ff9b:1::/48", "IPv4-IPv6 translation, local use (RFC 8215)", False),
    ("100::/64", "discard only (RFC 6666)", False),
    ("100:0:0:1::/64", "dummy prefix (RFC 9780)", False),
    ("2001::/23", "IETF protocol assignments (RFC 2928)", False),
    ("2001::/32", "Teredo (RFC 4380)", None),
    ("2001:1::1/128", "port control protocol anycast (RFC 7723)", True),
    ("2001:1::2/128", "TURN anycast (RFC 8155)", True),
    ("2001:1::3/128", "DNS-SD service registration anycast (RFC 9665)", True),
    ("2001:2::/48", "benchmarking (RFC 5180)", False),
    ("2001:3::/32", "AMT (RFC 7450)", True),
    ("2001:4:112::/48", "AS112-v6 (RFC 7535)", True),
    ("2001:10::/28", "deprecated ORCHID (RFC 4843)", None),
    ("2001:20::/28", "ORCHIDv2 (RFC 7343)", True),
    ("2001:30::/28", "drone remote id entity tags (RFC 9374)", True),
    ("2001:db8::/32", "documentation (RFC 3849)", False),
    ("2002::/16", "6to4 (RFC 3056)", None),
    ("2620:4f:8000::/48", "direct delegation AS112 service (RFC 7534)", True),
    ("3fff::/20", "documentation (RFC 9637)", False),
    ("5f00::/16", "segment routing SIDs (RFC 9602)", False),
    ("fc00::/7", "unique local (RFC 4193)", False),
    ("fe80::/10", "link-local unicast (RFC 4291)", False),
    ("ff00::/8", "multicast (RFC 4291)", False),
)

GLOBAL_UNICAST_V6: Final = "2000::/3"
"""The only IPv6 space IANA assigns from: https://www.iana.org/assignments/ipv6-address-space."""
