"""Amazon EC2 and VPC, as AWS Config records them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from policyengine.model.values import OpenList, Unresolved
from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType, objects, said, under
from policyengine.sources.live.collectors.ec2 import rules_of
from policyengine.sources.live.collectors.ec2_instances import instance
from policyengine.sources.live.spec import Collector
from policyengine.sources.live.table import collector_of

Json = dict[str, Any]


def _permissions(given: Any) -> list[Json]:
    """The permissions in EC2's own names.

    ``ipRanges`` are plain texts, and ``ipv4Ranges`` the same with descriptions; items from before 2018 have only the
    former (https://github.com/awslabs/aws-config-resource-schema, AWS::EC2::SecurityGroup).
    """
    found = []
    for permission in objects(given):
        ranges = permission.get("ipv4Ranges") or permission.get("ipRanges")
        found.append(
            {
                **{name[0].upper() + name[1:]: permission[name] for name in ("ipProtocol", "fromPort", "toPort")
                   if permission.get(name) is not None},
                "IpRanges": _peers(ranges, "cidrIp", "CidrIp"),
                "Ipv6Ranges": _peers(permission.get("ipv6Ranges"), "cidrIpv6", "CidrIpv6"),
                "PrefixListIds": _peers(permission.get("prefixListIds"), "prefixListId", "PrefixListId"),
                "UserIdGroupPairs": [
                    {"GroupId": pair.get("groupId"), "UserId": pair.get("userId"), "Description": pair.get("description")}
                    for pair in objects(permission.get("userIdGroupPairs"))
                ],
            }
        )  # fmt: skip
    return found


def _peers(given: Any, name: str, canonical: str) -> list[Json]:
    peers = (
        [{name: peer} if isinstance(peer, str) else peer for peer in given] if isinstance(given, list) else []
    )
    return [
        {canonical: peer.get(name), "Description": peer.get("description")}
        for peer in peers
        if isinstance(peer, dict)
    ]


def _group(item: Item) -> Json:
    given = item.configuration
    return {
        "GroupId": given.get("groupId") or item.id,
        "Id": given.get("groupId") or item.id,
        "GroupName": given.get("groupName"),
        "GroupDescription": given.get("description"),
        "VpcId": given.get("vpcId"),
        "SecurityGroupIngress": _rules(given, "ipPermissions", "Source"),
        "SecurityGroupEgress": _rules(given, "ipPermissionsEgress", "Destination"),
        "Tags": given.get("tags"),
    }


_BEFORE_IPV6: Final = Unresolved(
    "not_collected", "the item is older than AWS Config's records of IPv6 ranges"
)


def _rules(given: Json, name: str, side: str) -> Any:
    """Return the rules; what items from before December 2016 do not say of IPv6 is not known."""
    if not isinstance(given.get(name), list):
        return Unresolved("not_collected", "AWS Config did not record the rules")
    rules = rules_of(_permissions(given[name]), side)
    found = [{key: value for key, value in rule.items() if value is not None} for rule in rules]
    old = any("ipv6Ranges" not in permission for permission in objects(given[name]))
    return OpenList(found, _BEFORE_IPV6) if old else found


def _volume(item: Item) -> Json:
    attached = [
        {"VolumeId": a.get("volumeId"), "InstanceId": a.get("instanceId"), "Device": a.get("device")}
        for a in objects(item.configuration.get("attachments"))
    ]
    made = {**item.configuration, "related.attachments": attached}
    return said(made, item.configuration, {"related.attachments": "attachments"})


def _instance(item: Item) -> Json:
    """AWS Config writes EC2's own names with a small letter: the live collector's shape does the rest."""
    given = {"InstanceId": item.id, **_api(item.configuration)}
    given["State"] = given["State"] if isinstance(given.get("State"), dict) else {"Name": given.get("State")}
    if isinstance(given.get("Monitoring"), str):
        given["Monitoring"] = {"State": given["Monitoring"]}
    made = {
        **instance(given),
        "BlockDeviceMappings": [_device(m) for m in objects(given.get("BlockDeviceMappings"))],
    }
    return said(made, item.configuration, _INSTANCE_FROM)


_INSTANCE_FROM: Final = {
    "Monitoring": "monitoring",
    "SecurityGroupIds": "securityGroups",
    "BlockDeviceMappings": "blockDeviceMappings",
    "Volumes": "blockDeviceMappings",
    "related.volume_attachments": "blockDeviceMappings",
}


def _api(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name[:1].upper() + name[1:]: _api(below) for name, below in value.items() if below is not None
        }
    return [_api(element) for element in value] if isinstance(value, list) else value


def _device(mapping: Json) -> Json:
    """What the volumes are stands in their own items."""
    return {
        "DeviceName": mapping.get("DeviceName"),
        "Ebs": {"DeleteOnTermination": under(mapping, "Ebs", "DeleteOnTermination")},
    }


def _as_live(type: str, identifier: str, sources: Mapping[str, str]) -> Callable[[Item], Json]:
    """What the type's live collector makes of EC2's answer; ``sources`` as :func:`said` takes them."""

    def shape(item: Item) -> Json:
        collector = collector_of(type)
        assert isinstance(collector, Collector)
        assert collector.shape is not None
        made = collector.shape({identifier: item.id, **_api(item.configuration)})
        return said(made, item.configuration, sources)

    return shape


TYPES = (
    ConfigType("AWS::EC2::SecurityGroup", shape=_group),
    ConfigType(
        "AWS::EC2::Volume",
        shape=_volume,
        recorded=("KmsKeyId", "SnapshotId", "Iops"),
    ),
    ConfigType(
        "AWS::EC2::Instance",
        shape=_instance,
        recorded=(
            "KeyName", "IamInstanceProfile", "PublicIp", "Platform", "StateTransitionTime", "SecurityGroups",
            # the template it came from is not said: what it was given stands in the item
            "LaunchTemplate",
        ),
        unknown=(
            "BlockDeviceMappings.Ebs.Encrypted", "BlockDeviceMappings.Ebs.KmsKeyId",
            "BlockDeviceMappings.Ebs.VolumeType", "BlockDeviceMappings.Ebs.VolumeSize",
            "BlockDeviceMappings.Ebs.SnapshotId", "BlockDeviceMappings.Ebs.Iops",
            "MetadataOptions.InstanceMetadataTags", "MetadataOptions.HttpTokens",
        ),
    ),
    ConfigType("AWS::EC2::VPC", shape=_as_live("AWS::EC2::VPC", "VpcId", {
        "CidrBlockAssociations": "cidrBlockAssociationSet", "Ipv6CidrBlocks": "ipv6CidrBlockAssociationSet",
        "related.cidr_blocks": "cidrBlockAssociationSet",
    })),
    ConfigType("AWS::EC2::Subnet", shape=_as_live("AWS::EC2::Subnet", "SubnetId", {
        "Ipv6CidrBlocks": "ipv6CidrBlockAssociationSet", "related.cidr_blocks": "ipv6CidrBlockAssociationSet",
    })),
    ConfigType("AWS::EC2::RouteTable", shape=_as_live("AWS::EC2::RouteTable", "RouteTableId", {
        "Main": "associations", "related.gateway_associations": "associations", "related.routes": "routes",
    })),
    ConfigType("AWS::EC2::NetworkAcl", rename={"NetworkAclId": "Id"},
               shape=_as_live("AWS::EC2::NetworkAcl", "NetworkAclId", {"related.entries": "entries"})),
    ConfigType("AWS::EC2::InternetGateway",
               shape=_as_live("AWS::EC2::InternetGateway", "InternetGatewayId", {"related.attachments": "attachments"})),
    ConfigType("AWS::EC2::NatGateway", shape=_as_live("AWS::EC2::NatGateway", "NatGatewayId", dict.fromkeys(
        ("SecondaryAllocationIds", "SecondaryPrivateIpAddresses", "SecondaryPrivateIpAddressCount"),
        "natGatewayAddresses",
    ))),
    ConfigType("AWS::EC2::FlowLog", rename={"FlowLogId": "Id"}, shape=_as_live("AWS::EC2::FlowLog", "FlowLogId", {
        "ResourceType": "resourceId",
    })),
    ConfigType("AWS::EC2::NetworkInterface", rename={"NetworkInterfaceId": "Id"},
               shape=_as_live("AWS::EC2::NetworkInterface", "NetworkInterfaceId", {
                   "GroupSet": "groups", "Tags": "tagSet", "Ipv6AddressCount": "ipv6Addresses",
                   "PrimaryPrivateIpAddress": "privateIpAddress", "SecondaryPrivateIpAddresses": "privateIpAddresses",
                   "SecondaryPrivateIpAddressCount": "privateIpAddresses",
               })),
    ConfigType("AWS::EC2::EIP", shape=_as_live("AWS::EC2::EIP", "AllocationId", {}),
               recorded=("AssociationId", "InstanceId", "NetworkInterfaceId", "related.associations")),
    ConfigType("AWS::EC2::LaunchTemplate", rename={"Id": "LaunchTemplateId"}, recorded=("LaunchTemplateData",)),
)  # fmt: skip
