"""EC2 from answers in the documented shapes: what moto has no room for."""

from __future__ import annotations

from typing import Any

from tests.live.conftest import failure
from tests.live.judging import verdict


def _needs(type: str, *names: str) -> dict[str, frozenset[str]]:
    return {type: frozenset(names)}


def test_a_launch_template_is_its_default_version(canned: Any, collect: Any) -> None:
    account = canned(
        {
            "ec2:DescribeLaunchTemplates": {
                "LaunchTemplates": [
                    {
                        "LaunchTemplateId": "lt-1",
                        "LaunchTemplateName": "web",
                        "DefaultVersionNumber": 2,
                        "LatestVersionNumber": 3,
                        "Tags": [{"Key": "Owner", "Value": "a"}],
                    }
                ]
            },
            "ec2:DescribeLaunchTemplateVersions": {
                "LaunchTemplateVersions": [
                    {
                        "LaunchTemplateId": "lt-1",
                        "VersionNumber": 2,
                        "DefaultVersion": True,
                        "LaunchTemplateData": {
                            "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"},
                            "UserData": "ZWNobw==",
                        },
                    }
                ]
            },
        }
    )
    (found,) = collect(account, "AWS::EC2::LaunchTemplate")
    assert (found.id, found.tags) == ("lt-1", {"Owner": "a"})
    assert found.properties["DefaultVersionNumber"] == "2"
    assert found.properties["LaunchTemplateData"]["UserData"] == "ZWNobw=="
    assert verdict("launch-template-imdsv2", found) == "PASS"


def test_what_systems_manager_knows_of_instances(canned: Any, collect: Any) -> None:
    stopped = {"Code": 80, "Name": "stopped"}
    reason = "User initiated (2026-09-20 19:08:26 GMT)"
    account = canned(
        {
            "ec2:DescribeInstances": {
                "Reservations": [
                    {
                        "Instances": [
                            {
                                "InstanceId": "i-1",
                                "State": stopped,
                                "StateTransitionReason": reason,
                                "IamInstanceProfile": {
                                    "Arn": "arn:aws:iam::123456789012:instance-profile/path/web",
                                    "Id": "AIPA",
                                },
                                "Monitoring": {"State": "enabled"},
                                "Placement": {"Tenancy": "default", "AvailabilityZone": "us-east-1a"},
                            },
                            {"InstanceId": "i-2", "State": {"Code": 16, "Name": "running"}},
                            {"InstanceId": "i-3", "State": {"Code": 48, "Name": "terminated"}},
                        ]
                    }
                ]
            },
            "ssm:DescribeInstanceInformation": {
                "InstanceInformationList": [{"InstanceId": "i-2", "PingStatus": "Online"}]
            },
            "ssm:DescribeInstancePatchStates": {
                "InstancePatchStates": [
                    {
                        "InstanceId": "i-2",
                        "PatchGroup": "",
                        "BaselineId": "pb-1",
                        "Operation": "Scan",
                        "OperationStartTime": "2026-11-20T08:00:00Z",
                        "OperationEndTime": "2026-11-20T09:00:00Z",
                        "MissingCount": 2,
                        "FailedCount": 0,
                    }
                ]
            },
        }
    )
    needs = _needs("AWS::EC2::Instance", "SsmPingStatus", "PatchState")
    found = collect(account, "AWS::EC2::Instance", needs=needs)
    assert not collect.last.failures
    first, second = found
    assert first.properties["StateTransitionTime"] == "2026-09-20T19:08:26Z"
    assert first.properties["IamInstanceProfile"] == "web"
    assert first.properties["Monitoring"] is True
    assert first.properties["Tenancy"] == "default"
    assert "SsmPingStatus" not in first.properties
    assert verdict("ec2-stopped-instance-removed", first) == "FAIL"
    assert verdict("ec2-instance-has-role", first) == "PASS"
    assert verdict("ec2-instance-has-role", second) == "FAIL"
    assert second.properties["PatchState"] == {
        "MissingCount": 2,
        "FailedCount": 0,
        "OperationEndTime": "2026-11-20T09:00:00Z",
    }
    assert verdict("ec2-instance-patched", second) == "FAIL"


