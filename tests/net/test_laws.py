"""Laws: exact set algebra against `ipaddress`, first-match lists, and monotone reachability."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import OpenList, Unresolved
from policyengine.net import special
from policyengine.net.acls import AclRule, admitted
from policyengine.net.addresses import (
    EVERYTHING,
    NONE,
    PUBLIC,
    AddressSet,
    address_set,
    is_internet,
    parse_cidr,
    public_sizes,
)
from policyengine.net.groups import Group, PrefixList, Rule, open_to_internet, sources
from policyengine.net.intervals import IntervalSet
from policyengine.net.opaque import Opaque
from policyengine.net.reachability import (
    BlockPublicAccess,
    Route,
    acl_layers,
    block_layer,
    group_layer,
    has_internet_route,
    internet_reaches,
    public_address,
    route_layer,
    routed,
)
from policyengine.net.services import IntervalSet as _Ports
from policyengine.net.services import parse_ports, read_traffic, service
from policyengine.rules.predicates.api import Subject
from policyengine.rules.predicates.net.table import PREDICATES

PREDICATE = next(p for p in PREDICATES if p.name == "net.open_to_internet")
OPEN = PREDICATE.check

small_sets = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)
cidrs = st.one_of(
    st.builds(
        lambda a, p: str(ipaddress.ip_network((a, p), strict=False)),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    ),
    st.builds(
        lambda a, p: str(ipaddress.ip_network((a, p), strict=False)),
        st.integers(2**32, 2**128 - 1),
        st.integers(0, 128),
    ),
)


def members(pairs: list[tuple[int, int]]) -> set[int]:
    return {n for low, high in pairs for n in range(low, high + 1)}


@given(small_sets, small_sets)
def test_interval_algebra_is_set_algebra(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    a, b, left, right = IntervalSet(one), IntervalSet(other), members(one), members(other)
    for ours, theirs in ((a | b, left | right), (a & b, left & right), (a - b, left - right)):
        assert members(list(ours)) == theirs
        assert ours.size == len(theirs)
        assert ours == IntervalSet((n, n) for n in theirs)
        assert all(
            high + 1 < low for (_, high), (low, _) in zip(ours.intervals, ours.intervals[1:], strict=False)
        )
    assert (a <= b) == (left <= right)
    assert all((n in a) == (n in left) for n in range(-1, 42))


@given(st.lists(cidrs, max_size=6), st.lists(cidrs, max_size=6))
def test_address_algebra_agrees_with_ipaddress(one: list[str], other: list[str]) -> None:
    a, b = address_set(*one), address_set(*other)
    union = a.union(b)
    expected: list[str] = []
    for version in (4, 6):
        nets = [n for n in map(ipaddress.ip_network, one + other) if n.version == version]
        expected += [str(n) for n in ipaddress.collapse_addresses(nets)]
    assert list(union.cidrs()) == expected
    assert a.within(union)
    assert a.minus(b).union(a.intersection(b)) == a
    assert a.minus(b).intersection(b) == NONE
    for cidr in one + other:
        for address in (ipaddress.ip_network(cidr)[0], ipaddress.ip_network(cidr)[-1]):
            inside = any(
                address in ipaddress.ip_network(o)
                for o in one
                if ipaddress.ip_network(o).version == address.version
            )
            point = address_set(f"{address}/{address.max_prefixlen}")
            assert point.within(a) == inside


@given(cidrs)
def test_public_part_is_everything_minus_the_registries(cidr: str) -> None:
    public = parse_cidr(cidr).addresses().public()
    assert public_sizes(cidr) == (public.v4.size, public.v6.size)
    for row, _name, reachable in (*special.IPV4, *special.IPV6):
        nested = [r for r, _n, other in (*special.IPV4, *special.IPV6) if other != reachable and r != row]
        rest = address_set(row).minus(address_set(*nested))
        if not reachable:
            assert public.intersection(rest) == NONE


def test_the_python_registry_agrees() -> None:
    for text in (
        "8.8.8.8",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.1.1",
        "192.0.2.1",
        "172.31.0.1",
        "2600::1",
        "fd00::1",
        "fe80::1",
        "2001:db8::1",
    ):
        address = ipaddress.ip_address(text)
        assert address_set(f"{text}/{address.max_prefixlen}").within(PUBLIC) == address.is_global


@pytest.mark.parametrize(
    ("sources_", "expected"),
    [
        (["0.0.0.0/0"], True),
        (["0.0.0.0/1"], True),
        (["0.0.0.0/1", "128.0.0.0/1"], True),
        (["10.0.0.0/8"], False),
        (["203.0.113.7/32"], False),
        (["8.0.0.0/8"], False),
        (["8.0.0.0/7"], True),
        (["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"], False),
        (["::/0"], True),
        (["2000::/3"], True),
        (["2600::/16"], False),
        (["2600::/15"], True),
        (["fc00::/6"], False),
    ],
)
def test_what_the_internet_is(sources_: list[str], expected: bool) -> None:
    assert is_internet(address_set(*sources_).public()) is expected


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0",
        "10.0.0.0/33",
        "10.0.0.0/255.0.0.0",
        "x/8",
        "fe80::1%eth0/64",
        "",
        "10.0.0.0/-1",
        "10.0.0.0/ 8",
    ],
)
def test_what_is_no_cidr_block(text: str) -> None:
    with pytest.raises(ValueError, match="no CIDR block"):
        parse_cidr(text)


def test_an_opaque_is_never_a_condition() -> None:
    with pytest.raises(TypeError):
        bool(Opaque("x"))


@pytest.mark.parametrize("values", [("x",), ("5-3",), (70000,), (True,), (None,), ("1-",), ([22],)])
def test_what_is_no_port(values: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="is no port"):
        parse_ports(values)


def test_port_texts() -> None:
    assert parse_ports((22, "8000-8999", "443")) == _Ports([(22, 22), (443, 443), (8000, 8999)])


# --- first match, against a plain walk over the list -------------------------------------------

blocks = st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "0.0.0.0/1", "128.0.0.0/1", "8.8.8.0/24", "::/0"])
acl_rules = st.builds(
    lambda number, allow, protocol, ports, block: AclRule(
        number, allow, read_traffic(protocol, *ports), parse_cidr(block)
    ),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from([-1, 6, 17]),
    st.sampled_from([(None, None), (22, 22), (0, 100)]),
    blocks,
)


@given(st.lists(acl_rules, max_size=6, unique_by=lambda rule: rule.number))
def test_acl_is_the_first_match_for_every_address(rules: list[AclRule]) -> None:
    bounds = admitted(rules, 6, 22)
    assert bounds.must == bounds.may
    for text in ("10.1.1.1", "8.8.8.8", "1.1.1.1", "200.1.1.1", "2600::1"):
        address = parse_cidr(f"{text}/{32 if '.' in text else 128}")
        verdict = False
        for rule in sorted(rules, key=lambda r: r.number):  # type: ignore[arg-type,return-value]
            traffic = rule.traffic
            hits = traffic.protocol in (-1, 6) and (
                traffic.protocol == -1 or traffic.low <= 22 <= traffic.high
            )
            if hits and address.addresses().within(rule.block.addresses()):  # type: ignore[union-attr]
                verdict = rule.allow is True
                break
        assert address.addresses().within(bounds.must) == verdict


@given(st.lists(acl_rules, max_size=5, unique_by=lambda rule: rule.number), st.data())
def test_hiding_a_part_of_an_acl_only_loosens_the_bounds(rules: list[AclRule], data: st.DataObject) -> None:
    exact = admitted(rules, 6, 22)
    hidden = []
    for rule in rules:
        part = data.draw(st.sampled_from(["", "number", "allow", "block", "traffic"]))
        fields = {name: getattr(rule, name) for name in ("number", "allow", "traffic", "block")}
        if part == "traffic":
            fields[part] = read_traffic("?", None, None)
        elif part:
            fields[part] = Opaque("hidden")
        hidden.append(AclRule(**fields))
    loose = admitted(hidden, 6, 22)
    assert loose.must.within(exact.must)
    assert exact.may.within(loose.may)


def test_routes_by_longest_prefix() -> None:
    def route(cidr: str, to_internet: bool) -> Route:
        return Route((parse_cidr(cidr),), to_internet)

    found = routed([route("0.0.0.0/0", True), route("10.0.0.0/8", False), route("10.1.0.0/16", True)])
    assert found.must == address_set("0.0.0.0/0").minus(address_set("10.0.0.0/8")).union(
        address_set("10.1.0.0/16")
    )
    assert has_internet_route([route("10.0.0.0/8", True)]) is False
    assert has_internet_route([route("8.8.8.8/32", True)]) is True
    assert isinstance(has_internet_route([Route(Opaque("?"), True)]), Opaque)
    assert has_internet_route([route("0.0.0.0/0", False)]) is False
    assert isinstance(routed(Opaque("?")).ask(is_internet, "?"), Opaque)


# --- groups -----------------------------------------------------------------------------------

peers = st.one_of(
    st.sampled_from(
        ["0.0.0.0/0", "0.0.0.0/1", "8.0.0.0/8", "9.0.0.0/8", "10.0.0.0/8", "1.2.3.4/32", "::/0", "fd00::/8"]
    ).map(parse_cidr),
    st.just(Group("sg-2")),
    st.just(Opaque("a source")),
    st.just(PrefixList("pl-1", Opaque("entries"))),
    st.just(PrefixList("pl-2", (parse_cidr("8.0.0.0/8"), parse_cidr("12.0.0.0/8")))),
)
traffics = st.builds(
    read_traffic,
    st.sampled_from(["tcp", "udp", "-1", "icmp", "50", "?"]),
    st.sampled_from([None, 22, 0]),
    st.sampled_from([None, 22, 65535, "?"]),
)
rules = st.builds(Rule, traffics, peers)
asked = st.sampled_from(
    [service(("tcp",), parse_ports((22,))), service(("tcp", "udp")), service(None), service(("icmp",))]
)
ORDER = {False: 0, None: 1, True: 2}


def rank(answer: bool | Opaque) -> int:
    return ORDER[None if isinstance(answer, Opaque) else answer]


@given(st.lists(rules, max_size=5), rules, asked)
def test_adding_a_rule_never_closes(given_rules: list[Rule], more: Rule, what: Any) -> None:
    assert rank(open_to_internet([*given_rules, more], what)) >= rank(open_to_internet(given_rules, what))


@given(st.lists(rules, max_size=5), st.randoms(), asked)
def test_the_order_of_rules_is_of_no_account(given_rules: list[Rule], random: Any, what: Any) -> None:
    shuffled = list(given_rules)
    random.shuffle(shuffled)
    assert rank(open_to_internet(shuffled, what)) == rank(open_to_internet(given_rules, what))


@given(st.lists(rules, min_size=1, max_size=5), asked, st.data())
def test_an_unknown_answer_covers_what_the_hidden_part_may_be(
    given_rules: list[Rule], what: Any, data: st.DataObject
) -> None:
    exact = open_to_internet(given_rules, what)
    index = data.draw(st.integers(0, len(given_rules) - 1))
    rule = given_rules[index]
    hidden = data.draw(
        st.sampled_from(
            [Rule(rule.traffic, Opaque("hidden")), Rule(read_traffic("?", None, None), rule.peer)]
        )
    )
    if isinstance(rule.peer, Group) and hidden.peer is not rule.peer:
        return  # a group is never the internet; a hidden peer may be
    if not rule.traffic.ports_known:
        return  # the hidden rule would be known better: it has all ports
    blurred = open_to_internet([*given_rules[:index], hidden, *given_rules[index + 1 :]], what)
    assert isinstance(blurred, Opaque) or blurred == exact


def test_sources_name_groups_and_doubts() -> None:
    found = sources(
        [
            Rule(read_traffic("tcp", 22, 22), Group("sg-2")),
            Rule(read_traffic("tcp", 22, 22), parse_cidr("10.0.0.0/8")),
            Rule(read_traffic("tcp", 22, 22), PrefixList("pl-1", Opaque("entries"))),
            Rule(read_traffic("tcp", 443, 443), parse_cidr("0.0.0.0/0")),
        ],
        6,
        22,
    )
    assert found.groups == (Group("sg-2"),)
    assert found.addresses.must == address_set("10.0.0.0/8")
    assert found.addresses.may == EVERYTHING
    assert found.opaque == (Opaque("entries"),)


# --- reachability -----------------------------------------------------------------------------

layers = st.fixed_dictionaries(
    {
        "address": st.sampled_from([True, False, Opaque("?")]),
        "mode": st.sampled_from(["off", "block-ingress", Opaque("?")]),
        "routes": st.sampled_from(
            [
                (),
                (Route((parse_cidr("0.0.0.0/0"),), True),),
                (Route((parse_cidr("0.0.0.0/0"),), False),),
                Opaque("?"),
            ]
        ),
        "inbound": st.lists(acl_rules, max_size=3, unique_by=lambda rule: rule.number),
        "outbound": st.lists(acl_rules, max_size=3, unique_by=lambda rule: rule.number),
        "groups": st.lists(rules, max_size=3),
    }
)


def reach(parts: dict[str, Any], what: Any) -> int:
    found = internet_reaches(
        [
            public_address(parts["address"], False),
            block_layer(BlockPublicAccess(parts["mode"], None)),
            route_layer(parts["routes"]),
            *acl_layers(parts["inbound"], parts["outbound"]),
            group_layer(parts["groups"]),
        ],
        what,
    )
    assert isinstance(found.answer, bool) == (not isinstance(found.answer, Opaque))
    assert (found.at is not None) == (found.answer is True)
    assert bool(found.layers) == (found.answer is not True)
    return rank(found.answer)


@given(layers, rules, asked)
def test_adding_a_group_rule_never_closes_a_way(parts: dict[str, Any], more: Rule, what: Any) -> None:
    assert reach({**parts, "groups": [*parts["groups"], more]}, what) >= reach(parts, what)


@given(layers, asked, st.sampled_from(["address", "mode", "routes", "groups"]))
def test_opening_a_layer_wholly_never_closes_a_way(parts: dict[str, Any], what: Any, name: str) -> None:
    opened: dict[str, Any] = {
        "address": True,
        "mode": "off",
        "routes": (Route((parse_cidr("0.0.0.0/0"),), True),),
        "groups": None,
    }
    assert reach({**parts, name: opened[name]}, what) >= reach(parts, what)


@given(layers, asked)
def test_a_closed_layer_decides_whatever_is_unknown(parts: dict[str, Any], what: Any) -> None:
    assert reach({**parts, "address": False}, what) == 0
    assert reach({**parts, "mode": "block-bidirectional"}, what) == 0
    assert reach({**parts, "groups": []}, what) == 0


# --- the quick path of the predicate against the sets ------------------------------------------

entries = st.fixed_dictionaries(
    {"IpProtocol": st.sampled_from(["tcp", "-1", "6", 17, "?"])},
    optional={
        "FromPort": st.sampled_from([22, "22", 0, True, Unresolved("unresolved_reference")]),
        "ToPort": st.sampled_from([22, "22", 65535]),
        "CidrIp": st.sampled_from(
            ["0.0.0.0/0", "0.0.0.0/1", "8.0.0.0/8", "9.0.0.0/8", "10.0.0.0/8", "x", Unresolved("redacted")]
        ),
        "CidrIpv6": st.sampled_from(["::/0", "fd00::/8"]),
        "SourceSecurityGroupId": st.just("sg-2"),
    },
)


@given(st.lists(entries, max_size=4), st.sampled_from([[22], None, [443]]))
def test_the_quick_path_answers_as_the_sets_do(listed: list[dict[str, Any]], ports: list[Any] | None) -> None:
    def ask(properties: dict[str, Any]) -> Any:
        resource = Resource("AWS::EC2::SecurityGroup", "sg-1", "1", "eu-west-1", properties)
        return OPEN(
            Subject(resource, datetime(2026, 1, 1, tzinfo=UTC), lambda _a: [], lambda _t: []), ports=ports
        )

    class Slow(dict[str, Any]):
        """Not exactly a dict, so the quick path leaves it alone; Slow entries open nothing by themselves."""

    quick = ask({"SecurityGroupIngress": listed})
    slow = ask({"SecurityGroupIngress": [Slow(entry) for entry in listed]})
    assert quick.truth is slow.truth
    if quick.truth is UNKNOWN:
        assert quick.evidence == slow.evidence
    if quick.truth is TRUE:
        assert {e.path for e in quick.evidence} <= {e.path for e in slow.evidence}
    assert quick.truth in (TRUE, FALSE, UNKNOWN)


@given(st.lists(entries, max_size=4), st.sampled_from([{"ports": [22]}, {}, {"ports": ["x"]}]))
def test_the_short_form_of_the_predicate_says_what_it_says(
    listed: list[dict[str, Any]], arguments: dict[str, Any]
) -> None:
    assert PREDICATE.short is not None
    short = PREDICATE.short(**arguments)
    for type_ in ("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"):
        for value in (listed, OpenList(listed, Unresolved("redacted")), "text"):
            resource = Resource(type_, "sg-1", "1", "eu-west-1", {"SecurityGroupIngress": value})
            about = Subject(resource, datetime(2026, 1, 1, tzinfo=UTC), lambda _a: [], lambda _t: [])
            assert short(resource) in (None, PREDICATE.check(about, **arguments))


def test_an_empty_address_set() -> None:
    assert AddressSet(IntervalSet(), IntervalSet()).is_empty
    assert NONE.cidrs() == ()
