"""SNS and SQS: topics, subscriptions, queues."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.values import Unresolved
from policyengine.sources.live.collectors.common import moment, typed
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_TOPIC: Final = "AWS::SNS::Topic"
_QUEUE: Final = "AWS::SQS::Queue"
_NO_TOPIC: Final = ("NotFound", "NotFoundException")
_NO_QUEUE: Final = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
"""The code of the query protocol and the name of the shape, which is the code of the JSON one."""
_REPORTED: Final = {
    "HTTP": "http/s",
    "Firehose": "firehose",
    "Lambda": "lambda",
    "Application": "application",
    "SQS": "sqs",
}
_REPORTS: Final = ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
_FIFO: Final = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
_QUEUE_GIVES: Final = (
    "CreatedTimestamp", "DelaySeconds", "FifoQueue", "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId",
    "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout", "related.policies", *_FIFO,
)  # fmt: skip
_TOPIC_GIVES: Final = (
    "ArchivePolicy", "ContentBasedDeduplication", "DeliveryStatusLogging", "DisplayName", "FifoThroughputScope",
    "FifoTopic", "KmsMasterKeyId", "MaximumMessageSize", "SignatureVersion", "SubscriptionsConfirmed",
    "TracingConfig", "related.policies",
)  # fmt: skip
_SUBSCRIBED: Final = (
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "ReplayPolicy",
    "SubscriptionRoleArn",
)  # fmt: skip


def _topic(result: Json, item: Json) -> Json:
    """Every topic has a policy, which not everybody is shown.

    https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
    """
    policy = result.get("Policy")
    hidden = Unresolved("not_collected", "sns:GetTopicAttributes does not show the policy")
    return {
        **typed(_TOPIC, result),
        "DeliveryStatusLogging": _delivery_status(result),
        "related.policies": [{"Topics": [item["TopicArn"]], "PolicyDocument": policy}] if policy else hidden,
    }


def _delivery_status(item: Json) -> list[Json] | None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-topic-attributes.html"""
    found = []
    for prefix, protocol in _REPORTED.items():
        set_ = {name: item[f"{prefix}{name}"] for name in _REPORTS if item.get(f"{prefix}{name}")}
        if set_:
            found.append({"Protocol": protocol, **set_})
    return found or None


def _confirmed(item: Json) -> bool:
    """What waits for its confirmation is listed without an ARN.

    https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptions.html
    """
    return str(item["SubscriptionArn"]).startswith("arn:")


def _subscription(item: Json) -> Json:
    if _confirmed(item):
        return {**item, "Arn": item["SubscriptionArn"], "PendingConfirmation": False}
    name = f"{item['TopicArn']} {item['Protocol']} {item['Endpoint']}"
    return {**item, "SubscriptionArn": name, "PendingConfirmation": True}


def _attributes(context: Context, item: Json) -> Json:
    if not _confirmed(item):
        return {"Attributes": {}}
    return context.call("sns", "GetSubscriptionAttributes", {"SubscriptionArn": item["SubscriptionArn"]})


def _subscribed(result: Json, item: Json) -> Json:
    if not _confirmed(item):
        value = Unresolved("not_collected", "the subscription is not confirmed: sns tells nothing more of it")
        return dict.fromkeys(_SUBSCRIBED, value)
    found = typed("AWS::SNS::Subscription", result)
    return {name: found.get(name) for name in _SUBSCRIBED}


def _queue(result: Json, item: Json) -> Json:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html"""
    policy = result.get("Policy")
    return {
        **typed(_QUEUE, {name: value for name, value in result.items() if name != "Policy"}),
        "CreatedTimestamp": moment(result.get("CreatedTimestamp")),
        "related.policies": [{"Queues": [item["value"]], "PolicyDocument": policy}] if policy else [],
    }


COLLECTORS = (
    Collector(
        _TOPIC,
        "sns",
        Step("ListTopics", "Topics"),
        id="{TopicArn}",
        arn="{TopicArn}",
        tags="",
        shape=lambda item: {**item, "TopicName": item["TopicArn"].rpartition(":")[2]},
        gives=("TopicName",),
        details=(
            Step(
                "GetTopicAttributes",
                "Attributes",
                {"TopicArn": "{TopicArn}"},
                gives=_TOPIC_GIVES,
                gone=_NO_TOPIC,
                shape=_topic,
            ),
            Step(
                "ListTagsForResource",
                "Tags",
                {"ResourceArn": "{TopicArn}"},
                gives=("tags",),
                gone=("ResourceNotFound", "ResourceNotFoundException"),
            ),
            Step(
                "GetDataProtectionPolicy",
                "DataProtectionPolicy",
                {"ResourceArn": "{TopicArn}"},
                into="DataProtectionPolicy",
                gone=_NO_TOPIC,
                only_named=True,
            ),
        ),
        also={
            "AWS::SNS::TopicPolicy": "related.policies",
            "AWS::SNS::TopicInlinePolicy": "related.policies",
        },
    ),
    Collector(
        "AWS::SNS::Subscription",
        "sns",
        Step("ListSubscriptions", "Subscriptions"),
        id="{SubscriptionArn}",
        arn="{Arn}",
        tags="",
        shape=_subscription,
        keep=lambda item, _names: item.get("SubscriptionArn") != "Deleted",
        gives=("Arn", "PendingConfirmation"),
        details=(
            Step(
                "GetSubscriptionAttributes",
                "Attributes",
                gives=_SUBSCRIBED,
                gone=_NO_TOPIC,
                shape=_subscribed,
                ask=_attributes,
            ),
        ),
    ),
    Collector(
        _QUEUE,
        "sqs",
        # without MaxResults there is no second page
        Step("ListQueues", "QueueUrls", {"MaxResults": 1000}),
        id="{value}",
        arn="arn:{partition}:sqs:{region}:{account}:{QueueName}",
        tags="",
        shape=lambda item: {**item, "QueueUrl": item["value"], "QueueName": item["value"].rpartition("/")[2]},
        gives=("QueueName", "QueueUrl"),
        details=(
            Step(
                "GetQueueAttributes",
                "Attributes",
                {"QueueUrl": "{value}", "AttributeNames": ["All"]},
                gives=_QUEUE_GIVES,
                gone=_NO_QUEUE,
                shape=_queue,
            ),
            Step("ListQueueTags", "Tags", {"QueueUrl": "{value}"}, gives=("tags",), gone=_NO_QUEUE),
        ),
        also={
            "AWS::SQS::QueuePolicy": "related.policies",
            "AWS::SQS::QueueInlinePolicy": "related.policies",
        },
    ),
)
