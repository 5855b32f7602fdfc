"""Turn on yearly rotation of a customer managed key."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target


def image(target: Target, read: Reader) -> Json:
    """Return what the key is, and whether it rotates.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
    """
    described = read.call("kms", "DescribeKey", {"KeyId": target.id}) or {}
    status = read.call("kms", "GetKeyRotationStatus", {"KeyId": target.id}) or {}
    key = described["KeyMetadata"]
    return {
        "rotates": status["KeyRotationEnabled"],
        "state": key["KeyState"],
        "spec": key.get("KeySpec", "SYMMETRIC_DEFAULT"),
        "origin": key["Origin"],
        "manager": key["KeyManager"],
    }


def plan(target: Target, image: Json) -> Proposal:
    """Enable rotation; only symmetric encryption keys whose material AWS made can rotate by themselves.

    https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
    """
    if image["spec"] != "SYMMETRIC_DEFAULT" or image["origin"] != "AWS_KMS" or image["manager"] != "CUSTOMER":
        raise Refused(
            "unsupported",
            f"AWS rotates only symmetric customer managed keys with material it made; this one is {image['spec']}, "
            f"{image['origin']}, {image['manager']}: replace the key",
        )
    if image["state"] != "Enabled":
        raise Refused("unsupported", f"the key is {image['state']}; only an enabled key can be changed")
    if image["rotates"]:
        return Proposal("the key rotates already", after=image)
    key = {"KeyId": target.id}
    step = Step(
        "rotate",
        Call("kms", "EnableKeyRotation", key),
        undo=(Call("kms", "DisableKeyRotation", key),),
        why="data that is encrypted stays readable: AWS keeps every older version of the material",
    )
    return Proposal("turn on yearly rotation of the key", (step,), after={**image, "rotates": True})
