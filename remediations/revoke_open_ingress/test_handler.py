"""Closing ingress. The rules of the finding, judged by the engine itself, decide which go.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html: the values "must match the
existing rule's values exactly", and "you do not need to specify the description to revoke the rule"."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.resource import Resource
from policyengine.remediate.api import Call, Proposal, Refused, Target
from policyengine.remediate.families.group_rules import key_of
from policyengine.sources.live.collectors.ec2 import rules_of
from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, REGION, Answer, Failing, image, propose, refused, target
from tests.remediate.judged import finding, judged

Json = dict[str, Any]
HANDLER = "revoke_open_ingress"
GROUP = "sg-0a1b2c3d"
SSH = "security-group-admin-ports-closed"
WORLD = "0.0.0.0/0"


def rule(number: int, protocol: str, low: int, high: int, /, *, egress: bool = False, **peer: Any) -> Json:
    return {
        "SecurityGroupRuleId": f"sgr-{number:08x}", "GroupId": GROUP, "GroupOwnerId": ACCOUNT, "IsEgress": egress,
        "IpProtocol": protocol, "FromPort": low, "ToPort": high, **peer,
    }  # fmt: skip


def answers(rules: list[Json], *, used: list[str] | None = None, **lists: list[str]) -> dict[str, Answer]:
    interfaces = [
        {"NetworkInterfaceId": f"eni-{n}", "InterfaceType": kind} for n, kind in enumerate(used or [])
    ]

    def entries(arguments: Json) -> Json:
        return {"Entries": [{"Cidr": cidr} for cidr in lists[arguments["PrefixListId"].replace("-", "_")]]}

    return {
        "ec2:DescribeSecurityGroupRules": {"SecurityGroupRules": rules},
        "ec2:DescribeNetworkInterfaces": {"NetworkInterfaces": interfaces},
        "ec2:GetManagedPrefixListEntries": entries,
    }


def canonical_group(rules: list[Json]) -> Json:
    """The group as the collector would have read it beside: EC2 groups peers by protocol and ports."""
    fields = {
        "CidrIpv4": ("IpRanges", "CidrIp"),
        "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
        "PrefixListId": ("PrefixListIds", "PrefixListId"),
    }
    permissions = []
    for each in rules:
        if each["IsEgress"]:
            continue
        found: Json = {"IpProtocol": each["IpProtocol"]}
        if each["IpProtocol"] != "-1":
            found |= {"FromPort": each["FromPort"], "ToPort": each["ToPort"]}
        for name, (listed, field) in fields.items():
            if name in each:
                found[listed] = [{field: each[name]}]
        if "ReferencedGroupInfo" in each:
            found["UserIdGroupPairs"] = [each["ReferencedGroupInfo"]]
        permissions.append(found)
    return {"GroupName": "web", "SecurityGroupIngress": rules_of(permissions, "Source")}


def about(
    rules: list[Json], name: str = SSH, lists: dict[str, list[str]] | None = None, **parameters: Any
) -> Target:
    others = [
        Resource("AWS::EC2::PrefixList", id, ACCOUNT, REGION, {"Entries": [{"Cidr": c} for c in cidrs]})
        for id, cidrs in (lists or {}).items()
    ]
    return judged(target(HANDLER, GROUP, parameters=parameters), name, canonical_group(rules), *others)


def after(rules: list[Json], proposal: Proposal) -> list[Json]:
    """What EC2 would have after the calls: each takes away or adds exactly the rule it spells."""
    left = list(proposal_before(rules))
    for step in proposal.steps:
        left = made(left, step.call)
    return sorted(left, key=key_of)


def proposal_before(rules: list[Json]) -> list[Json]:
    found: list[Json] = image(HANDLER, about(rules), answers(rules))["rules"]
    return found


def made(rules: list[Json], call: Call) -> list[Json]:
    (spelled,) = call.arguments["IpPermissions"]
    peers = {"IpRanges": ("CidrIpv4", "CidrIp"), "Ipv6Ranges": ("CidrIpv6", "CidrIpv6"),
             "PrefixListIds": ("PrefixListId", "PrefixListId")}  # fmt: skip
    changed: Json = {"IsEgress": False}
    changed |= {name: spelled[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in spelled}
    for listed, (name, field) in peers.items():
        for peer in spelled.get(listed, []):
            changed[name] = peer[field]
            changed |= {"Description": peer["Description"]} if "Description" in peer else {}
    for spec in call.arguments.get("TagSpecifications", []):
        changed["Tags"] = spec["Tags"]
    if call.operation.startswith("Authorize"):
        assert key_of(changed) not in {key_of(r) for r in rules}, "InvalidPermission.Duplicate"
        return [*rules, changed]
    left = [r for r in rules if key_of(r) != key_of(changed)]
    assert len(left) == len(rules) - 1, "InvalidPermission.NotFound"
    return left


def test_only_the_open_rule_goes_and_comes_back_with_description_and_tags() -> None:
    tags = [{"Key": "ticket", "Value": "OPS-1"}, {"Key": "Owner", "Value": "web"}]
    open_ = rule(1, "tcp", 22, 22, CidrIpv4=WORLD, Description="temporary", Tags=tags)
    rules = [open_, rule(2, "tcp", 443, 443, CidrIpv4=WORLD), rule(3, "tcp", 22, 22, CidrIpv4="10.0.0.0/8")]
    (step,) = propose(HANDLER, about(rules), answers(rules)).steps
    spelled = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    assert step.call == Call(
        "ec2", "RevokeSecurityGroupIngress",
        {"GroupId": GROUP, "IpPermissions": [{**spelled, "IpRanges": [{"CidrIp": WORLD}]}]},
    )  # fmt: skip
    (undo,) = step.undo
    assert undo.arguments["IpPermissions"] == [
        {**spelled, "IpRanges": [{"CidrIp": WORLD, "Description": "temporary"}]}
    ]
    assert undo.arguments["TagSpecifications"] == [
        {"ResourceType": "security-group-rule", "Tags": [tags[1], tags[0]]}
    ]


def test_ipv6_and_prefix_lists_are_closed_as_ipv4_is() -> None:
    rules = [
        rule(1, "tcp", 3389, 3389, CidrIpv6="::/0"),
        rule(2, "tcp", 22, 22, PrefixListId="pl-0b"),
        rule(3, "tcp", 22, 22, PrefixListId="pl-0c"),
    ]
    lists = {"pl-0b": [WORLD], "pl-0c": ["198.51.100.0/24"]}
    found = propose(
        HANDLER, about(rules[1:], lists=lists), answers(rules[1:], pl_0b=[WORLD], pl_0c=lists["pl-0c"])
    )
    (step,) = found.steps
    assert step.call.arguments["IpPermissions"][0]["PrefixListIds"] == [{"PrefixListId": "pl-0b"}]
    assert found.after["prefix_lists"] == {"pl-0c": ["198.51.100.0/24"]}
    (step,) = propose(HANDLER, about(rules[:1]), answers(rules[:1])).steps
    assert step.call.arguments["IpPermissions"][0]["Ipv6Ranges"] == [{"CidrIpv6": "::/0"}]


def test_incident_asr_246_a_restricted_rule_for_all_traffic_stays() -> None:
    """ASR removed a restricted all-traffic rule together with the open one for SSH."""
    restricted = rule(1, "-1", -1, -1, CidrIpv4="203.0.113.7/32")
    peers = rule(2, "-1", -1, -1, ReferencedGroupInfo={"GroupId": "sg-1", "UserId": ACCOUNT})
    rules = [restricted, peers, rule(3, "tcp", 22, 22, CidrIpv4=WORLD)]
    for name in (SSH, "security-group-public-ports-only-web"):
        found = propose(HANDLER, about(rules, name), answers(rules))
        assert [step.call.arguments["IpPermissions"][0]["FromPort"] for step in found.steps] == [22]


def test_incident_asr_246_in_reverse_all_traffic_goes_and_https_stays() -> None:
    rules = [rule(1, "-1", -1, -1, CidrIpv4=WORLD), rule(2, "tcp", 443, 443, CidrIpv4=WORLD)]
    found = propose(HANDLER, about(rules, "security-group-not-all-traffic"), answers(rules))
    (step,) = found.steps
    assert step.call.arguments["IpPermissions"] == [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": WORLD}]}]


def test_incident_prowler_whole_permission_the_other_sources_of_a_permission_stay() -> None:
    """Prowler's fixer revokes the IpPermission it matched, with every source in it."""
    rules = [
        rule(1, "tcp", 22, 22, CidrIpv4=WORLD),
        rule(2, "tcp", 22, 22, CidrIpv4="192.0.2.10/32"),
        rule(3, "tcp", 22, 22, CidrIpv6="2001:db8::/64"),
        rule(4, "tcp", 22, 22, ReferencedGroupInfo={"GroupId": "sg-bastion"}),
    ]
    (step,) = propose(HANDLER, about(rules), answers(rules)).steps
    (spelled,) = step.call.arguments["IpPermissions"]
    assert spelled["IpRanges"] == [{"CidrIp": WORLD}]
    assert not {"Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"} & spelled.keys()


