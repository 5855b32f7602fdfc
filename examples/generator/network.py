"""VPCs with three tiers, their groups, and what stands at the edge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .base import ACCOUNTS, MANAGEMENT, SANDBOX, WEB, Account, Builder, arn_of, hex_id, throttled

TIERS = ("public", "app", "data")


@dataclass
class Network:
    """The ids other modules need: one VPC of one account and region."""

    account: Account
    region: str
    vpc: str
    subnets: dict[str, list[str]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)


def build(b: Builder, account: Account, region: str) -> Network:
    """Add one VPC with everything in it and return its ids."""
    number = [a.id for a in ACCOUNTS].index(account.id) * 2 + (region == "us-east-1")
    vpc = hex_id("vpc", account.id, region)
    network = Network(account, region, vpc)
    properties = {
        "VpcId": vpc,
        "CidrBlock": f"10.{number}.0.0/16",
        "EnableDnsSupport": True,
        "EnableDnsHostnames": True,
        "IsDefault": False,
    }
    b.add(account, region, "AWS::EC2::VPC", vpc, properties)
    _subnets(b, network, number)
    _groups(b, network)
    _watch(b, network)
    if account is SANDBOX:
        default = hex_id("vpc", account.id, region, "default")
        properties = {"VpcId": default, "CidrBlock": "172.31.0.0/16", "IsDefault": True}
        b.add(account, region, "AWS::EC2::VPC", default, properties, tags={})
    return network


def _subnets(b: Builder, n: Network, number: int) -> None:
    igw = hex_id("igw", n.vpc)
    attachment = [{"VpcId": n.vpc, "InternetGatewayId": igw}]
    b.add(
        n.account,
        n.region,
        "AWS::EC2::InternetGateway",
        igw,
        {"InternetGatewayId": igw},
        related={"attachments": attachment},
    )
    for tier_index, tier in enumerate(TIERS):
        table = hex_id("rtb", n.vpc, tier)
        route: dict[str, Any] = {"DestinationCidrBlock": "0.0.0.0/0", "RouteTableId": table}
        if tier == "public":
            route["GatewayId"] = igw
        elif tier == "app":
            route["NatGatewayId"] = hex_id("nat", n.vpc)
        routes = [] if tier == "data" else [route]
        properties = {"RouteTableId": table, "VpcId": n.vpc, "Main": False}
        b.add(n.account, n.region, "AWS::EC2::RouteTable", table, properties, related={"routes": routes})
        n.subnets[tier] = [_subnet(b, n, tier, tier_index, zone, number, table) for zone in "ab"]
    nat = hex_id("nat", n.vpc)
    address = hex_id("eipalloc", n.vpc)
    properties = {"NatGatewayId": nat, "SubnetId": n.subnets["public"][0], "AllocationId": address}
    b.add(n.account, n.region, "AWS::EC2::NatGateway", nat, {**properties, "State": "available"})
    properties = {"AllocationId": address, "Domain": "vpc", "AssociationId": hex_id("eipassoc", n.vpc)}
    b.add(n.account, n.region, "AWS::EC2::EIP", address, properties)
    if not b.good(n.account):
        loose = hex_id("eipalloc", n.vpc, "loose")
        b.add(n.account, n.region, "AWS::EC2::EIP", loose, {"AllocationId": loose, "Domain": "vpc"})
    _acl(b, n)


def _subnet(b: Builder, n: Network, tier: str, tier_index: int, zone: str, number: int, table: str) -> str:
    id_ = hex_id("subnet", n.vpc, tier, zone)
    properties = {
        "SubnetId": id_,
        "VpcId": n.vpc,
        "CidrBlock": f"10.{number}.{tier_index * 16 + 'ab'.index(zone)}.0/24",
        "AvailabilityZone": f"{n.region}{zone}",
        "MapPublicIpOnLaunch": tier == "public" and not b.good(n.account),
    }
    related = {"route_table_associations": [{"SubnetId": id_, "RouteTableId": table}]}
    tags = b.tags(n.account, Tier=tier, Name=f"{n.account.name}-{tier}-{zone}")
    return b.add(n.account, n.region, "AWS::EC2::Subnet", id_, properties, tags=tags, related=related)


def _acl(b: Builder, n: Network) -> None:
    id_ = hex_id("acl", n.vpc)
    open_ssh = not b.good(n.account)

    def entry(number: int, action: str, egress: bool, **more: Any) -> dict[str, Any]:
        base = {"NetworkAclId": id_, "RuleNumber": number, "RuleAction": action, "Egress": egress}
        return {**base, "CidrBlock": "0.0.0.0/0", **more}

    https = {"Protocol": 6, "PortRange": {"From": 443, "To": 443}}
    ephemeral = {"Protocol": 6, "PortRange": {"From": 32768, "To": 65535}}
    entries = [entry(100, "allow", False, **https), entry(110, "allow", False, **ephemeral)]
    if open_ssh:
        entries.append(entry(120, "allow", False, Protocol=6, PortRange={"From": 22, "To": 22}))
    entries.append(entry(100, "allow", True, Protocol=-1))
    properties = {"Id": id_, "VpcId": n.vpc, "IsDefault": False}
    b.add(n.account, n.region, "AWS::EC2::NetworkAcl", id_, properties, related={"entries": entries})


def _groups(b: Builder, n: Network) -> None:
    for name in ("alb", "app", "data", "default", "bastion"):
        n.groups[name] = hex_id("sg", n.vpc, name)
    tcp = {"IpProtocol": "tcp"}
    everywhere = {"CidrIp": "0.0.0.0/0"}
    https = {**tcp, "FromPort": 443, "ToPort": 443}
    _group(
        b,
        n,
        "alb",
        [{**https, **everywhere}],
        [{**tcp, "FromPort": 8080, "ToPort": 8080, "DestinationSecurityGroupId": n.groups["app"]}],
    )
    app_source = {"SourceSecurityGroupId": n.groups["alb"]} if b.good(n.account) else {"CidrIp": "10.0.0.0/8"}
    _group(b, n, "app", [{**tcp, "FromPort": 8080, "ToPort": 8080, **app_source}], [{**https, **everywhere}])
    data_source = {"SourceSecurityGroupId": n.groups["app"]} if b.good(n.account) else everywhere
    data_egress = [] if b.good(n.account) else [{"IpProtocol": "-1", **everywhere}]
    _group(b, n, "data", [{**tcp, "FromPort": 5432, "ToPort": 5432, **data_source}], data_egress)
    own = {"IpProtocol": "-1", "SourceSecurityGroupId": n.groups["default"]}
    _group(b, n, "default", [] if b.good(n.account) else [own], [])
    ssh = {**tcp, "FromPort": 22, "ToPort": 22}
    office = {"CidrIp": "198.51.100.0/24", "Description": "office"}
    _group(b, n, "bastion", [{**ssh, **(office if b.good(n.account) else everywhere)}], [])
    _odd_groups(b, n)


def _odd_groups(b: Builder, n: Network) -> None:
    """The internet written in two halves, a remote desktop over IPv6, and a denied list."""
    if n.account is WEB and n.region == "eu-west-1":
        rdp = {"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389}
        halves = [{**rdp, "CidrIp": "0.0.0.0/1"}, {**rdp, "CidrIp": "128.0.0.0/1"}]
        n.groups["halves"] = hex_id("sg", n.vpc, "halves")
        _group(b, n, "halves", halves, [])
        n.groups["six"] = hex_id("sg", n.vpc, "six")
        _group(b, n, "six", [{"IpProtocol": "-1", "CidrIpv6": "::/0"}], [])
    if n.account is SANDBOX:
        n.groups["partners"] = hex_id("sg", n.vpc, "partners")
        source = {"SourcePrefixListId": hex_id("pl", n.account.id, n.region)}
        _group(b, n, "partners", [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **source}], [])
        pl = source["SourcePrefixListId"]
        properties = {
            "PrefixListId": pl,
            "PrefixListName": "partners",
            "AddressFamily": "IPv4",
            "MaxEntries": 20,
        }
        unknown = [throttled("/Entries", "ec2:GetManagedPrefixListEntries")]
        b.add(n.account, n.region, "AWS::EC2::PrefixList", pl, properties, unknown=unknown)


def _group(b: Builder, n: Network, name: str, ingress: list[Any], egress: list[Any]) -> None:
    id_ = n.groups[name]
    properties = {
        "GroupId": id_,
        "GroupName": name if name == "default" else f"{n.account.name}-{name}",
        "GroupDescription": f"{name} tier",
        "VpcId": n.vpc,
        "SecurityGroupIngress": ingress,
        "SecurityGroupEgress": egress,
    }
    tags = b.tags(n.account, Tier={"alb": "public", "bastion": "public"}.get(name, name))
    arn = arn_of("ec2", n.region, n.account, f"security-group/{id_}")
    b.add(n.account, n.region, "AWS::EC2::SecurityGroup", id_, properties, arn=arn, tags=tags)


def _watch(b: Builder, n: Network) -> None:
    if b.good(n.account) or n.account is MANAGEMENT:
        id_ = hex_id("fl", n.vpc)
        properties = {
            "Id": id_,
            "ResourceId": n.vpc,
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogDestinationType": "s3",
            "LogDestination": "arn:aws:s3:::example-log-archive-flow",
            "FlowLogStatus": "ACTIVE",
        }
        b.add(n.account, n.region, "AWS::EC2::FlowLog", id_, properties)
    for service in ("s3", "dynamodb", "secretsmanager", "kms", "ssm"):
        if not b.good(n.account):
            continue
        gateway = service in ("s3", "dynamodb")
        id_ = hex_id("vpce", n.vpc, service)
        properties = {
            "Id": id_,
            "VpcId": n.vpc,
            "ServiceName": f"com.amazonaws.{n.region}.{service}",
            "VpcEndpointType": "Gateway" if gateway else "Interface",
            "State": "available",
        }
        if gateway:
            properties["RouteTableIds"] = [hex_id("rtb", n.vpc, tier) for tier in ("app", "data")]
        else:
            properties["SubnetIds"] = n.subnets["app"]
            properties["PrivateDnsEnabled"] = True
        b.add(n.account, n.region, "AWS::EC2::VPCEndpoint", id_, properties)


def build_edge(b: Builder) -> None:
    """Add what the web account serves to the world: one distribution done well and one not."""
    for index, careful in enumerate((True, False)):
        id_ = f"E{index}EXAMPLE{index}WEB"
        origin: dict[str, Any] = {
            "Id": "static",
            "DomainName": "example-web-static-eu-west-1.s3.amazonaws.com",
        }
        if careful:
            origin["OriginAccessControlId"] = "E2EXAMPLEOAC"
        else:
            origin["S3OriginConfig"] = {"OriginAccessIdentity": ""}
        behavior = {
            "TargetOriginId": "static",
            "ViewerProtocolPolicy": "redirect-to-https" if careful else "allow-all",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        }
        configuration: dict[str, Any] = {
            "Enabled": True,
            "DefaultRootObject": "index.html" if careful else "",
            "Origins": [origin],
            "DefaultCacheBehavior": behavior,
        }
        if careful:
            acl = arn_of("wafv2", "us-east-1", WEB, "global/webacl/edge/11111111-2222-3333-4444-555555555555")
            certificate = arn_of("acm", "us-east-1", WEB, "certificate/11111111-2222-3333-4444-555555555555")
            configuration["WebACLId"] = acl
            configuration["ViewerCertificate"] = {
                "AcmCertificateArn": certificate, "MinimumProtocolVersion": "TLSv1.2_2021", "SslSupportMethod": "sni-only",
            }  # fmt: skip
            configuration["Logging"] = {
                "Bucket": "example-log-archive-elb.s3.amazonaws.com",
                "Prefix": "edge/",
            }
        properties = {"Id": id_, "DistributionConfig": configuration, "Status": "Deployed"}
        b.add(WEB, "global", "AWS::CloudFront::Distribution", id_, properties)
