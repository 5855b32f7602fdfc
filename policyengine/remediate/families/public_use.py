"""What shows that a bucket is read, or could be read, by everybody: asked before public access is blocked.

Sites were taken down by blocking the public access of buckets they were served from (DataBiosphere/azul#4691,
cisagov/cyhy_amis#742).
"""

from __future__ import annotations

from typing import Any, Final

from policyengine.remediate.api import Reader

Json = dict[str, Any]
_EVERYBODY: Final = frozenset(
    f"http://acs.amazonaws.com/groups/global/{group}" for group in ("AllUsers", "AuthenticatedUsers")
)
SETTINGS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
BLOCKED: Final = dict.fromkeys(SETTINGS, True)
CLOSED: Final[Json] = {
    "website": False,
    "policy": False,
    "access_points": [],
    "acl": [],
    "object_acls": False,
}
"""How a bucket is open that is blocked: what it says of the public does not count, and is not read."""


def bucket_use(read: Reader, bucket: str, account: str, region: str = "") -> Json:
    """Return how a bucket is open: ``website``, ``policy`` (S3 holds it for public), ``access_points`` (those with a
    public policy), ``acl`` (what it grants to everybody), ``object_acls`` (whether ACLs of objects count). Raises Refused.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    asked = {"Bucket": bucket, "ExpectedBucketOwner": account}

    def answer(operation: str, *none: str) -> Json:
        return read.call("s3", operation, asked, none=none, region=region) or {}

    website = answer("GetBucketWebsite", "NoSuchWebsiteConfiguration")
    status = answer("GetBucketPolicyStatus", "NoSuchBucketPolicy").get("PolicyStatus") or {}
    grants = answer("GetBucketAcl").get("Grants") or []
    owned = answer("GetBucketOwnershipControls", "OwnershipControlsNotFoundError").get("OwnershipControls")
    rules = (owned or {}).get("Rules") or []
    return {
        "website": bool(website),
        "policy": bool(status.get("IsPublic")),
        "access_points": _public_points(read, bucket, account, region),
        "acl": sorted({g["Permission"] for g in grants if (g.get("Grantee") or {}).get("URI") in _EVERYBODY}),
        "object_acls": not any(rule["ObjectOwnership"] == "BucketOwnerEnforced" for rule in rules),
    }


def _public_points(read: Reader, bucket: str, account: str, region: str) -> list[str]:
    """A bucket whose policy leaves everything to its access points is not public for S3, and yet open by one of them:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html#access-points-delegating-control
    """
    asked = {"AccountId": account, "Bucket": bucket}
    points = read.all("s3control", "ListAccessPoints", asked, result="AccessPointList", region=region)
    found = []
    for name in sorted(point["Name"] for point in points if point["NetworkOrigin"] == "Internet"):
        answer = read.call(
            "s3control",
            "GetAccessPointPolicyStatus",
            {"AccountId": account, "Name": name},
            none=("NoSuchAccessPointPolicy",),
            region=region,
        )
        if ((answer or {}).get("PolicyStatus") or {}).get("IsPublic"):
            found.append(name)
    return found


def told(use: Json, distributions: list[str], block: Json | None = None) -> list[str]:
    """Return in words what would stop working; ``block`` are the settings that hold already."""
    held = block or {}
    found = []
    if use["policy"] and not held.get("RestrictPublicBuckets"):
        found.append("its policy is public: everybody it admits from outside of the account loses access")
    if use["access_points"]:
        found.append(f"access points let everybody in: {', '.join(use['access_points'])}")
    if use["acl"] and not held.get("IgnorePublicAcls"):
        found.append(f"its ACL grants {', '.join(use['acl'])} to everybody")
    if use["website"]:
        found.append("it serves a website, which only public objects can")
    if distributions:
        found.append(f"CloudFront reads it without signing: {', '.join(distributions)}")
    return found
