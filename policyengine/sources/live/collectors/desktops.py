"""WorkSpaces, AppStream and AWS Directory Service."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_GONE: Final = ("ResourceNotFoundException",)


def _tags(name: str) -> Step:
    """https://docs.aws.amazon.com/workspaces/latest/api/API_DescribeTags.html"""
    return Step("DescribeTags", "TagList", {"ResourceId": name}, gives=("tags",), gone=_GONE)


def _connection(found: list[Json], _item: Json) -> Json | None:
    if not found:
        return None
    names = ("ConnectionState", "LastKnownUserConnectionTimestamp")
    return {name: found[0].get(name) for name in names}


def _directory(item: Json) -> Json:
    return {**item, "DnsIpAddresses": item.get("DnsIpAddrs"), "EnableSso": item.get("SsoEnabled")}


def _fleet(item: Json) -> Json:
    """https://docs.aws.amazon.com/appstream2/latest/APIReference/API_ComputeCapacityStatus.html"""
    capacity = item.get("ComputeCapacityStatus") or {}
    names = {"Desired": "DesiredInstances", "DesiredUserSessions": "DesiredSessions"}
    wanted = {own: capacity[name] for name, own in names.items() if name in capacity}
    return {**item, "ComputeCapacity": wanted} if wanted else item


COLLECTORS = (
    Collector(
        "AWS::WorkSpaces::Workspace",
        "workspaces",
        Step("DescribeWorkspaces", "Workspaces"),
        id="{WorkspaceId}",
        arn="arn:{partition}:workspaces:{region}:{account}:workspace/{WorkspaceId}",
        tags="",
        keep=lambda item, _names: item.get("State") not in ("TERMINATING", "TERMINATED"),
        details=(
            _tags("{WorkspaceId}"),
            Step(
                "DescribeWorkspacesConnectionStatus",
                "WorkspacesConnectionStatus",
                gives=("ConnectionState", "LastKnownUserConnectionTimestamp"),
                once="{WorkspaceId}",
                key="WorkspaceId",
                shape=_connection,
                only_named=True,
            ),
        ),
    ),
    Collector(
        "AWS::WorkSpaces::Directory",
        "workspaces",
        Step("DescribeWorkspaceDirectories", "Directories"),
        id="{DirectoryId}",
        arn="arn:{partition}:workspaces:{region}:{account}:directory/{DirectoryId}",
        tags="",
        details=(_tags("{DirectoryId}"),),
    ),
    Collector(
        "AWS::DirectoryService::MicrosoftAD",
        "ds",
        Step("DescribeDirectories", "DirectoryDescriptions"),
        id="{DirectoryId}",
        arn="arn:{partition}:ds:{region}:{account}:directory/{DirectoryId}",
        tags="",
        keep=lambda item, _names: item.get("Type") == "MicrosoftAD" and item.get("Stage") != "Deleted",
        shape=_directory,
        gives=("DnsIpAddresses", "EnableSso"),
    ),
    Collector(
        "AWS::AppStream::Fleet",
        "appstream",
        Step("DescribeFleets", "Fleets"),
        id="{Name}",
        arn="{Arn}",
        tags="",
        shape=_fleet,
        gives=("ComputeCapacity",),
        details=(Step("ListTagsForResource", "Tags", {"ResourceArn": "{Arn}"}, gives=("tags",), gone=_GONE),),
    ),
)
