"""EC2 from live calls: instances and what holds them, networks with their satellites."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from policyengine.aws.account import Account
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context, Shared
from policyengine.sources.live.plan import make_plan
from policyengine.sources.live.work import do
from tests.live.judging import verdict

REGION = "eu-central-1"
Collect = Callable[..., list[Resource]]


def _needs(type: str, *names: str) -> dict[str, frozenset[str]]:
    return {type: frozenset(names)}


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return {}


@pytest.fixture
def network(aws: Callable[..., Any], made: dict[str, str]) -> dict[str, str]:
    """A VPC with a public subnet, made once for the module."""
    if made:
        return made
    ec2 = aws("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ],
    )
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    instance = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        SubnetId=subnet,
        SecurityGroupIds=[group],
        UserData="echo hello",
        MetadataOptions={"HttpTokens": "required"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Owner", "Value": "a"}]}],
    )["Instances"][0]["InstanceId"]
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])
    made.update(
        vpc=vpc, subnet=subnet, gateway=gateway, table=table, group=group, instance=instance, image=image,
        address=address["AllocationId"],
    )  # fmt: skip
    return made


def _one(collect: Any, account: Account, type: str, id: str, **more: Any) -> Resource:
    found: list[Resource] = collect(account, type, region=REGION, **more)
    return next(resource for resource in found if resource.id == id)


def test_an_instance_has_the_names_of_the_registry(
    network: dict[str, str], account: Account, collect: Any
) -> None:
    type = "AWS::EC2::Instance"
    needs = _needs(
        type, "DisableApiTermination", "UserData", "BlockDeviceMappings", "related.eip_associations"
    )
    found = _one(collect, account, type, network["instance"], needs=needs)
    properties = found.properties
    assert found.tags == {"Owner": "a"}
    assert properties["SecurityGroupIds"] == [network["group"]]
    assert "SecurityGroups" not in properties  # a name is for the default VPC of old
    assert properties["Monitoring"] is False
    assert properties["MetadataOptions"]["HttpTokens"] == "required"
    assert properties["SourceDestCheck"] is True
    assert properties["StateName"] == "running"
    assert properties["DisableApiTermination"] is False
    assert base64.b64decode(properties["UserData"]).decode() == "echo hello"
    assert properties["NetworkInterfaces"][0]["GroupSet"] == [network["group"]]
    assert "IamInstanceProfile" not in properties
    (mapping,) = properties["BlockDeviceMappings"]
    assert mapping["Ebs"]["Encrypted"] is False  # from the volume: the instance does not say
    assert found.related["eip_associations"][0]["AllocationId"] == network["address"]
    assert found.related["volume_attachments"][0]["InstanceId"] == network["instance"]
    assert verdict("block-devices-encrypted", found) == "FAIL"
    assert verdict("ec2-instance-imdsv2", found) == "PASS"
    assert verdict("ec2-termination-protection", found) in ("FAIL", "NOT_APPLICABLE")


def test_user_data_is_read_only_where_a_rule_names_it(
    network: dict[str, str], account: Account, collect: Any
) -> None:
    found = _one(collect, account, "AWS::EC2::Instance", network["instance"])
    assert found.properties["UserData"] == Unresolved(
        "not_collected", "ec2:DescribeInstanceAttribute was not asked for"
    )
    assert "ec2:DescribeInstanceAttribute" not in account.log.operations()


def test_the_internet_reaches_an_instance_through_what_was_collected(
    network: dict[str, str], account: Account, collect: Any, canned: Any
) -> None:
    types = (
        "Subnet", "VPC", "RouteTable", "InternetGateway", "NetworkAcl", "SecurityGroup", "PrefixList",
        "NetworkInterface", "EIP", "VPCBlockPublicAccessExclusion",
    )  # fmt: skip
    others = [
        resource for type in types[:-1] for resource in collect(account, f"AWS::EC2::{type}", region=REGION)
    ]
    options = canned(
        {
            "ec2:DescribeVpcBlockPublicAccessOptions": {
                "VpcBlockPublicAccessOptions": {
                    "AwsAccountId": "123456789012",
                    "InternetGatewayBlockMode": "off",
                }
            }
        }
    )
    others += collect(options, "AWS::EC2::VPCBlockPublicAccessOptions", region=REGION)
    instance = _one(collect, account, "AWS::EC2::Instance", network["instance"])
    assert verdict("ec2-instance-not-reachable-from-internet", instance, others) == "FAIL"
    closed = [r for r in others if r.id != network["group"]]
    (group,) = (r for r in others if r.id == network["group"])
    group.properties["SecurityGroupIngress"] = []
    assert verdict("ec2-instance-not-reachable-from-internet", instance, [*closed, group]) == "PASS"


def test_a_network_has_its_satellites(network: dict[str, str], account: Account, collect: Any) -> None:
    subnet = _one(collect, account, "AWS::EC2::Subnet", network["subnet"])
    assert subnet.related["route_table_associations"][0]["RouteTableId"] == network["table"]
    (acl,) = subnet.related["network_acl_associations"]
    assert subnet.properties["MapPublicIpOnLaunch"] is False
    assert verdict("subnet-no-public-ip-on-launch", subnet) == "PASS"
    table = _one(collect, account, "AWS::EC2::RouteTable", network["table"])
    assert table.properties["Main"] is False
    assert {r.get("DestinationCidrBlock"): r.get("GatewayId") for r in table.related["routes"]} == {
        "10.9.0.0/16": "local",
        "0.0.0.0/0": network["gateway"],
    }
    entries = _one(collect, account, "AWS::EC2::NetworkAcl", acl["NetworkAclId"])
    assert entries.properties["IsDefault"] is True
    assert {(e["Protocol"], e["RuleAction"]) for e in entries.related["entries"]} == {(-1, "allow")}
    assert verdict("network-acl-admin-ports-closed", entries) in ("FAIL", "NOT_APPLICABLE")
    gateway = _one(collect, account, "AWS::EC2::InternetGateway", network["gateway"])
    assert gateway.related["attachments"] == [
        {"AttachmentType": "IGW", "InternetGatewayId": network["gateway"], "VpcId": network["vpc"]}
    ]
    vpc = _one(
        collect,
        account,
        "AWS::EC2::VPC",
        network["vpc"],
        needs=_needs("AWS::EC2::VPC", "related.gateway_attachments", "EnableDnsSupport"),
    )
    assert vpc.properties["EnableDnsSupport"] is True
    assert vpc.related["gateway_attachments"][0]["InternetGatewayId"] == network["gateway"]


def test_an_address_that_nobody_uses(
    aws: Callable[..., Any], network: dict[str, str], account: Account, collect: Any
) -> None:
    idle = aws("ec2", REGION).allocate_address(Domain="vpc")["AllocationId"]
    used = _one(collect, account, "AWS::EC2::EIP", network["address"])
    assert used.related["associations"][0]["InstanceId"] == network["instance"]
    assert verdict("elastic-ip-in-use", used) == "PASS"
    found = _one(collect, account, "AWS::EC2::EIP", idle)
    assert "InstanceId" not in found.properties
    assert "AssociationId" not in found.properties
    assert verdict("elastic-ip-in-use", found) == "FAIL"


@pytest.mark.slow
def test_snapshots_and_images_of_everybody(
    aws: Callable[..., Any], network: dict[str, str], account: Account, collect: Any
) -> None:
    ec2 = aws("ec2", REGION)
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1, Encrypted=True)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    kept = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )
    needs = _needs("AWS::EC2::Snapshot", "CreateVolumePermissions")
    public = _one(collect, account, "AWS::EC2::Snapshot", snapshot, needs=needs)
    assert public.properties["CreateVolumePermissions"] == [{"Group": "all"}]
    assert public.properties["Public"] is True
    assert verdict("ebs-snapshot-not-public", public) == "FAIL"
    private = _one(collect, account, "AWS::EC2::Snapshot", kept, needs=needs)
    assert private.properties["CreateVolumePermissions"] == []
    assert verdict("ebs-snapshot-not-public", private) == "PASS"
    image = ec2.create_image(InstanceId=network["instance"], Name="golden")["ImageId"]
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": "111122223333"}]})
    found = _one(
        collect, account, "AWS::EC2::Image", image, needs=_needs("AWS::EC2::Image", "LaunchPermissions")
    )
    assert found.properties["LaunchPermissions"] == [{"UserId": "111122223333"}]
    assert verdict("ami-not-public", found) == "PASS"


def test_gateways_between_networks(
    aws: Callable[..., Any], network: dict[str, str], account: Account, collect: Any
) -> None:
    ec2 = aws("ec2", REGION)
    peer = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
    peering = ec2.create_vpc_peering_connection(VpcId=network["vpc"], PeerVpcId=peer)
    peering_id = peering["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    found = _one(collect, account, "AWS::EC2::VPCPeeringConnection", peering_id)
    assert (found.properties["VpcId"], found.properties["PeerVpcId"]) == (network["vpc"], peer)
    transit = ec2.create_transit_gateway(Options={"AutoAcceptSharedAttachments": "disable"})
    gateway = transit["TransitGateway"]["TransitGatewayId"]
    ec2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway, VpcId=network["vpc"], SubnetIds=[network["subnet"]]
    )
    kept = _one(collect, account, "AWS::EC2::TransitGateway", gateway)
    assert verdict("transit-gateway-no-auto-accept", kept) == "PASS"
    (attached,) = collect(account, "AWS::EC2::TransitGatewayVpcAttachment", region=REGION)
    assert attached.properties["SubnetIds"] == [network["subnet"]]
    assert attached.properties["TransitGatewayId"] == gateway
    out = ec2.create_egress_only_internet_gateway(VpcId=network["vpc"])
    name = out["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    only = _one(collect, account, "AWS::EC2::EgressOnlyInternetGateway", name)
    assert only.properties["VpcId"] == network["vpc"]
    nat = ec2.create_nat_gateway(SubnetId=network["subnet"], ConnectivityType="private")
    private = _one(collect, account, "AWS::EC2::NatGateway", nat["NatGateway"]["NatGatewayId"])
    assert private.properties["ConnectivityType"] == "private"
    assert "AllocationId" not in private.properties
    ec2.create_key_pair(KeyName="k", TagSpecifications=[
        {"ResourceType": "key-pair", "Tags": [{"Key": "Owner", "Value": "a"}]}
    ])  # fmt: skip
    key = _one(collect, account, "AWS::EC2::KeyPair", "k")
    assert key.tags == {"Owner": "a"}
    assert "PRIVATE" not in repr(key)


def test_an_interface_nobody_uses(
    aws: Callable[..., Any], network: dict[str, str], account: Account, collect: Any
) -> None:
    made = aws("ec2", REGION).create_network_interface(
        SubnetId=network["subnet"], Groups=[network["group"]], Description="spare"
    )["NetworkInterface"]["NetworkInterfaceId"]
    spare = _one(collect, account, "AWS::EC2::NetworkInterface", made)
    assert spare.properties["GroupSet"] == [network["group"]]
    assert spare.properties["Status"] == "available"
    assert verdict("network-interface-in-use", spare) == "FAIL"


def test_what_networks_share_is_asked_once(network: dict[str, str], account: Account, collect: Any) -> None:
    types = ("Instance", "InternetGateway", "NetworkAcl", "NetworkInterface", "RouteTable", "Subnet", "VPC",
             "Volume", "EIP")  # fmt: skip
    plan = make_plan({f"AWS::EC2::{type}": frozenset({"*", "BlockDeviceMappings"}) for type in types})
    shared = Shared(plan.shared)
    for collector in plan.collectors:
        context = Context(account, REGION, REGION, plan.needs, shared)
        outcome = do(collector, context, lambda _line: None)
        assert not outcome.failures
    assert network["subnet"]
    assert {key[2]: times for key, times in account.log.made.items() if times > 1} == {}
