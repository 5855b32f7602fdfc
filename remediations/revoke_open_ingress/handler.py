"""Take the ingress rules of a security group away that a finding names, and no others."""

from __future__ import annotations

from typing import Any, Final

from policyengine.net.addresses import NONE, AddressSet, address_set, is_internet
from policyengine.net.services import ALL_PROTOCOLS, MAX_PORT, WITH_PORTS, Traffic, read_traffic
from policyengine.remediate.api import Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.group_rules import (
    interfaces_in,
    key_of,
    ordered,
    put_back,
    read_rules,
    spelled,
    take_away,
    traffic,
)

_EVERY_PORT: Final = "security-group-not-all-traffic"
"""The one rule here that is about all ports together; the others are about any of some."""
_ENTRIES: Final = "SecurityGroupIngress"
_PEERS: Final = {"CidrIp": "CidrIpv4", "CidrIpv6": "CidrIpv6", "SourcePrefixListId": "PrefixListId"}
_REASON: Final = "open_to_internet"


def image(target: Target, read: Reader) -> Json:
    """Return the rules of the group, what the prefix lists hold that may come in, and what kinds of interfaces use it.

    Kinds and not interfaces: those come and go with Auto Scaling.
    """
    rules = read_rules(read, target.id, target.account)
    lists = {}
    for name in _lists(rules):
        entries = read.all("ec2", "GetManagedPrefixListEntries", {"PrefixListId": name}, result="Entries")
        lists[name] = sorted(each["Cidr"] for each in entries)
    used = {each.get("InterfaceType", "interface") for each in interfaces_in(read, target.id)}
    return {"rules": rules, "prefix_lists": lists, "used_by": sorted(used)}


def plan(target: Target, image: Json) -> Proposal:
    """Take away each rule that alone is what the finding says is wrong.

    Where only several together are, which of them is one too many is for a person to say. Connections that are
    tracked may last until they time out:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
    """
    known = {_same(rule): rule for rule in image["rules"] if not rule["IsEgress"]}
    named = [known.get(_same(rule)) for rule in _named(target)]
    if None in named:
        raise Refused("drifted", "the group changed while it was read; ask again")
    wrong = [rule for rule in named if rule is not None and _wrong_alone(target, image, rule)]
    if not wrong:
        raise Refused(
            "unsupported",
            "no single rule is what is wrong, only several together ("
            + ", ".join(spelled(rule) for rule in named if rule is not None)
            + "): take away those that are not needed",
        )
    kept = _kept(target, image, wrong)
    steps = [Step(f"keep-{n}", put_back(target.id, rule), (take_away(target.id, rule),), f"stays: {spelled(rule)}")
             for n, rule in enumerate(kept, 1)]  # fmt: skip
    steps += [Step(f"revoke-{n}", take_away(target.id, rule), (put_back(target.id, rule),), f"closes {spelled(rule)}")
              for n, rule in enumerate(wrong, 1)]  # fmt: skip
    after = ordered([*(rule for rule in image["rules"] if rule not in wrong), *kept])
    return Proposal(
        f"close {' and '.join(spelled(rule) for rule in wrong)} in {target.id}",
        tuple(steps),
        after={
            **image,
            "rules": after,
            "prefix_lists": {name: image["prefix_lists"][name] for name in _lists(after)},
        },
        concerns=tuple(_concerns(image, wrong, kept)),
    )


def _lists(rules: list[Json]) -> list[str]:
    return sorted({r["PrefixListId"] for r in rules if "PrefixListId" in r and not r["IsEgress"]})


def _named(target: Target) -> list[Json]:
    """Return the rules that the finding's evidence stands at. Raises Refused for evidence of another kind."""
    entries = target.resource.properties.get(_ENTRIES)
    found: dict[bytes, Json] = {}
    for evidence in target.finding.evidence:
        path: Any = evidence.path
        if evidence.reason != _REASON or len(path) != 3 or path[0] != _ENTRIES or path[2] not in _PEERS:
            raise Refused("unsupported", f"the finding names no ingress rule: {evidence.reason} at {path}")
        assert isinstance(entries, list), "evidence stands at an entry"
        entry = entries[path[1]]
        rule = {"IsEgress": False, _PEERS[path[2]]: entry[path[2]]}
        rule |= {name: entry[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in entry}
        found[key_of(rule)] = rule
    if not found:
        raise Refused("unsupported", "the finding names no ingress rule")
    return list(found.values())


def _traffic(rule: Json) -> Traffic:
    return read_traffic(rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))


def _same(rule: Json) -> tuple[Any, ...]:
    """What one rule is called by both descriptions of a group: ports that mean nothing are spelled differently."""
    peer = next(
        ((name, rule[name]) for name in _PEERS.values() if name in rule), rule.get("ReferencedGroupInfo")
    )
    ports = () if _traffic(rule).protocol in WITH_PORTS else (rule.get("FromPort"), rule.get("ToPort"))
    if rule["IpProtocol"] not in ("icmp", "1", "icmpv6", "58"):
        ports = ()
    return (str(peer), _traffic(rule), ports)


def _wrong_alone(target: Target, image: Json, rule: Json) -> bool:
    """Whether the rule opens what it opens to the internet by itself, as ``net.open_to_internet`` counts it."""
    if not is_internet(_addresses(image, rule).public()):
        return False
    if target.finding.rule != _EVERY_PORT:
        return True
    found = _traffic(rule)
    whole = found.low <= 1 and found.high == MAX_PORT  # port 0 is reserved, so nobody needs it
    return found.protocol == ALL_PROTOCOLS or (found.protocol in WITH_PORTS and whole)


def _addresses(image: Json, rule: Json) -> AddressSet:
    if "PrefixListId" in rule:
        return address_set(*image["prefix_lists"][rule["PrefixListId"]])
    cidr = rule.get("CidrIpv4") or rule.get("CidrIpv6")
    return address_set(cidr) if cidr else NONE


def _kept(target: Target, image: Json, wrong: list[Json]) -> list[Json]:
    """Return narrower rules in place of wide ones, for the ports the settings say must stay open; none by default."""
    present = {_same(rule) for rule in image["rules"] if rule not in wrong}
    found = []
    for rule in wrong:
        wide = _traffic(rule)
        if wide.protocol not in (ALL_PROTOCOLS, 6) or wide.low == wide.high:
            continue
        for port in sorted(set(target.parameters["keep_ports"])):
            narrow = {**rule, "IpProtocol": "tcp", "FromPort": port, "ToPort": port}
            if wide.low <= port <= wide.high and _same(narrow) not in present:
                present.add(_same(narrow))
                found.append(narrow)
    return found


def _concerns(image: Json, wrong: list[Json], kept: list[Json]) -> list[str]:
    found = []
    if image["used_by"]:
        found.append(
            f"the group is in use ({', '.join(image['used_by'])}): who comes in by what is closed no longer does"
        )
    for rule in wrong:
        wide = _traffic(rule)
        if wide.protocol not in WITH_PORTS or wide.low != wide.high:
            stays = [spelled(each) for each in kept]
            told = f"but for {', '.join(stays)}, " if stays else ""
            found.append(
                f"{traffic(rule)} is one rule: {told}all of it closes, also ports that the finding does not mean"
            )
    return found
