"""Amazon VPC: networks, subnets, routes, network ACLs, gateways, flow logs and prefix lists."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.collectors import ec2_network_shapes as shapes
from policyengine.sources.live.collectors.ec2 import ARN, owned
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]


_NO_EXCLUSION: Final = ("create-failed", "delete-complete", "disable-complete")


def _vpc_attribute(name: str, into: str) -> Step:
    return Step(
        "DescribeVpcAttribute",
        f"{into}.Value",
        {"VpcId": "{VpcId}", "Attribute": name},
        into=into,
        gone=("InvalidVpcID.NotFound",),
        only_named=True,
    )


COLLECTORS = (
    Collector(
        "AWS::EC2::VPC",
        "ec2",
        Step("DescribeVpcs", "Vpcs"),
        id="{VpcId}",
        arn=ARN + ":vpc/{VpcId}",
        keep=owned,
        shape=shapes.vpc,
        gives=("CidrBlockAssociations", "Ipv6CidrBlocks", "related.cidr_blocks"),
        details=(
            _vpc_attribute("enableDnsHostnames", "EnableDnsHostnames"),
            _vpc_attribute("enableDnsSupport", "EnableDnsSupport"),
            # those of internet gateways; virtual private gateways lead to networks of one's own
            Step(
                "DescribeInternetGateways",
                "InternetGateways",
                gives=("related.gateway_attachments",),
                into="related.gateway_attachments",
                once="{VpcId}",
                key="Attachments.VpcId",
                shape=shapes.gateway_attachments,
                only_named=True,
            ),
        ),
        also={"AWS::EC2::VPCCidrBlock": "related.cidr_blocks"},
    ),
    Collector(
        "AWS::EC2::Subnet",
        "ec2",
        Step("DescribeSubnets", "Subnets"),
        id="{SubnetId}",
        arn="{SubnetArn}",
        keep=owned,
        shape=shapes.subnet,
        gives=("Ipv6CidrBlocks", "Ipv6CidrBlock", "related.cidr_blocks"),
        details=(
            Step(
                "DescribeRouteTables",
                "RouteTables",
                gives=("related.route_table_associations",),
                into="related.route_table_associations",
                once="{SubnetId}",
                key="Associations.SubnetId",
                shape=shapes.subnet_routes,
            ),
            Step(
                "DescribeNetworkAcls",
                "NetworkAcls",
                gives=("related.network_acl_associations",),
                into="related.network_acl_associations",
                once="{SubnetId}",
                key="Associations.SubnetId",
                shape=shapes.subnet_acl,
            ),
        ),
        also={
            "AWS::EC2::SubnetRouteTableAssociation": "related.route_table_associations",
            "AWS::EC2::SubnetNetworkAclAssociation": "related.network_acl_associations",
            "AWS::EC2::SubnetCidrBlock": "related.cidr_blocks",
        },
    ),
    Collector(
        "AWS::EC2::RouteTable",
        "ec2",
        Step("DescribeRouteTables", "RouteTables"),
        id="{RouteTableId}",
        arn=ARN + ":route-table/{RouteTableId}",
        keep=owned,
        shape=shapes.route_table,
        gives=("Main", "related.routes", "related.gateway_associations"),
        also={
            "AWS::EC2::Route": "related.routes",
            "AWS::EC2::GatewayRouteTableAssociation": "related.gateway_associations",
        },
    ),
    Collector(
        "AWS::EC2::InternetGateway",
        "ec2",
        Step("DescribeInternetGateways", "InternetGateways"),
        id="{InternetGatewayId}",
        arn=ARN + ":internet-gateway/{InternetGatewayId}",
        keep=owned,
        shape=shapes.internet_gateway,
        gives=("related.attachments",),
        also={"AWS::EC2::VPCGatewayAttachment": "related.attachments"},
    ),
    Collector(
        "AWS::EC2::EgressOnlyInternetGateway",
        "ec2",
        Step("DescribeEgressOnlyInternetGateways", "EgressOnlyInternetGateways"),
        id="{EgressOnlyInternetGatewayId}",
        arn=ARN + ":egress-only-internet-gateway/{EgressOnlyInternetGatewayId}",
        rename={"EgressOnlyInternetGatewayId": "Id"},
        shape=shapes.egress_only,
        gives=("VpcId",),
    ),
    Collector(
        "AWS::EC2::NatGateway",
        "ec2",
        Step("DescribeNatGateways", "NatGateways"),
        id="{NatGatewayId}",
        arn=ARN + ":natgateway/{NatGatewayId}",
        keep=lambda item, _names: item.get("State") != "deleted",
        shape=shapes.nat,
        gives=(
            "AllocationId", "EniId", "PrivateIpAddress", "SecondaryAllocationIds",
            "SecondaryPrivateIpAddresses", "SecondaryPrivateIpAddressCount",
        ),
    ),
    Collector(
        "AWS::EC2::NetworkAcl",
        "ec2",
        Step("DescribeNetworkAcls", "NetworkAcls"),
        id="{NetworkAclId}",
        arn=ARN + ":network-acl/{NetworkAclId}",
        rename={"NetworkAclId": "Id"},
        keep=owned,
        shape=shapes.acl,
        gives=("related.entries",),
        also={"AWS::EC2::NetworkAclEntry": "related.entries"},
    ),
    Collector(
        "AWS::EC2::FlowLog",
        "ec2",
        Step("DescribeFlowLogs", "FlowLogs"),
        id="{FlowLogId}",
        arn=ARN + ":vpc-flow-log/{FlowLogId}",
        rename={"FlowLogId": "Id"},
        shape=shapes.flow_log,
        gives=("ResourceType",),
    ),
    Collector(
        "AWS::EC2::PrefixList",
        "ec2",
        Step("DescribeManagedPrefixLists", "PrefixLists"),
        id="{PrefixListId}",
        arn="{PrefixListArn}",
        rename={"PrefixListArn": "Arn"},
        details=(
            Step(
                "GetManagedPrefixListEntries",
                "Entries",
                {"PrefixListId": "{PrefixListId}"},
                into="Entries",
                gone=("InvalidPrefixListID.NotFound",),
                paged=True,
            ),
        ),
    ),
    Collector(
        "AWS::EC2::VPCBlockPublicAccessOptions",
        "ec2",
        Step("DescribeVpcBlockPublicAccessOptions", "VpcBlockPublicAccessOptions"),
        id="{account}",
        tags="",
        rename={"AwsAccountId": "AccountId"},
    ),
    Collector(
        "AWS::EC2::VPCBlockPublicAccessExclusion",
        "ec2",
        Step("DescribeVpcBlockPublicAccessExclusions", "VpcBlockPublicAccessExclusions"),
        id="{ExclusionId}",
        keep=lambda item, _names: item.get("State") not in _NO_EXCLUSION,
        shape=shapes.excluded,
        gives=("VpcId", "SubnetId"),
    ),
)  # fmt: skip
