"""Kinesis over HTTP; Firehose and MSK with answers as AWS documents them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

STREAM, DELIVERY, KAFKA = "AWS::Kinesis::Stream", "AWS::KinesisFirehose::DeliveryStream", "AWS::MSK::Cluster"
KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kinesis:GetRecords", "Resource": "*"}],
}


def test_streams_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-1"
    kinesis = aws("kinesis", region)
    for name in ("kept", "plain"):
        kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.increase_stream_retention_period(StreamName="kept", RetentionPeriodHours=200)
    kinesis.start_stream_encryption(StreamName="kept", EncryptionType="KMS", KeyId=KEY)
    kinesis.add_tags_to_stream(StreamName="kept", Tags={"Owner": "me"})
    needs = {STREAM: frozenset({"StreamEncryption", "tags"})}
    kept, plain = collect(account, STREAM, region=region, needs=needs)
    p = kept.properties
    arn = f"arn:aws:kinesis:{region}:{MOTO_ACCOUNT}:stream/kept"
    assert (kept.id, kept.arn, p["Name"], p["Arn"]) == ("kept", arn, "kept", arn)
    assert (p["RetentionPeriodHours"], p["ShardCount"]) == (200, 1)
    assert p["StreamEncryption"] == {"EncryptionType": "KMS", "KeyId": KEY}
    assert (kept.tags, plain.tags) == ({"Owner": "me"}, {})
    assert "StreamEncryption" not in plain.properties
    assert verdict("kinesis-stream-encrypted", plain) == "FAIL"
    assert verdict("kinesis-stream-encrypted", kept) == "PASS"


def test_the_policy_of_a_stream(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    account = canned({
        "kinesis:ListStreams": {"StreamSummaries": [{"StreamName": "s", "StreamARN": arn, "StreamStatus": "ACTIVE"}]},
        "kinesis:DescribeStreamSummary": {"StreamDescriptionSummary": {"EncryptionType": "NONE", "RetentionPeriodHours": 24}},
        "kinesis:GetResourcePolicy": {"Policy": json.dumps(PUBLIC)},
        "kinesis:ListTagsForStream": {"Tags": [{"Key": "a", "Value": "b"}]},
    })  # fmt: skip
    (stream,) = collect(account, STREAM)
    assert stream.related["policies"] == [{"ResourceArn": arn, "ResourcePolicy": PUBLIC}]
    assert "StreamEncryption" not in stream.properties
    assert stream.tags == {"a": "b"}
    assert verdict("kinesis-policy-not-public", stream) == "FAIL"
    assert set(collect.last.whole) == {STREAM, "AWS::Kinesis::ResourcePolicy"}
    account.answers = {**account.answers, "kinesis:GetResourcePolicy": {"Policy": "{}"}}
    (stream,) = collect(account, STREAM)
    assert stream.related["policies"] == []


def test_delivery_streams(canned: Callable[..., Any], collect: Any) -> None:
    bucket = "arn:aws:s3:::logs"
    s3 = {
        "RoleARN": "r",
        "BucketARN": bucket,
        "BufferingHints": {"SizeInMBs": 5},
        "CompressionFormat": "GZIP",
    }
    described = {
        "DeliveryStreamName": "d", "DeliveryStreamARN": "arn:d", "DeliveryStreamType": "DirectPut",
        "DeliveryStreamEncryptionConfiguration": {"KeyARN": KEY, "KeyType": "CUSTOMER_MANAGED_CMK", "Status": "ENABLED"},
        "Destinations": [{"DestinationId": "1", "S3DestinationDescription": s3,
                          "ExtendedS3DestinationDescription": {**s3, "S3BackupDescription": s3}}],
    }  # fmt: skip
    account = canned({
        "firehose:ListDeliveryStreams": {"DeliveryStreamNames": ["d"], "HasMoreDeliveryStreams": False},
        "firehose:DescribeDeliveryStream": {"DeliveryStreamDescription": described},
        "firehose:ListTagsForDeliveryStream": {"Tags": [{"Key": "a", "Value": "b"}], "HasMoreTags": False},
    })  # fmt: skip
    (found,) = collect(account, DELIVERY)
    p = found.properties
    assert (found.id, found.arn) == ("d", "arn:aws:firehose:us-east-1:123456789012:deliverystream/d")
    assert p["DeliveryStreamEncryptionConfigurationInput"] == {
        "KeyType": "CUSTOMER_MANAGED_CMK",
        "KeyARN": KEY,
    }
    extended = p["ExtendedS3DestinationConfiguration"]
    assert (extended["BucketARN"], extended["S3BackupConfiguration"]["BucketARN"]) == (bucket, bucket)
    assert "S3DestinationConfiguration" not in p
    assert found.tags == {"a": "b"}
    described["DeliveryStreamEncryptionConfiguration"] = {"Status": "DISABLED"}
    described["DeliveryStreamType"] = "KinesisStreamAsSource"
    described["Source"] = {"KinesisStreamSourceDescription": {"KinesisStreamARN": "arn:s", "RoleARN": "r"}}
    described["Destinations"] = [{"DestinationId": "1", "S3DestinationDescription": s3,
                                  "SplunkDestinationDescription": {"HECEndpoint": "e", "S3DestinationDescription": s3}}]  # fmt: skip
    (found,) = collect(account, DELIVERY)
    p = found.properties
    assert "DeliveryStreamEncryptionConfigurationInput" not in p
    assert p["KinesisStreamSourceConfiguration"] == {"KinesisStreamARN": "arn:s", "RoleARN": "r"}
    assert p["SplunkDestinationConfiguration"]["S3Configuration"]["BucketARN"] == bucket
    for name in ("ExtendedS3DestinationConfiguration", "S3DestinationConfiguration"):
        assert name not in p, name


def test_kafka(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:kafka:us-east-1:123456789012:cluster/c/1"
    brokers = {
        "BrokerNodeGroupInfo": {"ClientSubnets": ["subnet-1"], "ConnectivityInfo": {"PublicAccess": {"Type": "DISABLED"}}},
        "EncryptionInfo": {"EncryptionInTransit": {"ClientBroker": "TLS", "InCluster": True}},
        "CurrentBrokerSoftwareInfo": {"KafkaVersion": "3.6.0", "ConfigurationArn": "arn:c", "ConfigurationRevision": 2},
        "LoggingInfo": {"BrokerLogs": {"S3": {"Enabled": True, "Bucket": "b"}}},
    }  # fmt: skip
    serverless = {"VpcConfigs": [{"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}],
                  "ClientAuthentication": {"Sasl": {"Iam": {"Enabled": True}}}}  # fmt: skip

    def clusters(arguments: Any) -> Any:
        if arguments["ClusterTypeFilter"] == "PROVISIONED":
            return {
                "ClusterInfoList": [
                    {"ClusterArn": arn, "ClusterName": "c", "Tags": {"a": "b"}, "Provisioned": brokers}
                ]
            }
        return {"ClusterInfoList": [{"ClusterArn": f"{arn}s", "ClusterName": "s", "Serverless": serverless}]}

    account = canned(
        {"kafka:ListClustersV2": clusters, "kafka:GetClusterPolicy": {"Policy": json.dumps(PUBLIC)}}
    )
    (found,) = collect(account, KAFKA)
    p = found.properties
    assert (found.id, p["Arn"], p["ClusterName"], found.tags) == (arn, arn, "c", {"a": "b"})
    assert (p["KafkaVersion"], p["ConfigurationInfo"]) == ("3.6.0", {"Arn": "arn:c", "Revision": 2})
    assert "ClientAuthentication" not in p
    for rule, expected in (
        ("msk-broker-logs", "PASS"), ("msk-encrypted-in-transit", "PASS"), ("msk-not-public", "PASS"),
        ("msk-clients-authenticated", "FAIL"),
    ):  # fmt: skip
        assert verdict(rule, found) == expected, rule
    (found,) = collect(account, "AWS::MSK::ServerlessCluster")
    assert found.properties["VpcConfigs"] == [{"SubnetIds": ["subnet-1"], "SecurityGroups": ["sg-1"]}]
    assert found.properties["ClientAuthentication"] == {"Sasl": {"Iam": {"Enabled": True}}}
    (found,) = collect(account, "AWS::MSK::ClusterPolicy")
    assert (found.properties["ClusterArn"], found.properties["Policy"]) == (arn, PUBLIC)
    none = failure("kafka:GetClusterPolicy", "NotFoundException", "read_error")
    account.answers = {**account.answers, "kafka:GetClusterPolicy": none}
    assert collect(account, "AWS::MSK::ClusterPolicy") == []
    assert collect.last.whole == ("AWS::MSK::ClusterPolicy",)
