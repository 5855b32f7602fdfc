"""The addresses of an instance, and ``net.public_ipv4``."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved
from policyengine.net.opaque import Opaque
from policyengine.rules.predicates.api import Answer, Predicate, Subject
from policyengine.rules.predicates.net.acl import boolean, whole
from policyengine.rules.predicates.net.group_entries import names
from policyengine.rules.predicates.net.layers import (
    Missing,
    find,
    listed,
)
from policyengine.rules.predicates.net.named import SUBNET
from policyengine.rules.predicates.paths import walk

INSTANCE: Final = "AWS::EC2::Instance"
INTERFACE: Final = "AWS::EC2::NetworkInterface"
EIP: Final = "AWS::EC2::EIP"


class Interface(NamedTuple):
    """A network interface of an instance, or at ``()`` the instance's own properties for its only one.

    ``own`` is what is written about it, ``eni`` the interface it names where it names one.
    """

    at: Path
    own: dict[str, Any]
    eni: Resource | Missing | None

    def subnet(self, subject: Subject) -> tuple[Any, Path]:
        """Return the value that names its subnet and where it stands."""
        if "SubnetId" in self.own:
            return self.own["SubnetId"], (*self.at, "SubnetId")
        return subject.resource.properties.get("SubnetId", ABSENT), ("SubnetId",)


def interfaces_of(subject: Subject) -> list[Interface]:
    """Return the interfaces of an instance; at least one."""
    value = subject.resource.properties.get("NetworkInterfaces", ABSENT)
    if isinstance(value, Unresolved):
        return [Interface(("NetworkInterfaces",), {}, Missing(value.reason, value.describe()))]
    if not isinstance(value, list) or (not value and not isinstance(value, OpenList)):
        return [Interface((), {}, None)]
    found = [_interface(subject, entry, ("NetworkInterfaces", n)) for n, entry in enumerate(value)]
    if isinstance(value, OpenList):
        more = Missing(value.more.reason, value.more.describe())
        found.append(Interface(("NetworkInterfaces", "-"), {}, more))
    return found


def _interface(subject: Subject, entry: Any, at: Path) -> Interface:
    if isinstance(entry, Unresolved):
        return Interface(at, {}, Missing(entry.reason, entry.describe()))
    if not isinstance(entry, dict):
        return Interface(at, {}, Missing("wrong_type", "an interface that is no object"))
    if "NetworkInterfaceId" not in entry:
        return Interface(at, entry, None)
    eni = find(subject, INTERFACE, entry["NetworkInterfaceId"])
    return Interface(at, _merged(eni.properties, entry) if isinstance(eni, Resource) else entry, eni)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return both, open where one of them is."""
    more = next((tree.more for tree in (above, below) if isinstance(tree, OpenDict)), None)
    both = {**below, **above}
    return both if more is None else OpenDict(both, more)


Known = tuple[bool | Opaque, Missing | None]
"""An answer, and what is missing where it is Opaque."""


def ipv4_of(
    subject: Subject, own: dict[str, Any], subnet: Resource | Missing, eni: Resource | Missing | None
) -> Known:
    """Return whether an interface has a public IPv4 address, and what is missing where that is not known."""
    instance = subject.resource
    addresses = (walk(instance.properties, ("PublicIp",)), walk(own, ("Association", "PublicIp")))
    elastic = _elastic(subject, instance, eni)
    if any(isinstance(a, str) and a for a in addresses) or elastic is True:
        return True, None
    wanted = own.get("AssociatePublicIpAddress", ABSENT)
    asked = boolean(wanted)
    if asked is True or (asked is False and not isinstance(eni, Missing | Resource) and elastic is False):
        return asked, None
    unread = next((v for v in (wanted, *addresses, elastic) if isinstance(v, Unresolved)), None)
    if unread is not None:
        return Opaque("an address"), Missing(unread.reason, unread.describe())
    if isinstance(eni, Missing):
        return Opaque(eni.text), eni
    return _from_subnet(
        instance, subnet, "MapPublicIpOnLaunch", live=instance.file is None or eni is not None
    )


