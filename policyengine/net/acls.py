"""Network ACLs: ordered, stateless rules at the edge of a subnet.

https://docs.aws.amazon.com/vpc/latest/userguide/nacl-basics.html: rules are evaluated from the
lowest number, the first that matches decides, what none matches is denied; ACLs are stateless,
so answers to what came in must be allowed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policyengine.net.addresses import Block, is_internet
from policyengine.net.bounds import NOTHING, Bounds, Step, first_match
from policyengine.net.groups import covers, points
from policyengine.net.opaque import Opaque
from policyengine.net.services import EPHEMERAL_PORTS, WITH_PORTS, Service, Traffic, service


@dataclass(frozen=True, slots=True)
class AclRule:
    """One entry; inbound and outbound entries are separate lists."""

    number: int | Opaque
    allow: bool | Opaque
    traffic: Traffic
    block: Block | Opaque


def admitted(rules: Sequence[AclRule], protocol: int, port: int) -> Bounds:
    """Return the addresses from which (or to which) traffic to one port passes."""
    return first_match(
        Step(
            rule.number,
            rule.allow,
            rule.block if isinstance(rule.block, Opaque) else rule.block.addresses(),
            covers(rule.traffic, protocol, port),
        )
        for rule in rules
    )


def answered(outbound: Sequence[AclRule], protocol: int) -> Bounds:
    """Return the addresses to which some answer can leave: to any ephemeral port for TCP and UDP."""
    if protocol not in WITH_PORTS:
        return admitted(outbound, protocol, 0)
    found = NOTHING
    asked = service((protocol,), EPHEMERAL_PORTS)
    for _protocol, port in points([rule.traffic for rule in outbound], asked):
        found = found.either(admitted(outbound, protocol, port))
    return found


def acl_open_to_internet(inbound: Sequence[AclRule], asked: Service) -> bool | Opaque:
    """Answer whether an ACL lets the internet in to one of the asked ports (see groups)."""
    doubt: Opaque | None = None
    for protocol, port in points([rule.traffic for rule in inbound], asked):
        bounds = admitted(inbound, protocol, port)
        answer = bounds.ask(lambda found: is_internet(found.public()), "an entry that cannot be read")
        if answer is True:
            return True
        if isinstance(answer, Opaque):
            doubt = answer
    return False if doubt is None else doubt