def test_a_rule_that_covers_more_than_was_found_is_never_cut_silently() -> None:
    rules = [rule(1, "tcp", 0, 65535, CidrIpv4=WORLD)]
    (concern,) = propose(HANDLER, about(rules), answers(rules)).concerns
    assert "ports 0 to 65535" in concern and "all of it closes" in concern
    assert not propose(HANDLER, about(one := [rule(1, "tcp", 22, 22, CidrIpv4=WORLD)]), answers(one)).concerns


def test_ports_that_must_stay_are_opened_before_the_wide_rule_goes() -> None:
    rules = [
        rule(1, "-1", -1, -1, CidrIpv4=WORLD, Description="all"),
        rule(2, "tcp", 80, 80, CidrIpv4=WORLD),
    ]
    found = propose(HANDLER, about(rules, keep_ports=[443, 80]), answers(rules))
    keep, revoke = found.steps
    assert keep.call.operation == "AuthorizeSecurityGroupIngress"
    assert keep.call.arguments["IpPermissions"][0]["FromPort"] == 443, "80 is open by a rule of its own"
    assert revoke.call.operation == "RevokeSecurityGroupIngress"
    ports = sorted(each["FromPort"] for each in found.after["rules"])
    assert ports == [80, 443]


def test_a_group_in_use_asks() -> None:
    rules = [rule(1, "tcp", 22, 22, CidrIpv4=WORLD)]
    (concern,) = propose(HANDLER, about(rules), answers(rules, used=["interface", "vpc_endpoint"])).concerns
    assert "interface, vpc_endpoint" in concern


