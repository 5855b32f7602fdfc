"""What VPC's answers become: names of the registry, satellites folded in."""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]


def _without_empty(item: Json, *names: str) -> Json:
    return {name: item[name] for name in names if item.get(name) not in (None, "")}


def _associated(item: Json, name: str) -> list[Json]:
    """Return the CIDR associations that hold."""
    found = item.get(name, ())
    state = "CidrBlockState" if name == "CidrBlockAssociationSet" else "Ipv6CidrBlockState"
    return [each for each in found if (each.get(state) or {}).get("State", "associated") == "associated"]


def vpc(item: Json) -> Json:
    """Return a VPC with its further CIDR blocks as satellites."""
    v4 = _associated(item, "CidrBlockAssociationSet")
    v6 = _associated(item, "Ipv6CidrBlockAssociationSet")
    second = [
        {"Id": each["AssociationId"], "CidrBlock": each["CidrBlock"], "VpcId": item["VpcId"]}
        for each in v4
        if each.get("CidrBlock") != item.get("CidrBlock")
    ]
    second += [
        {
            "Id": each["AssociationId"],
            "VpcId": item["VpcId"],
            **_without_empty(each, "Ipv6CidrBlock", "Ipv6Pool"),
        }
        for each in v6
    ]
    return {
        **item,
        "CidrBlockAssociations": [each["AssociationId"] for each in v4],
        "Ipv6CidrBlocks": [each["Ipv6CidrBlock"] for each in v6 if "Ipv6CidrBlock" in each],
        "related.cidr_blocks": second,
    }


def subnet(item: Json) -> Json:
    """Return a subnet with its IPv6 blocks as satellites."""
    v6 = _associated(item, "Ipv6CidrBlockAssociationSet")
    blocks = [each["Ipv6CidrBlock"] for each in v6 if "Ipv6CidrBlock" in each]
    found = {
        **item,
        "Ipv6CidrBlocks": blocks,
        "related.cidr_blocks": [
            {
                "Id": each["AssociationId"],
                "SubnetId": item["SubnetId"],
                **_without_empty(each, "Ipv6CidrBlock"),
            }
            for each in v6
        ],
    }
    return {**found, "Ipv6CidrBlock": blocks[0]} if blocks else found


def subnet_routes(tables: list[Json], item: Json) -> list[Json]:
    """Return the subnet's own association; a subnet without one uses the main table of its VPC."""
    return [
        {
            "Id": each.get("RouteTableAssociationId"),
            "RouteTableId": table["RouteTableId"],
            "SubnetId": item["SubnetId"],
        }
        for table in tables
        for each in table.get("Associations", ())
        if each.get("SubnetId") == item["SubnetId"]
    ]


def subnet_acl(acls: list[Json], item: Json) -> list[Json]:
    """Return the association of the subnet with its network ACL."""
    return [
        {
            "AssociationId": each.get("NetworkAclAssociationId"),
            "NetworkAclId": acl["NetworkAclId"],
            "SubnetId": item["SubnetId"],
        }
        for acl in acls
        for each in acl.get("Associations", ())
        if each.get("SubnetId") == item["SubnetId"]
    ]


_TARGETS: Final = (
    "DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId", "CarrierGatewayId",
    "CoreNetworkArn", "EgressOnlyInternetGatewayId", "InstanceId", "LocalGatewayId", "NatGatewayId",
    "NetworkInterfaceId", "OdbNetworkArn", "TransitGatewayId", "VpcPeeringConnectionId",
)  # fmt: skip


def _route(route: Json, table: str) -> Json:
    """Return a route; a gateway that is gone (a black hole) is none.

    A gateway endpoint stands among the gateways: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
    """
    found = {"RouteTableId": table, **_without_empty(route, *_TARGETS)}
    gateway = route.get("GatewayId")
    if gateway and route.get("State") != "blackhole":
        found["VpcEndpointId" if gateway.startswith("vpce-") else "GatewayId"] = gateway
    return found


