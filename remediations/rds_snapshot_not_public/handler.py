"""Take everybody out of those who may restore a database snapshot; accounts it is shared with stay."""

from __future__ import annotations

from typing import Final

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Target
from policyengine.remediate.families.sharing import make_private

_ALL: Final = "all"
_INSTANCE: Final = "AWS::RDS::DBSnapshot"


def image(target: Target, read: Reader) -> Json:
    """Return who may restore the snapshot: account ids, and `all`.

    Amazon DocumentDB and Neptune answer to the RDS API:
    https://docs.aws.amazon.com/documentdb/latest/developerguide/security_iam_service-with-iam.html
    """
    kind = _kind(target)
    asked = {f"{kind}Identifier": target.id}
    found = read.call("rds", f"Describe{kind}Attributes", asked) or {}
    attributes = (found.get(f"{kind}AttributesResult") or {}).get(f"{kind}Attributes", [])
    restore = [each for each in attributes if each.get("AttributeName") == "restore"]
    if len(restore) != 1:
        raise Refused("not_known", f"{target.id} says {len(restore)} times who may restore it; expected once")
    return {"restore": sorted(set(restore[0].get("AttributeValues", [])))}  # a set, whatever it is written as


def plan(target: Target, image: Json) -> Proposal:
    """Take `all` away.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html (ValuesToRemove)
    """
    if _ALL not in image["restore"]:
        return Proposal("the snapshot is not public", after=image)
    return make_private(
        f"snapshot {target.id}",
        ("restore", image["restore"]),
        _ALL,
        (_change(target, "ValuesToRemove"), _change(target, "ValuesToAdd")),
        why="databases that others have restored already stay theirs: treat what is in it as known",
    )


def _kind(target: Target) -> str:
    return "DBSnapshot" if target.resource.type == _INSTANCE else "DBClusterSnapshot"


def _change(target: Target, what: str) -> Call:
    kind = _kind(target)
    arguments = {f"{kind}Identifier": target.id, "AttributeName": "restore", what: [_ALL]}
    return Call("rds", f"Modify{kind}Attribute", arguments)