def test_sources_that_only_together_are_the_internet_are_for_a_person() -> None:
    pieces = [rule(n, "tcp", 22, 22, CidrIpv4=f"{n}.0.0.0/8") for n in range(11, 60)]
    said = refused(HANDLER, about(pieces), answers(pieces))
    assert said.code == "unsupported" and "several together" in said.text
    halves = [rule(1, "tcp", 0, 1000, CidrIpv4=WORLD), rule(2, "tcp", 1001, 65535, CidrIpv4=WORLD)]
    assert (
        refused(HANDLER, about(halves, "security-group-not-all-traffic"), answers(halves)).code
        == "unsupported"
    )


def test_what_cannot_be_put_back_or_read_is_refused() -> None:
    tagged = [
        rule(1, "tcp", 22, 22, CidrIpv4=WORLD, Tags=[{"Key": "aws:cloudformation:stack-name", "Value": "s"}])
    ]
    assert refused(HANDLER, about(tagged), answers(tagged)).code == "owned_by_code"
    shared = [{**rule(1, "tcp", 22, 22, CidrIpv4=WORLD), "GroupOwnerId": "999999999999"}]
    assert refused(HANDLER, about(shared), answers(shared)).code == "unsupported"
    rules = [rule(1, "tcp", 22, 22, CidrIpv4=WORLD)]
    assert refused(HANDLER, about(rules), answers([])).code == "drifted"
    denied = {**answers(rules), "ec2:DescribeNetworkInterfaces": Failing("UnauthorizedOperation")}
    assert refused(HANDLER, about(rules), denied).code == "not_known"


