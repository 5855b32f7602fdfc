"""Protect a table against deletion."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Step, Target


def image(target: Target, read: Reader) -> Json:
    """Return whether it is protected."""
    found = read.call("dynamodb", "DescribeTable", {"TableName": target.id}) or {}
    return {"protected": bool(found["Table"].get("DeletionProtectionEnabled"))}


def plan(target: Target, image: Json) -> Proposal:
    """Set DeletionProtectionEnabled, and nothing else of the table.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html
    """
    if image["protected"]:
        return Proposal("the table is protected already", after=image)
    step = Step("protect", _update(target, True), undo=(_update(target, False),))
    return Proposal("protect the table against deletion", (step,), after={"protected": True})


def _update(target: Target, on: bool) -> Call:
    return Call("dynamodb", "UpdateTable", {"TableName": target.id, "DeletionProtectionEnabled": on})
