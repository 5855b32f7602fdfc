"""Take everybody out of those who may create volumes from an EBS snapshot; accounts it is shared with stay."""

from __future__ import annotations

from typing import Final

from policyengine.model.canonical_json import canonical
from policyengine.remediate.api import Call, Json, Proposal, Reader, Target
from policyengine.remediate.families.sharing import make_private

_ALL: Final = {"Group": "all"}
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolumePermission.html"""


def image(target: Target, read: Reader) -> Json:
    """Return who may create volumes from the snapshot."""
    asked = {"SnapshotId": target.id, "Attribute": "createVolumePermission"}
    found = read.call("ec2", "DescribeSnapshotAttribute", asked) or {}
    return {"permissions": sorted(found.get("CreateVolumePermissions", []), key=canonical)}


def plan(target: Target, image: Json) -> Proposal:
    """Take the group `all` away.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html: adds or removes what
    is named, and nothing else.
    """
    permissions = image["permissions"]
    if _ALL not in permissions:
        return Proposal("the snapshot is not public", after=image)
    return make_private(
        f"snapshot {target.id}",
        ("permissions", permissions),
        _ALL,
        (_change(target.id, "remove"), _change(target.id, "add")),
        why="copies that others have made already stay theirs: treat what is in it as known",
    )


def _change(snapshot: str, what: str) -> Call:
    arguments = {
        "SnapshotId": snapshot,
        "Attribute": "createVolumePermission",
        "OperationType": what,
        "GroupNames": ["all"],
    }
    return Call("ec2", "ModifySnapshotAttribute", arguments)
