"""Amazon EC2: volumes, snapshots, images, key pairs and security groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policyengine.sources.live.collectors.common import backup_protection
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


def owned(item: Json, names: Mapping[str, str]) -> bool:
    """Whether the account owns it: what another account shares is that account's to judge."""
    return bool(item.get("OwnerId", names["account"]) == names["account"])


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


def _volume(item: Json) -> Json:
    attached = [
        {name: one[name] for name in ("Device", "InstanceId", "VolumeId", "EbsCardIndex") if name in one}
        for one in item.get("Attachments", ())
        if one.get("State") != "detached"
    ]
    return {**item, "related.attachments": attached}


def _shares(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolumePermission.html: ``all`` is everybody."""
    permissions = result.get("CreateVolumePermissions", [])
    public = any(each.get("Group") == "all" for each in permissions)
    return {"CreateVolumePermissions": permissions, "Public": public}


PAGE: Final[Mapping[str, Any]] = {"MaxResults": 1000}
"""Without it EC2 gives all at once, which it may refuse for many:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination"""
ARN = "arn:{partition}:ec2:{region}:{account}"
"""How the ARNs of EC2 begin."""

COLLECTORS = (
    Collector(
        "AWS::EC2::Volume",
        "ec2",
        Step("DescribeVolumes", "Volumes", PAGE),
        id="{VolumeId}",
        arn=ARN + ":volume/{VolumeId}",
        shape=_volume,
        gives=("related.attachments",),
        details=(
            Step(
                "DescribeVolumeAttribute",
                "AutoEnableIO.Value",
                {"VolumeId": "{VolumeId}", "Attribute": "autoEnableIO"},
                into="AutoEnableIO",
                gone=("InvalidVolume.NotFound",),
                only_named=True,
            ),
            backup_protection(ARN + ":volume/{VolumeId}"),
        ),
        also={"AWS::EC2::VolumeAttachment": "related.attachments"},
    ),
    Collector(
        "AWS::EC2::Snapshot",
        "ec2",
        Step("DescribeSnapshots", "Snapshots", {"OwnerIds": ["self"], **PAGE}),
        id="{SnapshotId}",
        arn="arn:{partition}:ec2:{region}::snapshot/{SnapshotId}",
        keep=owned,
        details=(
            Step(
                "DescribeSnapshotAttribute",
                "",
                {"SnapshotId": "{SnapshotId}", "Attribute": "createVolumePermission"},
                gives=("CreateVolumePermissions", "Public"),
                gone=("InvalidSnapshot.NotFound",),
                shape=_shares,
                only_named=True,
            ),
        ),
    ),
    Collector(
        "AWS::EC2::Image",
        "ec2",
        Step("DescribeImages", "Images", {"Owners": ["self"], "IncludeDisabled": True, **PAGE}),
        id="{ImageId}",
        arn="arn:{partition}:ec2:{region}::image/{ImageId}",
        details=(
            Step(
                "DescribeImageAttribute",
                "LaunchPermissions",
                {"ImageId": "{ImageId}", "Attribute": "launchPermission"},
                into="LaunchPermissions",
                gone=("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"),
                only_named=True,
            ),
        ),
    ),
    Collector(
        "AWS::EC2::KeyPair",
        "ec2",
        Step("DescribeKeyPairs", "KeyPairs"),
        id="{KeyName}",
        arn=ARN + ":key-pair/{KeyPairId}",
    ),
    Collector(
        "AWS::EC2::SnapshotBlockPublicAccess",
        "ec2",
        Step("GetSnapshotBlockPublicAccessState"),
        id="{account}",
        tags="",
    ),
    Collector(
        "AWS::EC2::SecurityGroup",
        "ec2",
        Step("DescribeSecurityGroups", "SecurityGroups", PAGE),
        id="{GroupId}",
        arn=ARN + ":security-group/{GroupId}",
        shape=_group,
        gives=("GroupDescription", "SecurityGroupIngress", "SecurityGroupEgress", "Id"),
        also={
            "AWS::EC2::SecurityGroupIngress": "SecurityGroupIngress",
            "AWS::EC2::SecurityGroupEgress": "SecurityGroupEgress",
        },
    ),
)