def test_volumes_that_could_not_be_listed_leave_encryption_unknown(canned: Any, collect: Any) -> None:
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1", "DeleteOnTermination": True}}
    account = canned(
        {
            "ec2:DescribeInstances": {
                "Reservations": [{"Instances": [{"InstanceId": "i-1", "BlockDeviceMappings": [mapping]}]}]
            },
            "ec2:DescribeVolumes": failure("ec2:DescribeVolumes", "UnauthorizedOperation"),
        }
    )
    needs = _needs("AWS::EC2::Instance", "BlockDeviceMappings")
    (found,) = collect(account, "AWS::EC2::Instance", needs=needs)
    assert found.properties["BlockDeviceMappings"].reason == "access_denied"
    assert verdict("block-devices-encrypted", found) == "UNKNOWN"


def test_connections(canned: Any, collect: Any) -> None:
    account = canned(
        {
            "ec2:DescribeVpcEndpoints": {
                "VpcEndpoints": [
                    {
                        "VpcEndpointId": "vpce-1",
                        "VpcEndpointType": "Interface",
                        "VpcId": "vpc-1",
                        "ServiceName": "com.amazonaws.us-east-1.ssm",
                        "State": "available",
                        "PolicyDocument": '{"Statement": [{"Effect": "Allow", "Principal": "*"}]}',
                        "Groups": [{"GroupId": "sg-1", "GroupName": "web"}],
                        "DnsEntries": [{"DnsName": "vpce-1.ssm", "HostedZoneId": "Z1"}],
                        "SubnetIds": ["subnet-1"],
                    },
                    {"VpcEndpointId": "vpce-2", "State": "deleted"},
                ]
            },
            "ec2:DescribeVpcEndpointServiceConfigurations": {
                "ServiceConfigurations": [
                    {"ServiceId": "vpce-svc-1", "AcceptanceRequired": False, "ServiceState": "Available"}
                ]
            },
            "ec2:DescribeVpcEndpointServicePermissions": {
                "AllowedPrincipals": [{"PrincipalType": "All", "Principal": "*"}]
            },
            "ec2:DescribeTransitGateways": {
                "TransitGateways": [
                    {
                        "TransitGatewayId": "tgw-1",
                        "TransitGatewayArn": "arn:aws:ec2:us-east-1:123456789012:transit-gateway/tgw-1",
                        "OwnerId": "123456789012",
                        "State": "available",
                        "Options": {"AutoAcceptSharedAttachments": "enable", "AmazonSideAsn": 64512},
                    },
                    {"TransitGatewayId": "tgw-2", "OwnerId": "111122223333"},
                ]
            },
            "ec2:DescribeVpnConnections": {
                "VpnConnections": [
                    {
                        "VpnConnectionId": "vpn-1",
                        "State": "available",
                        "CustomerGatewayConfiguration": "<psk>secret</psk>",
                        "Options": {
                            "StaticRoutesOnly": True,
                            "TunnelOptions": [{"PreSharedKey": "secret"}],
                        },
                        "VgwTelemetry": [{"Status": "UP"}, {"Status": "DOWN"}],
                    }
                ]
            },
            "ec2:DescribeClientVpnEndpoints": {
                "ClientVpnEndpoints": [
                    {
                        "ClientVpnEndpointId": "cvpn-1",
                        "ConnectionLogOptions": {"Enabled": False},
                        "Tags": [{"Key": "Owner", "Value": "a"}],
                    }
                ]
            },
        }
    )
    (endpoint,) = collect(account, "AWS::EC2::VPCEndpoint")
    assert endpoint.properties["PolicyDocument"]["Statement"][0]["Principal"] == "*"
    assert endpoint.properties["SecurityGroupIds"] == ["sg-1"]
    assert endpoint.properties["DnsEntries"] == ["Z1:vpce-1.ssm"]
    (service,) = collect(account, "AWS::EC2::VPCEndpointService")
    assert service.related["permissions"] == [{"ServiceId": "vpce-svc-1", "AllowedPrincipals": ["*"]}]
    (gateway,) = collect(account, "AWS::EC2::TransitGateway")
    assert gateway.properties["AutoAcceptSharedAttachments"] == "enable"
    assert verdict("transit-gateway-no-auto-accept", gateway) == "FAIL"
    (vpn,) = collect(account, "AWS::EC2::VPNConnection")
    assert vpn.properties["StaticRoutesOnly"] is True
    assert "secret" not in repr(vpn)
    assert [t["Status"] for t in vpn.properties["VgwTelemetry"]] == ["UP", "DOWN"]
    (client,) = collect(account, "AWS::EC2::ClientVpnEndpoint")
    assert client.tags == {"Owner": "a"}
    assert client.properties["ConnectionLogOptions"] == {"Enabled": False}


