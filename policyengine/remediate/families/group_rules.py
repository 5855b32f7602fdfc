"""Rules of security groups as handlers see them: without ids, so that one that was put back is the same again.

``ec2:DescribeSecurityGroupRules`` gives each rule with one peer; a rule is taken away and put back by its protocol, ports
and peer, of which a group has no two alike. An id would name it as well, but not after it was put back.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html ("the values that you specify
must match the existing rule's values exactly ... you do not need to specify the description")
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from policyengine.model.canonical_json import canonical
from policyengine.remediate.api import Call, Json, Reader, Refused

_PEERS: Final = {
    "CidrIpv4": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "PrefixListId": ("PrefixListIds", "PrefixListId"),
}
_GROUP: Final = ("GroupId", "UserId", "VpcPeeringConnectionId")
_WITH_PORTS: Final = frozenset({"tcp", "6", "udp", "17", "icmp", "1", "icmpv6", "58"})
"""For other protocols EC2 allows all ports whatever is said:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html"""


def read_rules(read: Reader, group: str, account: str) -> list[Json]:
    """Return all rules of a group, sorted. Raises Refused, for a group that another account shares too."""
    filters = [{"Name": "group-id", "Values": [group]}]
    found = read.all("ec2", "DescribeSecurityGroupRules", {"Filters": filters}, result="SecurityGroupRules")
    for each in found:
        if each.get("GroupOwnerId", account) != account:
            raise Refused(
                "unsupported", f"the group belongs to account {each['GroupOwnerId']}: change it there"
            )
    return ordered(_rule(each) for each in found)


def ordered(rules: Iterable[Json]) -> list[Json]:
    """Return rules in the order of images."""
    return sorted(rules, key=canonical)


def _rule(item: Json) -> Json:
    rule: Json = {"IsEgress": bool(item.get("IsEgress")), "IpProtocol": item["IpProtocol"]}
    if item["IpProtocol"] in _WITH_PORTS:
        rule |= {name: item[name] for name in ("FromPort", "ToPort") if name in item}
    rule |= {name: item[name] for name in (*_PEERS, "Description") if item.get(name)}
    referenced = item.get("ReferencedGroupInfo")
    if referenced:
        rule["ReferencedGroupInfo"] = {name: referenced[name] for name in _GROUP if referenced.get(name)}
    tags = [{"Key": tag["Key"], "Value": tag.get("Value", "")} for tag in item.get("Tags") or ()]
    if tags:
        rule["Tags"] = sorted(tags, key=lambda tag: tag["Key"])
    return rule


def key_of(rule: Json) -> bytes:
    """Return what tells a rule from all others of its group."""
    return canonical({name: value for name, value in rule.items() if name not in ("Description", "Tags")})


def permission(rule: Json, *, described: bool = True) -> Json:
    """Return the rule as ``IpPermissions`` has it: one protocol, one range of ports, one peer."""
    found: Json = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
    told = {"Description": rule["Description"]} if described and "Description" in rule else {}
    if "ReferencedGroupInfo" in rule:
        return {**found, "UserIdGroupPairs": [{**rule["ReferencedGroupInfo"], **told}]}
    for name, (listed, field) in _PEERS.items():
        if name in rule:
            return {**found, listed: [{field: rule[name], **told}]}
    raise Refused("unsupported", f"a rule of the group has no peer that is known: {canonical(rule).decode()}")


def take_away(group: str, rule: Json) -> Call:
    """Return the call that takes away this rule and no other."""
    operation = "RevokeSecurityGroupEgress" if rule["IsEgress"] else "RevokeSecurityGroupIngress"
    return Call("ec2", operation, {"GroupId": group, "IpPermissions": [permission(rule, described=False)]})


def put_back(group: str, rule: Json) -> Call:
    """Return the call that puts the rule there with its description and tags.

    Raises Refused where AWS keeps a tag for itself, so that the rule could not come back as it is.
    """
    tags = rule.get("Tags", [])
    reserved = next((tag["Key"] for tag in tags if tag["Key"].startswith("aws:")), None)
    if reserved is not None:
        raise Refused(
            "owned_by_code",
            f"a rule of the group carries the tag `{reserved}`: change it where it is declared",
        )
    operation = "AuthorizeSecurityGroupEgress" if rule["IsEgress"] else "AuthorizeSecurityGroupIngress"
    arguments: dict[str, Any] = {"GroupId": group, "IpPermissions": [permission(rule)]}
    if tags:
        arguments["TagSpecifications"] = [{"ResourceType": "security-group-rule", "Tags": tags}]
    return Call("ec2", operation, arguments)


def spelled(rule: Json) -> str:
    """Return a rule in words: ``tcp port 22 from 0.0.0.0/0``."""
    peer = next((rule[name] for name in _PEERS if name in rule), None)
    if peer is None:
        peer = rule.get("ReferencedGroupInfo", {}).get("GroupId", "an unknown peer")
    return f"{traffic(rule)} {'to' if rule['IsEgress'] else 'from'} {peer}"


def traffic(rule: Json) -> str:
    """Return protocol and ports of a rule in words."""
    protocol, low, high = rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort")
    if protocol == "-1":
        return "all traffic"
    if low is None or protocol in ("icmp", "1", "icmpv6", "58"):
        return f"protocol {protocol}"
    return f"{protocol} port {low}" if low == high else f"{protocol} ports {low} to {high}"


def interfaces_in(read: Reader, group: str) -> list[Json]:
    """Return the network interfaces in a group. Raises Refused."""
    filters = [{"Name": "group-id", "Values": [group]}]
    return read.all("ec2", "DescribeNetworkInterfaces", {"Filters": filters}, result="NetworkInterfaces")
