"""Keep the events of a log group for longer; nothing is deleted by that."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Step, Target
from policyengine.remediate.families.log_groups import log_group, retention_wanted


def image(target: Target, read: Reader) -> Json:
    """Return the retention, and who set it."""
    found = log_group(read, target.id)
    return {"days": found.get("retentionInDays"), "policy": found.get("retentionPolicyName")}


def plan(target: Target, image: Json) -> Proposal:
    """Raise the retention; it is never lowered.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    """
    before, days = image["days"], target.parameters["days"]
    if before is None or before >= days:
        return Proposal("events are kept at least as long as the parameter `days` asks for", after=image)
    retention_wanted(days, image["policy"])
    step = Step(
        "retain",
        _put(target, days),
        undo=(_put(target, before),),
        why="what is there stays for longer; what has expired is gone",
    )
    return Proposal(
        f"keep log events for {days} days instead of {before}", (step,), after={**image, "days": days}
    )


def _put(target: Target, days: int) -> Call:
    return Call("logs", "PutRetentionPolicy", {"logGroupName": target.id, "retentionInDays": days})
