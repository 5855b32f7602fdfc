"""S3 Vectors, Keyspaces, Connect and the policies of Systems Manager, with answers as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.model.resource import Resource
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

KEY = f"arn:aws:kms:us-east-1:{MOTO_ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
OWN = Resource(
    "AWS::KMS::Key",
    KEY,
    account=MOTO_ACCOUNT,
    region="us-east-1",
    arn=KEY,
    properties={"KeyId": KEY, "Arn": KEY},
)


def test_buckets_and_indexes_of_vectors(canned: Any, collect: Any) -> None:
    prefix = f"arn:aws:s3vectors:us-east-1:{MOTO_ACCOUNT}:bucket/"
    encrypted = {"sseType": "aws:kms", "kmsKeyArn": KEY}
    account = canned({
        "s3vectors:ListVectorBuckets": {"vectorBuckets": [
            {"vectorBucketName": name, "vectorBucketArn": prefix + name} for name in ("good", "plain")]},
        "s3vectors:GetVectorBucket": lambda arguments: {"vectorBucket": {
            "encryptionConfiguration": encrypted if arguments["vectorBucketArn"].endswith("good") else {"sseType": "AES256"}}},
        "s3vectors:ListIndexes": lambda arguments: {"indexes": [
            {"indexName": "i", "indexArn": arguments["vectorBucketArn"] + "/index/i", "vectorBucketName": "b"}]},
        "s3vectors:GetIndex": {"index": {"dimension": 3, "dataType": "float32"}},
        "s3vectors:ListTagsForResource": {"tags": {"Owner": "me"}},
    })  # fmt: skip
    good, plain = collect(account, "AWS::S3Vectors::VectorBucket")
    assert (good.id, good.properties["VectorBucketName"], good.tags) == (
        prefix + "good",
        "good",
        {"Owner": "me"},
    )
    assert good.properties["EncryptionConfiguration"] == {"SseType": "aws:kms", "KmsKeyArn": KEY}
    assert [verdict("vector-bucket-customer-managed-key", r, [OWN]) for r in (good, plain)] == [
        "PASS",
        "FAIL",
    ]
    index, _ = collect(account, "AWS::S3Vectors::Index")
    assert index.properties["VectorBucketArn"] == good.arn
    assert (index.properties["Dimension"], index.tags) == (3, {"Owner": "me"})
    assert "EncryptionConfiguration" not in index.properties


def test_tables_of_keyspaces(canned: Any, collect: Any) -> None:
    def tables(arguments: Any) -> Any:
        assert not arguments["keyspaceName"].startswith("system")
        return {"tables": [{"keyspaceName": "shop", "tableName": name, "resourceArn": f"arn:{name * 10}"} for name in ("good", "plain")]}  # fmt: skip

    def table(arguments: Any) -> Any:
        if arguments["tableName"] == "plain":
            return {"encryptionSpecification": {"type": "AWS_OWNED_KMS_KEY"}, "pointInTimeRecovery": {"status": "DISABLED"},
                    "capacitySpecification": {"throughputMode": "PAY_PER_REQUEST"}}  # fmt: skip
        return {"encryptionSpecification": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyIdentifier": KEY},
                "pointInTimeRecovery": {"status": "ENABLED"}, "defaultTimeToLive": 60}  # fmt: skip

    account = canned({
        "keyspaces:ListKeyspaces": {"keyspaces": [{"keyspaceName": name} for name in ("system", "system_schema", "shop")]},
        "keyspaces:ListTables": tables,
        "keyspaces:GetTable": table,
        "keyspaces:ListTagsForResource": {"tags": [{"key": "Owner", "value": "me"}]},
    })  # fmt: skip
    type = "AWS::Cassandra::Table"
    good, plain = collect(account, type)
    assert (good.id, good.properties["KeyspaceName"], good.tags) == ("shop|good", "shop", {"Owner": "me"})
    assert good.properties["EncryptionSpecification"] == {
        "EncryptionType": "CUSTOMER_MANAGED_KMS_KEY", "KmsKeyIdentifier": KEY,
    }  # fmt: skip
    assert (good.properties["PointInTimeRecoveryEnabled"], good.properties["DefaultTimeToLive"]) == (True, 60)
    assert plain.properties["PointInTimeRecoveryEnabled"] is False
    assert plain.properties["BillingMode"] == {"Mode": "ON_DEMAND"}
    assert "DefaultTimeToLive" not in plain.properties
    assert plain.properties["ReplicaSpecifications"].reason == "not_collected"
    assert [verdict("keyspaces-point-in-time-recovery", r) for r in (good, plain)] == ["PASS", "FAIL"]
    account.answers["keyspaces:ListTables"] = failure("keyspaces:ListTables", "AccessDeniedException")
    assert collect(account, type) == []
    assert collect.last.whole == ()


def test_what_connect_stores(canned: Any, collect: Any) -> None:
    from policyengine.sources.live.collectors.connect import _STORED

    botocore_session = pytest.importorskip("botocore.session")
    known = botocore_session.Session().get_service_model("connect").shape_for("InstanceStorageResourceType")
    assert set(_STORED) == set(known.enum)

    def stored(arguments: Any) -> Any:
        config = {"BucketName": "b", "BucketPrefix": "p"}
        if arguments["ResourceType"] == "CALL_RECORDINGS":
            return {"StorageConfigs": [{"AssociationId": "a1", "StorageType": "S3", "S3Config": config}]}
        if arguments["ResourceType"] == "CHAT_TRANSCRIPTS":
            encryption = {"EncryptionType": "KMS", "KeyId": KEY}
            return {"StorageConfigs": [
                {"AssociationId": "a2", "StorageType": "S3", "S3Config": {**config, "EncryptionConfig": encryption}}]}  # fmt: skip
        return {"StorageConfigs": []}

    arn = f"arn:aws:connect:us-east-1:{MOTO_ACCOUNT}:instance/i"
    account = canned({
        "connect:ListInstances": {"InstanceSummaryList": [{"Id": "i", "Arn": arn}]},
        "connect:ListInstanceStorageConfigs": stored,
    })  # fmt: skip
    good, plain = collect(account, "AWS::Connect::InstanceStorageConfig")
    assert (good.properties["InstanceArn"], good.properties["ResourceType"]) == (arn, "CHAT_TRANSCRIPTS")
    assert plain.properties["S3Config"] == {"BucketName": "b", "BucketPrefix": "p"}
    assert [verdict("connect-storage-customer-managed-key", r, [OWN]) for r in (good, plain)] == [
        "PASS",
        "FAIL",
    ]


def test_policies_of_parameters(canned: Any, collect: Any) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ssm:GetParameter", "Resource": "*"}],
    }
    arn = f"arn:aws:ssm:us-east-1:{MOTO_ACCOUNT}:parameter/shop/key"

    def policies(arguments: Any) -> Any:
        if arguments["ResourceArn"] != arn:
            return failure("ssm:GetResourcePolicies", "ResourceNotFoundException", "read_error")
        return {"Policies": [{"PolicyId": "p", "PolicyHash": "h", "Policy": json.dumps(document)}]}

    account = canned({
        "ssm:DescribeParameters": {"Parameters": [{"Name": "/shop/key", "Tier": "Advanced"}]},
        "ssm:GetResourcePolicies": policies,
    })  # fmt: skip
    type = "AWS::SSM::ResourcePolicy"
    (found,) = collect(account, type)
    assert found.properties == {"PolicyId": "p", "PolicyHash": "h", "Policy": document, "ResourceArn": arn}
    assert collect.last.whole == (type,)
    assert verdict("resource-policy-not-public", found) == "FAIL"
    account.answers["ssm:GetResourcePolicies"] = failure("ssm:GetResourcePolicies", "AccessDeniedException")
    assert collect(account, type) == []
    assert collect.last.whole == ()
