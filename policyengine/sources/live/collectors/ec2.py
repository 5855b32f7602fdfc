"""Amazon EC2: volumes and security groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]

_PEERS = {
    "IpRanges": (("CidrIp", "CidrIp"),),
    "Ipv6Ranges": (("CidrIpv6", "CidrIpv6"),),
    "PrefixListIds": (("PrefixListId", "{side}PrefixListId"),),
    "UserIdGroupPairs": (("GroupId", "{side}SecurityGroupId"), ("UserId", "SourceSecurityGroupOwnerId")),
}


def rules_of(permissions: list[Json], side: str) -> list[Json]:
    """Return the canonical rules: AWS groups peers under a permission, the registry has one peer per rule.

    ``side`` is ``Source`` or ``Destination``. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    return [rule for permission in permissions for rule in _rules(permission, side)]


def _rules(permission: Json, side: str) -> Iterator[Json]:
    ports: Json = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
    for field, names in _PEERS.items():
        for peer in permission.get(field, ()):
            rule = dict(ports)
            for name, canonical in names:
                if name in peer and not (name == "UserId" and side == "Destination"):
                    rule[canonical.format(side=side)] = peer[name]
            if peer.get("Description"):
                rule["Description"] = peer["Description"]
            yield rule


def _group(item: Json) -> Json:
    return {
        "GroupId": item["GroupId"],
        "Id": item["GroupId"],
        "GroupName": item.get("GroupName"),
        "GroupDescription": item.get("Description"),
        "VpcId": item.get("VpcId"),
        "SecurityGroupIngress": rules_of(item.get("IpPermissions", []), "Source"),
        "SecurityGroupEgress": rules_of(item.get("IpPermissionsEgress", []), "Destination"),
        "Tags": item.get("Tags"),
    }


_EC2_ARN = "arn:{partition}:ec2:{region}:{account}"

COLLECTORS = (
    Collector(
        "AWS::EC2::Volume",
        "ec2",
        Step("DescribeVolumes", "Volumes"),
        id="{VolumeId}",
        arn=_EC2_ARN + ":volume/{VolumeId}",
        details=(
            Step(
                "DescribeVolumeAttribute",
                "AutoEnableIO.Value",
                {"VolumeId": "{VolumeId}", "Attribute": "autoEnableIO"},
                into="AutoEnableIO",
                gone=("InvalidVolume.NotFound",),
            ),
        ),
        also={"AWS::EC2::VolumeAttachment": "related.attachments"},
    ),
    Collector(
        "AWS::EC2::SecurityGroup",
        "ec2",
        Step("DescribeSecurityGroups", "SecurityGroups"),
        id="{GroupId}",
        arn=_EC2_ARN + ":security-group/{GroupId}",
        shape=_group,
        gives=("GroupDescription", "SecurityGroupIngress", "SecurityGroupEgress", "Id"),
        also={
            "AWS::EC2::SecurityGroupIngress": "SecurityGroupIngress",
            "AWS::EC2::SecurityGroupEgress": "SecurityGroupEgress",
        },
    ),
)