def _elastic(subject: Subject, instance: Resource, eni: Resource | Missing | None) -> bool | Unresolved:
    """Return whether an elastic address belongs to the instance or its interface."""
    holders = [instance, *([eni] if isinstance(eni, Resource) else [])]
    found = [walk(holder.related, ("eip_associations",)) for holder in holders]
    addresses, _missing = listed(subject, EIP)
    named = [address.properties.get(k) for address in addresses for k in ("InstanceId", "NetworkInterfaceId")]
    if any(isinstance(f, list) and f for f in found) or any(names(v, h) for v in named for h in holders):
        return True
    doubts = [f.more if isinstance(f, OpenList) else f for f in found]
    doubts += [v for v in named if isinstance(v, Unresolved) and v.target is None]
    return next((d for d in doubts if isinstance(d, Unresolved)), False)


def ipv6_of(
    subject: Subject, own: dict[str, Any], subnet: Resource | Missing, eni: Resource | Missing | None
) -> Known:
    """Return whether an interface has an IPv6 address, and what is missing where that is not known."""
    doubt: Unresolved | None = None
    for props in (own, subject.resource.properties):
        listed_ones, count = walk(props, ("Ipv6Addresses",)), walk(props, ("Ipv6AddressCount",))
        if (isinstance(listed_ones, list) and listed_ones) or (whole(count) or 0) > 0:
            return True, None
        rest = listed_ones.more if isinstance(listed_ones, OpenList) else listed_ones
        doubt = next((v for v in (doubt, rest, count) if isinstance(v, Unresolved)), None)
    if doubt is not None:
        return Opaque("an address"), Missing(doubt.reason, doubt.describe())
    if isinstance(eni, Missing):
        return Opaque(eni.text), eni
    live = subject.resource.file is None or eni is not None
    return _from_subnet(subject.resource, subnet, "AssignIpv6AddressOnCreation", live=live)


def _from_subnet(instance: Resource, subnet: Resource | Missing, key: str, *, live: bool) -> Known:
    """Return what the subnet gives a new interface; one that exists shows its addresses itself."""
    if live:
        return False, None
    if isinstance(subnet, Missing):
        return Opaque(subnet.text), subnet
    value = subnet.properties.get(key, False)  # a subnet written in code is no default subnet
    given = boolean(value)
    if isinstance(given, Opaque):
        reason = value.reason if isinstance(value, Unresolved) else "wrong_type"
        return given, Missing(reason, f"`{key}` of subnet `{subnet.id}`")
    return given, None


def _public_ipv4(subject: Subject) -> Answer:
    expected = "a public IPv4 address"
    doubts: list[Evidence] = []
    none: list[Evidence] = []
    for interface in interfaces_of(subject):
        value, path = interface.subnet(subject)
        subnet = find(subject, SUBNET, value)
        answer, missing = ipv4_of(subject, interface.own, subnet, interface.eni)
        place, observed = _shown(subject, interface)
        if answer is True:
            given = observed is not ABSENT or _elastic(subject, subject.resource, interface.eni) is True
            if given or not isinstance(subnet, Resource):
                observed = "an Elastic IP address" if observed is ABSENT else observed
                return Answer(TRUE, (Evidence(place, observed, f"not {expected}", "forbidden_present"),))
            unwanted = f"a subnet that gives none: MapPublicIpOnLaunch of `{subnet.id}` is true"
            return Answer(TRUE, (Evidence(path, value, unwanted, "forbidden_present"),))
        if missing is not None and observed is ABSENT:
            place, observed = path, value
        if missing is not None:
            doubts.append(Evidence(place, observed, f"{expected}: {missing.text}", missing.reason))
        else:
            none.append(Evidence(place, observed, expected, "missing"))
    return Answer(UNKNOWN, tuple(doubts)) if doubts else Answer(FALSE, tuple(none))


def _shown(subject: Subject, interface: Interface) -> tuple[Path, Any]:
    """Return the value that speaks most plainly of the address."""
    if interface.at and "AssociatePublicIpAddress" in interface.own:
        return (*interface.at, "AssociatePublicIpAddress"), interface.own["AssociatePublicIpAddress"]
    if interface.at and isinstance(interface.own.get("Association"), dict):
        return (*interface.at, "Association", "PublicIp"), interface.own["Association"].get(
            "PublicIp", ABSENT
        )
    return ("PublicIp",), subject.resource.properties.get("PublicIp", ABSENT)


PREDICATE: Final = Predicate(
    "net.public_ipv4",
    _public_ipv4,
    "The instance has a public IPv4 address, or is given one.",
    {},
    (INSTANCE,),
    (SUBNET, INTERFACE, EIP),
    lambda _arguments: None,
)
