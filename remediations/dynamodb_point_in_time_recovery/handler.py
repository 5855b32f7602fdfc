"""Make a table restorable to any second of the last 35 days."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Step, Target


def image(target: Target, read: Reader) -> Json:
    """Return whether point-in-time recovery is on; from when to when it reaches changes by itself."""
    found = read.call("dynamodb", "DescribeContinuousBackups", {"TableName": target.id}) or {}
    recovery = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription") or {}
    return {"enabled": recovery.get("PointInTimeRecoveryStatus") == "ENABLED"}


def plan(target: Target, image: Json) -> Proposal:
    """Turn it on.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
    """
    if image["enabled"]:
        return Proposal("point-in-time recovery is on already", after=image)
    step = Step(
        "enable",
        _put(target, True),
        undo=(_put(target, False),),
        why="reads and writes are not affected; the window of recovery begins now",
    )
    return Proposal("turn point-in-time recovery on", (step,), after={"enabled": True})


def _put(target: Target, on: bool) -> Call:
    asked = {"TableName": target.id, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": on}}
    return Call("dynamodb", "UpdateContinuousBackups", asked)
