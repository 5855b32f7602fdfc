"""Amazon S3 over HTTP, and where moto has nothing, with answers as AWS documents them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import failure
from tests.live.judging import verdict

ALL_USERS = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
OWNER = {"Type": "CanonicalUser", "ID": "o"}
FLAGS = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


def _populate(s3: Any, name: str) -> None:
    s3.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
        ObjectLockEnabledForBucket=True,
    )
    s3.create_bucket(
        Bucket=f"{name}-logs",
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
        ACL="log-delivery-write",
    )
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={
            "Rules": [{
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:eu-west-1:123456789012:key/k"},
                "BucketKeyEnabled": True,
            }]
        },
    )  # fmt: skip
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=FLAGS)
    s3.put_bucket_logging(
        Bucket=name,
        BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": f"{name}-logs", "TargetPrefix": "p/"}},
    )
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={
            "Rules": [{
                "ID": "old", "Status": "Enabled",
                "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}},
                "Expiration": {"Days": 30},
                "Transitions": [{"Days": 10, "StorageClass": "GLACIER"}],
                "NoncurrentVersionExpiration": {"NoncurrentDays": 5},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            }]
        },
    )  # fmt: skip
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    s3.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 3}},
        },
    )
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "Owner", "Value": "me"}]})
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": []}))


# moto has no bucket policy status and no Macie
READ = frozenset({
    "tags", "BucketEncryption", "PublicAccessBlockConfiguration", "VersioningConfiguration", "LoggingConfiguration",
    "LifecycleConfiguration", "OwnershipControls", "AccessControl", "AccessControlGrants", "ObjectLockConfiguration",
    "related.policies", "ReplicationConfiguration", "NotificationConfiguration",
})  # fmt: skip


def test_a_populated_bucket_arrives_in_the_registrys_shape(account: Any, aws: Any, collect: Any) -> None:
    _populate(aws("s3", "eu-west-1"), "populated")
    buckets = collect(account, "AWS::S3::Bucket", region="eu-west-1", needs={"AWS::S3::Bucket": READ})
    bucket = next(b for b in buckets if b.id == "populated")
    logs = next(b for b in buckets if b.id == "populated-logs")
    assert (bucket.arn, bucket.tags) == ("arn:aws:s3:::populated", {"Owner": "me"})
    found = bucket.properties
    assert found["Arn"] == "arn:aws:s3:::populated"
    (encryption,) = found["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert encryption["BucketKeyEnabled"] is True
    assert found["PublicAccessBlockConfiguration"] == FLAGS
    assert found["VersioningConfiguration"] == {"Status": "Enabled"}
    assert found["LoggingConfiguration"] == {"DestinationBucketName": "populated-logs", "LogFilePrefix": "p/"}
    assert found["LifecycleConfiguration"]["Rules"] == [{
        "Id": "old", "Status": "Enabled", "Prefix": "a/", "TagFilters": [{"Key": "k", "Value": "v"}],
        "ExpirationInDays": 30, "Transitions": [{"TransitionInDays": 10, "StorageClass": "GLACIER"}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 5},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }]  # fmt: skip
    assert found["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert found["ObjectLockEnabled"] is True
    retention = found["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert (retention["Mode"], retention["Days"]) == ("COMPLIANCE", 3)  # moto adds Years: 0
    assert found["AccessControl"] == "Private"
    assert len(logs.properties["AccessControlGrants"]) == 2  # AWS gives three: WRITE too
    assert bucket.related["policies"] == [
        {"Bucket": "populated", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    ]


def test_an_empty_bucket_has_nothing_that_nobody_configured(account: Any, aws: Any, collect: Any) -> None:
    aws("s3", "eu-west-2").create_bucket(
        Bucket="empty", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
    )
    (bucket,) = (
        b
        for b in collect(account, "AWS::S3::Bucket", region="eu-west-2", needs={"AWS::S3::Bucket": READ})
        if b.id == "empty"
    )
    for name in (
        "BucketEncryption", "PublicAccessBlockConfiguration", "VersioningConfiguration", "LoggingConfiguration",
        "LifecycleConfiguration", "OwnershipControls", "ObjectLockEnabled", "ObjectLockConfiguration",
        "ReplicationConfiguration", "NotificationConfiguration",
    ):  # fmt: skip
        assert name not in bucket.properties, name
    assert bucket.tags == {}
    assert "policies" not in bucket.related
    assert not collect.last.failures


def test_rules_judge_collected_buckets(account: Any, aws: Any, collect: Any) -> None:
    s3 = aws("s3", "eu-central-1")
    for name in ("good", "bad"):
        s3.create_bucket(
            Bucket=f"{name}-judged", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
    s3.put_public_access_block(Bucket="good-judged", PublicAccessBlockConfiguration=FLAGS)
    s3.put_bucket_versioning(Bucket="good-judged", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_acl(Bucket="bad-judged", ACL="public-read")
    found = collect(account, "AWS::S3::Bucket", region="eu-central-1", needs={"AWS::S3::Bucket": READ})
    good, bad = (next(b for b in found if b.id == f"{n}-judged") for n in ("good", "bad"))
    assert bad.properties["AccessControl"] == "PublicRead"
    for rule in ("s3-bucket-public-access-block", "s3-acl-not-public", "s3-versioning"):
        assert (verdict(rule, good), verdict(rule, bad)) == ("PASS", "FAIL"), rule
    assert verdict("s3-server-access-logging", good) == "FAIL"


def _bucket(canned: Callable[..., Any], collect: Any, needs: set[str], **answers: Any) -> Any:
    listed = {"s3:ListBuckets": {"Buckets": [{"Name": "b", "BucketRegion": "us-east-1"}]}}
    (found,) = collect(
        canned({**listed, **answers}), "AWS::S3::Bucket", needs={"AWS::S3::Bucket": frozenset(needs)}
    )
    return found


def test_grants_of_no_canned_acl_are_told_one_by_one(canned: Any, collect: Any) -> None:
    """The name of a canned ACL is never kept; grants to others decide nothing about everybody."""
    other = {"Grantee": {"Type": "CanonicalUser", "ID": "someone"}, "Permission": "WRITE"}
    grants = [{"Grantee": OWNER, "Permission": "FULL_CONTROL"}, other]
    answer = {"s3:GetBucketAcl": {"Owner": {"ID": "o"}, "Grants": grants}}
    bucket = _bucket(canned, collect, {"AccessControl"}, **answer)
    assert isinstance(bucket.properties["AccessControl"], Unresolved)
    grants.append({"Grantee": ALL_USERS, "Permission": "FULL_CONTROL"})
    public = _bucket(canned, collect, {"AccessControl"}, **answer)
    assert public.properties["AccessControlGrants"][2] == {
        "Grantee": {"URI": ALL_USERS["URI"]}, "Permission": "FULL_CONTROL",
    }  # fmt: skip
    for each in (bucket, public):
        each.properties.update(PublicAccessBlockConfiguration={}, OwnershipControls={})
    assert verdict("s3-acl-not-public", bucket) == "PASS"
    assert verdict("s3-acl-not-public", public) == "FAIL"


def test_what_macie_watches_is_one_listing(canned: Any, collect: Any) -> None:
    """https://docs.aws.amazon.com/macie/latest/APIReference/datasources-s3.html"""
    watched = {
        "bucketName": "b",
        "automatedDiscoveryMonitoringStatus": "MONITORED",
        "jobDetails": {"isMonitoredByJob": "FALSE", "isDefinedInJob": "TRUE"},
        "sensitivityScore": 50,
    }
    bucket = _bucket(
        canned, collect, {"MacieMonitoring"}, **{"macie2:DescribeBuckets": {"buckets": [watched]}}
    )
    assert bucket.properties["MacieMonitoring"] == {
        "AutomatedDiscoveryMonitoringStatus": "MONITORED",
        "IsMonitoredByJob": "FALSE",
        "IsDefinedInJob": "TRUE",
        "SensitivityScore": 50,
    }
    off = failure("macie2:DescribeBuckets", "AccessDeniedException")
    denied = _bucket(canned, collect, {"MacieMonitoring"}, **{"macie2:DescribeBuckets": off})
    assert isinstance(denied.properties["MacieMonitoring"], Unresolved)
    assert len(collect.last.failures) == 1
    off.text = "Macie is not enabled."
    unwatched = _bucket(canned, collect, {"MacieMonitoring"}, **{"macie2:DescribeBuckets": off})
    assert "MacieMonitoring" not in unwatched.properties
    assert not collect.last.failures


