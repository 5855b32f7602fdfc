"""Amazon VPC: endpoints and their services, transit gateways, peering and VPN connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.sources.live.collectors.ec2 import ARN
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]


def _endpoint(item: Json) -> Json:
    found = {name: value for name, value in item.items() if name not in ("Groups", "DnsEntries")}
    entries = [
        f"{each.get('HostedZoneId', '')}:{each['DnsName']}"
        for each in item.get("DnsEntries", ())
        if "DnsName" in each
    ]
    groups = [group["GroupId"] for group in item.get("Groups", ())]
    return {**found, "DnsEntries": entries, "SecurityGroupIds": groups}


def _service(item: Json) -> Json:
    regions = [each["Region"] for each in item.get("SupportedRegions", ()) if "Region" in each]
    return {**item, "SupportedRegions": regions}


def _permissions(principals: list[Json], item: Json) -> Json | None:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllowedPrincipal.html"""
    allowed = [each["Principal"] for each in principals if "Principal" in each]
    return {"ServiceId": item["ServiceId"], "AllowedPrincipals": allowed} if allowed else None


def _transit_gateway(item: Json) -> Json:
    options = dict(item.get("Options") or {})
    options.pop("EncryptionSupport", None)  # an object here, a text there
    return {**item, **options}


_TRANSIT_OPTIONS = (
    "AmazonSideAsn", "AssociationDefaultRouteTableId", "AutoAcceptSharedAttachments",
    "DefaultRouteTableAssociation", "DefaultRouteTablePropagation", "DnsSupport", "MulticastSupport",
    "PropagationDefaultRouteTableId", "SecurityGroupReferencingSupport", "TransitGatewayCidrBlocks",
    "VpnEcmpSupport",
)  # fmt: skip
_VPN_OPTIONS = (
    "EnableAcceleration", "LocalIpv4NetworkCidr", "LocalIpv6NetworkCidr", "OutsideIpAddressType",
    "RemoteIpv4NetworkCidr", "RemoteIpv6NetworkCidr", "StaticRoutesOnly",
    "TransportTransitGatewayAttachmentId", "TunnelBandwidth", "TunnelInsideIpVersion",
)  # fmt: skip


def _own_gateway(item: Json, names: Mapping[str, str]) -> bool:
    """A transit gateway that is shared is its owner's to judge."""
    return item.get("OwnerId", names["account"]) == names["account"] and item.get("State") != "deleted"


def _own_attachment(item: Json, names: Mapping[str, str]) -> bool:
    """An attachment belongs to the VPC's account; the gateway's owner sees it too."""
    return item.get("VpcOwnerId", names["account"]) == names["account"] and item.get("State") != "deleted"


def _stands(item: Json, _names: Mapping[str, str]) -> bool:
    code = (item.get("Status") or {}).get("Code")
    return code not in ("deleted", "rejected", "failed", "expired")


def _peering(item: Json) -> Json:
    asking, asked = item.get("RequesterVpcInfo") or {}, item.get("AccepterVpcInfo") or {}
    return {
        **item,
        "VpcId": asking.get("VpcId"),
        "PeerVpcId": asked.get("VpcId"),
        "PeerOwnerId": asked.get("OwnerId"),
        "PeerRegion": asked.get("Region"),
    }


def _vpn(item: Json) -> Json:
    """The options but for those of the tunnels, which hold the pre-shared keys."""
    options = item.get("Options") or {}
    return {**item, **{name: options[name] for name in _VPN_OPTIONS if name in options}}


def _alive(item: Json, _names: Mapping[str, str]) -> bool:
    return str(item.get("State", "")).lower() != "deleted"


COLLECTORS = (
    Collector(
        "AWS::EC2::VPCEndpoint",
        "ec2",
        Step("DescribeVpcEndpoints", "VpcEndpoints"),
        id="{VpcEndpointId}",
        arn=ARN + ":vpc-endpoint/{VpcEndpointId}",
        rename={"VpcEndpointId": "Id", "DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint": ""},
        keep=_alive,
        shape=_endpoint,
        gives=("SecurityGroupIds",),
    ),
    Collector(
        "AWS::EC2::VPCEndpointService",
        "ec2",
        Step("DescribeVpcEndpointServiceConfigurations", "ServiceConfigurations"),
        id="{ServiceId}",
        arn=ARN + ":vpc-endpoint-service/{ServiceId}",
        keep=lambda item, _names: item.get("ServiceState") != "Deleted",
        shape=_service,
        details=(
            Step(
                "DescribeVpcEndpointServicePermissions",
                "AllowedPrincipals",
                {"ServiceId": "{ServiceId}"},
                gives=("related.permissions",),
                into="related.permissions",
                gone=("InvalidVpcEndpointServiceId.NotFound", "InvalidVpcEndpointService.NotFound"),
                paged=True,
                shape=_permissions,
            ),
        ),
        also={"AWS::EC2::VPCEndpointServicePermissions": "related.permissions"},
    ),
    Collector(
        "AWS::EC2::TransitGateway",
        "ec2",
        Step("DescribeTransitGateways", "TransitGateways"),
        id="{TransitGatewayId}",
        arn="{TransitGatewayArn}",
        rename={"TransitGatewayId": "Id"},
        keep=_own_gateway,
        shape=_transit_gateway,
        gives=_TRANSIT_OPTIONS,
    ),
    Collector(
        "AWS::EC2::TransitGatewayVpcAttachment",
        "ec2",
        Step("DescribeTransitGatewayVpcAttachments", "TransitGatewayVpcAttachments"),
        id="{TransitGatewayAttachmentId}",
        arn=ARN + ":transit-gateway-attachment/{TransitGatewayAttachmentId}",
        rename={"TransitGatewayAttachmentId": "Id"},
        keep=_own_attachment,
    ),
    Collector(
        "AWS::EC2::VPCPeeringConnection",
        "ec2",
        Step("DescribeVpcPeeringConnections", "VpcPeeringConnections"),
        id="{VpcPeeringConnectionId}",
        arn=ARN + ":vpc-peering-connection/{VpcPeeringConnectionId}",
        rename={"VpcPeeringConnectionId": "Id"},
        keep=_stands,
        shape=_peering,
        gives=("VpcId", "PeerVpcId", "PeerOwnerId", "PeerRegion"),
    ),
    Collector(
        "AWS::EC2::VPNConnection",
        "ec2",
        Step("DescribeVpnConnections", "VpnConnections"),
        id="{VpnConnectionId}",
        arn=ARN + ":vpn-connection/{VpnConnectionId}",
        keep=_alive,
        shape=_vpn,
        gives=_VPN_OPTIONS,
    ),
    Collector(
        "AWS::EC2::ClientVpnEndpoint",
        "ec2",
        Step("DescribeClientVpnEndpoints", "ClientVpnEndpoints"),
        id="{ClientVpnEndpointId}",
        arn=ARN + ":client-vpn-endpoint/{ClientVpnEndpointId}",
        rename={
            "ClientVpnEndpointId": "Id",
            "AuthenticationOptions.MutualAuthentication.ClientRootCertificateChain": (
                "ClientRootCertificateChainArn"
            ),
        },
        keep=lambda item, _names: (item.get("Status") or {}).get("Code") != "deleted",
    ),
)
