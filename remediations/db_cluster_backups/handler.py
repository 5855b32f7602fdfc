"""Keep the automated backups of a database cluster for longer. Clusters always have backups: there is no outage."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Step, Target
from policyengine.remediate.families.databases import db_cluster, nothing_pending, pending


def image(target: Target, read: Reader) -> Json:
    """Return for how many days backups are kept, and what else waits to be changed."""
    found = db_cluster(read, target.id)
    return {
        "days": found["BackupRetentionPeriod"],
        "pending": pending(found, but=("BackupRetentionPeriod",)),
    }


def plan(target: Target, image: Json) -> Proposal:
    """Raise the retention at once: it is never lowered.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html
    """
    before, days = image["days"], target.parameters["days"]
    if before >= days:
        return Proposal(
            f"backups are kept for {before} days; the parameter `days` asks for no more", after=image
        )
    nothing_pending(image["pending"])
    cluster = {"DBClusterIdentifier": target.id, "ApplyImmediately": True}
    step = Step(
        "keep",
        Call("rds", "ModifyDBCluster", {**cluster, "BackupRetentionPeriod": days}),
        undo=(Call("rds", "ModifyDBCluster", {**cluster, "BackupRetentionPeriod": before}),),
        why="a restore can go back to any moment of so many days, once they have passed",
    )
    return Proposal(
        f"keep backups for {days} days instead of {before}", (step,), after={**image, "days": days}
    )