def test_notifications_have_one_event_each(canned: Any, collect: Any) -> None:
    answer = {
        "QueueConfigurations": [
            {
                "QueueArn": "arn:aws:sqs:us-east-1:123456789012:q",
                "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
                "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "a"}]}},
            }
        ],
        "EventBridgeConfiguration": {},
    }
    bucket = _bucket(
        canned, collect, {"NotificationConfiguration"}, **{"s3:GetBucketNotificationConfiguration": answer}
    )
    found = bucket.properties["NotificationConfiguration"]
    assert found["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}
    assert [q["Event"] for q in found["QueueConfigurations"]] == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    assert found["QueueConfigurations"][0]["Filter"] == {
        "S3Key": {"Rules": [{"Name": "prefix", "Value": "a"}]}
    }


def test_the_status_of_a_policy(canned: Any, collect: Any) -> None:
    answers: dict[str, Any] = {"s3:GetBucketPolicyStatus": {"PolicyStatus": {"IsPublic": True}}}
    bucket = _bucket(canned, collect, {"PolicyStatus"}, **answers)
    assert bucket.properties["PolicyStatus"] == {"IsPublic": True}
    answers["s3:GetBucketPolicyStatus"] = failure("s3:GetBucketPolicyStatus", "NoSuchBucketPolicy")
    assert "PolicyStatus" not in _bucket(canned, collect, {"PolicyStatus"}, **answers).properties


def test_replication_and_website(canned: Any, collect: Any) -> None:
    rule = {
        "ID": "r", "Status": "Enabled", "Priority": 1, "Destination": {"Bucket": "arn:aws:s3:::copy"},
        "Filter": {"And": {"Prefix": "a", "Tags": [{"Key": "k", "Value": "v"}]}},
    }  # fmt: skip
    answers = {
        "s3:GetBucketReplication": {"ReplicationConfiguration": {"Role": "r", "Rules": [rule]}},
        "s3:GetBucketWebsite": {"IndexDocument": {"Suffix": "i.html"}, "ErrorDocument": {"Key": "e.html"}},
    }
    needs = {"ReplicationConfiguration", "WebsiteConfiguration"}
    found = _bucket(canned, collect, needs, **answers).properties
    (replica,) = found["ReplicationConfiguration"]["Rules"]
    assert replica["Destination"] == {"Bucket": "arn:aws:s3:::copy"}
    assert replica["Filter"] == {"And": {"Prefix": "a", "TagFilters": [{"Key": "k", "Value": "v"}]}}
    assert found["WebsiteConfiguration"] == {"IndexDocument": "i.html", "ErrorDocument": "e.html"}


def test_access_points(canned: Any, collect: Any) -> None:
    listed = {"Name": "point", "NetworkOrigin": "Internet", "Bucket": "b", "AccessPointArn": "arn:aws:s3:us-east-1:123456789012:accesspoint/point"}  # fmt: skip
    account = canned({
        "s3control:ListAccessPoints": {"AccessPointList": [listed]},
        "s3control:GetAccessPoint": {"Name": "point", "Bucket": "b", "PublicAccessBlockConfiguration": FLAGS},
        "s3control:GetAccessPointPolicy": {"Policy": '{"Version":"2012-10-17","Statement":[]}'},
        "s3control:ListTagsForResource": {"Tags": [{"Key": "a", "Value": "b"}]},
    })  # fmt: skip
    (point,) = collect(account, "AWS::S3::AccessPoint")
    assert point.arn == listed["AccessPointArn"]
    assert point.tags == {"a": "b"}
    assert point.properties["Policy"] == {"Version": "2012-10-17", "Statement": []}
    assert point.properties["PublicAccessBlockConfiguration"] == FLAGS
    assert verdict("s3-access-point-public-access-block", point) == "PASS"


def test_policies_of_object_lambda_access_points_without_one_are_none(canned: Any, collect: Any) -> None:
    listed = {"ObjectLambdaAccessPointList": [{"Name": "point", "ObjectLambdaAccessPointArn": "arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/o"}]}  # fmt: skip
    answers: dict[str, Any] = {
        "s3control:ListAccessPointsForObjectLambda": listed,
        "s3control:GetAccessPointPolicyForObjectLambda": {"Policy": '{"Statement":[]}'},
    }
    (found,) = collect(canned(answers), "AWS::S3ObjectLambda::AccessPointPolicy")
    assert found.properties["PolicyDocument"] == {"Statement": []}
    assert found.properties["ObjectLambdaAccessPoint"] == "point"
    none = failure("s3control:GetAccessPointPolicyForObjectLambda", "NoSuchAccessPointPolicy")
    answers["s3control:GetAccessPointPolicyForObjectLambda"] = none
    assert collect(canned(answers), "AWS::S3ObjectLambda::AccessPointPolicy") == []


def test_multi_region_access_points(canned: Any, collect: Any) -> None:
    listed = {"Name": "m", "Alias": "m.mrap", "PublicAccessBlock": FLAGS, "Regions": [{"Bucket": "b", "Region": "eu-west-1"}]}  # fmt: skip
    policy = {"Policy": {"Established": {"Policy": '{"Statement":[]}'}, "Proposed": {"Policy": "{}"}}}
    account = canned({
        "s3control:ListMultiRegionAccessPoints": {"AccessPoints": [listed]},
        "s3control:GetMultiRegionAccessPointPolicy": policy,
    })  # fmt: skip
    (point,) = collect(account, "AWS::S3::MultiRegionAccessPoint", region="us-west-2", place="global")
    assert point.properties["PublicAccessBlockConfiguration"] == FLAGS
    assert point.properties["Regions"] == [{"Bucket": "b"}]
    assert point.related["policies"] == [{"MrapName": "m", "Policy": {"Statement": []}}]


def test_access_points_are_listed_to_the_last_page(account: Any, monkeypatch: Any) -> None:
    """botocore has no paginator for them."""

    def call(_service: str, _operation: str, arguments: Any, _region: str) -> Any:
        at = int(arguments.get("NextToken", "0"))
        more = {"NextToken": str(at + 1)} if at < 2 else {}
        return {"AccessPointList": [{"Name": f"p{at}"}], **more}

    monkeypatch.setattr(account, "call", call)
    listed = account.pages("s3control", "ListAccessPoints", {"AccountId": account.id}, "us-east-1")
    assert [point["Name"] for page in listed for point in page["AccessPointList"]] == ["p0", "p1", "p2"]


def test_blocked_encryption_types_are_told_where_they_are_blocked(canned: Any, collect: Any) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-s3-c-encryption-setting-faq.html"""
    rule: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    answers = {"s3:GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}}
    allowed = _bucket(canned, collect, {"BucketEncryption"}, **answers)
    assert verdict("s3-customer-provided-keys-blocked", allowed) == "FAIL"
    rule["BlockedEncryptionTypes"] = {"EncryptionType": ["SSE-C"]}
    blocked = _bucket(canned, collect, {"BucketEncryption"}, **answers)
    assert verdict("s3-customer-provided-keys-blocked", blocked) == "PASS"
