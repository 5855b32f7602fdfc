"""VPC networking: what stands in the way of a packet, and what records it."""

from __future__ import annotations

from policyengine.catalog.spec import Satellite, TypeSpec
from policyengine.catalog.types._build import (
    GROUP,
    SUBNET,
    VPC,
    cfn,
    depends,
    doc,
    every,
    extra,
    groups,
    into,
    is_,
    kms_key,
    of,
    off,
    subnets,
    to,
)

_TGW = doc("AWSEC2/latest/APIReference/API_TransitGatewayRequestOptions")
_ENDPOINT = doc("AWSEC2/latest/APIReference/API_CreateVpcEndpoint")
_VPN = doc("AWSEC2/latest/APIReference/API_VpnConnectionOptionsSpecification")
_FIREWALL = doc("network-firewall/latest/APIReference/API_CreateFirewall")
_ANYWHERE = [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]
_FIREWALL_KEY = (("EncryptionConfiguration.KeyId", "string"), ("EncryptionConfiguration.Type", "string"))

TYPES = (
    TypeSpec(
        GROUP,
        names=("GroupId", "Id", "GroupName"),
        defaults=(is_("SecurityGroupEgress", _ANYWHERE, cfn("resource-ec2-securitygroup")),),
        satellites=(
            Satellite("AWS::EC2::SecurityGroupIngress", "GroupId", "SecurityGroupIngress"),
            Satellite("AWS::EC2::SecurityGroupEgress", "GroupId", "SecurityGroupEgress"),
        ),
        relations=(
            to("vpc", VPC, "VpcId", one=True),
            groups("SecurityGroupIngress.SourceSecurityGroupId", "source_groups"),
            groups("SecurityGroupEgress.DestinationSecurityGroupId", "destination_groups"),
            to("source_prefix_lists", "AWS::EC2::PrefixList", "SecurityGroupIngress.SourcePrefixListId"),
            of("instances", "AWS::EC2::Instance", "SecurityGroupIds"),
            of("network_interfaces", "AWS::EC2::NetworkInterface", "GroupSet"),
            of("load_balancers", "AWS::ElasticLoadBalancingV2::LoadBalancer", "SecurityGroups"),
            of("classic_load_balancers", "AWS::ElasticLoadBalancing::LoadBalancer", "SecurityGroups"),
            of("db_instances", "AWS::RDS::DBInstance", "VPCSecurityGroups"),
            of("db_clusters", "AWS::RDS::DBCluster", "VpcSecurityGroupIds"),
            of("functions", "AWS::Lambda::Function", "VpcConfig.SecurityGroupIds"),
            of("launch_templates", "AWS::EC2::LaunchTemplate", "LaunchTemplateData.SecurityGroupIds"),
            of("replication_groups", "AWS::ElastiCache::ReplicationGroup", "SecurityGroupIds"),
            of("redshift_clusters", "AWS::Redshift::Cluster", "VpcSecurityGroupIds"),
            of(
                "ecs_services", "AWS::ECS::Service", "NetworkConfiguration.AwsvpcConfiguration.SecurityGroups"
            ),
        ),
    ),
    TypeSpec(
        VPC,
        names=("VpcId",),
        defaults=(
            is_("EnableDnsSupport", True, cfn("resource-ec2-vpc")),
            depends("EnableDnsHostnames", cfn("resource-ec2-vpc"), "false, but true for the default VPC"),
            is_("InstanceTenancy", "default", cfn("resource-ec2-vpc")),
        ),
        satellites=(
            into("AWS::EC2::VPCGatewayAttachment", "VpcId", "gateway_attachments"),
            into("AWS::EC2::VPCCidrBlock", "VpcId", "cidr_blocks"),
        ),
        relations=(
            of("flow_logs", "AWS::EC2::FlowLog", "ResourceId"),
            of("subnets", SUBNET, "VpcId"),
            of("route_tables", "AWS::EC2::RouteTable", "VpcId"),
            of("network_acls", "AWS::EC2::NetworkAcl", "VpcId"),
            of("endpoints", "AWS::EC2::VPCEndpoint", "VpcId"),
            of("security_groups", GROUP, "VpcId"),
            of("nat_gateways", "AWS::EC2::NatGateway", "VpcId"),
            of("peering_connections", "AWS::EC2::VPCPeeringConnection", "VpcId"),
            of("firewalls", "AWS::NetworkFirewall::Firewall", "VpcId"),
            of(
                "resolver_query_logging",
                "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
                "ResourceId",
            ),
            to(
                "internet_gateways",
                "AWS::EC2::InternetGateway",
                "related.gateway_attachments.InternetGatewayId",
            ),
            every("block_public_access", "AWS::EC2::VPCBlockPublicAccessOptions"),
        ),
        extra=extra(IsDefault="boolean"),
    ),
    TypeSpec(
        SUBNET,
        names=("SubnetId",),
        defaults=(
            is_(
                "MapPublicIpOnLaunch",
                False,
                doc("vpc/latest/userguide/subnet-public-ip"),
                unless=("DefaultForAz",),
            ),
            is_("AssignIpv6AddressOnCreation", False, cfn("resource-ec2-subnet")),
        ),
        satellites=(
            into("AWS::EC2::SubnetRouteTableAssociation", "SubnetId", "route_table_associations"),
            into("AWS::EC2::SubnetNetworkAclAssociation", "SubnetId", "network_acl_associations"),
            into("AWS::EC2::SubnetCidrBlock", "SubnetId", "cidr_blocks"),
        ),
        relations=(
            to("vpc", VPC, "VpcId", one=True),
            to(
                "route_table",
                "AWS::EC2::RouteTable",
                "related.route_table_associations.RouteTableId",
                one=True,
            ),
            to(
                "network_acl",
                "AWS::EC2::NetworkAcl",
                "related.network_acl_associations.NetworkAclId",
                one=True,
            ),
            of("flow_logs", "AWS::EC2::FlowLog", "ResourceId"),
            of("instances", "AWS::EC2::Instance", "SubnetId"),
            of("nat_gateways", "AWS::EC2::NatGateway", "SubnetId"),
        ),
        extra=extra(DefaultForAz="boolean"),
    ),
    TypeSpec(
        "AWS::EC2::RouteTable",
        names=("RouteTableId",),
        satellites=(
            into("AWS::EC2::Route", "RouteTableId", "routes"),
            into("AWS::EC2::GatewayRouteTableAssociation", "RouteTableId", "gateway_associations"),
        ),
        relations=(
            to("vpc", VPC, "VpcId", one=True),
            of("subnets", SUBNET, "related.route_table_associations.RouteTableId"),
            to("route_gateways", "AWS::EC2::InternetGateway", "related.routes.GatewayId"),
        ),
        extra=extra(Main="boolean"),
    ),
    TypeSpec(
        "AWS::EC2::InternetGateway",
        names=("InternetGatewayId",),
        satellites=(into("AWS::EC2::VPCGatewayAttachment", "InternetGatewayId", "attachments"),),
        relations=(to("vpcs", VPC, "related.attachments.VpcId"),),
    ),
    TypeSpec(
        "AWS::EC2::EgressOnlyInternetGateway", names=("Id",), relations=(to("vpc", VPC, "VpcId", one=True),)
    ),
    TypeSpec(
        "AWS::EC2::NatGateway",
        names=("NatGatewayId",),
        defaults=(is_("ConnectivityType", "public", cfn("resource-ec2-natgateway")),),
        relations=(to("subnet", SUBNET, "SubnetId", one=True), to("vpc", VPC, "VpcId", one=True)),
        extra=extra(State="string"),
    ),
    TypeSpec(
        "AWS::EC2::NetworkAcl",
        names=("Id",),
        satellites=(into("AWS::EC2::NetworkAclEntry", "NetworkAclId", "entries"),),
        relations=(
            to("vpc", VPC, "VpcId", one=True),
            of("subnets", SUBNET, "related.network_acl_associations.NetworkAclId"),
        ),
        extra=extra(IsDefault="boolean"),
    ),
    TypeSpec(
        "AWS::EC2::NetworkInterface",
        names=("Id",),
        defaults=(is_("SourceDestCheck", True, cfn("resource-ec2-networkinterface")),),
        relations=(
            groups("GroupSet"),
            to("subnet", SUBNET, "SubnetId", one=True),
        ),
        satellites=(into("AWS::EC2::EIPAssociation", "NetworkInterfaceId", "eip_associations"),),
        extra=(
            ("Association.PublicIp", "string"),
            ("Attachment.InstanceId", "string"),
            ("Attachment.Status", "string"),
            ("Status", "string"),
        ),
    ),
    TypeSpec(
        "AWS::EC2::EIP",
        names=("AllocationId", "PublicIp"),
        satellites=(into("AWS::EC2::EIPAssociation", "AllocationId", "associations"),),
        relations=(
            to("instance", "AWS::EC2::Instance", "InstanceId", one=True),
            of("nat_gateways", "AWS::EC2::NatGateway", "AllocationId"),
            of(
                "load_balancers",
                "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "SubnetMappings.AllocationId",
            ),
        ),
        extra=extra(AssociationId="string", NetworkInterfaceId="string"),
    ),
    TypeSpec("AWS::EC2::SecurityGroupIngress", relations=(to("security_group", GROUP, "GroupId", one=True),)),
    TypeSpec("AWS::EC2::SecurityGroupEgress", relations=(to("security_group", GROUP, "GroupId", one=True),)),
    TypeSpec(
        "AWS::EC2::FlowLog",
        names=("Id",),
        defaults=(
            is_(
                "LogDestinationType", "cloud-watch-logs", doc("AWSEC2/latest/APIReference/API_CreateFlowLogs")
            ),
            is_("MaxAggregationInterval", 600, doc("AWSEC2/latest/APIReference/API_CreateFlowLogs")),
        ),
        relations=(
            to("vpc", VPC, "ResourceId", one=True),
            to("log_group", "AWS::Logs::LogGroup", "LogGroupName", one=True),
        ),
        extra=extra(FlowLogStatus="string", DeliverLogsStatus="string"),
    ),
    TypeSpec(
        "AWS::EC2::VPCEndpoint",
        names=("Id",),
        defaults=(
            is_("VpcEndpointType", "Gateway", _ENDPOINT),
            is_(
                "PolicyDocument",
                {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]},
                _ENDPOINT,
            ),
        ),
        relations=(
            to("vpc", VPC, "VpcId", one=True),
            subnets("SubnetIds"),
            groups("SecurityGroupIds"),
            to("route_tables", "AWS::EC2::RouteTable", "RouteTableIds"),
        ),
        extra=extra(State="string"),
    ),
    TypeSpec(
        "AWS::EC2::VPCEndpointService",
        names=("ServiceId",),
        satellites=(into("AWS::EC2::VPCEndpointServicePermissions", "ServiceId", "permissions"),),
        defaults=off(cfn("resource-ec2-vpcendpointservice"), "AcceptanceRequired"),
    ),
    TypeSpec(
        "AWS::EC2::PrefixList",
        names=("PrefixListId", "PrefixListName"),
        # https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
        untaggable=("OwnerId", "AWS"),
    ),
    TypeSpec(
        "AWS::EC2::TransitGateway",
        names=("Id",),
        defaults=(
            is_("AutoAcceptSharedAttachments", "disable", _TGW),
            is_("DefaultRouteTableAssociation", "enable", _TGW),
            is_("DefaultRouteTablePropagation", "enable", _TGW),
        ),
        extra=extra(State="string"),
    ),
    TypeSpec(
        "AWS::EC2::VPCPeeringConnection",
        names=("Id",),
        relations=(
            to("vpc", VPC, "VpcId", one=True),
            to("peer_vpc", VPC, "PeerVpcId", one=True, scope="organization"),
        ),
        extra=(
            ("AccepterVpcInfo.OwnerId", "string"),
            ("AccepterVpcInfo.PeeringOptions.AllowDnsResolutionFromRemoteVpc", "boolean"),
            ("RequesterVpcInfo.PeeringOptions.AllowDnsResolutionFromRemoteVpc", "boolean"),
        ),
    ),
    TypeSpec(
        "AWS::EC2::VPNConnection",
        names=("VpnConnectionId",),
        defaults=off(_VPN, "StaticRoutesOnly", "EnableAcceleration"),
        extra=(("VgwTelemetry", "list:object"), ("VgwTelemetry.Status", "string"), ("State", "string")),
        secrets=("PreSharedKey",),
    ),
    TypeSpec(
        "AWS::EC2::ClientVpnEndpoint",
        names=("Id",),
        relations=(groups("SecurityGroupIds"),),
    ),
    TypeSpec("AWS::EC2::VPCBlockPublicAccessOptions", names=("AccountId",)),
    TypeSpec(
        "AWS::EC2::VPCBlockPublicAccessExclusion",
        names=("ExclusionId",),
        relations=(to("vpc", VPC, "VpcId", one=True), to("subnet", SUBNET, "SubnetId", one=True)),
    ),
    TypeSpec("AWS::EC2::SnapshotBlockPublicAccess", names=("AccountId",)),
    TypeSpec(
        "AWS::NetworkFirewall::Firewall",
        names=("FirewallArn", "FirewallName"),
        defaults=tuple(
            depends(
                flag, _FIREWALL, "the API reference says that it starts as true; the registry says nothing"
            )
            for flag in ("DeleteProtection", "FirewallPolicyChangeProtection", "SubnetChangeProtection")
        ),
        satellites=(into("AWS::NetworkFirewall::LoggingConfiguration", "FirewallArn", "logging"),),
        relations=(
            to("vpc", VPC, "VpcId", one=True),
            to("policy", "AWS::NetworkFirewall::FirewallPolicy", "FirewallPolicyArn", one=True),
            subnets("SubnetMappings.SubnetId"),
            kms_key("EncryptionConfiguration.KeyId"),
        ),
        extra=_FIREWALL_KEY,
    ),
    TypeSpec(
        "AWS::NetworkFirewall::FirewallPolicy",
        names=("FirewallPolicyArn", "FirewallPolicyName"),
        relations=(kms_key("EncryptionConfiguration.KeyId"),),
        extra=_FIREWALL_KEY,
    ),
)
