"""Kinesis, Firehose and MSK."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.spec import Collector, Parent, Step
from policyengine.sources.shaping import document

Json = dict[str, Any]
_GONE: Final = ("ResourceNotFoundException",)
_STREAM: Final = {"StreamARN": "{StreamARN}"}
_ON: Final = ("ENABLED", "ENABLING")
_DESTINATIONS: Final = {
    "RedshiftDestinationDescription": "RedshiftDestinationConfiguration",
    "ElasticsearchDestinationDescription": "ElasticsearchDestinationConfiguration",
    "AmazonopensearchserviceDestinationDescription": "AmazonopensearchserviceDestinationConfiguration",
    "AmazonOpenSearchServerlessDestinationDescription": "AmazonOpenSearchServerlessDestinationConfiguration",
    "SplunkDestinationDescription": "SplunkDestinationConfiguration",
    "HttpEndpointDestinationDescription": "HttpEndpointDestinationConfiguration",
    "SnowflakeDestinationDescription": "SnowflakeDestinationConfiguration",
    "IcebergDestinationDescription": "IcebergDestinationConfiguration",
}
_CLUSTER: Final = "AWS::MSK::Cluster"
_BROKERS: Final = (
    "BrokerNodeGroupInfo", "ClientAuthentication", "EncryptionInfo", "EnhancedMonitoring", "LoggingInfo",
    "NumberOfBrokerNodes", "OpenMonitoring", "Rebalancing", "StorageMode",
)  # fmt: skip


def _stream(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StreamDescriptionSummary.html"""
    encrypted = result.get("EncryptionType") not in (None, "NONE")
    watched = result.get("EnhancedMonitoring") or [{}]
    return {
        "RetentionPeriodHours": result.get("RetentionPeriodHours"),
        "ShardCount": result.get("OpenShardCount"),
        "MaxRecordSizeInKiB": result.get("MaxRecordSizeInKiB"),
        "DesiredShardLevelMetrics": watched[0].get("ShardLevelMetrics"),
        "StreamEncryption": {name: result.get(name) for name in ("EncryptionType", "KeyId")}
        if encrypted
        else None,
    }


def _policy(result: Json, item: Json) -> list[Json]:
    """Without a policy there is an empty one."""
    text = result.get("Policy")
    return [{"ResourceArn": item["StreamARN"], "ResourcePolicy": text}] if text and document(text) else []


def _delivery(item: Json) -> Json:
    """https://docs.aws.amazon.com/firehose/latest/APIReference/API_DeliveryStreamDescription.html"""
    key, source = item.get("DeliveryStreamEncryptionConfiguration") or {}, item.get("Source") or {}
    stream = source.get("KinesisStreamSourceDescription")
    given = {name: key.get(name) for name in ("KeyType", "KeyARN")}
    return {
        **item,
        "DeliveryStreamName": item["value"],
        "DeliveryStreamEncryptionConfigurationInput": given if key.get("Status") in _ON else None,
        "KinesisStreamSourceConfiguration": stream,
        "MSKSourceConfiguration": source.get("MSKSourceDescription"),
        **_destination(next(iter(item.get("Destinations") or ()), {})),
    }


def _destination(found: Json) -> Json:
    """What is delivered to S3 is described twice, the second time in full."""
    extended = found.get("ExtendedS3DestinationDescription")
    plain = (
        None
        if extended or any(name in found for name in _DESTINATIONS)
        else found.get("S3DestinationDescription")
    )
    return {
        "ExtendedS3DestinationConfiguration": _configured(extended),
        "S3DestinationConfiguration": plain,
        **{own: _configured(found.get(name)) for name, own in _DESTINATIONS.items()},
    }


def _configured(found: Json | None) -> Json | None:
    if not found:
        return None
    return {
        **found,
        "S3Configuration": found.get("S3DestinationDescription"),
        "S3BackupConfiguration": found.get("S3BackupDescription"),
    }


def _cluster(item: Json) -> Json:
    """https://docs.aws.amazon.com/msk/2.0/APIReference/v2-clusters.html"""
    found = item.get("Provisioned") or {}
    software = found.get("CurrentBrokerSoftwareInfo") or {}
    arn, revision = software.get("ConfigurationArn"), software.get("ConfigurationRevision")
    return {
        **item,
        **{name: found.get(name) for name in _BROKERS},
        "KafkaVersion": software.get("KafkaVersion"),
        "ConfigurationInfo": {"Arn": arn, "Revision": revision} if arn else None,
    }


