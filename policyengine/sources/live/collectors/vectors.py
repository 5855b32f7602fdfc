"""S3 Vectors: buckets and their indexes."""

from __future__ import annotations

from typing import Final

from policyengine.sources.live.spec import Collector, Parent, Step

_GONE: Final = ("NotFoundException",)


def _tags(arn: str) -> Step:
    return Step("ListTagsForResource", "tags", {"resourceArn": arn}, gives=("tags",), gone=_GONE)


COLLECTORS = (
    Collector(
        "AWS::S3Vectors::VectorBucket",
        "s3vectors",
        Step("ListVectorBuckets", "vectorBuckets"),
        id="{vectorBucketArn}",
        arn="{vectorBucketArn}",
        tags="",
        details=(
            Step(
                "GetVectorBucket",
                "vectorBucket",
                {"vectorBucketArn": "{vectorBucketArn}"},
                rename={"vectorBucketName": "", "vectorBucketArn": "", "creationTime": ""},
                gone=_GONE,
            ),
            _tags("{vectorBucketArn}"),
        ),
    ),
    Collector(
        "AWS::S3Vectors::Index",
        "s3vectors",
        Step("ListIndexes", "indexes", gone=_GONE),
        parent=Parent("AWS::S3Vectors::VectorBucket", {"vectorBucketArn": "{vectorBucketArn}"}),
        id="{indexArn}",
        arn="{indexArn}",
        tags="",
        shape=lambda item: {**item, "VectorBucketArn": item["parent"]["vectorBucketArn"]},
        gives=("VectorBucketArn",),
        details=(
            Step(
                "GetIndex",
                "index",
                {"indexArn": "{indexArn}"},
                rename={"vectorBucketName": "", "indexName": "", "indexArn": "", "creationTime": ""},
                gone=_GONE,
            ),
            _tags("{indexArn}"),
        ),
    ),
)
