"""Queues, topics and secrets."""

from __future__ import annotations

from typing import Any

from .base import Builder, arn_of, key_arn
from .network import Network


def queue(b: Builder, n: Network, name: str) -> None:
    """Add one queue with its policy."""
    account, region = n.account, n.region
    full = f"{account.name}-{name}"
    arn = arn_of("sqs", region, account, full)
    properties: dict[str, Any] = {"QueueName": full, "Arn": arn, "MessageRetentionPeriod": 345600}
    if b.good(account):
        properties["KmsMasterKeyId"] = key_arn(account, region, "data")
    else:
        properties["SqsManagedSseEnabled"] = b.good(account)
    if name != "dlq" and b.good(account):
        target = arn_of("sqs", region, account, f"{account.name}-dlq")
        properties["RedrivePolicy"] = {"deadLetterTargetArn": target, "maxReceiveCount": 5}
    principal: Any = {"AWS": f"arn:aws:iam::{account.id}:root"} if b.good(account) else "*"
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
    url = f"https://sqs.{region}.amazonaws.com/{account.id}/{full}"
    policies = [{"Queues": [url], "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}]
    b.add(account, region, "AWS::SQS::Queue", url, properties, arn=arn, related={"policies": policies})


def topic(b: Builder, n: Network, name: str) -> None:
    """Add one topic."""
    account, region = n.account, n.region
    arn = arn_of("sns", region, account, f"{account.name}-{name}")
    properties: dict[str, Any] = {"TopicName": f"{account.name}-{name}", "TopicArn": arn}
    if b.good(account):
        properties["KmsMasterKeyId"] = key_arn(account, region, "data")
    b.add(account, region, "AWS::SNS::Topic", arn, properties, arn=arn)


def secret(b: Builder, n: Network, name: str) -> None:
    """Add one secret, rotated or not."""
    account, region = n.account, n.region
    full = f"{account.name}/{name}"
    arn = arn_of("secretsmanager", region, account, f"secret:{full}-ExAmPl")
    rotated = b.good(account)
    properties: dict[str, Any] = {
        "Id": arn,
        "Name": full,
        "RotationEnabled": rotated,
        "LastAccessedDate": "2026-11-18T00:00:00Z",
    }
    related = None
    if rotated:
        properties |= {"LastRotatedDate": "2026-11-05T00:00:00Z", "NextRotationDate": "2026-12-05T00:00:00Z"}
        rules = {"AutomaticallyAfterDays": 30 if b.good(account) else 90}
        related = {"rotation_schedules": [{"SecretId": arn, "RotationRules": rules}]}
    if b.good(account):
        properties["KmsKeyId"] = key_arn(account, region, "data")
    b.add(account, region, "AWS::SecretsManager::Secret", arn, properties, arn=arn, related=related)
