"""What a change newly opens: one character more is found, the same rules in other words are not."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.review.changes import Change, worst
from policyengine.review.network import network_changes
from tests.review.access_side import Resources, paired_by, pairing, told

PARAMETERS = {"Office": {"Type": "String"}, "Home": {"Type": "String"}, "Port": {"Type": "String"}}


def group(*ingress: Any, egress: list[Any] | None = None) -> dict[str, Any]:
    more = {} if egress is None else {"SecurityGroupEgress": egress}
    properties = {"GroupDescription": "g", "SecurityGroupIngress": list(ingress), **more}
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}


def rule(low: Any, high: Any = None, cidr: Any = "10.0.0.0/8", protocol: Any = "tcp") -> dict[str, Any]:
    key = "CidrIpv6" if isinstance(cidr, str) and ":" in cidr else "CidrIp"
    return {"IpProtocol": protocol, "FromPort": low, "ToPort": low if high is None else high, key: cidr}


def among(low: int, source: Any, **more: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": low, "ToPort": low, "SourceSecurityGroupId": source, **more}


def review(base: Resources, head: Resources, **more: Any) -> list[Change]:
    return worst(network_changes(pairing(base, head, Parameters=PARAMETERS, **more)))


WORLD = rule(22, cidr="0.0.0.0/0")

WIDER: list[tuple[str, Any, Any, str, str]] = [
    ("the internet", rule(22), WORLD, "high", "the internet can newly reach tcp 22 of `G`"),
    ("over IPv6", WORLD, [WORLD, rule(22, cidr="::/0")], "high", "the internet over IPv6 can newly reach tcp 22 of `G`"),
    ("a port", rule(22), rule(22, 23), "medium", "10.0.0.0/8 can newly reach tcp 23 of `G`"),
    ("a digit of a port", rule(22), rule(23), "medium", "10.0.0.0/8 can newly reach tcp 23 of `G`"),
    ("a bit of a block", rule(22, cidr="10.0.0.0/9"), rule(22), "medium", "10.128.0.0/9 can newly reach tcp 22 of `G`"),
    ("another block", rule(22), rule(22, cidr="11.0.0.0/8"), "medium", "11.0.0.0/8 can newly reach tcp 22 of `G`"),
    ("a protocol", rule(53), rule(53, protocol="udp"), "medium", "10.0.0.0/8 can newly reach udp 53 of `G`"),
    ("all", rule(22), {"IpProtocol": "-1", "CidrIp": "10.0.0.0/8"}, "medium", "10.0.0.0/8 can newly reach all protocols of `G`"),
    ("an ICMP type", rule(8, 0, protocol="icmp"), rule(8, -1, protocol="icmp"), "medium", "10.0.0.0/8 can newly reach icmp type 8 of `G`"),
    ("halves of the internet", rule(22), [rule(22), rule(22, cidr="0.0.0.0/1"), rule(22, cidr="128.0.0.0/1")], "high", "the internet can newly reach tcp 22 of `G`"),
    ("a group", rule(22), [rule(22), among(22, {"Ref": "H"})], "medium", "group `H` can newly reach tcp 22 of `G`"),
    ("a parameter", rule(22), [rule(22), rule(443, cidr={"Ref": "Office"})], "medium", "`Office` can newly reach tcp 443 of `G`"),
]  # fmt: skip


def with_group(rules: Any) -> dict[str, Any]:
    return {"G": group(*(rules if isinstance(rules, list) else [rules])), "H": group(rule(1))}


@pytest.mark.parametrize(
    ("before", "after", "severity", "title"), [c[1:] for c in WIDER], ids=[c[0] for c in WIDER]
)
def test_what_is_wider_by_one_character_is_found(before: Any, after: Any, severity: str, title: str) -> None:
    worse = [c for c in review(with_group(before), with_group(after)) if c.effect != "better"]
    assert told(worse) == [("worse", severity, title)]
    assert worse[0].witness is not None
    assert worse[0].path[0] == "SecurityGroupIngress"
    narrower = [c for c in review(with_group(after), with_group(before)) if c.effect == "better"]
    assert [c.title for c in narrower] == [title.replace("newly", "no longer")]


def test_before_and_after_say_who_could_and_who_can() -> None:
    (change,) = review({"G": group(rule(22))}, {"G": group(rule(22), WORLD)})
    assert (change.before, change.after) == (["10.0.0.0/8"], ["0.0.0.0/0"])
    assert change.path == ("SecurityGroupIngress", 1, "CidrIp")


def test_egress() -> None:
    narrow, free = group(egress=[rule(443)]), group()
    worse, *_ = review({"G": narrow}, {"G": free})
    assert told([worse]) == [("worse", "medium", "`G` can newly reach the internet on all protocols")]
    assert {c.effect for c in review({"G": free}, {"G": narrow})} == {"better"}


def test_a_rule_of_its_own_is_the_same_as_one_inside() -> None:
    alone = {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {"GroupId": {"Fn::GetAtt": ["G", "GroupId"]}, **WORLD},
    }
    inside, outside = {"G": group(rule(22), WORLD)}, {"G": group(rule(22)), "S": alone}
    assert review(inside, outside) == review(outside, inside) == []
    (added,) = review({"G": group(rule(22))}, outside)
    assert added.title == "the internet can newly reach tcp 22 of `G`"
    elsewhere = {
        "S": {**alone, "Properties": {**alone["Properties"], "GroupId": "sg-1"}},
        "G": group(rule(22)),
    }
    (change,) = review({"G": group(rule(22))}, elsewhere)
    assert change.title == "the internet can newly reach tcp 22 of `S`"


def test_a_group_under_another_name_is_the_same_peer() -> None:
    before = {"G": group(among(22, {"Ref": "H"})), "H": group(rule(1))}
    after = {"G": group(among(22, {"Fn::GetAtt": ["App", "GroupId"]})), "App": group(rule(1))}
    assert review(before, after) == []


def test_a_new_group_that_the_internet_reaches_is_told() -> None:
    (change,) = review({"H": group(rule(1))}, {"H": group(rule(1)), "G": group(WORLD)})
    assert told([change]) == [("new", "high", "new security group `G` lets the internet reach tcp 22")]
    assert review({"H": group(rule(1))}, {"H": group(rule(1)), "G": group(rule(443))}) == []


def test_entries_of_a_prefix_list() -> None:
    def side(*cidrs: str) -> dict[str, Any]:
        entries = [{"Cidr": cidr} for cidr in cidrs]
        known = {"PrefixListName": "l", "AddressFamily": "IPv4", "MaxEntries": 9, "Entries": entries}
        by_list = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "SourcePrefixListId": {"Ref": "L"}}
        return {"L": {"Type": "AWS::EC2::PrefixList", "Properties": known}, "G": group(by_list)}

    (change,) = review(side("10.0.0.0/24"), side("10.0.0.0/23"))
    assert change.title == "10.0.1.0/24 can newly reach tcp 22 of `G`"
    assert review(side("10.0.0.0/24"), side("10.0.0.128/25", "10.0.0.0/25")) == []


# -- what nobody knows ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "detail"),
    [
        (rule(22, cidr={"Ref": "Office"}), rule(22, cidr={"Ref": "Home"}), "not if `Home` is `Office`"),
        (rule(22), rule(22, cidr={"Ref": "Home"}), "not if `Home` is 10.0.0.0/8"),
        (rule(22, cidr={"Ref": "Home"}), rule(22), "not if `Home` is among them"),
        (rule(22), rule({"Ref": "Port"}), "not if the ports are those of before"),
    ],
    ids=["another parameter", "a parameter for a block", "a block for a parameter", "a parameter for a port"],
)
def test_another_unknown_value_is_not_clear(before: Any, after: Any, detail: str) -> None:
    (change,) = [c for c in review({"G": group(before)}, {"G": group(after)}) if c.effect != "better"]
    assert change.effect == "unclear"
    assert detail in change.details


def test_the_same_unknown_values_are_the_same() -> None:
    same = [rule(22, cidr={"Ref": "Office"}), rule({"Ref": "Port"}), among(22, {"Ref": "Home"})]
    assert review({"G": group(*same)}, {"G": group(*reversed(same))}) == []
    (change,) = review({"G": group(*same)}, {"G": group(*same, rule(443))})
    assert change.effect == "worse"


def test_a_parameter_under_the_internet_is_no_news() -> None:
    assert review({"G": group(WORLD)}, {"G": group(WORLD, rule(22, cidr={"Ref": "Office"}))}) == []


# -- network ACLs ---------------------------------------------------------------------------------------


def acl(*entries: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"N": {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": "vpc-1"}}}
    for number, entry in enumerate(entries):
        properties = {"NetworkAclId": {"Ref": "N"}, **entry}
        found[f"E{number}"] = {"Type": "AWS::EC2::NetworkAclEntry", "Properties": properties}
    return found


def entry(number: int, action: str, low: int = 0, high: int = 65535, **more: Any) -> dict[str, Any]:
    ports = {"From": low, "To": high}
    return {
        "RuleNumber": number,
        "Protocol": 6,
        "RuleAction": action,
        "CidrBlock": "0.0.0.0/0",
        "PortRange": ports,
        **more,
    }


def test_the_order_of_an_acl_decides() -> None:
    guarded = acl(entry(100, "deny", 22, 22), entry(200, "allow"))
    assert review(guarded, acl(entry(20, "allow"), entry(10, "deny", 22, 22))) == []
    (change,) = review(guarded, acl(entry(300, "deny", 22, 22), entry(200, "allow")))
    assert told([change]) == [("worse", "medium", "network ACL `N` newly lets tcp 22 in from the internet")]
    (back,) = review(acl(entry(300, "deny", 22, 22), entry(200, "allow")), guarded)
    assert back.effect == "better"


def test_an_acl_lets_more_out() -> None:
    inner = entry(100, "allow", Egress=True, CidrBlock="10.0.0.0/8")
    (change,) = review(acl(inner), acl({**inner, "CidrBlock": "10.0.0.0/7"}))
    assert change.title == "network ACL `N` newly lets all tcp out to 11.0.0.0/8"


def test_an_entry_that_is_not_known_is_not_clear() -> None:
    unknown = entry(50, "deny", CidrBlock={"Ref": "Office"})
    found = review(acl(unknown, entry(100, "allow", 22, 22)), acl(unknown, entry(100, "allow", 22, 23)))
    assert found
    assert {c.effect for c in found} <= {"worse", "unclear"}
    assert review(acl(unknown, entry(100, "allow")), acl(unknown, entry(100, "allow"))) == []


# -- laws -----------------------------------------------------------------------------------------------

BLOCKS = ["10.0.0.0/8", "10.1.0.0/16", "192.168.0.0/24", "203.0.113.0/28", "0.0.0.0/0", "2001:db8::/32"]


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    protocol = draw(st.sampled_from(["tcp", "udp", "6", "-1", "icmp"]))
    low = draw(st.integers(0, 200))
    cidr = draw(st.sampled_from([*BLOCKS, {"Ref": "Office"}]))
    if protocol == "icmp":
        return rule(draw(st.sampled_from([-1, 0, 8])), -1, cidr, protocol)
    found = rule(low, low + draw(st.sampled_from([0, 1, 100, 60_000])), cidr, protocol)
    if draw(st.integers(0, 4)) == 0:
        kept = {key: value for key, value in found.items() if not key.startswith("Cidr")}
        return {**kept, "SourceSecurityGroupId": {"Ref": draw(st.sampled_from(["H", "G"]))}}
    return found


def halves(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a rule as two: of halves of its block, or of its ports."""
    for key in ("CidrIp", "CidrIpv6"):
        if isinstance(found.get(key), str) and found[key] != "203.0.113.0/28":
            return [{**found, key: str(block)} for block in ipaddress.ip_network(found[key]).subnets()]
    low, high = found["FromPort"], found["ToPort"]
    if found["IpProtocol"] in ("tcp", "udp", "6") and low < high:
        return [{**found, "ToPort": low}, {**found, "FromPort": low + 1}]
    return [found]


