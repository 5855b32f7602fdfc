"""Amazon EC2: instances, launch templates, network interfaces and Elastic IP addresses."""

from __future__ import annotations

import re
from typing import Any, Final

from policyengine.model.values import Unresolved
from policyengine.sources.live.collectors.common import backup_protection
from policyengine.sources.live.collectors.ec2 import ARN, PAGE
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_GONE: Final = ("InvalidInstanceID.NotFound",)
_NOT_LISTED: Final = Unresolved("not_collected", "ec2:DescribeVolumes does not list the volume")
_NO_VERSION: Final = Unresolved(
    "not_collected", "ec2:DescribeLaunchTemplateVersions does not list its default version"
)
_SINCE: Final = re.compile(r"\((\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) GMT\)")


def _pick(item: Json, **names: str) -> Json:
    return {own: item[theirs] for own, theirs in names.items() if item.get(theirs) is not None}


def instance(item: Json) -> Json:
    """Return an instance as the registry names things.

    Groups are named by id, as in every VPC. The launch template an instance came from is not said: what it was
    given stands in the answer itself, and the template may say something else today.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    left_out = (
        "BlockDeviceMappings", "IamInstanceProfile", "Monitoring", "NetworkInterfaces", "SecurityGroups",
        "State", "StateTransitionReason", "Placement", "Licenses",
    )  # fmt: skip
    found = {name: value for name, value in item.items() if name not in left_out}
    placement, state = item.get("Placement") or {}, item.get("State") or {}
    found |= _pick(
        placement,
        AvailabilityZone="AvailabilityZone",
        Tenancy="Tenancy",
        Affinity="Affinity",
        HostId="HostId",
        HostResourceGroupArn="HostResourceGroupArn",
        PlacementGroupName="GroupName",
    )
    found |= _pick(item, PrivateIp="PrivateIpAddress", PublicIp="PublicIpAddress")
    profile = (item.get("IamInstanceProfile") or {}).get("Arn")
    if profile:
        found["IamInstanceProfile"] = profile.rpartition("/")[2]
    if "Monitoring" in item:
        found["Monitoring"] = item["Monitoring"].get("State") in ("enabled", "pending")
    if state.get("Name"):
        found |= {"State": {"Code": str(state.get("Code", "")), "Name": state["Name"]}}
        found["StateName"] = state["Name"]
    since = _SINCE.search(item.get("StateTransitionReason") or "")
    if since:
        found["StateTransitionTime"] = f"{since[1]}T{since[2]}Z"
    found["SecurityGroupIds"] = [group["GroupId"] for group in item.get("SecurityGroups", ())]
    interfaces = [_interface(each) for each in item.get("NetworkInterfaces", ())]
    if interfaces:
        found["NetworkInterfaces"] = interfaces
        ipv6 = [address for each in interfaces for address in each["Ipv6Addresses"]]
        found |= {"Ipv6Addresses": ipv6, "Ipv6AddressCount": len(ipv6)}
    found |= _volumes(item)
    found["LicenseSpecifications"] = item.get("Licenses")
    return found


def _volumes(item: Json) -> Json:
    attached = [
        {"Device": mapping["DeviceName"], "VolumeId": mapping["Ebs"]["VolumeId"]}
        for mapping in item.get("BlockDeviceMappings", ())
        if "VolumeId" in mapping.get("Ebs", {})
    ]
    own = {"InstanceId": item["InstanceId"]}
    return {"Volumes": attached, "related.volume_attachments": [{**each, **own} for each in attached]}


def _interface(item: Json) -> Json:
    """Return a network interface of an instance.

    An address that EC2 gave by itself belongs to ``amazon``, an Elastic IP address to the account:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceAssociation.html
    """
    names = ("NetworkInterfaceId", "SubnetId", "Description", "PrivateIpAddress", "PrivateIpAddresses")
    found = {name: item[name] for name in names if name in item}
    attachment, association = item.get("Attachment") or {}, item.get("Association") or {}
    if "DeviceIndex" in attachment:
        found["DeviceIndex"] = str(attachment["DeviceIndex"])
    found |= _pick(
        attachment, DeleteOnTermination="DeleteOnTermination", EnaSrdSpecification="EnaSrdSpecification"
    )
    found["GroupSet"] = [group["GroupId"] for group in item.get("Groups", ())]
    found["AssociatePublicIpAddress"] = association.get("IpOwnerId") == "amazon"
    found["Ipv6Addresses"] = item.get("Ipv6Addresses", [])
    return found


def _mappings(volumes: list[Json], item: Json) -> list[Json]:
    """Return the block device mappings with what the volumes are; an instance says only which they are."""
    known = {volume["VolumeId"]: volume for volume in volumes}
    return [_mapping(each, known) for each in item.get("BlockDeviceMappings", ())]


def _mapping(item: Json, known: dict[str, Json]) -> Json:
    ebs = item.get("Ebs", {})
    volume = known.get(ebs.get("VolumeId"), {"Encrypted": _NOT_LISTED})
    found = _pick(ebs, DeleteOnTermination="DeleteOnTermination")
    found |= _pick(
        volume,
        Encrypted="Encrypted",
        Iops="Iops",
        KmsKeyId="KmsKeyId",
        VolumeSize="Size",
        VolumeType="VolumeType",
    )
    if volume.get("SnapshotId"):
        found["SnapshotId"] = volume["SnapshotId"]
    return {"DeviceName": item.get("DeviceName"), "Ebs": found}


def _elastic(addresses: list[Json], _item: Json) -> list[Json]:
    names = ("AllocationId", "InstanceId", "NetworkInterfaceId", "PrivateIpAddress")
    return [{**{name: each[name] for name in names if each.get(name)}, **_eip(each)} for each in addresses]


def _eip(address: Json) -> Json:
    return _pick(address, Id="AssociationId", EIP="PublicIp")


def _address(item: Json) -> Json:
    associations = _elastic([item], item) if item.get("AssociationId") else []
    named = {name: value for name, value in item.items() if value != ""}
    return {**named, "related.associations": associations}


def _eni(item: Json) -> Json:
    found = {name: value for name, value in item.items() if name not in ("Groups", "TagSet")}
    addresses = item.get("PrivateIpAddresses", ())
    second = [each["PrivateIpAddress"] for each in addresses if not each.get("Primary")]
    return {
        **found,
        "GroupSet": [group["GroupId"] for group in item.get("Groups", ())],
        "Tags": item.get("TagSet", []),
        "PrimaryPrivateIpAddress": item.get("PrivateIpAddress"),
        "SecondaryPrivateIpAddresses": second,
        "SecondaryPrivateIpAddressCount": len(second),
        "Ipv6AddressCount": len(item.get("Ipv6Addresses", ())),
        "ConnectionTrackingSpecification": item.get("ConnectionTrackingConfiguration"),
    }


def _template(item: Json) -> Json:
    numbers = ("DefaultVersionNumber", "LatestVersionNumber")
    return {**item, **{name: str(item[name]) for name in numbers if name in item}}


def _ping(found: list[Json], _item: Json) -> Json | None:
    """An instance that Systems Manager does not list is not managed by it."""
    return {"SsmPingStatus": found[0].get("PingStatus")} if found else None


def _version(versions: list[Json], _item: Json) -> Json:
    if not versions:
        return {"LaunchTemplateData": _NO_VERSION}
    return {name: versions[0].get(name) for name in ("LaunchTemplateData", "VersionDescription")}


def _attribute(name: str, into: str) -> Step:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceAttribute.html"""
    return Step(
        "DescribeInstanceAttribute",
        f"{into}.Value",
        {"InstanceId": "{InstanceId}", "Attribute": name},
        into=into,
        gone=_GONE,
        only_named=True,
    )


