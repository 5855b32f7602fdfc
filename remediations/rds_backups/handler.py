"""Keep automated backups of a DB instance for longer, or at all."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.databases import db_instance, nothing_pending, pending


def image(target: Target, read: Reader) -> Json:
    """Return for how many days backups are kept, and what else waits to be changed."""
    found = db_instance(read, target.id)
    return {
        "days": found["BackupRetentionPeriod"],
        "pending": pending(found, but=("BackupRetentionPeriod",)),
        "cluster": found.get("DBClusterIdentifier"),
    }


def plan(target: Target, image: Json) -> Proposal:
    """Raise the retention. From 0 it is applied at once (in the change window) with a suspension of I/O; otherwise RDS
    changes it as soon as it can without ApplyImmediately.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    before, days = image["days"], target.parameters["days"]
    if before >= days:
        return Proposal(
            f"backups are kept for {before} days; the parameter `days` asks for no more", after=image
        )
    if image["cluster"]:
        raise Refused(
            "unsupported", f"its backups are those of its cluster {image['cluster']}: change it there"
        )
    if not before:
        nothing_pending(image["pending"])
    at_once = {"ApplyImmediately": True} if not before else {}
    instance = {"DBInstanceIdentifier": target.id, **at_once}
    step = Step(
        "keep",
        Call("rds", "ModifyDBInstance", {**instance, "BackupRetentionPeriod": days}),
        undo=(Call("rds", "ModifyDBInstance", {**instance, "BackupRetentionPeriod": before}),),
        why="a restore can go back to any moment of so many days, once they have passed",
    )
    concern = "turning backups on suspends I/O for seconds to minutes, on a single-AZ instance an outage"
    return Proposal(
        f"keep backups for {days} days instead of {before}",
        (step,),
        after={**image, "days": days},
        concerns=() if before else (concern,),
    )
