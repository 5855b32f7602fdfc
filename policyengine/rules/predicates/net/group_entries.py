"""Entries of security groups as rules of ``policyengine.net``, with what could not be read.

Canonical shape: ``SecurityGroupIngress[]`` and ``SecurityGroupEgress[]`` with one peer to an
entry, standalone ingress and egress resources folded in by the source. A standalone resource
whose group is elsewhere is its own single entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from policyengine.catalog import registry
from policyengine.model.finding import Evidence
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved
from policyengine.net.addresses import Block, parse_cidr
from policyengine.net.groups import Group, Peer, PrefixList, Rule
from policyengine.net.opaque import Opaque
from policyengine.net.services import read_traffic
from policyengine.rules.predicates.api import Subject

GROUP: Final = "AWS::EC2::SecurityGroup"
PREFIX_LIST: Final = "AWS::EC2::PrefixList"


class Direction(NamedTuple):
    """How one direction is spelled."""

    name: str
    entries: str
    standalone: str
    prefix_list: str
    groups: tuple[str, ...]


INGRESS: Final = Direction(
    "ingress",
    "SecurityGroupIngress",
    "AWS::EC2::SecurityGroupIngress",
    "SourcePrefixListId",
    ("SourceSecurityGroupId", "SourceSecurityGroupName"),
)
EGRESS: Final = Direction(
    "egress",
    "SecurityGroupEgress",
    "AWS::EC2::SecurityGroupEgress",
    "DestinationPrefixListId",
    ("DestinationSecurityGroupId",),
)
DIRECTIONS: Final = {"ingress": INGRESS, "egress": EGRESS}

DEFAULT_EGRESS: Final[list[Any]] = [
    {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"},
    {"IpProtocol": "-1", "CidrIpv6": "::/0"},
]
"""What EC2 adds to a new group without egress rules:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-securitygroup.html
("if you do not add egress rules, we add egress rules that allow all outbound IPv4 and IPv6 traffic")."""


class Line(NamedTuple):
    """One rule with one peer. ``doubts`` is evidence for each value that could not be read."""

    rule: Rule
    path: Path
    observed: Any
    doubts: tuple[Evidence, ...] = ()


class Lines(NamedTuple):
    """All entries of one direction; ``rest`` is evidence that there may be more of them."""

    found: list[Line]
    path: Path
    observed: Any
    rest: Evidence | None = None
    provenance: str | None = None


def entries_of(subject: Subject, direction: Direction) -> tuple[Any, Path]:
    """Return the raw entries (ABSENT when there are none) and the path they stand at.

    Inside ``every`` or ``some`` the one element is the list, at the path ``()``.
    """
    if subject.where is not None:
        return subject.where, ()
    resource = subject.resource
    if resource.type == direction.standalone:
        return resource.properties, ()
    properties = resource.properties
    value = properties.get(direction.entries, ABSENT)
    if value is ABSENT and isinstance(properties, OpenDict):
        value = properties.more
    return value, (direction.entries,)


def read_lines(subject: Subject, direction: Direction) -> Lines:
    """Return every entry of one direction as rules; UNKNOWN parts are in ``doubts`` and ``rest``."""
    value, base = entries_of(subject, direction)
    provenance = None
    if direction is EGRESS and base and _egress_by_default(value, subject.resource):
        value, provenance = DEFAULT_EGRESS, "AWS default: all traffic is let out"
    if value is ABSENT:
        return Lines([], base, value)
    if not base:
        return Lines(list(_entry(subject, direction, value, ())), (), value)
    if isinstance(value, Unresolved):
        return Lines([], base, value, Evidence(base, value, f"known {direction.name} rules", value.reason))
    if not isinstance(value, list):
        return Lines(
            [], base, value, Evidence(base, value, f"a list of {direction.name} rules", "wrong_type")
        )
    found = [line for i, entry in enumerate(value) for line in _entry(subject, direction, entry, (*base, i))]
    rest = None
    if isinstance(value, OpenList):
        rest = Evidence((*base, "-"), value.more, f"all {direction.name} rules", value.more.reason)
    return Lines(found, base, ABSENT if provenance else value, rest, provenance)


def _egress_by_default(value: Any, resource: Resource) -> bool:
    """Whether EC2's own egress rules hold.

    An empty list in a CloudFormation template adds no rule either, so a new group gets them too;
    Terraform removes them, and in a live group an empty list is what it says.
    """
    if value is ABSENT:
        return True
    if value.__class__ is not list or value or resource.file is None:
        return False
    # INVARIANT: logical ids are alphanumeric, plan addresses contain a dot
    return "." not in resource.id or "awscc_" in resource.id


def _entry(subject: Subject, direction: Direction, entry: Any, at: Path) -> Iterator[Line]:
    """Yield a line for each peer of one entry: exactly one in a valid entry."""
    if not isinstance(entry, dict):
        reason = entry.reason if isinstance(entry, Unresolved) else "wrong_type"
        doubt = Evidence(at, entry, "a rule that can be read", reason)
        nothing = read_traffic(None, None, None)
        yield Line(Rule(nothing, Opaque("a rule that cannot be read")), at, entry, (doubt,))
        return
    missing = entry.more if isinstance(entry, OpenDict) else None
    protocol, low, high = (entry.get(key, missing) for key in ("IpProtocol", "FromPort", "ToPort"))
    traffic = read_traffic(protocol, low, high)
    doubts: list[Evidence] = []
    if isinstance(traffic.protocol, Opaque):
        doubts.append(_doubt((*at, "IpProtocol"), protocol, "a protocol name or number"))
    if not traffic.ports_known:
        odd = "ToPort" if isinstance(high, Unresolved) and not isinstance(low, Unresolved) else "FromPort"
        doubts.append(_doubt((*at, odd), entry.get(odd, missing), "a port range EC2 accepts"))
    peers = list(_peers(subject, direction, entry, at))
    if not peers:
        doubt = _doubt(at, missing if missing is not None else entry, "a source or destination")
        peers.append((Opaque("a rule without a peer"), at, entry, doubt))
    for peer, path, observed, more in peers:
        both = (*doubts, more) if more is not None else tuple(doubts)
        yield Line(Rule(traffic, peer), path, observed, both)


def _doubt(path: Path, value: Any, expected: str) -> Evidence:
    if isinstance(value, Unresolved):
        return Evidence(path, value, expected, value.reason)
    return Evidence(path, ABSENT if value is None else value, expected, "wrong_type")


_Found = tuple[Peer, Path, Any, Evidence | None]


def _peers(subject: Subject, direction: Direction, entry: dict[str, Any], at: Path) -> Iterator[_Found]:
    for key in ("CidrIp", "CidrIpv6"):
        if key in entry:
            yield _cidr(entry[key], (*at, key))
    if direction.prefix_list in entry:
        yield from _prefix_list(subject, entry[direction.prefix_list], (*at, direction.prefix_list))
    for key in direction.groups:
        if key in entry:
            value = entry[key]
            name = value if isinstance(value, str) else Opaque("a group that is not known")
            yield Group(name), (*at, key), value, None
            break


def _cidr(value: Any, path: Path) -> _Found:
    block = read_block(value)
    if isinstance(block, Opaque):
        return block, path, value, _doubt(path, value, "a CIDR block")
    return block, path, value, None


def read_block(value: Any) -> Block | Opaque:
    """Return the block a property value names, or Opaque."""
    if not isinstance(value, str):
        return Opaque("a CIDR block that is not known")
    try:
        return parse_cidr(value)
    except ValueError as error:
        return Opaque(str(error))


def _prefix_list(subject: Subject, value: Any, path: Path) -> Iterator[_Found]:
    """Yield the entries that can be read, and once more what cannot."""
    name = value if isinstance(value, str) else "a prefix list"
    blocks, doubt = prefix_list_blocks(subject, value, path)
    if blocks:
        yield PrefixList(name, blocks), path, value, None
    if doubt is not None:
        yield PrefixList(name, Opaque("entries that cannot be read")), path, value, doubt
    elif not blocks:
        yield PrefixList(name, ()), path, value, None


def prefix_list_blocks(subject: Subject, value: Any, path: Path) -> tuple[tuple[Block, ...], Evidence | None]:
    """Return the blocks of the prefix list a value names, and evidence for those that are not known.

    An AWS-managed list (``com.amazonaws.…``) is only known where its entries were collected.
    """
    expected = "a prefix list whose entries can be read"
    table = subject.tables(PREFIX_LIST)
    if isinstance(table, Unresolved):
        return (), Evidence(path, value, f"{expected}: {table.describe()}", table.reason)
    found = next((r for r in table if names(value, r)), None)
    if found is None:
        reason = value.reason if isinstance(value, Unresolved) and value.target is None else "not_collected"
        return (), Evidence(path, value, expected, reason)
    entries = found.properties.get("Entries", ABSENT)
    aws_managed = str(found.properties.get("PrefixListName", "")).startswith("com.amazonaws.")
    if isinstance(entries, Unresolved):
        return (), Evidence(path, value, f"{expected}: {entries.describe()}", entries.reason)
    if entries is ABSENT and aws_managed:
        return (), Evidence(path, value, expected, "not_collected")
    if entries is ABSENT:
        return (), None
    if not isinstance(entries, list):
        return (), Evidence(path, value, expected, "wrong_type")
    blocks = [read_block(e.get("Cidr") if isinstance(e, dict) else e) for e in entries]
    known = tuple(block for block in blocks if not isinstance(block, Opaque))
    if isinstance(entries, OpenList):
        return known, Evidence(path, value, f"{expected}: {entries.more.describe()}", entries.more.reason)
    if len(known) < len(blocks):
        return known, Evidence(path, value, expected, "unresolved_reference")
    return known, None


def names_in(resource: Resource) -> Iterator[str]:
    """Yield the texts that refer to a resource: its id, ARN, naming properties."""
    yield resource.id
    if resource.arn is not None:
        yield resource.arn
    for name in registry.names(resource.type):
        value = resource.properties.get(name)
        if isinstance(value, str):
            yield value


def names(value: Any, resource: Resource) -> bool:
    """Whether a property value refers to a resource: by id, ARN, naming property, or as a reference."""
    if isinstance(value, str):
        return value in names_in(resource)
    return isinstance(value, Unresolved) and value.target is not None and value.target[0] == resource.id