def test_a_finding_of_another_kind_is_refused() -> None:
    said = refused(HANDLER, target(HANDLER, GROUP), answers([]))
    assert said.code == "unsupported"


CIDRS = st.sampled_from([WORLD, "10.0.0.0/8", "203.0.113.0/24", "0.0.0.0/1", "192.0.2.1/32"])
PORTS = st.sampled_from([(22, 22), (443, 443), (0, 65535), (3306, 3306), (20, 30), (3389, 3389)])


@st.composite
def groups(draw: st.DrawFn) -> list[Json]:
    found: dict[bytes, Json] = {}
    for number in range(draw(st.integers(1, 9))):
        low, high = draw(PORTS)
        protocol = draw(st.sampled_from(["tcp", "udp", "-1"]))
        low, high = (-1, -1) if protocol == "-1" else (low, high)
        peer: Json = {"CidrIpv4": draw(CIDRS)}
        kind = draw(st.integers(0, 3))
        if kind == 0:
            peer = {"CidrIpv6": draw(st.sampled_from(["::/0", "2001:db8::/32", "2000::/3"]))}
        if kind == 1:
            peer = {"ReferencedGroupInfo": {"GroupId": draw(st.sampled_from(["sg-1", "sg-2"]))}}
        if draw(st.booleans()):
            peer |= {"Description": draw(st.sampled_from(["web", "ticket 7"]))}
        if draw(st.booleans()):
            peer |= {"Tags": [{"Key": "a", "Value": "b"}]}
        each = rule(number, protocol, low, high, egress=draw(st.booleans()), **peer)
        bare = {k: v for k, v in each.items() if k not in ("SecurityGroupRuleId", "Description", "Tags")}
        found[key_of(bare)] = each
    return list(found.values())


@pytest.mark.parametrize(
    "name",
    [
        SSH,
        "security-group-database-ports-closed",
        "security-group-not-all-traffic",
        "security-group-public-ports-only-web",
    ],
)
@given(rules=groups())
def test_all_that_does_not_offend_stays_byte_for_byte(name: str, rules: list[Json]) -> None:
    asked = about(rules, name)
    if asked.finding.verdict != "FAIL":
        return
    before = image(HANDLER, asked, answers(rules))
    try:
        found = propose(HANDLER, asked, answers(rules))
    except Refused as said:
        assert said.code == "unsupported"
        return
    gone = [each for each in before["rules"] if each not in found.after["rules"]]
    assert 0 < len(gone) == len(found.steps)
    assert [each for each in before["rules"] if each not in gone] == found.after["rules"]
    assert after(rules, found) == sorted(found.after["rules"], key=key_of)
    left = before["rules"]
    for step in found.steps:
        left = made(left, step.call)
    for step in reversed(found.steps):
        for call in step.undo:
            left = made(left, call)
    assert sorted(left, key=key_of) == sorted(before["rules"], key=key_of)
    for each in gone:  # each that goes is wrong by itself: alone in a group it fails the rule as well
        (raw,) = [r for r in rules if not r["IsEgress"] and _peer(r) == _peer(each)]
        alone = about([raw], name)
        assert alone.finding.verdict == "FAIL"