def test_a_route_to_a_gateway_that_is_gone_leads_nowhere(canned: Any, collect: Any) -> None:
    account = canned(
        {
            "ec2:DescribeRouteTables": {
                "RouteTables": [
                    {
                        "RouteTableId": "rtb-1",
                        "VpcId": "vpc-1",
                        "OwnerId": "123456789012",
                        "Associations": [{"Main": True, "RouteTableAssociationId": "rtbassoc-1"}],
                        "Routes": [
                            {
                                "DestinationCidrBlock": "0.0.0.0/0",
                                "GatewayId": "igw-1",
                                "State": "blackhole",
                            },
                            {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"},
                        ],
                    },
                    {"RouteTableId": "rtb-2", "OwnerId": "111122223333"},
                ]
            }
        }
    )
    (table,) = collect(account, "AWS::EC2::RouteTable")
    assert table.properties["Main"] is True
    assert table.related["routes"] == [
        {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0"},
        {"RouteTableId": "rtb-1", "DestinationPrefixListId": "pl-1", "VpcEndpointId": "vpce-1"},
    ]


def test_gateways_logs_and_lists(canned: Any, collect: Any) -> None:
    account = canned(
        {
            "ec2:DescribeNatGateways": {
                "NatGateways": [
                    {
                        "NatGatewayId": "nat-1",
                        "State": "available",
                        "VpcId": "vpc-1",
                        "NatGatewayAddresses": [
                            {"AllocationId": "eipalloc-2", "IsPrimary": False, "PrivateIp": "10.0.0.2"},
                            {"AllocationId": "eipalloc-1", "IsPrimary": True, "PrivateIp": "10.0.0.1"},
                        ],
                    },
                    {"NatGatewayId": "nat-2", "State": "deleted"},
                ]
            },
            "ec2:DescribeFlowLogs": {
                "FlowLogs": [{"FlowLogId": "fl-1", "ResourceId": "subnet-1", "TrafficType": "ALL"}]
            },
            "ec2:DescribeManagedPrefixLists": {
                "PrefixLists": [
                    {
                        "PrefixListId": "pl-1",
                        "PrefixListArn": "arn:aws:ec2:us-east-1:123456789012:prefix-list/pl-1",
                        "OwnerId": "123456789012",
                        "Tags": [{"Key": "Owner", "Value": "a"}],
                    },
                    {
                        "PrefixListId": "pl-2",
                        "PrefixListArn": "arn:aws:ec2:us-east-1:aws:prefix-list/pl-2",
                        "OwnerId": "AWS",
                    },
                ]
            },
            "ec2:GetManagedPrefixListEntries": {"Entries": [{"Cidr": "0.0.0.0/0"}]},
            "ec2:DescribeVpcBlockPublicAccessExclusions": {
                "VpcBlockPublicAccessExclusions": [
                    {
                        "ExclusionId": "vpcbpa-exclude-1",
                        "ResourceArn": "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-1",
                        "InternetGatewayExclusionMode": "allow-egress",
                        "State": "create-complete",
                    },
                    {"ExclusionId": "vpcbpa-exclude-2", "State": "delete-complete"},
                ]
            },
        }
    )
    (nat,) = collect(account, "AWS::EC2::NatGateway")
    assert nat.properties["AllocationId"] == "eipalloc-1"
    assert nat.properties["SecondaryAllocationIds"] == ["eipalloc-2"]
    (log,) = collect(account, "AWS::EC2::FlowLog")
    assert (log.id, log.properties["ResourceType"]) == ("fl-1", "Subnet")
    own, amazons = collect(account, "AWS::EC2::PrefixList")
    assert own.properties["Entries"] == [{"Cidr": "0.0.0.0/0"}]
    assert own.tags == {"Owner": "a"}
    assert amazons.properties["OwnerId"] == "AWS"
    (exclusion,) = collect(account, "AWS::EC2::VPCBlockPublicAccessExclusion")
    assert exclusion.properties["SubnetId"] == "subnet-1"
    assert "VpcId" not in exclusion.properties
