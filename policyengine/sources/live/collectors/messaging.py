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
    "Arn", "CreatedTimestamp", "DelaySeconds", "FifoQueue", "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId",
    "MaximumMessageSize", "MessageRetentionPeriod", "QueueName", "QueueUrl", "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout", "related.policies", *_FIFO,
)  # fmt: skip
_TOPIC_GIVES: Final = (
    "ArchivePolicy", "ContentBasedDeduplication", "DeliveryStatusLogging", "DisplayName", "FifoThroughputScope",
    "FifoTopic", "KmsMasterKeyId", "MaximumMessageSize", "SignatureVersion", "SubscriptionsConfirmed", "TopicName",
    "TracingConfig", "related.policies",
)  # fmt: skip
_SUBSCRIBED: Final = (
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "ReplayPolicy",
    "SubscriptionRoleArn",
)  # fmt: skip


def _topic(item: Json) -> Json:
    """Every topic has a policy, which not everybody is shown.

    https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
    """
    arn, policy = item["TopicArn"], item.get("Policy")
    hidden = Unresolved("not_collected", "sns:GetTopicAttributes does not show the policy")
    return {
        **typed(_TOPIC, item),
        "TopicName": arn.rpartition(":")[2],
        "DeliveryStatusLogging": _delivery_status(item),
        "related.policies": [{"Topics": [arn], "PolicyDocument": policy}] if policy else hidden,
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


def _queue(item: Json) -> Json:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html"""
    url, policy = item["value"], item.get("Policy")
    return {
        **typed(_QUEUE, {name: value for name, value in item.items() if name != "Policy"}),
        "Arn": item.get("QueueArn"),
        "QueueUrl": url,
        "QueueName": url.rpartition("/")[2],
        "CreatedTimestamp": moment(item.get("CreatedTimestamp")),
        "related.policies": [{"Queues": [url], "PolicyDocument": policy}] if policy else [],
    }


COLLECTORS = (
    Collector(
        _TOPIC,
        "sns",
        Step("ListTopics", "Topics"),
        id="{TopicArn}",
        arn="{TopicArn}",
        describe=Step("GetTopicAttributes", "Attributes", {"TopicArn": "{TopicArn}"}, gone=_NO_TOPIC),
        tags="",
        shape=_topic,
        gives=_TOPIC_GIVES,
        details=(
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
        id="{QueueUrl}",
        arn="{Arn}",
        describe=Step(
            "GetQueueAttributes",
            "Attributes",
            {"QueueUrl": "{value}", "AttributeNames": ["All"]},
            gone=_NO_QUEUE,
        ),
        tags="",
        shape=_queue,
        gives=_QUEUE_GIVES,
        details=(Step("ListQueueTags", "Tags", {"QueueUrl": "{value}"}, gives=("tags",), gone=_NO_QUEUE),),
        also={
            "AWS::SQS::QueuePolicy": "related.policies",
            "AWS::SQS::QueueInlinePolicy": "related.policies",
        },
    ),
)
