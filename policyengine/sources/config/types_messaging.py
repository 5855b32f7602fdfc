"""SNS, SQS and CloudTrail, as AWS Config records them."""

from __future__ import annotations

from typing import Any

from policyengine.model.values import ABSENT
from policyengine.sources.config.item import Item, decode
from policyengine.sources.config.spec import ConfigType, flag

Json = dict[str, Any]


def _topic(item: Item) -> Json:
    given = item.configuration
    arn = given.get("TopicArn") or item.arn or item.id
    found = {
        **{name: value for name, value in given.items() if name != "Policy"},
        "TopicArn": arn,
        "TopicName": str(arn).rpartition(":")[2],
    }
    if given.get("Policy") is not None:  # every topic has one
        found["related.policies"] = [{"Topics": [arn], "PolicyDocument": given["Policy"]}]
    return found


def _queue(item: Item) -> Json:
    given = {name: flag(value) for name, value in item.configuration.items()}
    found = {
        **{name: value for name, value in given.items() if name not in ("Policy", "QueueArn")},
        "Arn": given.get("QueueArn") or item.arn,
        "QueueUrl": given.get("QueueUrl") or (item.id if item.id.startswith("https://") else None),
    }
    if given.get("RedrivePolicy") is not None:
        found["RedrivePolicy"] = decode(given["RedrivePolicy"])
    if "Policy" in given:
        policy = given["Policy"]
        found["related.policies"] = (
            [{"Queues": [found["QueueUrl"]], "PolicyDocument": policy}] if policy else []
        )
    return found


def _trail(item: Item) -> Json:
    """The selectors themselves are not recorded, only whether there are other ones than a new trail has."""
    given = item.configuration
    found = {**given, "TrailName": given.get("name") or item.id, "Arn": given.get("trailARN") or item.arn}
    if flag(given.get("hasCustomEventSelectors")) is False:
        found.update({"EventSelectors": ABSENT, "AdvancedEventSelectors": ABSENT})
    if flag(given.get("hasInsightSelectors")) is False:
        found["InsightSelectors"] = ABSENT
    return found


TYPES = (
    ConfigType("AWS::SNS::Topic", shape=_topic, recorded=("KmsMasterKeyId", "DisplayName")),
    ConfigType("AWS::SQS::Queue", shape=_queue, recorded=("KmsMasterKeyId", "FifoQueue")),
    ConfigType(
        "AWS::CloudTrail::Trail",
        rename={"logFileValidationEnabled": "EnableLogFileValidation"},
        shape=_trail,
        recorded=("KMSKeyId", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", "SnsTopicName", "SnsTopicArn",
                  "S3KeyPrefix"),
    ),
)  # fmt: skip
