"""Amazon VPC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Emit, Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_security_group": TypeMap(
        "AWS::EC2::SecurityGroup",
        "description=GroupDescription name=GroupName vpc_id",
        code="security_group",
        sets="SecurityGroupIngress SecurityGroupEgress",
        physical="GroupId",
    ),
    "aws_default_security_group": TypeMap(
        "AWS::EC2::SecurityGroup",
        "vpc_id",
        code="security_group",
        sets="SecurityGroupIngress SecurityGroupEgress",
        physical="GroupId",
        constants={"GroupName": "default"},
        absent="GroupDescription",
    ),
    "aws_security_group_rule": TypeMap(
        "AWS::EC2::SecurityGroupIngress",
        "",
        code="security_group_rule",
        sets="""
            CidrIp CidrIpv6 Description FromPort GroupId IpProtocol SourcePrefixListId
            SourceSecurityGroupId ToPort
        """,
        absent="GroupName SourceSecurityGroupName SourceSecurityGroupOwnerId",
        tags="",
    ),
    "aws_vpc_security_group_ingress_rule": TypeMap(
        "AWS::EC2::SecurityGroupIngress",
        """
            security_group_id=GroupId cidr_ipv4=CidrIp prefix_list_id=SourcePrefixListId
            referenced_security_group_id=SourceSecurityGroupId ip_protocol:protocol
            cidr_ipv6 description from_port to_port
        """,
        code="single_rule",
        absent="GroupName SourceSecurityGroupName SourceSecurityGroupOwnerId",
        tags="",
    ),
    "aws_vpc_security_group_egress_rule": TypeMap(
        "AWS::EC2::SecurityGroupEgress",
        """
            security_group_id=GroupId cidr_ipv4=CidrIp
            prefix_list_id=DestinationPrefixListId
            referenced_security_group_id=DestinationSecurityGroupId ip_protocol:protocol
            cidr_ipv6 description from_port to_port
        """,
        code="single_rule",
        tags="",
    ),
    "aws_vpc": TypeMap(
        "AWS::EC2::VPC",
        """
            cidr_block enable_dns_hostnames enable_dns_support instance_tenancy
            ipv4_ipam_pool_id ipv4_netmask_length
        """,
        absent="Ipv4IpamPoolId Ipv4NetmaskLength VpcEncryptionControl",
    ),
    "aws_default_vpc": TypeMap(
        "AWS::EC2::VPC",
        "enable_dns_hostnames enable_dns_support",
        constants={"IsDefault": True},
        absent="CidrBlock InstanceTenancy Ipv4IpamPoolId Ipv4NetmaskLength VpcEncryptionControl",
    ),
    "aws_subnet": TypeMap(
        "AWS::EC2::Subnet",
        """
            enable_resource_name_dns_aaaa_record_on_launch=PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord
            enable_resource_name_dns_a_record_on_launch=PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord
            private_dns_hostname_type_on_launch=PrivateDnsNameOptionsOnLaunch.HostnameType
            vpc_id assign_ipv6_address_on_creation availability_zone availability_zone_id
            cidr_block enable_dns64 enable_lni_at_device_index ipv6_cidr_block ipv6_native
            map_public_ip_on_launch outpost_arn
        """,
        absent="Ipv4IpamPoolId Ipv4NetmaskLength Ipv6IpamPoolId Ipv6NetmaskLength",
    ),
    "aws_default_subnet": TypeMap(
        "AWS::EC2::Subnet",
        "availability_zone map_public_ip_on_launch assign_ipv6_address_on_creation",
        constants={"DefaultForAz": True},
    ),
    "aws_route": TypeMap(
        "AWS::EC2::Route",
        """
            egress_only_gateway_id=EgressOnlyInternetGatewayId route_table_id
            carrier_gateway_id core_network_arn destination_cidr_block
            destination_ipv6_cidr_block destination_prefix_list_id gateway_id
            local_gateway_id nat_gateway_id network_interface_id transit_gateway_id
            vpc_endpoint_id vpc_peering_connection_id
        """,
        absent="InstanceId OdbNetworkArn",
        tags="",
    ),
    "aws_route_table": TypeMap(
        "AWS::EC2::RouteTable",
        "vpc_id",
        emit=(
            Emit(
                "AWS::EC2::Route",
                "route",
                """
            cidr_block=DestinationCidrBlock ipv6_cidr_block=DestinationIpv6CidrBlock
            destination_prefix_list_id gateway_id nat_gateway_id
            egress_only_gateway_id=EgressOnlyInternetGatewayId transit_gateway_id
            vpc_endpoint_id vpc_peering_connection_id network_interface_id
            carrier_gateway_id local_gateway_id core_network_arn
        """,
                "RouteTableId",
                block=True,
            ),
        ),
    ),
    "aws_default_route_table": TypeMap(
        "AWS::EC2::RouteTable",
        "",
        constants={"Main": True},
        absent="VpcId",
        emit=(
            Emit(
                "AWS::EC2::Route",
                "route",
                """
            cidr_block=DestinationCidrBlock ipv6_cidr_block=DestinationIpv6CidrBlock
            destination_prefix_list_id gateway_id nat_gateway_id
            egress_only_gateway_id=EgressOnlyInternetGatewayId transit_gateway_id
            vpc_endpoint_id vpc_peering_connection_id network_interface_id core_network_arn
        """,
                "RouteTableId",
                block=True,
            ),
        ),
    ),
    "aws_route_table_association": TypeMap(
        "AWS::EC2::SubnetRouteTableAssociation",
        "route_table_id subnet_id",
        code="route_table_association",
        tags="",
    ),
    "aws_internet_gateway": TypeMap(
        "AWS::EC2::InternetGateway",
        "",
        emit=(Emit("AWS::EC2::VPCGatewayAttachment", "vpc_id", "vpc_id", "InternetGatewayId"),),
    ),
    "aws_internet_gateway_attachment": TypeMap(
        "AWS::EC2::VPCGatewayAttachment",
        "internet_gateway_id vpc_id",
        tags="",
    ),
    "aws_egress_only_internet_gateway": TypeMap(
        "AWS::EC2::EgressOnlyInternetGateway",
        "vpc_id",
    ),
    "aws_nat_gateway": TypeMap(
        "AWS::EC2::NatGateway",
        """
            private_ip=PrivateIpAddress allocation_id availability_mode connectivity_type
            secondary_allocation_ids* secondary_private_ip_address_count
            secondary_private_ip_addresses* subnet_id vpc_id
        """,
        absent="MaxDrainDurationSeconds AvailabilityZoneAddresses",
    ),
    "aws_network_acl": TypeMap(
        "AWS::EC2::NetworkAcl",
        "vpc_id",
        code="acl",
    ),
    "aws_default_network_acl": TypeMap(
        "AWS::EC2::NetworkAcl",
        "",
        code="acl",
        constants={"IsDefault": True},
    ),
    "aws_network_acl_association": TypeMap(
        "AWS::EC2::SubnetNetworkAclAssociation",
        "network_acl_id subnet_id",
        tags="",
    ),
    "aws_network_acl_rule": TypeMap(
        "AWS::EC2::NetworkAclEntry",
        """
            protocol:aclprotocol network_acl_id rule_action rule_number cidr_block egress
            ipv6_cidr_block
        """,
        code="acl_rule",
        tags="",
    ),
    "aws_flow_log": TypeMap(
        "AWS::EC2::FlowLog",
        """
            iam_role_arn=DeliverLogsPermissionArn vpc_id=ResourceId subnet_id=ResourceId
            eni_id=ResourceId transit_gateway_id=ResourceId
            transit_gateway_attachment_id=ResourceId log_group_name
            deliver_cross_account_role destination_options { file_format
            hive_compatible_partitions per_hour_partition } log_destination
            log_destination_type log_format max_aggregation_interval traffic_type
        """,
        code="flow_log",
        sets="ResourceType",
        absent="TagFieldSpecifications",
    ),
    "aws_vpc_endpoint": TypeMap(
        "AWS::EC2::VPCEndpoint",
        """
            policy:json=PolicyDocument vpc_id dns_options { dns_record_ip_type
            private_dns_only_for_inbound_resolver_endpoint } ip_address_type
            private_dns_enabled resource_configuration_arn route_table_ids*
            security_group_ids* service_name service_network_arn service_region subnet_ids*
            vpc_endpoint_type
        """,
    ),
    "aws_vpc_endpoint_service": TypeMap(
        "AWS::EC2::VPCEndpointService",
        """
            acceptance_required gateway_load_balancer_arns* network_load_balancer_arns*
            supported_ip_address_types*
        """,
        emit=(
            Emit(
                "AWS::EC2::VPCEndpointServicePermissions",
                "allowed_principals",
                "allowed_principals*",
                "ServiceId",
            ),
        ),
    ),
    "aws_ec2_managed_prefix_list": TypeMap(
        "AWS::EC2::PrefixList",
        "name=PrefixListName address_family max_entries entry*=Entries { cidr description }",
    ),
    "aws_ec2_managed_prefix_list_entry": Merge(
        "AWS::EC2::PrefixList",
        "prefix_list_id",
        "cidr=Entries.Cidr description=Entries.Description",
        append=("Entries",),
    ),
    "aws_eip": TypeMap(
        "AWS::EC2::EIP",
        "instance=InstanceId domain ipam_pool_id network_border_group public_ipv4_pool",
        code="elastic_address",
        absent="TransferAddress Address",
    ),
    "aws_eip_association": TypeMap(
        "AWS::EC2::EIPAssociation",
        "allocation_id instance_id network_interface_id private_ip_address public_ip=EIP",
        tags="",
    ),
    "aws_network_interface": TypeMap(
        "AWS::EC2::NetworkInterface",
        """
            security_groups*=GroupSet private_ip=PrivateIpAddress subnet_id description
            enable_primary_ipv6 interface_type ipv4_prefix_count ipv4_prefixes*
            ipv6_address_count ipv6_addresses* ipv6_prefix_count ipv6_prefixes*
            source_dest_check
        """,
    ),
    "aws_vpc_peering_connection": TypeMap(
        "AWS::EC2::VPCPeeringConnection",
        "peer_vpc_id vpc_id peer_owner_id peer_region",
        absent="PeerRoleArn AssumeRoleRegion",
    ),
    "aws_ec2_transit_gateway": TypeMap(
        "AWS::EC2::TransitGateway",
        """
            amazon_side_asn auto_accept_shared_attachments default_route_table_association
            default_route_table_propagation description dns_support encryption_support
            multicast_support security_group_referencing_support
            transit_gateway_cidr_blocks* vpn_ecmp_support
        """,
        absent="AssociationDefaultRouteTableId PropagationDefaultRouteTableId",
    ),
    "aws_vpn_connection": TypeMap(
        "AWS::EC2::VPNConnection",
        """
            customer_gateway_id type enable_acceleration local_ipv4_network_cidr
            local_ipv6_network_cidr outside_ip_address_type
            preshared_key_storage=PreSharedKeyStorage remote_ipv4_network_cidr
            remote_ipv6_network_cidr static_routes_only transit_gateway_id
            transport_transit_gateway_attachment_id tunnel_bandwidth
            tunnel_inside_ip_version vpn_concentrator_id vpn_gateway_id
        """,
    ),
    "aws_ec2_client_vpn_endpoint": TypeMap(
        "AWS::EC2::ClientVpnEndpoint",
        """
            authentication_options* { type active_directory_id=ActiveDirectory.DirectoryId
            root_certificate_chain_arn=MutualAuthentication.ClientRootCertificateChainArn
            saml_provider_arn=FederatedAuthentication.SAMLProviderArn
            self_service_saml_provider_arn=FederatedAuthentication.SelfServiceSAMLProviderArn
            } self_service_portal connection_log_options { enabled cloudwatch_log_group
            cloudwatch_log_stream } server_certificate_arn client_cidr_block
            client_connect_options { enabled lambda_function_arn }
            client_login_banner_options { banner_text enabled }
            client_route_enforcement_options { enforced } description
            disconnect_on_session_timeout dns_servers* endpoint_ip_address_type
            security_group_ids* session_timeout_hours split_tunnel traffic_ip_address_type
            transport_protocol vpc_id vpn_port
        """,
    ),
    "aws_vpc_block_public_access_options": TypeMap(
        "AWS::EC2::VPCBlockPublicAccessOptions",
        "internet_gateway_block_mode",
    ),
    "aws_vpc_block_public_access_exclusion": TypeMap(
        "AWS::EC2::VPCBlockPublicAccessExclusion",
        "internet_gateway_exclusion_mode subnet_id vpc_id",
    ),
    "aws_ebs_snapshot_block_public_access": TypeMap(
        "AWS::EC2::SnapshotBlockPublicAccess",
        "state",
        tags="",
    ),
}
