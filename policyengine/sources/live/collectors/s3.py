"""Amazon S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_BUCKET = {"Bucket": "{Name}"}
_GONE = ("NoSuchBucket", "404")


def _here(item: Json, names: Mapping[str, str]) -> bool:
    return bool(item.get("BucketRegion", names["region"]) == names["region"])


def _encryption(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionRule.html"""
    rules = []
    for rule in result.get("Rules", ()):
        given = dict(rule)
        if "ApplyServerSideEncryptionByDefault" in given:
            given["ServerSideEncryptionByDefault"] = given.pop("ApplyServerSideEncryptionByDefault")
        rules.append(given)
    return {"ServerSideEncryptionConfiguration": rules}


def _detail(operation: str, into: str, result: str = "", **more: Any) -> Step:
    return Step(operation, result, _BUCKET, into=into, gone=_GONE, **more)


COLLECTORS = (
    Collector(
        "AWS::S3::Bucket",
        "s3",
        Step("ListBuckets", "Buckets", {"BucketRegion": "{region}"}, rename={"Name": "BucketName"}),
        id="{Name}",
        arn="arn:{partition}:s3:::{Name}",
        keep=_here,
        tags="",
        details=(
            Step("GetBucketTagging", "TagSet", _BUCKET, gives=("tags",), none=("NoSuchTagSet",), gone=_GONE),
            _detail(
                "GetBucketEncryption",
                "BucketEncryption",
                "ServerSideEncryptionConfiguration",
                none=("ServerSideEncryptionConfigurationNotFoundError",),
                shape=_encryption,
            ),
            _detail(
                "GetPublicAccessBlock",
                "PublicAccessBlockConfiguration",
                "PublicAccessBlockConfiguration",
                none=("NoSuchPublicAccessBlockConfiguration",),
            ),
            Step(
                "GetBucketPolicy",
                "",
                _BUCKET,
                into="related.policies",
                gives=("related.policies",),
                none=("NoSuchBucketPolicy",),
                gone=_GONE,
                rename={"Policy": "PolicyDocument"},
                shape=lambda result, item: {"Bucket": item["Name"], "Policy": result["Policy"]},
            ),
        ),
        also={"AWS::S3::BucketPolicy": "related.policies"},
    ),
)
