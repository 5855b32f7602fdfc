"""EFS and FSx."""

from __future__ import annotations

from typing import Any

from policyengine.sources.live.collectors.common import backup_protection
from policyengine.sources.live.spec import Collector, Parent, Step

Json = dict[str, Any]
_SYSTEM = {"FileSystemId": "{FileSystemId}"}
_GONE = ("FileSystemNotFound",)
_BACKUP = {"ENABLING": "ENABLED", "DISABLING": "DISABLED"}


def _texts(value: Any) -> Any:
    """Numbers of users and groups are texts in the registry."""
    if isinstance(value, dict):
        return {name: _texts(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_texts(each) for each in value]
    return str(value)


def _access_point(item: Json) -> Json:
    """https://docs.aws.amazon.com/efs/latest/ug/API_AccessPointDescription.html"""
    return {**item, **{name: _texts(item[name]) for name in ("PosixUser", "RootDirectory") if name in item}}


def _fsx(item: Json) -> Json:
    """https://docs.aws.amazon.com/fsx/latest/APIReference/API_FileSystem.html"""
    found = {**item, "Id": item.get("FileSystemId")}
    lustre, windows = item.get("LustreConfiguration"), item.get("WindowsConfiguration")
    if lustre:
        found["LustreConfiguration"] = {**(lustre.get("DataRepositoryConfiguration") or {}), **lustre}
        found["LustreMountName"] = lustre.get("MountName")
    if windows and windows.get("Aliases"):
        found["WindowsConfiguration"] = {**windows, "Aliases": [a["Name"] for a in windows["Aliases"]]}
    found["RootVolumeId"] = (item.get("OpenZFSConfiguration") or {}).get("RootVolumeId")
    return found


COLLECTORS = (
    Collector(
        "AWS::EFS::FileSystem",
        "efs",
        Step("DescribeFileSystems", "FileSystems", rename={"Tags": "FileSystemTags", "FileSystemArn": "Arn"}),
        id="{FileSystemId}",
        arn="{FileSystemArn}",
        details=(
            Step(
                "DescribeBackupPolicy",
                "BackupPolicy",
                _SYSTEM,
                into="BackupPolicy",
                none=("PolicyNotFound",),
                gone=_GONE,
                shape=lambda result, _item: {"Status": _BACKUP.get(result["Status"], result["Status"])},
            ),
            Step(
                "DescribeFileSystemPolicy",
                "Policy",
                _SYSTEM,
                into="FileSystemPolicy",
                none=("PolicyNotFound",),
                gone=_GONE,
            ),
            Step(
                "DescribeLifecycleConfiguration",
                "LifecyclePolicies",
                _SYSTEM,
                into="LifecyclePolicies",
                gone=_GONE,
                only_named=True,
            ),
            backup_protection("{FileSystemArn}"),
        ),
    ),
    Collector(
        "AWS::EFS::AccessPoint",
        "efs",
        Step(
            "DescribeAccessPoints",
            "AccessPoints",
            rename={"Tags": "AccessPointTags", "AccessPointArn": "Arn"},
        ),
        id="{AccessPointId}",
        arn="{AccessPointArn}",
        shape=_access_point,
    ),
    Collector(
        "AWS::EFS::MountTarget",
        "efs",
        Step("DescribeMountTargets", "MountTargets", gone=_GONE, rename={"MountTargetId": "Id"}),
        id="{MountTargetId}",
        tags="",
        parent=Parent("AWS::EFS::FileSystem", _SYSTEM),
        details=(
            Step(
                "DescribeMountTargetSecurityGroups",
                "SecurityGroups",
                {"MountTargetId": "{MountTargetId}"},
                into="SecurityGroups",
                gone=("MountTargetNotFound",),
            ),
        ),
    ),
    Collector(
        "AWS::FSx::FileSystem",
        "fsx",
        Step("DescribeFileSystems", "FileSystems", rename={"OntapConfiguration.FsxAdminPassword": ""}),
        id="{FileSystemId}",
        arn="{ResourceARN}",
        shape=_fsx,
        gives=("Id", "LustreMountName", "RootVolumeId"),
        details=(backup_protection("{ResourceARN}"),),
    ),
)