def _patches(result: Json, _item: Json) -> Json:
    names = ("FailedCount", "MissingCount", "CriticalNonCompliantCount", "OperationEndTime")
    return {name: result[name] for name in names if name in result}


_ELASTIC = "DescribeAddresses"

COLLECTORS = (
    Collector(
        "AWS::EC2::Instance",
        "ec2",
        Step("DescribeInstances", "Reservations.Instances", PAGE),
        id="{InstanceId}",
        arn=ARN + ":instance/{InstanceId}",
        # a terminated instance is shown for an hour and is no more
        keep=lambda item, _names: (item.get("State") or {}).get("Name") != "terminated",
        shape=instance,
        rename={"BlockDeviceMappings": ""},
        gives=(
            "AvailabilityZone", "Tenancy", "Affinity", "HostId", "HostResourceGroupArn", "PlacementGroupName",
            "PrivateIp", "PublicIp", "StateName", "StateTransitionTime", "SecurityGroupIds", "SecurityGroups",
            "Volumes", "LicenseSpecifications", "LaunchTemplate", "Ipv6Addresses", "Ipv6AddressCount",
            "related.volume_attachments",
        ),
        details=(
            Step(
                "DescribeVolumes",
                "Volumes",
                PAGE,
                gives=("BlockDeviceMappings",),
                into="BlockDeviceMappings",
                once="{InstanceId}",
                key="Attachments.InstanceId",
                shape=_mappings,
                only_named=True,
            ),
            Step(
                _ELASTIC,
                "Addresses",
                gives=("related.eip_associations",),
                into="related.eip_associations",
                once="{InstanceId}",
                key="InstanceId",
                shape=_elastic,
            ),
            _attribute("disableApiTermination", "DisableApiTermination"),
            _attribute("instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior"),
            _attribute("userData", "UserData"),
            Step(
                "DescribeInstanceInformation",
                "InstanceInformationList",
                {"MaxResults": 50},
                gives=("SsmPingStatus",),
                once="{InstanceId}",
                key="InstanceId",
                shape=_ping,
                service="ssm",
                only_named=True,
            ),
            Step(
                "DescribeInstancePatchStates",
                "InstancePatchStates",
                {"InstanceIds": "{InstanceId}", "MaxResults": 100},
                into="PatchState",
                batch=50,
                key="InstanceId",
                paged=True,
                shape=_patches,
                service="ssm",
                only_named=True,
            ),
            backup_protection(ARN + ":instance/{InstanceId}"),
        ),
        also={
            "AWS::EC2::VolumeAttachment": "related.volume_attachments",
            "AWS::EC2::EIPAssociation": "related.eip_associations",
        },
    ),
    Collector(
        "AWS::EC2::LaunchTemplate",
        "ec2",
        Step("DescribeLaunchTemplates", "LaunchTemplates"),
        id="{LaunchTemplateId}",
        arn=ARN + ":launch-template/{LaunchTemplateId}",
        shape=_template,
        gives=("DefaultVersionNumber", "LatestVersionNumber"),
        details=(
            # without a template's id: the default version of every template
            Step(
                "DescribeLaunchTemplateVersions",
                "LaunchTemplateVersions",
                {"Versions": ["$Default"]},
                gives=("LaunchTemplateData", "VersionDescription"),
                once="{LaunchTemplateId}",
                key="LaunchTemplateId",
                shape=_version,
            ),
        ),
    ),
    Collector(
        "AWS::EC2::NetworkInterface",
        "ec2",
        Step("DescribeNetworkInterfaces", "NetworkInterfaces", PAGE),
        id="{NetworkInterfaceId}",
        arn=ARN + ":network-interface/{NetworkInterfaceId}",
        rename={"NetworkInterfaceId": "Id"},
        shape=_eni,
        gives=(
            "GroupSet", "Tags", "PrimaryPrivateIpAddress", "SecondaryPrivateIpAddresses",
            "SecondaryPrivateIpAddressCount", "Ipv6AddressCount", "ConnectionTrackingSpecification",
        ),
        details=(
            Step(
                _ELASTIC,
                "Addresses",
                gives=("related.eip_associations",),
                into="related.eip_associations",
                once="{NetworkInterfaceId}",
                key="NetworkInterfaceId",
                shape=_elastic,
            ),
        ),
        also={"AWS::EC2::EIPAssociation": "related.eip_associations"},
    ),
    Collector(
        "AWS::EC2::EIP",
        "ec2",
        Step(_ELASTIC, "Addresses"),
        id="{AllocationId}",
        arn=ARN + ":elastic-ip/{AllocationId}",
        shape=_address,
        gives=("related.associations",),
        also={"AWS::EC2::EIPAssociation": "related.associations"},
    ),
)  # fmt: skip
