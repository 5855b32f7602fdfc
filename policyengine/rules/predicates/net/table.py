"""The predicates of the namespace ``net``; ``docs/predicates/net.md`` describes each.

TRUE of a predicate that names something bad (``net.open_to_internet``) carries the offending
peers as evidence, because rules ask for it under ``none``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.net.addresses import INTERNET_V4, INTERNET_V6, AddressSet, is_private, public_sizes
from policyengine.net.groups import every_port, open_to_internet, peer_addresses, public_internet, some_port
from policyengine.net.intervals import IntervalSet
from policyengine.net.opaque import Opaque
from policyengine.net.services import MAX_PORT, Service, read_traffic, service
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.asked import (
    DEFAULT_PROTOCOLS,
    EXCEPT_PORTS,
    PORTS,
    PROTOCOLS,
    asked_service,
    bad_argument,
    service_problem,
)
from policyengine.rules.predicates.net import acl as network_acl
from policyengine.rules.predicates.net import address as network_address
from policyengine.rules.predicates.net import cidrs as network_cidrs
from policyengine.rules.predicates.net import endpoints as network_endpoints
from policyengine.rules.predicates.net import group_sources
from policyengine.rules.predicates.net import path as network_path
from policyengine.rules.predicates.net import subnets as network_subnets
from policyengine.rules.predicates.net.group_entries import (
    DIRECTIONS,
    EGRESS,
    GROUP,
    INGRESS,
    PREFIX_LIST,
    Direction,
    Line,
    Lines,
    entries_of,
    read_lines,
)

_USABLE_PORTS: Final = IntervalSet(((1, MAX_PORT),))
"""Port 0 is reserved, so ``every port`` does not need it."""

_BY_PORT: Final = frozenset({"tcp", "udp"})

_NOTHING, _SOME, _DECIDES, _DOUBT = range(4)


@lru_cache(maxsize=65_536, typed=True)
def _grade(asked: Service, protocol: Any, low: Any, high: Any, cidr: Any) -> int:
    """Say what one rule with one CIDR peer contributes; ``typed`` keeps True apart from 1."""
    if not isinstance(cidr, str):
        return _DOUBT
    meets = asked.meets(read_traffic(protocol, low, high))
    if meets is False:
        return _NOTHING
    try:
        v4, v6 = public_sizes(cidr)
    except ValueError:
        return _DOUBT
    if not v4 and not v6:
        return _NOTHING
    if meets is not True:
        return _DOUBT
    return _DECIDES if v4 > INTERNET_V4 or v6 > INTERNET_V6 else _SOME


def _quick(entries: Any, asked: Service, direction: Direction) -> list[tuple[int, str]] | None:
    """Return the entries that decide by themselves, all of them, [] when none can matter, None when unsure.

    Covers what nearly every group looks like, without building a single set. INVARIANT: a private block
    contributes nothing on whatever port, so it is passed over first.
    """
    if entries.__class__ is not list:
        return None
    deciding: list[tuple[int, str]] = []
    total4 = total6 = 0  # all small sources together, on whatever port: an upper bound of any union
    for index, entry in enumerate(entries):
        if entry.__class__ is not dict:
            return None
        cidr = entry.get("CidrIp")
        if cidr.__class__ is str and is_private(cidr) and "CidrIpv6" not in entry:
            continue
        grade, key = _contribution(entry, asked, direction)
        if grade == _DECIDES:
            deciding.append((index, key))
        elif grade == _SOME:
            v4, v6 = public_sizes(entry[key])
            total4, total6 = total4 + v4, total6 + v6
        elif grade == _DOUBT:
            return None
    if total4 > INTERNET_V4 or total6 > INTERNET_V6:
        return deciding or None
    return deciding


def _contribution(entry: dict[str, Any], asked: Service, direction: Direction) -> tuple[int, str]:
    """Return what one entry contributes and the key of its peer."""
    low, high, protocol = entry.get("FromPort"), entry.get("ToPort"), entry.get("IpProtocol")
    if (
        low.__class__ is int
        and high.__class__ is int
        and 0 <= low <= high
        and (high < asked.first or asked.last < low <= MAX_PORT)
        and protocol.__class__ is str
        and protocol in _BY_PORT
    ):
        return _NOTHING, ""  # a range on one side of all asked ports: whoever the peer is, it does not matter
    key = "CidrIp" if "CidrIp" in entry else "CidrIpv6"
    if key not in entry:
        known_group = direction.groups[0] in entry or direction.groups[-1] in entry
        return _NOTHING if known_group and direction.prefix_list not in entry else _DOUBT, ""
    try:
        grade = _grade(asked, protocol, low, high, entry[key])
    except TypeError:  # a list or object where a scalar belongs cannot be a cache key
        return _DOUBT, key
    if key == "CidrIp" and "CidrIpv6" in entry and grade != _DECIDES:
        return _DOUBT, key
    return grade, key


def _open_to_internet(
    subject: Subject, ports: Any = None, protocols: Any = DEFAULT_PROTOCOLS, except_ports: Any = None
) -> Answer:
    try:
        asked = asked_service(ports, protocols, except_ports)
    except ValueError as error:
        return bad_argument(error)
    entries, base = entries_of(subject, INGRESS)
    quick = _quick(entries, asked, INGRESS) if base else None
    if quick is not None:
        return _quick_answer(quick, entries, asked)
    lines = read_lines(subject, INGRESS)
    answer = open_to_internet([line.rule for line in lines.found], asked)
    if answer is True:  # those that open it alone; where it takes several, all of them
        alone = [line for line in lines.found if _opens_alone(line, asked)]
        lines = lines._replace(found=alone or lines.found)
    return _answer(answer, lines, asked, partial(_offender, asked=asked), _wanted_open(asked))


def _opens_alone(line: Line, asked: Service) -> bool:
    return asked.meets(line.rule.traffic) is True and public_internet(peer_addresses(line.rule.peer).must)


def _opens_quickly(
    *, ports: Any = None, protocols: Any = DEFAULT_PROTOCOLS, except_ports: Any = None
) -> Callable[[Resource], Answer | None]:
    """Return the short form of ``net.open_to_internet`` with its arguments."""
    try:
        asked = asked_service(ports, protocols, except_ports)
    except ValueError:
        return lambda _resource: None
    standalone, name = INGRESS.standalone, INGRESS.entries

    def answer(resource: Resource) -> Answer | None:
        if resource.type == standalone:
            return None
        entries: Any = resource.properties.get(name)
        quick = _quick(entries, asked, INGRESS)
        return None if quick is None else _quick_answer(quick, entries, asked)

    return answer


def _quick_answer(quick: list[tuple[int, str]], entries: list[Any], asked: Service) -> Answer:
    if not quick:
        return _none_opens(asked, len(entries))
    base = INGRESS.entries
    return Answer(TRUE, tuple(_offender(entries[i][key], (base, i, key), asked) for i, key in quick))


@lru_cache(maxsize=4_096)
def _none_opens(asked: Service, count: int) -> Answer:
    observed = f"{count} rules" if count != 1 else "1 rule"
    return Answer(FALSE, (Evidence((INGRESS.entries,), observed, _wanted_open(asked), "none_satisfies"),))


def _wanted_open(asked: Service) -> str:
    return f"a rule that opens {asked.text} to the internet"


def _offender(observed: Any, path: tuple[str | int, ...], asked: Service) -> Evidence:
    shown = observed if isinstance(observed, str) else "the internet"
    return Evidence(path, observed, _closed(shown, asked), "open_to_internet")


@lru_cache(maxsize=4_096)
def _closed(shown: str, asked: Service) -> str:
    return f"not {shown} for {asked.text}"


def _answer(
    answer: bool | Opaque,
    lines: Lines,
    asked: Service,
    offender: Callable[[Any, tuple[str | int, ...]], Evidence],
    wanted: str,
    counts: Callable[[AddressSet], AddressSet] = AddressSet.public,
) -> Answer:
    """Turn an answer about the lines into truth with the evidence for it."""
    relevant = [line for line in lines.found if _can_matter(line, asked, counts)]
    if answer is True:
        found = [
            offender(line.observed, line.path) for line in relevant if _surely_matters(line, asked, counts)
        ]
        if lines.provenance is not None:
            found = [Evidence(lines.path, lines.observed, found[0].expected, "aws_default", lines.provenance)]
        return Answer(TRUE, tuple(found))
    if answer is False and lines.rest is None:
        return Answer(FALSE, (Evidence(lines.path, lines.observed, wanted, "none_satisfies"),))
    doubts = [doubt for line in relevant for doubt in line.doubts]
    if lines.rest is not None:
        doubts.append(lines.rest)
    return Answer(UNKNOWN, tuple(doubts))


def _can_matter(line: Line, asked: Service, counts: Callable[[AddressSet], AddressSet]) -> bool:
    if asked.meets(line.rule.traffic) is False:
        return False
    return not counts(peer_addresses(line.rule.peer).may).is_empty


def _surely_matters(line: Line, asked: Service, counts: Callable[[AddressSet], AddressSet]) -> bool:
    return asked.meets(line.rule.traffic) is True and not counts(peer_addresses(line.rule.peer).must).is_empty


def _all_open(subject: Subject, direction: Direction, protocols: Any) -> Answer:
    """Whether every port of one of the protocols is open to the internet in one direction."""
    try:
        asked = service(tuple(protocols), _USABLE_PORTS)
    except ValueError as error:
        return bad_argument(error)
    lines = read_lines(subject, direction)
    answer = every_port([line.rule for line in lines.found], asked, public_internet)
    names = "/".join(str(p) for p in protocols)

    def offender(observed: Any, path: tuple[str | int, ...]) -> Evidence:
        shown = observed if isinstance(observed, str) else "the internet"
        return Evidence(path, observed, f"not every {names} port for {shown}", "open_to_internet")

    return _answer(answer, lines, asked, offender, f"rules that open every {names} port to the internet")


def _egress_open(subject: Subject, protocols: Any = DEFAULT_PROTOCOLS) -> Answer:
    return _all_open(subject, EGRESS, protocols)


def _all_traffic_from_internet(subject: Subject, protocols: Any = DEFAULT_PROTOCOLS) -> Answer:
    return _all_open(subject, INGRESS, protocols)


def _wider_than(
    subject: Subject,
    prefix: int,
    prefix6: int = 56,
    direction: str = "ingress",
    ports: Any = None,
    protocols: Any = ("all",),
    except_ports: Any = None,
    only_public: bool = False,
) -> Answer:
    try:
        asked = asked_service(ports, protocols, except_ports)
        problem = _width_problem({"direction": direction, "prefix": prefix, "prefix6": prefix6})
        if problem is not None:
            raise ValueError(problem)
    except ValueError as error:
        return bad_argument(error)
    most4, most6 = 2 ** (32 - prefix), 2 ** (128 - prefix6)
    counts: Callable[[AddressSet], AddressSet] = AddressSet.public if only_public else lambda found: found

    def wider(addresses: AddressSet) -> bool:
        counted = counts(addresses)
        return bool(counted.v4.longest > most4 or counted.v6.longest > most6)

    lines = read_lines(subject, DIRECTIONS[direction])
    answer = some_port([line.rule for line in lines.found], asked, wider)
    limit = f"/{prefix} (IPv4) or /{prefix6} (IPv6)"

    def offender(observed: Any, path: tuple[str | int, ...]) -> Evidence:
        return Evidence(path, observed, f"nothing wider than {limit} for {asked.text}", "wide_source")

    narrowed = lines
    if answer is True:
        alone = [line for line in lines.found if wider(peer_addresses(line.rule.peer).must)]
        narrowed = lines._replace(found=alone or lines.found)
        narrowed = narrowed if any(asked.meets(line.rule.traffic) is True for line in alone) else lines
    return _answer(answer, narrowed, asked, offender, f"addresses wider than {limit}", counts)


def _width_problem(arguments: Mapping[str, Any]) -> str | None:
    direction, prefix, prefix6 = (
        arguments.get(k, d) for k, d in (("direction", "ingress"), ("prefix", 0), ("prefix6", 56))
    )
    if direction not in DIRECTIONS or not 0 <= prefix <= 32 or not 0 <= prefix6 <= 128:
        return f"`{direction}` /{prefix} /{prefix6}: write ingress or egress, 0-32 and 0-128"
    return service_problem({**arguments, "protocols": arguments.get("protocols", ("all",))})


_GROUP_TYPES = (GROUP, INGRESS.standalone)

PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "net.open_to_internet",
        _open_to_internet,
        "An ingress rule opens one of the asked ports to the internet.",
        {"ports": PORTS, "protocols": PROTOCOLS, "except_ports": EXCEPT_PORTS},
        _GROUP_TYPES,
        (PREFIX_LIST,),
        service_problem,
        _opens_quickly,
    ),
    Predicate(
        "net.all_traffic_from_internet",
        _all_traffic_from_internet,
        "Every port of one of the protocols is open to the internet.",
        {"protocols": PROTOCOLS},
        _GROUP_TYPES,
        (PREFIX_LIST,),
        service_problem,
    ),
    Predicate(
        "net.sources_only_groups",
        group_sources.sources_only_groups,
        "Every ingress source is a security group, or one of the named groups.",
        {
            "groups": Arg(
                "json",
                required=False,
                help="group ids, names or logical ids, `self`, or `{tags: {Tier: [web]}}`",
            ),
            "ports": PORTS,
            "protocols": Arg("list:string", required=False, default=("all",), help="as for open_to_internet"),
        },
        _GROUP_TYPES,
        (GROUP,),
        group_sources.groups_problem,
    ),
    Predicate(
        "net.wider_than",
        _wider_than,
        "A source, or the union of several, is wider than the prefix length.",
        {
            "prefix": Arg("integer", help="the widest IPv4 prefix length that is allowed"),
            "prefix6": Arg("integer", required=False, default=56, help="the same for IPv6; a VPC has a /56"),
            "direction": Arg("string", required=False, default="ingress", help="ingress or egress"),
            "ports": PORTS,
            "protocols": Arg("list:string", required=False, default=("all",), help="as for open_to_internet"),
            "except_ports": EXCEPT_PORTS,
            "only_public": Arg(
                "boolean", required=False, default=False, help="private addresses do not count"
            ),
        },
        (GROUP, INGRESS.standalone, EGRESS.standalone),
        (PREFIX_LIST,),
        _width_problem,
    ),
    Predicate(
        "net.egress_open",
        _egress_open,
        "Every port of one of the protocols is open towards the internet.",
        {"protocols": PROTOCOLS},
        (GROUP, EGRESS.standalone),
        (PREFIX_LIST,),
        service_problem,
    ),
    network_acl.PREDICATE,
    network_path.PREDICATE,
    network_address.PREDICATE,
    *network_subnets.PREDICATES,
    *network_cidrs.PREDICATES,
    network_endpoints.PREDICATE,
)
