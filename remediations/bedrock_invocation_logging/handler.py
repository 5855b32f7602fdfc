"""Log what Bedrock models are asked and answer, to a bucket or log group that the settings name."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

KINDS = ("text", "image", "embedding", "video", "audio")
_PUT, _DELETE = "PutModelInvocationLoggingConfiguration", "DeleteModelInvocationLoggingConfiguration"


def image(target: Target, read: Reader) -> Json:
    """Return the region's logging configuration, null where there is none.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationLoggingConfiguration.html
    """
    found = read.call("bedrock", "GetModelInvocationLoggingConfiguration") or {}
    return {"logging": found.get("loggingConfig") or None}


def plan(target: Target, image: Json) -> Proposal:
    """Put the configuration; one that is there keeps all it has, and gets the destination it lacks.

    AWS writes to both at once when the call is made, and refuses it where it may not:
    https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
    """
    before = image["logging"]
    wanted = _destinations(target)
    kinds = {f"{kind}DataDeliveryEnabled": kind in target.parameters["deliver"] for kind in KINDS}
    logging = {**kinds, **wanted, **(before or {})}
    if logging == before:
        return Proposal("model invocations are logged already", after=image)
    undo = Call("bedrock", _DELETE) if before is None else Call("bedrock", _PUT, {"loggingConfig": before})
    names = (
        ("bucket", wanted.get("s3Config", {}).get("bucketName")),
        ("log group", wanted.get("cloudWatchConfig", {}).get("logGroupName")),
    )
    where = " and ".join(f"the {kind} {name}" for kind, name in names if name)
    return Proposal(
        f"log model invocations of {target.region} to {where}",
        (
            Step(
                "log",
                Call("bedrock", _PUT, {"loggingConfig": logging}),
                (undo,),
                "who read it may see every prompt",
            ),
        ),
        after={"logging": logging},
        concerns=("prompts and answers, with the personal data in them, can be read where they are logged",),
    )


def _destinations(target: Target) -> Json:
    """Return where to log, as the parameters say; refuses where they say nothing."""
    names = {
        name: target.parameters[name].replace("{account}", target.account).replace("{region}", target.region)
        for name in ("bucket", "prefix", "log_group", "role_arn")
    }
    if not names["bucket"] and not names["log_group"]:
        raise Refused(
            "unsupported",
            "where to log is not said: set the parameter `bucket`, or `log_group` and `role_arn`",
        )
    if bool(names["log_group"]) != bool(names["role_arn"]):
        raise Refused(
            "unsupported", "a log group needs a role that Bedrock writes as: set `log_group` and `role_arn`"
        )
    found: Json = {}
    if names["bucket"]:
        prefix = {"keyPrefix": names["prefix"]} if names["prefix"] else {}
        found["s3Config"] = {"bucketName": names["bucket"], **prefix}
    if names["log_group"]:
        found["cloudWatchConfig"] = {"logGroupName": names["log_group"], "roleArn": names["role_arn"]}
    return found
