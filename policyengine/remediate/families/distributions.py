"""How CloudFront fetches from buckets: whether it signs, and whether it may do so over plain HTTP."""

from __future__ import annotations

from typing import Any, Final

from policyengine.remediate.api import Reader

Json = dict[str, Any]
_ASKED_IN: Final = {"aws": "us-east-1", "aws-cn": "cn-northwest-1"}
"""Where CloudFront is asked; GovCloud has none (https://docs.aws.amazon.com/general/latest/gr/cf_region.html)."""


def s3_origins(read: Reader, partition: str) -> list[Json]:
    """Return what enabled distributions fetch from S3: ``{id, domain, signed, http}``, in order. Raises Refused.

    Signing is an origin access control, or the older origin access identity:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html. From a
    bucket CloudFront fetches by the protocol that the viewer used:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-cloudfront-to-s3-origin.html
    """
    if partition not in _ASKED_IN:
        return []
    items = read.all(
        "cloudfront", "ListDistributions", result="DistributionList.Items", region=_ASKED_IN[partition]
    )
    found = [
        _origin(distribution, origin)
        for distribution in items
        if distribution["Enabled"]
        for origin in (distribution.get("Origins") or {}).get("Items") or []
        if ".s3" in origin["DomainName"]
    ]
    return sorted(found, key=lambda each: (each["domain"], each["id"]))


def _origin(distribution: Json, origin: Json) -> Json:
    identity = (origin.get("S3OriginConfig") or {}).get("OriginAccessIdentity")
    behaviors = [
        distribution.get("DefaultCacheBehavior") or {},
        *((distribution.get("CacheBehaviors") or {}).get("Items") or []),
    ]
    by_http = any(behavior.get("ViewerProtocolPolicy") == "allow-all" for behavior in behaviors)
    protocol = (origin.get("CustomOriginConfig") or {}).get("OriginProtocolPolicy", "match-viewer")
    return {
        "id": distribution["Id"],
        "domain": origin["DomainName"],
        "signed": bool(origin.get("OriginAccessControlId") or identity),
        "http": protocol == "http-only" or (protocol == "match-viewer" and by_http),
    }


def at_bucket(origins: list[Json], bucket: str) -> list[Json]:
    """Return those among them that fetch from a bucket, at its REST or its website endpoint.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """
    hosts = (f"{bucket}.s3.", f"{bucket}.s3-")
    return [origin for origin in origins if origin["domain"].startswith(hosts)]


def unsigned(origins: list[Json]) -> list[str]:
    """Return the distributions among them that do not sign."""
    return sorted({origin["id"] for origin in origins if not origin["signed"]})


def by_http(origins: list[Json]) -> list[str]:
    """Return the distributions among them that may fetch over plain HTTP."""
    return sorted({origin["id"] for origin in origins if origin["http"]})