def _peer(each: Json) -> tuple[Any, ...]:
    ports = (each["FromPort"], each["ToPort"]) if each["IpProtocol"] != "-1" else ()
    return (each["IpProtocol"], ports, each.get("CidrIpv4"), each.get("CidrIpv6"))


def test_the_finding_is_the_engines() -> None:
    found = about([rule(1, "tcp", 22, 22, CidrIpv4=WORLD)])
    assert found.finding == finding(SSH, found.resource)
    assert found.finding.verdict == "FAIL"


def open_group(bench: Bench) -> str:
    ec2 = bench.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group: str = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    listed = ec2.create_managed_prefix_list(
        PrefixListName="partners", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "203.0.113.0/28"}]
    )["PrefixList"]["PrefixListId"]

    def let_in(low: int, high: int, **more: Any) -> None:
        tags = more.pop("TagSpecifications", [])
        permission = {"IpProtocol": "tcp", "FromPort": low, "ToPort": high, **more}
        ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[permission], **({"TagSpecifications": tags} if tags else {})
        )

    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "ticket", "Value": "OPS-1"}]}]
    let_in(22, 22, IpRanges=[{"CidrIp": WORLD, "Description": "temporary"}], TagSpecifications=tags)
    let_in(22, 22, IpRanges=[{"CidrIp": "192.0.2.1/32", "Description": "bastion"}])
    let_in(3000, 4000, Ipv6Ranges=[{"CidrIpv6": "::/0"}])
    let_in(443, 443, IpRanges=[{"CidrIp": WORLD}])
    let_in(22, 22, PrefixListIds=[{"PrefixListId": listed}])
    let_in(5432, 5432, UserIdGroupPairs=[{"GroupId": group}])
    return group


def test_laws(bench: Bench) -> None:
    applied = bench.laws(SSH, "AWS::EC2::SecurityGroup", open_group(bench))
    assert len(applied.plan["steps"]) == 2
    assert applied.plan["approvals"] >= 1, "a rule for a thousand ports goes only where somebody said so"


def test_laws_with_ports_that_stay(bench: Bench) -> None:
    ec2 = bench.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": WORLD}]}]
    )
    applied = bench.laws(
        "security-group-not-all-traffic",
        "AWS::EC2::SecurityGroup",
        group,
        parameters={"keep_ports": [80, 443]},
    )
    assert [step["name"] for step in applied.plan["steps"]] == ["keep-1", "keep-2", "revoke-1"]


def test_one_open_port_of_an_unused_group_needs_nobody_and_a_used_one_asks(bench: Bench) -> None:
    rule, type = "security-group-database-ports-closed", "AWS::EC2::SecurityGroup"
    ec2 = bench.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="db", Description="db", VpcId=vpc)["GroupId"]
    opened = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": WORLD}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=opened)
    alone = bench.plan(rule, type, group).action
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[group])
    used = bench.plan(rule, type, group).action
    assert alone is not None and used is not None
    assert not alone.plan["concerns"]
    assert "the group is in use (interface)" in used.plan["concerns"][0]


def test_all_that_are_open_by_themselves_go_at_once() -> None:
    """Were a prefix list left open beside what goes, the group would fail still and all of it be taken back."""
    rules = [rule(1, "tcp", 22, 22, CidrIpv4=WORLD), rule(2, "tcp", 22, 22, PrefixListId="pl-0b"),
             rule(3, "tcp", 22, 22, CidrIpv4="198.51.100.7/32"), rule(4, "tcp", 22, 22, CidrIpv6="::/0")]  # fmt: skip
    lists = {"pl-0b": ["0.0.0.0/1", "128.0.0.0/1"]}
    found = propose(HANDLER, about(rules, lists=lists), answers(rules, pl_0b=lists["pl-0b"]))
    assert len(found.steps) == 3
    (left,) = found.after["rules"]
    assert left["CidrIpv4"] == "198.51.100.7/32"
