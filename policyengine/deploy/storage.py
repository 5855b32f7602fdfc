"""The key, the table of actions and verdicts, and the queues."""

from __future__ import annotations

from typing import Any, Final

from policyengine.deploy.parts import arn_of, document, ref, resource, sub
from policyengine.store.dynamo_table import TABLE, TTL_ATTRIBUTE

Json = dict[str, Any]
FUNCTION_SECONDS = 900
DAYS_14 = 14 * 24 * 3600
TAG_PARAMETERS: Final = {
    "Project": "policyengine",
    "Owner": "platform",
    "CostCenter": "platform",
    "Environment": "production",
}
"""Tags of everything, by the parameters that set them, with their defaults."""
TAGS: Final = [{"Key": name, "Value": ref(name)} for name in TAG_PARAMETERS]


def storage() -> Json:
    """Return the resources that hold something; what must not vanish with the stack is retained."""
    return {
        "Key": resource("AWS::KMS::Key", _key(), DeletionPolicy="Retain", UpdateReplacePolicy="Retain"),
        "KeyAlias": resource(
            "AWS::KMS::Alias", {"AliasName": sub("alias/${Name}"), "TargetKeyId": ref("Key")}
        ),
        "Actions": resource(
            "AWS::DynamoDB::Table", _table(), DeletionPolicy="Retain", UpdateReplacePolicy="Retain"
        ),
        "DeadLetters": resource("AWS::SQS::Queue", _queue(None)),
        "Events": resource("AWS::SQS::Queue", _queue("DeadLetters")),
        "EventsPolicy": resource("AWS::SQS::QueuePolicy", _queue_policy("Events", _from_event_bus())),
        "DeadLettersPolicy": resource(
            "AWS::SQS::QueuePolicy", _queue_policy("DeadLetters", _from_event_bus())
        ),
        "Alarms": resource("AWS::SNS::Topic", {"KmsMasterKeyId": ref("Key"), "Tags": TAGS}),
        "AlarmsPolicy": resource("AWS::SNS::TopicPolicy", _topic_policy()),
    }


def _key() -> Json:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-event-bus-cmkey.html#eb-encryption-sqs and
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html say whom a key has to admit."""
    own = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    use = ["kms:Decrypt", "kms:GenerateDataKey"]
    log_groups = sub(
        "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/${Name}-*"
    )
    statements = [
        {
            "Sid": "Administration",
            "Effect": "Allow",
            "Principal": {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "EventsAndAlarms",
            "Effect": "Allow",
            "Principal": {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]},
            "Action": use,
            "Resource": "*",
            "Condition": own,
        },
        {
            "Sid": "Logs",
            "Effect": "Allow",
            "Principal": {"Service": sub("logs.${AWS::Region}.amazonaws.com")},
            "Action": [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
        },
    ]
    return {
        "Description": "Actions, events and logs of policyengine",
        "EnableKeyRotation": True,
        "PendingWindowInDays": 30,
        "KeyPolicy": document(statements),
        "Tags": TAGS,
    }


def _table() -> Json:
    return {
        **TABLE,
        "TimeToLiveSpecification": {"AttributeName": TTL_ATTRIBUTE, "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn_of("Key")},
        "DeletionProtectionEnabled": True,
        "Tags": TAGS,
    }


def _queue(dead_letters: str | None) -> Json:
    """A message is hidden for six times as long as the function may take
    (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html)."""
    queue: Json = {
        "KmsMasterKeyId": ref("Key"),
        "MessageRetentionPeriod": DAYS_14,
        "VisibilityTimeout": FUNCTION_SECONDS * 6,
        "Tags": TAGS,
    }
    if dead_letters is not None:
        queue["RedrivePolicy"] = {"deadLetterTargetArn": arn_of(dead_letters), "maxReceiveCount": 5}
    return queue


def _from_event_bus() -> Json:
    rules = sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${Name}-*")
    return {
        "Sid": "EventBus",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Condition": {
            "ArnLike": {"aws:SourceArn": rules},
            "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
        },
    }


def _queue_policy(queue: str, allowed: Json) -> Json:
    tls = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    statements = [{**each, "Resource": arn_of(queue)} for each in (allowed, tls)]
    return {"Queues": [ref(queue)], "PolicyDocument": document(statements)}


def _topic_policy() -> Json:
    alarm = sub("arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:${Name}-*")
    statements = [
        {
            "Sid": "Alarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": ref("Alarms"),
            "Condition": {
                "ArnLike": {"aws:SourceArn": alarm},
                "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
            },
        },
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": ref("Alarms"),
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
    return {"Topics": [ref("Alarms")], "PolicyDocument": document(statements)}
