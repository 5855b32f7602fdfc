"""What query logs cannot show, in sentences for the report; each has its source in docs/shadow-ai.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

ALWAYS: Final = (
    "A lookup is no traffic: it shows that a name was asked for, and neither that a connection followed nor what was sent.",
    "Laptops, phones and offices that do not resolve through these VPCs are unseen.",
    "Encrypted DNS (DNS over HTTPS or TLS) and resolvers other than Route 53 Resolver are unseen, and so is what they are asked.",
    "Connections to addresses without a lookup (hard-coded, from /etc/hosts, through a proxy that resolves itself) are unseen.",
    "Route 53 Resolver logs unique queries only: answers from its cache are unseen, so that counts are the least there were.",
    "A resolver inside the VPC (CoreDNS of a cluster, dnsmasq) asks in its clients' place: the source address is the resolver's.",
    "A service that is on no list is not recognised; add domains with --services.",
)
NO_VPCS: Final = (
    "Nobody told which VPCs exist, so whether some log no queries is UNKNOWN; give a snapshot with --vpcs."
)
NO_FLOWS: Final = "No VPC flow logs were given: whether connections followed the lookups is UNKNOWN."
NO_TRAIL: Final = (
    "No CloudTrail records were given: who calls Amazon Bedrock, and in which Region, is UNKNOWN."
)
FLOWS: Final = (
    "A flow belongs to a service when the address was answered to the same source at most {window} seconds before. Addresses of "
    "content delivery networks are shared by many sites; flows longer after the lookup are missed."
)
NO_VPC_ID: Final = (
    "Some flow records have no vpc-id and were joined by account: where VPCs of an account have the same "
    "addresses, a connection may be another host's."
)
SKIPPED: Final = "{count:,} flow records say that AWS skipped others (SKIPDATA): some connections are unseen."
ENDPOINTS: Final = (
    "Some queries came through inbound Resolver endpoints: their sources are outside AWS, or are forwarders."
)


def resolvers(names: Sequence[str]) -> str:
    """Say that resolvers of encrypted DNS were looked up: what was asked of them is unseen."""
    return (
        f"Resolvers of encrypted DNS were looked up ({', '.join(names)}): whoever uses them looks names up unseen; their "
        "sources are among the services of the category resolver."
    )


def unlogged(count: int) -> str:
    """Say that VPCs are not covered."""
    what = "1 VPC is" if count == 1 else f"{count:,} VPCs are"
    return f"{what} not covered by these logs: what is looked up there is UNKNOWN."
