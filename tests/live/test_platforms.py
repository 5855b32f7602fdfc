"""Batch, Lightsail, VPC Lattice, directories and AppStream from answers in the documented shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context, Shared
from policyengine.sources.live.registered import RegistryRun
from policyengine.sources.live.spec import RegistryCollector
from tests.live.conftest import failure
from tests.live.judging import verdict

Canned = Callable[..., Any]


def test_job_definitions(canned: Canned, collect: Any) -> None:
    arn = "arn:aws:batch:us-east-1:123456789012:job-definition/{}:1"

    def definition(name: str, **properties: Any) -> dict[str, Any]:
        return {
            "jobDefinitionName": name,
            "jobDefinitionArn": arn.format(name),
            "type": "container",
            "status": "ACTIVE",
            "tags": {"Owner": "a"},
            "containerProperties": {"image": "busybox", **properties},
        }

    environment = [{"name": "MODE", "value": "fast"}]
    account = canned(
        {
            "batch:DescribeJobDefinitions": {
                "jobDefinitions": [
                    definition("open", privileged=True),
                    definition("closed", environment=environment),
                ]
            }
        }
    )
    first, second = collect(account, "AWS::Batch::JobDefinition")
    assert (first.id, first.tags) == (arn.format("open"), {"Owner": "a"})
    assert second.properties["ContainerProperties"] == {
        "Image": "busybox",
        "Environment": [{"Name": "MODE", "Value": "fast"}],
    }
    assert verdict("batch-containers-not-privileged", first) == "FAIL"
    assert verdict("batch-containers-not-privileged", second) == "PASS"


def test_lightsail(canned: Canned, collect: Any) -> None:
    port = {"fromPort": 22, "toPort": 22, "protocol": "tcp", "cidrs": ["0.0.0.0/0"], "ipv6Cidrs": []}
    account = canned(
        {
            "lightsail:GetInstances": {
                "instances": [
                    {
                        "name": "blog",
                        "arn": "arn:aws:lightsail:us-east-1:123456789012:Instance/1",
                        "location": {"availabilityZone": "us-east-1a", "regionName": "us-east-1"},
                        "hardware": {"cpuCount": 1},
                        "networking": {"ports": [port], "monthlyTransfer": {"gbPerMonthAllocated": 1024}},
                        "tags": [{"key": "Owner", "value": "a"}],
                    }
                ]
            },
            "lightsail:GetRelationalDatabases": {
                "relationalDatabases": [
                    {
                        "name": "db",
                        "arn": "arn:aws:lightsail:us-east-1:123456789012:RelationalDatabase/1",
                        "publiclyAccessible": True,
                        "backupRetentionEnabled": False,
                    }
                ]
            },
        }
    )
    (instance,) = collect(account, "AWS::Lightsail::Instance")
    assert (instance.id, instance.tags) == ("blog", {"Owner": "a"})
    assert instance.properties["AvailabilityZone"] == "us-east-1a"
    assert instance.properties["Networking"]["Ports"][0]["Cidrs"] == ["0.0.0.0/0"]
    assert verdict("lightsail-instance-ports-closed", instance) == "FAIL"
    (database,) = collect(account, "AWS::Lightsail::Database")
    assert database.properties["BackupRetention"] is False
    assert database.properties["MasterUserPassword"].reason == "not_collected"
    assert verdict("lightsail-database-not-public", database) == "FAIL"


def test_policies_of_vpc_lattice(canned: Canned, collect: Any) -> None:
    own = "arn:aws:vpc-lattice:us-east-1:123456789012:service/svc-1"
    bare = "arn:aws:vpc-lattice:us-east-1:123456789012:service/svc-2"
    others = "arn:aws:vpc-lattice:us-east-1:111122223333:service/svc-3"

    def policy(arguments: dict[str, Any]) -> Any:
        if arguments["resourceArn"] == bare:
            return failure("vpc-lattice:GetResourcePolicy", "ResourceNotFoundException", "read_error")
        return {"policy": '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]}'}

    account = canned(
        {
            "vpc-lattice:ListServices": {"items": [{"arn": own}, {"arn": bare}, {"arn": others}]},
            "vpc-lattice:ListServiceNetworks": {"items": []},
            "vpc-lattice:ListResourceConfigurations": {"items": []},
            "vpc-lattice:GetResourcePolicy": policy,
        }
    )
    (found,) = collect(account, "AWS::VpcLattice::ResourcePolicy")
    assert (found.id, found.properties["ResourceArn"]) == (own, own)
    assert found.properties["Policy"]["Statement"][0]["Principal"] == "*"
    assert collect.last.whole == ("AWS::VpcLattice::ResourcePolicy",)
    account.answers = {
        **account.answers,
        "vpc-lattice:ListServices": failure("vpc-lattice:ListServices", "AccessDeniedException"),
    }
    assert collect(account, "AWS::VpcLattice::ResourcePolicy") == []
    assert collect.last.whole == ()


def test_directories_and_fleets(canned: Canned, collect: Any) -> None:
    account = canned(
        {
            "ds:DescribeDirectories": {
                "DirectoryDescriptions": [
                    {
                        "DirectoryId": "d-1",
                        "Name": "corp.example.com",
                        "Type": "MicrosoftAD",
                        "Edition": "Enterprise",
                        "DnsIpAddrs": ["10.0.0.1"],
                        "SsoEnabled": False,
                        "Stage": "Active",
                    },
                    {"DirectoryId": "d-2", "Type": "SimpleAD"},
                ]
            },
            "workspaces:DescribeWorkspaceDirectories": {
                "Directories": [{"DirectoryId": "d-1", "DirectoryType": "SIMPLE_AD"}]
            },
            "workspaces:DescribeTags": {"TagList": [{"Key": "Owner", "Value": "a"}]},
            "appstream:DescribeFleets": {
                "Fleets": [
                    {
                        "Name": "cad",
                        "Arn": "arn:aws:appstream:us-east-1:123456789012:fleet/cad",
                        "EnableDefaultInternetAccess": True,
                        "MaxUserDurationInSeconds": 3600,
                        "ComputeCapacityStatus": {"Desired": 2, "Running": 1},
                    }
                ]
            },
            "appstream:ListTagsForResource": {"Tags": {"Owner": "b"}},
        }
    )
    (directory,) = collect(account, "AWS::DirectoryService::MicrosoftAD")
    assert directory.properties["DnsIpAddresses"] == ["10.0.0.1"]
    assert directory.properties["EnableSso"] is False
    (registered,) = collect(account, "AWS::WorkSpaces::Directory")
    assert (registered.id, registered.tags) == ("d-1", {"Owner": "a"})
    (fleet,) = collect(account, "AWS::AppStream::Fleet")
    assert fleet.tags == {"Owner": "b"}
    assert fleet.properties["ComputeCapacity"] == {"DesiredInstances": 2}
    assert verdict("appstream-fleet-no-default-internet", fleet) == "FAIL"


def test_services_of_app_runner(canned: Canned, collect: Any) -> None:
    arn = "arn:aws:apprunner:us-east-1:123456789012:service/web/1"
    account = canned(
        {
            "apprunner:ListServices": {
                "ServiceSummaryList": [
                    {"ServiceArn": arn, "ServiceName": "web", "Status": "RUNNING"},
                    {"ServiceArn": arn + "0", "ServiceName": "old", "Status": "DELETED"},
                ]
            },
            "apprunner:DescribeService": {
                "Service": {
                    "ServiceArn": arn,
                    "ServiceName": "web",
                    "SourceConfiguration": {
                        "ImageRepository": {
                            "ImageIdentifier": "public.ecr.aws/x",
                            "ImageConfiguration": {"RuntimeEnvironmentVariables": {"MODE": "fast"}},
                        }
                    },
                }
            },
            "apprunner:ListTagsForResource": {"Tags": [{"Key": "Owner", "Value": "a"}]},
        }
    )
    (service,) = collect(account, "AWS::AppRunner::Service")
    assert (service.id, service.tags) == (arn, {"Owner": "a"})
    image = service.properties["SourceConfiguration"]["ImageRepository"]["ImageConfiguration"]
    assert image == {"RuntimeEnvironmentVariables": [{"Name": "MODE", "Value": "fast"}]}
    assert "EncryptionConfiguration" not in service.properties
    assert verdict("apprunner-environment-without-secrets", service) == "PASS"


def test_servers_of_transfer_family(aws: Callable[..., Any], account: Any, collect: Any) -> None:
    client = aws("transfer", "eu-west-3")
    made = client.create_server(
        Protocols=["SFTP"], EndpointType="PUBLIC", Tags=[{"Key": "Owner", "Value": "a"}]
    )["ServerId"]
    (server,) = collect(account, "AWS::Transfer::Server", region="eu-west-3")
    assert (server.id, server.tags) == (made, {"Owner": "a"})
    assert server.properties["Protocols"] == ["SFTP"]
    assert verdict("transfer-encrypted-protocols", server) == "PASS"
    assert verdict("transfer-server-in-vpc", server) == "FAIL"


def test_tags_that_cloud_control_never_gives_are_not_known(canned: Canned, collect: Any) -> None:
    answer = {"Identifier": "c-1", "Properties": '{"Id": "c-1", "Name": "c"}'}
    account = canned(
        {
            "cloudcontrol:ListResources": {"ResourceDescriptions": [{"Identifier": "c-1"}]},
            "cloudcontrol:GetResource": {"ResourceDescription": answer},
        }
    )
    context = Context(account, "us-east-1", "us-east-1", {}, Shared(frozenset()))
    collector = RegistryCollector("AWS::AppRunner::Service")
    (found,) = RegistryRun(collector, context).resources()
    assert isinstance(found.tags, Unresolved)


def test_workspaces(canned: Canned, collect: Any) -> None:
    account = canned(
        {
            "workspaces:DescribeWorkspaces": {
                "Workspaces": [
                    {"WorkspaceId": "ws-1", "RootVolumeEncryptionEnabled": True, "State": "AVAILABLE"},
                    {"WorkspaceId": "ws-2", "State": "TERMINATED"},
                ]
            },
            "workspaces:DescribeTags": {"TagList": [{"Key": "Owner", "Value": "a"}]},
            "workspaces:DescribeWorkspacesConnectionStatus": {
                "WorkspacesConnectionStatus": [{"WorkspaceId": "ws-1", "ConnectionState": "DISCONNECTED"}]
            },
        }
    )
    type = "AWS::WorkSpaces::Workspace"
    (desktop,) = collect(account, type, needs={type: frozenset({"tags", "ConnectionState"})})
    assert (desktop.id, desktop.tags) == ("ws-1", {"Owner": "a"})
    assert desktop.properties["ConnectionState"] == "DISCONNECTED"
    assert "UserVolumeEncryptionEnabled" not in desktop.properties
    assert verdict("workspaces-volumes-encrypted", desktop) == "FAIL"


def test_properties_that_two_readers_would_read_differently_are_not_read(canned: Any, collect: Any) -> None:
    told = '{"Name":"x","Name":"y"}'
    account = canned(
        {
            "cloudcontrol:ListResources": {"ResourceDescriptions": [{"Identifier": "x"}]},
            "cloudcontrol:GetResource": {"ResourceDescription": {"Identifier": "x", "Properties": told}},
        }
    )
    (found,) = collect(account, "AWS::DLM::LifecyclePolicy")
    assert found.id == "x"
    assert {value.detail for value in found.properties.values()} == {
        "cloudcontrol:GetResource: MalformedAnswer"
    }
