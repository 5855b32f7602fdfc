"""Turn on rotation of a customer managed key, or make it rotate more often."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

_YEAR = 365
"""Without a period a key rotates yearly."""


def image(target: Target, read: Reader) -> Json:
    """Return what the key is, and whether and how often it rotates.

    Keys that can never rotate answer UnsupportedOperationException:
    https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
    """
    key = (read.call("kms", "DescribeKey", {"KeyId": target.id}) or {})["KeyMetadata"]
    status = read.call(
        "kms", "GetKeyRotationStatus", {"KeyId": target.id}, none=("UnsupportedOperationException",)
    )
    return {
        "arn": key["Arn"],
        "rotates": None if status is None else status["KeyRotationEnabled"],
        "days": status.get("RotationPeriodInDays", _YEAR)
        if status and status["KeyRotationEnabled"]
        else None,
        "state": key["KeyState"],
        "spec": key.get("KeySpec", "SYMMETRIC_DEFAULT"),
        "origin": key["Origin"],
        "manager": key["KeyManager"],
        "replica": (key.get("MultiRegionConfiguration") or {}).get("MultiRegionKeyType") == "REPLICA",
    }


def plan(target: Target, image: Json) -> Proposal:
    """Enable rotation; only symmetric encryption keys whose material AWS made can rotate by themselves.

    https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
    """
    _check(image)
    days = target.parameters["days"]
    if image["rotates"] and image["days"] <= days:
        return Proposal("the key rotates at least as often as the parameter `days` asks for", after=image)
    key = {"KeyId": image["arn"]}
    enable = Call("kms", "EnableKeyRotation", {**key, "RotationPeriodInDays": days})
    undo = Call("kms", "EnableKeyRotation", {**key, "RotationPeriodInDays": image["days"]})
    step = Step(
        "rotate",
        enable,
        undo=(undo if image["rotates"] else Call("kms", "DisableKeyRotation", key),),
        why="data that is encrypted stays readable: AWS keeps every older version of the material",
    )
    after = {**image, "rotates": True, "days": days}
    return Proposal(f"rotate the key every {days} days", (step,), after=after)


def _check(image: Json) -> None:
    spec, origin, manager = image["spec"], image["origin"], image["manager"]
    if (
        image["rotates"] is None
        or (spec, origin) != ("SYMMETRIC_DEFAULT", "AWS_KMS")
        or manager != "CUSTOMER"
    ):
        raise Refused(
            "unsupported",
            "AWS rotates only symmetric customer managed keys with material it made, outside custom key stores; "
            f"this one is {spec}, {origin}, {manager}: replace the key",
        )
    if image["replica"]:
        raise Refused(
            "unsupported", "this is a replica of a multi-Region key: rotation is set on the primary key"
        )
    if image["state"] != "Enabled":
        raise Refused("unsupported", f"the key is {image['state']}; only an enabled key can be changed")
