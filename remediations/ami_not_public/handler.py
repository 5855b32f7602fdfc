"""Take everybody out of those who may start an image; accounts and organisations it is shared with stay."""

from __future__ import annotations

from typing import Final

from policyengine.model.canonical_json import canonical
from policyengine.remediate.api import Call, Json, Proposal, Reader, Target
from policyengine.remediate.families.sharing import make_private

_ALL: Final = {"Group": "all"}
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchPermission.html"""


def image(target: Target, read: Reader) -> Json:
    """Return who may start the image."""
    asked = {"ImageId": target.id, "Attribute": "launchPermission"}
    found = read.call("ec2", "DescribeImageAttribute", asked) or {}
    return {"permissions": sorted(found.get("LaunchPermissions", []), key=canonical)}


def plan(target: Target, image: Json) -> Proposal:
    """Take the group `all` away; instances that run already go on, Auto Scaling groups elsewhere cannot start more.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html
    """
    permissions = image["permissions"]
    if _ALL not in permissions:
        return Proposal("the image is not public", after=image)
    return make_private(
        f"image {target.id}",
        ("permissions", permissions),
        _ALL,
        (_change(target.id, "Remove"), _change(target.id, "Add")),
        why="copies that others have made already stay theirs: treat what is in it as known",
        others="{} accounts or organisations".format,
    )


def _change(image_id: str, what: str) -> Call:
    arguments = {
        "ImageId": image_id,
        "Attribute": "launchPermission",
        "LaunchPermission": {what: [dict(_ALL)]},
    }
    return Call("ec2", "ModifyImageAttribute", arguments)
