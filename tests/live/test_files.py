"""EFS over HTTP; FSx with answers as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

from tests.live.judging import verdict

REGION = "eu-west-1"


def _vpc(aws: Any) -> tuple[str, str]:
    ec2 = aws("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="nfs", Description="d", VpcId=vpc)["GroupId"]
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"], group


def test_file_systems_and_what_belongs_to_them(account: Any, aws: Any, collect: Any) -> None:
    efs = aws("efs", REGION)
    good = efs.create_file_system(
        CreationToken="good", Encrypted=True, Backup=True, Tags=[{"Key": "Owner", "Value": "me"}]
    )["FileSystemId"]
    plain = efs.create_file_system(CreationToken="plain")["FileSystemId"]
    policy = {"Version": "2012-10-17", "Statement": []}
    efs.put_file_system_policy(FileSystemId=good, Policy=json.dumps(policy))
    subnet, group = _vpc(aws)
    target = efs.create_mount_target(FileSystemId=good, SubnetId=subnet, SecurityGroups=[group])[
        "MountTargetId"
    ]
    point = efs.create_access_point(
        ClientToken="t", FileSystemId=good, PosixUser={"Uid": 1, "Gid": 2}, RootDirectory={"Path": "/data"},
        Tags=[{"Key": "a", "Value": "b"}],
    )["AccessPointId"]  # fmt: skip

    needs = {"AWS::EFS::FileSystem": frozenset({"BackupPolicy", "FileSystemPolicy", "tags"})}
    found = {r.id: r for r in collect(account, "AWS::EFS::FileSystem", region=REGION, needs=needs)}
    p = found[good].properties
    assert found[good].tags == {"Owner": "me"}
    assert p["Arn"] == found[good].arn
    assert p["FileSystemPolicy"] == policy
    assert p["BackupPolicy"]["Status"] in ("ENABLED", "ENABLING")
    assert "FileSystemPolicy" not in found[plain].properties
    rule = "efs-encrypted"
    assert (verdict(rule, found[good]), verdict(rule, found[plain])) == ("PASS", "FAIL")

    (mounted,) = collect(account, "AWS::EFS::MountTarget", region=REGION)
    assert (mounted.id, mounted.properties["SubnetId"]) == (target, subnet)
    assert mounted.properties["FileSystemId"] == good
    assert mounted.properties["SecurityGroups"] == [group]

    (access,) = collect(account, "AWS::EFS::AccessPoint", region=REGION)
    assert access.id == point
    assert access.properties["PosixUser"] == {"Uid": "1", "Gid": "2"}
    assert access.tags == {"a": "b"}


def test_fsx(canned: Any, collect: Any) -> None:
    common = {
        "OwnerId": "123456789012",
        "KmsKeyId": "k",
        "SubnetIds": ["subnet-1"],
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    arn = "arn:aws:fsx:us-east-1:123456789012:file-system"
    windows = {
        **common, "FileSystemId": "fs-1", "ResourceARN": f"{arn}/fs-1", "FileSystemType": "WINDOWS",
        "WindowsConfiguration": {"DeploymentType": "MULTI_AZ_1", "Aliases": [{"Name": "x", "Lifecycle": "AVAILABLE"}]},
    }  # fmt: skip
    ontap = {
        **common, "FileSystemId": "fs-2", "ResourceARN": f"{arn}/fs-2", "FileSystemType": "ONTAP",
        "OntapConfiguration": {"FsxAdminPassword": "not-a-secret", "AutomaticBackupRetentionDays": 7},
    }  # fmt: skip
    lustre = {
        **common, "FileSystemId": "fs-3", "ResourceARN": f"{arn}/fs-3", "FileSystemType": "LUSTRE",
        "LustreConfiguration": {"MountName": "m", "DataRepositoryConfiguration": {"ImportPath": "s3://b"}},
    }  # fmt: skip
    account = canned({
        "fsx:DescribeFileSystems": {"FileSystems": [windows, ontap, lustre]},
    })  # fmt: skip
    found = [r.properties for r in collect(account, "AWS::FSx::FileSystem")]
    assert found[0]["WindowsConfiguration"] == {"DeploymentType": "MULTI_AZ_1", "Aliases": ["x"]}
    assert found[1]["OntapConfiguration"] == {"AutomaticBackupRetentionDays": 7}
    assert found[2]["LustreConfiguration"] == {"ImportPath": "s3://b"}
    assert (found[2]["LustreMountName"], found[2]["Id"]) == ("m", "fs-3")