def _serverless(item: Json) -> Json:
    found = item.get("Serverless") or {}
    networks = [
        {"SubnetIds": each.get("SubnetIds"), "SecurityGroups": each.get("SecurityGroupIds")}
        for each in found.get("VpcConfigs") or ()
    ]
    return {**item, "ClientAuthentication": found.get("ClientAuthentication"), "VpcConfigs": networks or None}


COLLECTORS = (
    Collector(
        "AWS::Kinesis::Stream",
        "kinesis",
        Step("ListStreams", "StreamSummaries", rename={"StreamName": "Name", "StreamARN": "Arn"}),
        id="{StreamName}",
        arn="{StreamARN}",
        tags="",
        details=(
            Step(
                "DescribeStreamSummary",
                "StreamDescriptionSummary",
                _STREAM,
                gives=(
                    "DesiredShardLevelMetrics", "MaxRecordSizeInKiB", "RetentionPeriodHours", "ShardCount",
                    "StreamEncryption",
                ),
                shape=_stream,
                gone=_GONE,
            ),
            Step(
                "GetResourcePolicy",
                "",
                {"ResourceARN": "{StreamARN}"},
                into="related.policies",
                gives=("related.policies",),
                none=_GONE,
                shape=_policy,
            ),
            # a stream has 50 tags at most: https://docs.aws.amazon.com/streams/latest/dev/tagging.html
            Step(
                "ListTagsForStream",
                "Tags",
                {"StreamName": "{StreamName}", "Limit": 50},
                gives=("tags",),
                gone=_GONE,
            ),
        ),
        also={"AWS::Kinesis::ResourcePolicy": "related.policies"},
    ),
    Collector(
        "AWS::KinesisFirehose::DeliveryStream",
        "firehose",
        # an account has 5,000 at most: https://docs.aws.amazon.com/firehose/latest/dev/limits.html
        Step("ListDeliveryStreams", "DeliveryStreamNames", {"Limit": 10000}),
        id="{value}",
        arn="arn:{partition}:firehose:{region}:{account}:deliverystream/{value}",
        tags="",
        describe=Step(
            "DescribeDeliveryStream",
            "DeliveryStreamDescription",
            {"DeliveryStreamName": "{value}"},
            gone=_GONE,
        ),
        shape=_delivery,
        gives=(
            "DeliveryStreamEncryptionConfigurationInput", "DeliveryStreamName", "ExtendedS3DestinationConfiguration",
            "KinesisStreamSourceConfiguration", "MSKSourceConfiguration", "S3DestinationConfiguration",
            *_DESTINATIONS.values(),
        ),
        details=(
            Step(
                "ListTagsForDeliveryStream",
                "Tags",
                {"DeliveryStreamName": "{value}", "Limit": 50},
                gives=("tags",),
                gone=_GONE,
            ),
        ),
    ),
    Collector(
        _CLUSTER,
        "kafka",
        Step(
            "ListClustersV2",
            "ClusterInfoList",
            {"ClusterTypeFilter": "PROVISIONED"},
            rename={"ClusterArn": "Arn"},
        ),
        id="{ClusterArn}",
        arn="{ClusterArn}",
        shape=_cluster,
        gives=("ConfigurationInfo", "KafkaVersion", *_BROKERS),
    ),
    Collector(
        "AWS::MSK::ServerlessCluster",
        "kafka",
        Step(
            "ListClustersV2",
            "ClusterInfoList",
            {"ClusterTypeFilter": "SERVERLESS"},
            rename={"ClusterArn": "Arn"},
        ),
        id="{ClusterArn}",
        arn="{ClusterArn}",
        shape=_serverless,
        gives=("ClientAuthentication", "VpcConfigs"),
    ),
    Collector(
        "AWS::MSK::ClusterPolicy",
        "kafka",
        Step("GetClusterPolicy", "", gone=("NotFoundException",)),
        id="{parent.ClusterArn}",
        tags="",
        parent=Parent(_CLUSTER, {"ClusterArn": "{ClusterArn}"}),
        shape=lambda item: {**item, "ClusterArn": item["parent"]["ClusterArn"]},
        gives=("ClusterArn",),
    ),
)  # fmt: skip
