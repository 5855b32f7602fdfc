"""Take everybody out of those who may start an image; accounts and organisations it is shared with stay."""

from __future__ import annotations

from typing import Final

from policyengine.model.canonical_json import canonical
from policyengine.remediate.api import Call, Json, Proposal, Reader, Step, Target

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
    step = Step(
        "make-private",
        _change(target.id, "Remove"),
        (_change(target.id, "Add"),),
        why="copies that others have made already stay theirs: treat what is in it as known",
    )
    left = [each for each in permissions if each != _ALL]
    return Proposal(
        f"make image {target.id} private; {len(left)} accounts or organisations it is shared with keep it"
        if left
        else f"make image {target.id} private",
        (step,),
        after={"permissions": left},
    )


def _change(image_id: str, what: str) -> Call:
    arguments = {
        "ImageId": image_id,
        "Attribute": "launchPermission",
        "LaunchPermission": {what: [dict(_ALL)]},
    }
    return Call("ec2", "ModifyImageAttribute", arguments)
