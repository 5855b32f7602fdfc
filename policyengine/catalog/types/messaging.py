"""SQS, SNS, Kinesis, Firehose, EventBridge, MQ and MSK."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    LOG_GROUP,
    ROLE,
    TOPIC,
    cfn,
    depends,
    doc,
    groups,
    into,
    is_,
    kms_key,
    of,
    off,
    subnets,
    to,
)

_QUEUE = doc("AWSSimpleQueueService/latest/APIReference/API_CreateQueue")
_SSE_SQS = (
    "https://aws.amazon.com/about-aws/whats-new/2022/10/"
    "amazon-sqs-announces-server-side-encryption-ssq-managed-sse-sqs-default/"
)
_TOPIC_PAGE = cfn("resource-sns-topic")
_MSK_TRANSIT = doc("msk/1.0/apireference/clusters")
_MQ = doc("amazon-mq/latest/api-reference/brokers")
_QUEUE_TYPE = "AWS::SQS::Queue"

TYPES = (
    TypeSpec(
        _QUEUE_TYPE,
        names=("QueueUrl", "QueueName", "Arn"),
        defaults=(
            is_("SqsManagedSseEnabled", True, _SSE_SQS, "2022-10", unless=("KmsMasterKeyId",)),
            is_("MessageRetentionPeriod", 345600, _QUEUE),
            is_("VisibilityTimeout", 30, _QUEUE),
            is_("FifoQueue", False, _QUEUE),
            is_("KmsDataKeyReusePeriodSeconds", 300, _QUEUE),
        ),
        satellites=(
            into("AWS::SQS::QueuePolicy", "Queues", "policies"),
            into("AWS::SQS::QueueInlinePolicy", "Queue", "policies"),
        ),
        relations=(
            to("dead_letter_queue", _QUEUE_TYPE, "RedrivePolicy.deadLetterTargetArn", one=True),
            of("source_queues", _QUEUE_TYPE, "RedrivePolicy.deadLetterTargetArn"),
            of("source_functions", "AWS::Lambda::Function", "DeadLetterConfig.TargetArn"),
            of(
                "source_invoke_configs",
                "AWS::Lambda::EventInvokeConfig",
                "DestinationConfig.OnFailure.Destination",
            ),
            of(
                "source_mappings",
                "AWS::Lambda::EventSourceMapping",
                "DestinationConfig.OnFailure.Destination",
            ),
            of("source_rules", "AWS::Events::Rule", "Targets.DeadLetterConfig.Arn"),
            of("source_subscriptions", "AWS::SNS::Subscription", "RedrivePolicy.deadLetterTargetArn"),
            of("source_schedules", "AWS::Scheduler::Schedule", "Target.DeadLetterConfig.Arn"),
            of("event_source_mappings", "AWS::Lambda::EventSourceMapping", "EventSourceArn"),
            kms_key("KmsMasterKeyId"),
            of("alarms", "AWS::CloudWatch::Alarm", "Dimensions.Value"),
        ),
        extra=(
            ("RedrivePolicy", "object"),
            ("RedrivePolicy.deadLetterTargetArn", "string"),
            ("RedrivePolicy.maxReceiveCount", "integer"),
            ("CreatedTimestamp", "string"),
        ),
    ),
    TypeSpec(
        TOPIC,
        names=("TopicArn", "TopicName"),
        defaults=(
            is_("FifoTopic", False, _TOPIC_PAGE),
            is_("ContentBasedDeduplication", False, _TOPIC_PAGE),
            is_("SignatureVersion", "1", _TOPIC_PAGE),
            is_("TracingConfig", "PassThrough", _TOPIC_PAGE),
        ),
        satellites=(
            into("AWS::SNS::TopicPolicy", "Topics", "policies"),
            into("AWS::SNS::TopicInlinePolicy", "TopicArn", "policies"),
        ),
        relations=(
            of("subscriptions", "AWS::SNS::Subscription", "TopicArn"),
            kms_key("KmsMasterKeyId"),
        ),
        extra=(("DeliveryStatusLogging", "list:object"), ("SubscriptionsConfirmed", "integer")),
    ),
    TypeSpec(
        "AWS::SNS::Subscription",
        names=("Arn",),
        relations=(to("topic", TOPIC, "TopicArn", one=True), to("queue", _QUEUE_TYPE, "Endpoint", one=True)),
        extra=(
            ("PendingConfirmation", "boolean"),
            ("RedrivePolicy", "object"),
            ("RedrivePolicy.deadLetterTargetArn", "string"),
        ),
    ),
    TypeSpec(
        "AWS::Kinesis::Stream",
        names=("Name", "Arn"),
        defaults=(
            is_("RetentionPeriodHours", 24, doc("streams/latest/dev/kinesis-extended-retention")),
            is_(
                "StreamModeDetails.StreamMode",
                "PROVISIONED",
                cfn("properties-kinesis-stream-streammodedetails"),
            ),
        ),
        satellites=(into("AWS::Kinesis::ResourcePolicy", "ResourceArn", "policies"),),
        relations=(kms_key("StreamEncryption.KeyId"),),
    ),
    TypeSpec(
        "AWS::KinesisFirehose::DeliveryStream",
        names=("DeliveryStreamName", "Arn"),
        defaults=(is_("DeliveryStreamType", "DirectPut", cfn("resource-kinesisfirehose-deliverystream")),),
        relations=(
            kms_key("DeliveryStreamEncryptionConfigurationInput.KeyARN"),
            to(
                "source_stream",
                "AWS::Kinesis::Stream",
                "KinesisStreamSourceConfiguration.KinesisStreamARN",
                one=True,
            ),
            to("bucket", "AWS::S3::Bucket", "ExtendedS3DestinationConfiguration.BucketARN", one=True),
        ),
        secrets=("Password", "HECToken", "AccessKey", "PrivateKey", "KeyPassphrase"),
    ),
    TypeSpec(
        "AWS::Events::Rule",
        names=("Arn", "Name", "RuleName"),
        defaults=(
            is_("State", "ENABLED", doc("eventbridge/latest/APIReference/API_PutRule")),
            is_("EventBusName", "default", cfn("resource-events-rule")),
        ),
        relations=(
            to("event_bus", "AWS::Events::EventBus", "EventBusName", one=True),
            to("target_queues", _QUEUE_TYPE, "Targets.Arn"),
            to("target_topics", TOPIC, "Targets.Arn"),
            to("target_functions", "AWS::Lambda::Function", "Targets.Arn"),
            to("target_log_groups", LOG_GROUP, "Targets.Arn"),
            to("dead_letter_queues", _QUEUE_TYPE, "Targets.DeadLetterConfig.Arn"),
        ),
    ),
    TypeSpec(
        "AWS::Events::EventBus",
        names=("Name", "Arn"),
        satellites=(into("AWS::Events::EventBusPolicy", "EventBusName", "policies"),),
        relations=(kms_key("KmsKeyIdentifier"), of("rules", "AWS::Events::Rule", "EventBusName")),
    ),
    TypeSpec(
        "AWS::Scheduler::Schedule",
        names=("Name", "Arn"),
        defaults=(is_("State", "ENABLED", doc("scheduler/latest/APIReference/API_CreateSchedule")),),
        relations=(
            to("dead_letter_queue", _QUEUE_TYPE, "Target.DeadLetterConfig.Arn", one=True),
            kms_key("KmsKeyArn"),
        ),
    ),
    TypeSpec(
        "AWS::AmazonMQ::Broker",
        names=("Id", "BrokerName", "Arn"),
        defaults=(
            is_("PubliclyAccessible", False, _MQ),
            is_("AutoMinorVersionUpgrade", True, _MQ),
            is_("EncryptionOptions.UseAwsOwnedKey", True, _MQ),
            is_("AuthenticationStrategy", "SIMPLE", _MQ),
            *off(_MQ, "Logs.General", "Logs.Audit"),
        ),
        relations=(subnets("SubnetIds"), groups("SecurityGroups"), kms_key("EncryptionOptions.KmsKeyId")),
        secrets=("Password", "ServiceAccountPassword"),
    ),
    TypeSpec(
        "AWS::MSK::Cluster",
        names=("Arn", "ClusterName"),
        defaults=(
            depends(
                "EncryptionInfo.EncryptionInTransit.ClientBroker",
                _MSK_TRANSIT,
                "AWS's pages differ: TLS or TLS_PLAINTEXT, by how the cluster is made",
            ),
            is_("EncryptionInfo.EncryptionInTransit.InCluster", True, _MSK_TRANSIT),
            is_(
                "BrokerNodeGroupInfo.ConnectivityInfo.PublicAccess.Type",
                "DISABLED",
                doc("msk/latest/developerguide/public-access"),
            ),
            is_("EnhancedMonitoring", "DEFAULT", cfn("resource-msk-cluster")),
            *off(
                cfn("properties-msk-cluster-brokerlogs"),
                "LoggingInfo.BrokerLogs.CloudWatchLogs.Enabled",
                "LoggingInfo.BrokerLogs.Firehose.Enabled",
                "LoggingInfo.BrokerLogs.S3.Enabled",
            ),
            *off(
                cfn("properties-msk-cluster-clientauthentication"),
                "ClientAuthentication.Sasl.Iam.Enabled",
                "ClientAuthentication.Sasl.Scram.Enabled",
                "ClientAuthentication.Tls.Enabled",
            ),
        ),
        relations=(
            kms_key("EncryptionInfo.EncryptionAtRest.DataVolumeKMSKeyId"),
            subnets("BrokerNodeGroupInfo.ClientSubnets"),
            groups("BrokerNodeGroupInfo.SecurityGroups"),
        ),
    ),
    TypeSpec(
        "AWS::MSK::ServerlessCluster",
        names=("Arn", "ClusterName"),
        relations=(subnets("VpcConfigs.SubnetIds"),),
    ),
    TypeSpec(
        "AWS::StepFunctions::StateMachine",
        names=("Arn", "StateMachineName", "Name"),
        defaults=(
            is_(
                "StateMachineType",
                "STANDARD",
                doc("step-functions/latest/apireference/API_CreateStateMachine"),
            ),
            is_(
                "LoggingConfiguration.Level",
                "OFF",
                doc("step-functions/latest/apireference/API_CreateStateMachine"),
            ),
            is_(
                "LoggingConfiguration.IncludeExecutionData",
                False,
                doc("step-functions/latest/apireference/API_LoggingConfiguration"),
            ),
            is_(
                "TracingConfiguration.Enabled",
                False,
                doc("step-functions/latest/apireference/API_CreateStateMachine"),
            ),
        ),
        relations=(to("role", ROLE, "RoleArn", one=True), kms_key("EncryptionConfiguration.KmsKeyId")),
    ),
)
