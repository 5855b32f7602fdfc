"""What the mapping language cannot say about security groups, network ACLs and block devices."""

from __future__ import annotations

from typing import Any

from policyengine.catalog.terraform.converters import CONVERTERS
from policyengine.model.values import OpenList, Unresolved
from policyengine.sources.terraform.draft import Draft, known_blocks, unread, values, with_unread
from policyengine.sources.terraform.mapper import settle
from policyengine.sources.terraform.values import Pending

_ANY_PROTOCOL = "-1"


def security_group(draft: Draft) -> None:
    """Inline rules become one peer per address range, prefix list or group.

    Terraform removes the allow-all egress rule AWS adds to a new group, so no ``egress`` means that
    none is allowed
    (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/security_group).
    """
    draft.properties["SecurityGroupIngress"] = _rules(draft, "ingress", "Source")
    draft.properties["SecurityGroupEgress"] = _rules(draft, "egress", "Destination")


def _rules(draft: Draft, attribute: str, side: str) -> Any:
    written = draft.tree.get(attribute)
    peers: list[dict[str, Any]] = []
    for at, block in known_blocks(written):
        for peer in rule_peers(draft, block, side):
            draft.trace[(f"SecurityGroup{attribute.capitalize()}", len(peers))] = (attribute, at)
            peers.append(peer)
    return with_unread(peers, written) or []


def rule_peers(draft: Draft, block: dict[str, Any], side: str) -> list[dict[str, Any]]:
    """Return the canonical rules of one Terraform rule: ``side`` is ``Source`` or ``Destination``."""
    base = _base(block)
    sources: list[tuple[str, Any]] = [
        *(("CidrIp", v) for v in _with_more(block.get("cidr_blocks"))),
        *(("CidrIpv6", v) for v in _with_more(block.get("ipv6_cidr_blocks"))),
        *((f"{side}PrefixListId", v) for v in _with_more(block.get("prefix_list_ids"))),
        *((f"{side}SecurityGroupId", v) for v in _with_more(block.get("security_groups"))),
        *((f"{side}SecurityGroupId", v) for v in _with_more(block.get("source_security_group_id"))),
    ]
    if isinstance(block.get("self"), Pending | Unresolved):
        sources.append((f"{side}SecurityGroupId", settle(block["self"])))
    elif block.get("self") is True:
        group = block.get("security_group_id")
        itself = settle(group) if group is not None else draft.itself()
        sources.append((f"{side}SecurityGroupId", itself))
    return [{**base, name: value} for name, value in sources]


def _with_more(written: Any) -> list[Any]:
    """Return the elements of a list, and one unknown element where there may be more."""
    found = values(written)
    return [*found, found.more] if isinstance(found, OpenList) else found


def _base(block: dict[str, Any]) -> dict[str, Any]:
    protocol = settle(block.get("protocol"))
    convert = CONVERTERS["protocol"]
    if protocol is not None and not isinstance(protocol, Unresolved) and convert is not None:
        protocol = convert(protocol)
    found = {"IpProtocol": protocol, "Description": settle(block.get("description")) or None}
    if protocol != _ANY_PROTOCOL:  # AWS ignores the ports then; Terraform insists on 0 and 0
        found["FromPort"] = settle(block.get("from_port"))
        found["ToPort"] = settle(block.get("to_port"))
    return {k: v for k, v in found.items() if v is not None}


def security_group_rule(draft: Draft) -> None:
    """One ``aws_security_group_rule`` becomes one ingress or egress resource per peer."""
    direction = draft.tree.get("type")
    known = direction in ("ingress", "egress")
    side = "Destination" if direction == "egress" else "Source"
    draft.type = (
        "AWS::EC2::SecurityGroupEgress" if direction == "egress" else "AWS::EC2::SecurityGroupIngress"
    )
    group = settle(draft.tree.get("security_group_id"))
    peers = rule_peers(draft, draft.tree, side)
    if not known or not peers:
        peers = [{**_base(draft.tree), "CidrIp": Unresolved("known_after_apply", "the peers of the rule")}]
    first, *rest = [{**({"GroupId": group} if group is not None else {}), **peer} for peer in peers]
    draft.properties.update(first)
    for at, peer in enumerate(rest, 1):
        draft.emit(draft.type, peer, {}, f"#{at}")


def single_rule(draft: Draft) -> None:
    """``aws_vpc_security_group_*_rule`` writes the ports of "all protocols" as -1 or not at all."""
    if draft.properties.get("IpProtocol") == _ANY_PROTOCOL:
        draft.properties.pop("FromPort", None)
        draft.properties.pop("ToPort", None)


