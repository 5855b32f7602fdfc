"""Block public access to every bucket of an account, after two people saw which buckets are open now."""

from __future__ import annotations

from typing import Final

from policyengine.remediate.api import Call, Json, Proposal, Reader, Step, Target
from policyengine.remediate.families.distributions import at_bucket, s3_origins, unsigned
from policyengine.remediate.families.public_use import BLOCKED, bucket_use, told

_BLOCKED: Final[Json] = {"block": BLOCKED, "in_use": {}, "object_acls": 0}


def image(target: Target, read: Reader) -> Json:
    """Return the account's settings, and each bucket that is open, with how; none is, once the account is blocked.

    Every bucket is read: one that cannot be read refuses, for it may be the one that matters.
    """
    found = read.call(
        "s3control",
        "GetPublicAccessBlock",
        {"AccountId": target.account},
        none=("NoSuchPublicAccessBlockConfiguration",),
    )
    if found is not None and found["PublicAccessBlockConfiguration"] == BLOCKED:
        return dict(_BLOCKED)
    origins = s3_origins(read, target.partition)
    in_use: dict[str, Json] = {}
    object_acls = 0
    # a listing tells the Regions of buckets only where it is asked with a parameter, such as the size of its pages:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_Bucket.html
    for bucket in read.all("s3", "ListBuckets", {"MaxBuckets": 1000}, result="Buckets"):
        name = bucket["Name"]
        use = bucket_use(read, name, target.account, bucket.get("BucketRegion") or "")
        object_acls += use.pop("object_acls")
        distributions = unsigned(at_bucket(origins, name))
        if distributions or any(use.values()):
            in_use[name] = {**use, "distributions": distributions}
    return {
        "block": None if found is None else found["PublicAccessBlockConfiguration"],
        "in_use": in_use,
        "object_acls": object_acls,
    }


def plan(target: Target, image: Json) -> Proposal:
    """Set all four for the account; S3 applies the stricter of the account's and each bucket's settings.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html
    """
    block = image["block"]
    if block == BLOCKED:
        return Proposal("the account blocks public access already", after=image)
    concerns = [
        f"bucket {name}: {'; '.join(told(use, use['distributions']))}"
        for name, use in sorted(image["in_use"].items())
    ]
    if image["object_acls"]:
        concerns.append(f"{image['object_acls']} buckets have ACLs on objects that may be public")
    account = {"AccountId": target.account}
    undo = (
        Call("s3control", "DeletePublicAccessBlock", account)
        if block is None
        else Call("s3control", "PutPublicAccessBlock", {**account, "PublicAccessBlockConfiguration": block})
    )
    step = Step(
        "block",
        Call("s3control", "PutPublicAccessBlock", {**account, "PublicAccessBlockConfiguration": BLOCKED}),
        undo=(undo,),
        why="it holds for every bucket of the account, in every Region, today's and tomorrow's",
    )
    return Proposal(
        f"block public access to all buckets of account {target.account}",
        (step,),
        after=dict(_BLOCKED),
        concerns=tuple(concerns),
    )
