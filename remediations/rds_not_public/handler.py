"""Take the public address from a DB instance."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.databases import db_instance


def image(target: Target, read: Reader) -> Json:
    """Return whether it has one, and what it is a member of."""
    found = db_instance(read, target.id)
    return {
        "public": found["PubliclyAccessible"],
        "engine": found["Engine"],
        "cluster": found.get("DBClusterIdentifier"),
    }


def plan(target: Target, image: Json) -> Proposal:
    """Set PubliclyAccessible to false, which is done at once whatever ApplyImmediately says; that stays out of the call,
    so that nothing that waits for the maintenance window is applied with it.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    if not image["public"]:
        return Proposal("the instance has no public address already", after=image)
    if image["cluster"] and not image["engine"].startswith("aurora"):
        raise Refused(
            "unsupported",
            f"it is a member of the Multi-AZ DB cluster {image['cluster']}, whose address is set when the cluster is "
            "created: restore a snapshot into a cluster without one",
        )
    step = Step(
        "close",
        _modify(target, False),
        undo=(_modify(target, True),),
        why="the name of the endpoint stays and resolves to the private address everywhere",
    )
    concern = "who connects from outside of the VPC (people, other clouds, peered networks by public name) is cut off"
    return Proposal(
        "take the public address from the instance",
        (step,),
        after={**image, "public": False},
        concerns=(f"{concern} at once; flow logs of the instance's interfaces show who that is",),
    )


def _modify(target: Target, public: bool) -> Call:
    return Call("rds", "ModifyDBInstance", {"DBInstanceIdentifier": target.id, "PubliclyAccessible": public})
