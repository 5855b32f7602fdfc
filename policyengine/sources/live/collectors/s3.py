"""Amazon S3: buckets and access points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.sources.live.collectors import s3_shapes as shapes
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_BUCKET = {"Bucket": "{Name}"}
_GONE = ("NoSuchBucket", "404")
_POINT = {"AccountId": "{account}", "Name": "{Name}"}
_CONTROL = {"aws": "us-west-2"}
"""https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListMultiRegionAccessPoints.html"""


def _here(item: Json, names: Mapping[str, str]) -> bool:
    return bool(item.get("BucketRegion", names["region"]) == names["region"])


def _detail(operation: str, into: str, result: str = "", **more: Any) -> Step:
    return Step(operation, result, _BUCKET, into=into, gone=_GONE, **more)


def _rare(operation: str, into: str, result: str = "", **more: Any) -> Step:
    return _detail(operation, into, result, only_named=True, **more)


def _policy(result: Json, item: Json) -> Json:
    return {"Bucket": item["Name"], "PolicyDocument": result["Policy"]}


def _mrap_policy(result: Json, item: Json) -> Json | None:
    """The proposed policy is not in force."""
    text = (result.get("Established") or {}).get("Policy")
    return {"MrapName": item["Name"], "Policy": text} if text else None


# error codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
_BUCKETS = Collector(
    "AWS::S3::Bucket",
    "s3",
    Step(
        "ListBuckets",
        "Buckets",
        {"BucketRegion": "{region}"},
        rename={"Name": "BucketName", "BucketArn": "Arn"},
    ),
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
            shape=shapes.encryption,
        ),
        _detail(
            "GetPublicAccessBlock",
            "PublicAccessBlockConfiguration",
            "PublicAccessBlockConfiguration",
            none=("NoSuchPublicAccessBlockConfiguration",),
        ),
        _detail("GetBucketVersioning", "VersioningConfiguration", shape=shapes.versioning),
        _detail(
            "GetBucketLogging",
            "LoggingConfiguration",
            "LoggingEnabled",
            rename={"TargetBucket": "DestinationBucketName", "TargetPrefix": "LogFilePrefix"},
        ),
        _detail(
            "GetBucketLifecycleConfiguration",
            "LifecycleConfiguration",
            none=("NoSuchLifecycleConfiguration",),
            shape=shapes.lifecycle,
        ),
        _detail(
            "GetBucketReplication",
            "ReplicationConfiguration",
            "ReplicationConfiguration",
            none=("ReplicationConfigurationNotFoundError",),
            rename={"Rules.Filter.And.Tags": "TagFilters", "Rules.Filter.Tag": "TagFilter"},
        ),
        _detail(
            "GetBucketOwnershipControls",
            "OwnershipControls",
            "OwnershipControls",
            none=("OwnershipControlsNotFoundError",),
        ),
        Step(
            "GetBucketAcl",
            "",
            _BUCKET,
            gives=("AccessControl", "AccessControlGrants"),
            gone=_GONE,
            shape=shapes.acl,
        ),
        Step(
            "GetObjectLockConfiguration",
            "ObjectLockConfiguration",
            _BUCKET,
            gives=("ObjectLockEnabled", "ObjectLockConfiguration"),
            none=("ObjectLockConfigurationNotFoundError",),
            gone=_GONE,
            shape=shapes.object_lock,
        ),
        _detail("GetBucketPolicyStatus", "PolicyStatus", "PolicyStatus", none=("NoSuchBucketPolicy",)),
        Step(
            "GetBucketPolicy",
            "",
            _BUCKET,
            into="related.policies",
            gives=("related.policies",),
            none=("NoSuchBucketPolicy",),
            gone=_GONE,
            shape=_policy,
        ),
        _rare("GetBucketNotificationConfiguration", "NotificationConfiguration", shape=shapes.notification),
        _rare(
            "GetBucketWebsite",
            "WebsiteConfiguration",
            none=("NoSuchWebsiteConfiguration",),
            shape=shapes.website,
        ),
        _rare(
            "GetBucketCors",
            "CorsConfiguration",
            none=("NoSuchCORSConfiguration",),
            rename={
                "CORSRules.ExposeHeaders": "ExposedHeaders",
                "CORSRules.MaxAgeSeconds": "MaxAge",
            },
        ),
        _rare("GetBucketAccelerateConfiguration", "AccelerateConfiguration.AccelerationStatus", "Status"),
        Step(
            "DescribeBuckets",
            "buckets",
            into="MacieMonitoring",
            none=("AccessDeniedException: Macie is not enabled",),
            service="macie2",
            once="{Name}",
            key="bucketName",
            shape=shapes.macie,
            only_named=True,
        ),
    ),
    also={"AWS::S3::BucketPolicy": "related.policies"},
)

COLLECTORS = (
    _BUCKETS,
    Collector(
        "AWS::S3::AccessPoint",
        "s3control",
        Step("ListAccessPoints", "AccessPointList", {"AccountId": "{account}"}),
        id="{Name}",
        arn="arn:{partition}:s3:{region}:{account}:accesspoint/{Name}",
        tags="",
        details=(
            Step(
                "GetAccessPoint",
                "",
                _POINT,
                gives=("PublicAccessBlockConfiguration", "CreationDate"),
                gone=("NoSuchAccessPoint",),
            ),
            Step(
                "GetAccessPointPolicy",
                "Policy",
                _POINT,
                into="Policy",
                none=("NoSuchAccessPointPolicy",),
                gone=("NoSuchAccessPoint",),
            ),
            Step(
                "ListTagsForResource",
                "Tags",
                {
                    "AccountId": "{account}",
                    "ResourceArn": "arn:{partition}:s3:{region}:{account}:accesspoint/{Name}",
                },
                gives=("tags",),
                gone=("NoSuchAccessPoint",),
            ),
        ),
    ),
    Collector(
        "AWS::S3::MultiRegionAccessPoint",
        "s3control",
        Step(
            "ListMultiRegionAccessPoints",
            "AccessPoints",
            {"AccountId": "{account}"},
            rename={"PublicAccessBlock": "PublicAccessBlockConfiguration"},
        ),
        id="{Name}",
        arn="arn:{partition}:s3::{account}:accesspoint/{Alias}",
        tags="",
        home=_CONTROL,
        details=(
            Step(
                "GetMultiRegionAccessPointPolicy",
                "Policy",
                _POINT,
                into="related.policies",
                gives=("related.policies",),
                gone=("NoSuchMultiRegionAccessPoint",),
                shape=_mrap_policy,
            ),
        ),
        also={"AWS::S3::MultiRegionAccessPointPolicy": "related.policies"},
    ),
    Collector(
        "AWS::S3ObjectLambda::AccessPointPolicy",
        "s3control",
        Step(
            "ListAccessPointsForObjectLambda",
            "ObjectLambdaAccessPointList",
            {"AccountId": "{account}"},
            rename={"Name": "ObjectLambdaAccessPoint"},
        ),
        id="{Name}",
        arn="{ObjectLambdaAccessPointArn}",
        tags="",
        describe=Step(
            "GetAccessPointPolicyForObjectLambda",
            "",
            _POINT,
            gone=("NoSuchAccessPointPolicy",),
            rename={"Policy": "PolicyDocument"},
        ),
    ),
)
