"""Protect a DB instance against deletion."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.databases import db_instance


def image(target: Target, read: Reader) -> Json:
    """Return whether it is protected, and which cluster it is a member of."""
    found = db_instance(read, target.id)
    return {"protected": bool(found.get("DeletionProtection")), "cluster": found.get("DBClusterIdentifier")}


def plan(target: Target, image: Json) -> Proposal:
    """Set DeletionProtection: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html"""
    if image["protected"]:
        return Proposal("the instance is protected already", after=image)
    if image["cluster"]:
        raise Refused("unsupported", f"members are protected through their cluster, {image['cluster']}")
    step = Step("protect", _modify(target, True), undo=(_modify(target, False),))
    return Proposal("protect the instance against deletion", (step,), after={**image, "protected": True})


def _modify(target: Target, on: bool) -> Call:
    return Call("rds", "ModifyDBInstance", {"DBInstanceIdentifier": target.id, "DeletionProtection": on})
