"""Block public access to a bucket, unless something reads it as the public does."""

from __future__ import annotations

from typing import Final

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.distributions import at_bucket, s3_origins, unsigned
from policyengine.remediate.families.public_use import BLOCKED, CLOSED, bucket_use, told

_BLOCKED: Final[Json] = {"block": BLOCKED, "use": CLOSED, "distributions": []}


def image(target: Target, read: Reader) -> Json:
    """Return the bucket's own settings, and what shows that it is used publicly: nothing is, once it is blocked."""
    found = read.call(
        "s3",
        "GetPublicAccessBlock",
        {"Bucket": target.id, "ExpectedBucketOwner": target.account},
        none=("NoSuchPublicAccessBlockConfiguration",),
    )
    if found is not None and found["PublicAccessBlockConfiguration"] == BLOCKED:
        return dict(_BLOCKED)
    return {
        "block": None if found is None else found["PublicAccessBlockConfiguration"],
        "use": bucket_use(read, target.id, target.account),
        "distributions": unsigned(at_bucket(s3_origins(read, target.partition), target.id)),
    }


def plan(target: Target, image: Json) -> Proposal:
    """Set all four: the whole configuration is replaced, and what is left out of it counts as false.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
    """
    block = image["block"]
    if block == BLOCKED:
        return Proposal("public access is blocked already", after=image)
    uses = told(image["use"], image["distributions"], block)
    if uses and target.parameters["when_in_use"] == "refuse":
        raise Refused(
            "unsafe",
            f"the bucket is in public use: {'; '.join(uses)}. Serve it through CloudFront with an origin access "
            "control, or set the parameter `when_in_use` to `approve`",
        )
    concerns = list(uses)
    if image["use"]["object_acls"] and not (block or {}).get("IgnorePublicAcls"):
        concerns.append(
            "ACLs of objects count in this bucket; any that grant access to everybody stop doing so, and uploads with "
            "a public ACL fail"
        )
    bucket = {"Bucket": target.id, "ExpectedBucketOwner": target.account}
    undo = (
        Call("s3", "DeletePublicAccessBlock", bucket)
        if block is None
        else Call("s3", "PutPublicAccessBlock", {**bucket, "PublicAccessBlockConfiguration": block})
    )
    step = Step(
        "block",
        Call("s3", "PutPublicAccessBlock", {**bucket, "PublicAccessBlockConfiguration": BLOCKED}),
        undo=(undo,),
        why="no policy and no ACL can make the bucket public from then on",
    )
    return Proposal(
        "block all public access to the bucket",
        (step,),
        after=dict(_BLOCKED),
        concerns=tuple(concerns),
        approvals=2 if uses else 0,
    )