def acl_entries(draft: Draft) -> None:
    """Inline ``ingress`` and ``egress`` of a network ACL become entries of it."""
    for attribute, egress in (("ingress", False), ("egress", True)):
        written = draft.tree.get(attribute)
        more = unread(written)
        if more is not None:
            unknown = dict.fromkeys(("CidrBlock", "Protocol", "RuleAction", "RuleNumber"), more)
            entry = {"NetworkAclId": draft.itself(), "Egress": egress, **unknown}
            draft.emit("AWS::EC2::NetworkAclEntry", entry, {(): (attribute,)}, f"#{attribute}")
        for at, block in known_blocks(written):
            entry = {"NetworkAclId": draft.itself(), "Egress": egress, **_entry(block)}
            draft.emit("AWS::EC2::NetworkAclEntry", entry, {(): (attribute, at)}, f"#{attribute}[{at}]")


def _entry(block: dict[str, Any]) -> dict[str, Any]:
    found = {
        "RuleNumber": block.get("rule_no"), "RuleAction": block.get("action"),
        "CidrBlock": block.get("cidr_block") or None, "Ipv6CidrBlock": block.get("ipv6_cidr_block") or None,
        "Protocol": _acl_protocol(block.get("protocol")),
    }  # fmt: skip
    return _with_ports({k: settle(v) for k, v in found.items() if v is not None}, block)


def acl_rule(draft: Draft) -> None:
    """``aws_network_acl_rule`` keeps ports and ICMP beside each other; AWS nests them."""
    draft.properties.update(_with_ports(draft.properties, draft.tree))


def _with_ports(entry: dict[str, Any], block: dict[str, Any]) -> dict[str, Any]:
    if entry.get("Protocol") == -1:
        return entry
    ports = {"From": settle(block.get("from_port")), "To": settle(block.get("to_port"))}
    ports = {k: v for k, v in ports.items() if v is not None}
    if ports:
        entry["PortRange"] = ports
    icmp = {"Code": settle(block.get("icmp_code")), "Type": settle(block.get("icmp_type"))}
    icmp = {k: v for k, v in icmp.items() if v is not None}
    if icmp and entry.get("Protocol") in (1, 58):
        entry["Icmp"] = icmp
    return entry


def _acl_protocol(value: Any) -> Any:
    convert = CONVERTERS["aclprotocol"]
    known = isinstance(value, str | int) and convert is not None
    return convert(value) if known and convert is not None else settle(value)


_EBS = {
    "delete_on_termination": "DeleteOnTermination", "encrypted": "Encrypted", "iops": "Iops",
    "kms_key_id": "KmsKeyId", "snapshot_id": "SnapshotId", "throughput": "Throughput",
    "volume_size": "VolumeSize", "volume_type": "VolumeType",
}  # fmt: skip


def block_devices(draft: Draft) -> None:
    """Root, EBS and ephemeral block devices become ``BlockDeviceMappings``.

    The root device has no name in a plan: it is called ``root``. Launch configurations hold the EBS
    settings below ``Ebs`` too.
    """
    found: list[dict[str, Any]] = []
    unknown: Unresolved | None = None
    for attribute in ("root_block_device", "ebs_block_device", "ephemeral_block_device"):
        written = draft.tree.get(attribute)
        unknown = unread(written) or unknown
        for at, block in known_blocks(written):
            draft.trace[("BlockDeviceMappings", len(found))] = (attribute, at)
            found.append(_device(attribute, block))
    if unknown is not None:
        draft.properties["BlockDeviceMappings"] = OpenList(list(found), unknown) if found else unknown
    elif found:
        draft.properties["BlockDeviceMappings"] = found


def _device(attribute: str, block: dict[str, Any]) -> dict[str, Any]:
    name = settle(block.get("device_name")) or ("root" if attribute == "root_block_device" else None)
    device: dict[str, Any] = {} if name is None else {"DeviceName": name}
    if attribute == "ephemeral_block_device":
        virtual = settle(block.get("virtual_name"))
        return device if virtual is None else {**device, "VirtualName": virtual}
    ebs = {canonical: settle(block[tf]) for tf, canonical in _EBS.items() if block.get(tf) not in (None, "")}
    return {**device, "Ebs": ebs}


def elastic_address(draft: Draft) -> None:
    """An address bound by ``instance`` or ``network_interface`` is an association too."""
    interface = settle(draft.tree.get("network_interface"))
    if interface is not None and interface != "":
        linked = {"AllocationId": draft.itself("allocation_id"), "NetworkInterfaceId": interface}
        draft.emit("AWS::EC2::EIPAssociation", linked, {(): ("network_interface",)}, "#association")