def route_table(item: Json) -> Json:
    """Return a route table with its routes; ``Main`` where a VPC uses it without being told."""
    associations = item.get("Associations", ())
    return {
        **item,
        "Main": any(each.get("Main") for each in associations),
        "related.routes": [_route(route, item["RouteTableId"]) for route in item.get("Routes", ())],
        "related.gateway_associations": [
            {
                "AssociationId": each.get("RouteTableAssociationId"),
                "GatewayId": each["GatewayId"],
                "RouteTableId": item["RouteTableId"],
            }
            for each in associations
            if each.get("GatewayId")
        ],
    }


def gateway_attachments(gateways: list[Json], vpc: Json) -> list[Json]:
    """Return the attachments of internet gateways to a VPC."""
    return [
        {"AttachmentType": "IGW", "InternetGatewayId": each["InternetGatewayId"], "VpcId": vpc["VpcId"]}
        for each in gateways
    ]


def internet_gateway(item: Json) -> Json:
    """Return an internet gateway with its attachments."""
    attached = [
        {
            "AttachmentType": "IGW",
            "InternetGatewayId": item["InternetGatewayId"],
            "VpcId": each["VpcId"],
        }
        for each in item.get("Attachments", ())
        if each.get("State") not in ("detached", "detaching") and "VpcId" in each
    ]
    return {**item, "related.attachments": attached}


def egress_only(item: Json) -> Json:
    """Return an egress-only gateway with the VPC it is in."""
    vpcs = [each["VpcId"] for each in item.get("Attachments", ()) if "VpcId" in each]
    return {**item, "VpcId": vpcs[0] if vpcs else None}


def nat(item: Json) -> Json:
    """Return a NAT gateway: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NatGatewayAddress.html"""
    addresses = item.get("NatGatewayAddresses", [])
    primary: Json = next((each for each in addresses if each.get("IsPrimary", len(addresses) == 1)), {})
    others = [each for each in addresses if each is not primary]
    private = [each["PrivateIp"] for each in others if each.get("PrivateIp")]
    found = {
        **item,
        "SecondaryAllocationIds": [each["AllocationId"] for each in others if each.get("AllocationId")],
        "SecondaryPrivateIpAddresses": private,
        "SecondaryPrivateIpAddressCount": len(private),
    }
    for name, own in (
        ("AllocationId", "AllocationId"), ("NetworkInterfaceId", "EniId"), ("PrivateIp", "PrivateIpAddress")
    ):  # fmt: skip
        if primary.get(name):
            found[own] = primary[name]
    return found


_DEFAULT_ENTRY: Final = 32767
"""The last entry of every ACL, which denies and cannot be changed (32768 for IPv6):
https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html"""


def _entry(entry: Json, acl: str) -> Json:
    found = {name: value for name, value in entry.items() if name not in ("IcmpTypeCode", "Protocol")}
    protocol = str(entry.get("Protocol", ""))
    if protocol.lstrip("-").isdigit():
        found["Protocol"] = int(protocol)
    return {**found, "Icmp": entry.get("IcmpTypeCode"), "NetworkAclId": acl}


def acl(item: Json) -> Json:
    """Return a network ACL with its entries, but for the last, which denies what no other allows."""
    acl = item["NetworkAclId"]
    return {
        **item,
        "related.entries": [
            _entry(entry, acl)
            for entry in item.get("Entries", ())
            if entry.get("RuleNumber", 0) < _DEFAULT_ENTRY
        ],
    }


_LOGGED: Final = (
    ("vpc-", "VPC"), ("subnet-", "Subnet"), ("eni-", "NetworkInterface"),
    ("tgw-attach-", "TransitGatewayAttachment"), ("tgw-", "TransitGateway"), ("nat-", "RegionalNatGateway"),
)  # fmt: skip
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html (ResourceType)."""


def flow_log(item: Json) -> Json:
    """Return a flow log with the kind of what it logs."""
    named = item.get("ResourceId", "")
    kind = next((kind for start, kind in _LOGGED if named.startswith(start)), None)
    return {**item, "ResourceType": kind}


def excluded(item: Json) -> Json:
    """Return an exclusion with the VPC or subnet its ARN names."""
    kind, _, name = item.get("ResourceArn", "").rpartition(":")[2].partition("/")
    return {**item, "VpcId": name if kind == "vpc" else None, "SubnetId": name if kind == "subnet" else None}