@st.composite
def refactorings(draw: st.DrawFn) -> tuple[Resources, Resources]:
    found = draw(st.lists(rules(), min_size=1, max_size=5))
    parts = [part for one in found for part in (halves(one) if draw(st.booleans()) else [one])]
    parts = draw(st.permutations([*parts, *draw(st.sampled_from([[], parts[:1]]))]))
    cut = draw(st.integers(0, len(parts)))
    alone = {
        f"S{number}": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {"GroupId": {"Ref": "G"}, **part},
        }
        for number, part in enumerate(parts[cut:])
    }
    return {"G": group(*found), "H": group()}, {**alone, "H": group(), "G": group(*parts[:cut])}


@given(refactorings())
@settings(max_examples=30, deadline=None)
def test_the_same_in_other_words_opens_nothing(sides: tuple[Resources, Resources]) -> None:
    assert list(network_changes(paired_by(*sides, {}, Parameters=PARAMETERS))) == []


@given(st.lists(rules(), max_size=4), rules(), rules())
@settings(max_examples=30, deadline=None)
def test_what_opens_one_way_closes_the_other(
    kept: list[Any], one: dict[str, Any], other: dict[str, Any]
) -> None:
    sides = [{"G": group(*kept, one), "H": group()}, {"G": group(*kept, one, other), "H": group()}]
    there, back = (
        list(network_changes(paired_by(*s, {}, Parameters=PARAMETERS))) for s in (sides, sides[::-1])
    )
    assert {c.effect for c in there} <= {"worse"}
    assert [c.title for c in back] == [c.title.replace("newly", "no longer") for c in there]
