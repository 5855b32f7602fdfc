"""Buckets: what AWS Config records beside the configuration, in the words of an SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.model.values import Unresolved

from .helpers import one


def bucket(**supplement: Any) -> Any:
    return one("AWS::S3::Bucket", {"name": "b"}, resourceId="b", supplement=supplement)


def test_a_bucket_without_settings() -> None:
    """What is always there holds null where there is nothing; what is left out is set nowhere."""
    found = bucket(
        BucketPolicy={"policyText": None},
        BucketLoggingConfiguration={"destinationBucketName": None, "logFilePrefix": None},
        BucketVersioningConfiguration={"status": "Off", "isMfaDeleteEnabled": None},
    )
    assert found.related["policies"] == []
    for name in (
        "LoggingConfiguration",
        "VersioningConfiguration",
        "BucketEncryption",
        "ReplicationConfiguration",
    ):
        assert name not in found.properties
    for name in ("OwnershipControls", "PolicyStatus", "AccessControl", "MacieMonitoring"):
        assert isinstance(found.properties[name], Unresolved)
    assert isinstance(bucket().related["policies"], Unresolved)
    assert isinstance(bucket().properties["VersioningConfiguration"], Unresolved)


@pytest.mark.parametrize(
    ("grantee", "canned"),
    [({"id": "me"}, "Private"), ("AllUsers", "PublicRead"), ("AuthenticatedUsers", "AuthenticatedRead")],
)
def test_grants_of_a_bucket(grantee: Any, canned: str) -> None:
    grants = [{"grantee": {"id": "me"}, "permission": "FullControl"}]
    if isinstance(grantee, str):
        grants.append({"grantee": grantee, "permission": "Read"})
    acl = {"grantSet": None, "grantList": grants, "owner": {"id": "me"}}
    for written in (acl, json.dumps(acl), json.dumps(json.dumps(acl))):
        found = bucket(AccessControlList=written).properties
        assert found["AccessControl"] == canned
        assert len(found["AccessControlGrants"]) == len(grants)


@pytest.mark.parametrize("grantee", ["Somebody", 7, {}, None])
def test_a_grant_nobody_knows_leaves_all_unknown(grantee: Any) -> None:
    found = bucket(AccessControlList={"grantList": [{"grantee": grantee, "permission": "Read"}]}).properties
    assert isinstance(found["AccessControlGrants"], Unresolved)
    assert isinstance(found["AccessControl"], Unresolved)


def test_replication_and_lifecycle() -> None:
    rule = {"status": "Enabled", "destinationConfig": {"bucketARN": "arn:aws:s3:::c", "storageClass": None}}
    size = {"type": "LifecycleObjectSizeGreaterThanPredicate", "objectSizeGreaterThan": 7}
    tag = {"type": "LifecycleTagPredicate", "tag": {"key": "k", "value": "v"}}
    joined = {
        "type": "LifecycleAndOperator",
        "operands": [{"type": "LifecyclePrefixPredicate", "prefix": "p/"}, tag, tag],
    }
    found = bucket(
        BucketReplicationConfiguration={"roleARN": "r", "rules": {"all": rule}},
        BucketLifecycleConfiguration={
            "rules": [
                {"id": "a", "status": "Enabled", "filter": {"predicate": size}, "expirationInDays": -1, "transitions": [{"days": 3, "storageClass": "GLACIER"}]},
                {"id": "b", "status": "Disabled", "filter": {"predicate": tag}},
                {"id": "c", "status": "Enabled", "filter": {"predicate": joined}},
            ]
        },
        ObjectLockConfiguration={"objectLockEnabled": "Enabled", "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 1}}},
    ).properties  # fmt: skip
    assert found["ReplicationConfiguration"]["Rules"] == [
        {"Id": "all", "Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::c"}}
    ]
    first, second, third = found["LifecycleConfiguration"]["Rules"]
    assert "ExpirationInDays" not in first
    assert (third["Prefix"], len(third["TagFilters"])) == ("p/", 2)
    assert first["Transitions"] == [{"TransitionInDays": 3, "StorageClass": "GLACIER"}]
    assert isinstance(first["Prefix"], Unresolved)
    assert second["TagFilters"] == [{"Key": "k", "Value": "v"}]
    assert found["ObjectLockEnabled"] is True
