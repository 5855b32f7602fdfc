"""DynamoDB over HTTP, DAX and Timestream with answers as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

KEYS: dict[str, Any] = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
READ = frozenset({"tags", "PointInTimeRecoverySpecification", "ResourcePolicy", "AutoScaling"})


def _tables(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="good", BillingMode="PAY_PER_REQUEST", DeletionProtectionEnabled=True, **KEYS,
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "arn:aws:kms:eu-west-1:123456789012:key/k"},
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        Tags=[{"Key": "Owner", "Value": "me"}],
    )  # fmt: skip
    dynamodb.update_continuous_backups(
        TableName="good", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.create_table(
        TableName="plain", **KEYS, ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    )


def test_tables_arrive_in_the_registrys_shape(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-1"
    dynamodb = aws("dynamodb", region)
    _tables(dynamodb)
    arn = f"arn:aws:dynamodb:{region}:{MOTO_ACCOUNT}:table/good"
    policy = {"Version": "2012-10-17", "Statement": []}
    dynamodb.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))
    scaling = aws("application-autoscaling", region)
    for kind in ("Read", "Write"):
        scaling.register_scalable_target(
            ServiceNamespace="dynamodb", ResourceId="table/good", MinCapacity=1, MaxCapacity=2,
            ScalableDimension=f"dynamodb:table:{kind}CapacityUnits",
        )  # fmt: skip
    found = collect(account, "AWS::DynamoDB::Table", region=region, needs={"AWS::DynamoDB::Table": READ})
    good, plain = sorted(found, key=lambda r: r.id)
    p = good.properties
    assert (good.id, good.arn, good.tags) == ("good", arn, {"Owner": "me"})
    assert (p["BillingMode"], p["DeletionProtectionEnabled"]) == ("PAY_PER_REQUEST", True)
    assert p["SSESpecification"]["SSEEnabled"] is True
    assert p["SSESpecification"]["KMSMasterKeyId"].startswith("arn:aws:kms")
    assert p["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert p["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}
    assert p["ResourcePolicy"]["PolicyDocument"] == policy
    assert p["AutoScaling"] == {"ReadCapacity": True, "WriteCapacity": True}
    q = plain.properties
    for name in ("SSESpecification", "StreamSpecification", "ResourcePolicy"):
        assert name not in q, name
    assert q["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is False
    assert q["AutoScaling"] == {"ReadCapacity": False, "WriteCapacity": False}
    assert not collect.last.failures
    for rule in (
        "dynamodb-deletion-protection", "dynamodb-point-in-time-recovery", "dynamodb-capacity-scales",
        "dynamodb-billed-by-request",
    ):  # fmt: skip
        assert (verdict(rule, good), verdict(rule, plain)) == ("PASS", "FAIL"), rule
    assert verdict("dynamodb-customer-managed-key", plain) == "FAIL"


def test_a_table_that_may_not_be_described_is_not_lost(canned: Any, collect: Any) -> None:
    account = canned({
        "dynamodb:ListTables": {"TableNames": ["secret"]},
        "dynamodb:DescribeTable": failure("dynamodb:DescribeTable", "AccessDeniedException"),
    })  # fmt: skip
    needs = {"AWS::DynamoDB::Table": frozenset({"DeletionProtectionEnabled"})}
    (table,) = collect(account, "AWS::DynamoDB::Table", needs=needs)
    assert table.id == "secret"
    assert verdict("dynamodb-deletion-protection", table) == "UNKNOWN"


def test_the_policy_of_a_stream(canned: Any, collect: Any) -> None:
    table = {
        "TableName": "table", "LatestStreamArn": "arn:aws:dynamodb:us-east-1:123456789012:table/table/stream/x",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    }  # fmt: skip

    def policy(arguments: Any) -> Any:
        if "/stream/" in arguments["ResourceArn"]:
            return {"Policy": '{"Statement":[]}'}
        return failure("dynamodb:GetResourcePolicy", "PolicyNotFoundException")

    account = canned({
        "dynamodb:ListTables": {"TableNames": ["table"]},
        "dynamodb:DescribeTable": {"Table": table},
        "dynamodb:GetResourcePolicy": policy,
    })  # fmt: skip
    needs = {"AWS::DynamoDB::Table": frozenset({"ResourcePolicy", "StreamSpecification"})}
    (found,) = collect(account, "AWS::DynamoDB::Table", needs=needs)
    assert found.properties["StreamSpecification"] == {
        "StreamViewType": "KEYS_ONLY", "ResourcePolicy": {"PolicyDocument": {"Statement": []}},
    }  # fmt: skip
    assert "ResourcePolicy" not in found.properties


def test_dax(canned: Any, collect: Any) -> None:
    cluster = {
        "ClusterName": "c", "ClusterArn": "arn:aws:dax:us-east-1:123456789012:cache/c", "TotalNodes": 3,
        "Nodes": [{"AvailabilityZone": f"us-east-1{zone}"} for zone in "abb"],
        "SSEDescription": {"Status": "ENABLED"}, "ClusterEndpointEncryptionType": "TLS",
        "SecurityGroups": [{"SecurityGroupIdentifier": "sg-1", "Status": "active"}], "SubnetGroup": "s",
    }  # fmt: skip
    account = canned({"dax:DescribeClusters": {"Clusters": [cluster]}, "dax:ListTags": {"Tags": []}})
    (found,) = collect(account, "AWS::DAX::Cluster")
    assert found.properties["SecurityGroupIds"] == ["sg-1"]
    assert found.properties["SubnetGroupName"] == "s"
    for rule in ("dax-encrypted", "dax-encrypted-in-transit", "dax-replicas"):
        assert verdict(rule, found) == "PASS", rule
    del cluster["SSEDescription"], cluster["ClusterEndpointEncryptionType"]
    cluster["Nodes"] = [{"AvailabilityZone": "us-east-1a"}] * 3
    (found,) = collect(account, "AWS::DAX::Cluster")
    assert "SSESpecification" not in found.properties
    for rule in ("dax-encrypted", "dax-encrypted-in-transit", "dax-replicas"):
        assert verdict(rule, found) == "FAIL", rule


def test_timestream_that_an_account_may_not_have_is_nothing(canned: Any, collect: Any) -> None:
    denied = failure("timestream-write:ListDatabases", "AccessDeniedException")
    account = canned({"timestream-write:ListDatabases": denied})
    assert collect(account, "AWS::Timestream::Database") == []
    assert collect.last.failures
    denied.text = "Only existing Timestream for LiveAnalytics customers can access the service."
    assert collect(account, "AWS::Timestream::Database") == []
    assert not collect.last.failures
    database = {"DatabaseName": "d", "Arn": "arn:aws:timestream:us-east-1:1:database/d", "KmsKeyId": "k"}
    account = canned({
        "timestream-write:ListDatabases": {"Databases": [database]},
        "timestream-write:ListTagsForResource": {"Tags": [{"Key": "a", "Value": "b"}]},
    })  # fmt: skip
    (found,) = collect(account, "AWS::Timestream::Database")
    assert (found.properties["KmsKeyId"], found.tags) == ("k", {"a": "b"})
    assert not isinstance(found.tags, Unresolved)
