"""Turn GuardDuty on in one region: wake a suspended detector, or make one."""

from __future__ import annotations

from policyengine.remediate.api import Call, FromAnswer, Json, Proposal, Reader, Refused, Step, Target

_ONE = "a region has one detector at most"


def image(target: Target, read: Reader) -> Json:
    """Return whether a detector is on, and the id of one that is suspended.

    The id of one that is on stays out: a detector made anew has another. An account has at most one in a region:
    https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateDetector.html
    """
    ids = read.all("guardduty", "ListDetectors", result="DetectorIds")
    if len(ids) > 1:
        raise Refused("unsupported", f"{_ONE}, and AWS lists {len(ids)}")
    if not ids:
        return {"on": False, "suspended": None}
    status = (read.call("guardduty", "GetDetector", {"DetectorId": ids[0]}) or {})["Status"]
    return {"on": status == "ENABLED", "suspended": None if status == "ENABLED" else ids[0]}


def plan(target: Target, image: Json) -> Proposal:
    """Enable the suspended detector as it is configured, or create one with AWS's default protection plans.

    https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_suspend-disable.html: a suspended detector keeps its
    findings and configuration, a disabled one loses them.
    """
    if image["on"]:
        return Proposal("GuardDuty is on already", after=image)
    cost = "GuardDuty is charged by the events it looks at, after 30 days without charge"
    after = {"on": True, "suspended": None}
    if image["suspended"]:
        about = {"DetectorId": image["suspended"]}
        step = Step(
            "resume",
            Call("guardduty", "UpdateDetector", {**about, "Enable": True}),
            (Call("guardduty", "UpdateDetector", {**about, "Enable": False}),),
            "it was suspended; findings and settings are as they were",
        )
        return Proposal(f"resume GuardDuty in {target.region}", (step,), after, concerns=(cost,))
    made = {"Enable": True, "FindingPublishingFrequency": target.parameters["publishing_frequency"]}
    step = Step(
        "create",
        Call("guardduty", "CreateDetector", made),
        (Call("guardduty", "DeleteDetector", {"DetectorId": FromAnswer("create", "DetectorId")}),),
        "AWS turns the protection plans that are on by default on with it",
    )
    return Proposal(f"turn GuardDuty on in {target.region}", (step,), after, concerns=(cost,))
