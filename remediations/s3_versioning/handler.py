"""Keep earlier versions of a bucket's objects."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target


def image(target: Target, read: Reader) -> Json:
    """Return whether versions are kept, and whether a lifecycle rule ever removes them.

    Never turned on and suspended are the same here: nobody can go back to the first.
    """
    asked = {"Bucket": target.id, "ExpectedBucketOwner": target.account}
    found = read.call("s3", "GetBucketVersioning", asked) or {}
    lifecycle = read.call(
        "s3", "GetBucketLifecycleConfiguration", asked, none=("NoSuchLifecycleConfiguration",)
    )
    rules = (lifecycle or {}).get("Rules") or []
    return {
        "enabled": found.get("Status") == "Enabled",
        "mfa_delete": found.get("MFADelete") == "Enabled",
        "expires": any(r["Status"] == "Enabled" and r.get("NoncurrentVersionExpiration") for r in rules),
    }


def plan(target: Target, image: Json) -> Proposal:
    """Enable versioning; undone, it is suspended: what is there keeps its versions.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
    """
    if image["enabled"]:
        return Proposal("earlier versions are kept already", after=image)
    if image["mfa_delete"]:
        raise Refused(
            "unsupported",
            "with MFA delete only the root user with its device can change versioning: "
            "https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html",
        )
    concerns = () if image["expires"] else ("no lifecycle rule removes noncurrent versions: the bill grows",)
    step = Step(
        "enable",
        _put(target, "Enabled"),
        undo=(_put(target, "Suspended"),),
        why="an overwritten or deleted object stays there as an earlier version",
    )
    return Proposal(
        "keep earlier versions of objects", (step,), after={**image, "enabled": True}, concerns=concerns
    )


def _put(target: Target, status: str) -> Call:
    bucket = {"Bucket": target.id, "ExpectedBucketOwner": target.account}
    return Call("s3", "PutBucketVersioning", {**bucket, "VersioningConfiguration": {"Status": status}})
