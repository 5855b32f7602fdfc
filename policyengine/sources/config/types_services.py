"""Secrets, streams, brokers, vaults, notebooks and alarms, as AWS Config records them.

All but alarms in the registry's own names; what is recorded of each is listed at
https://github.com/awslabs/aws-config-resource-schema.
"""

from __future__ import annotations

from typing import Any

from policyengine.model.values import ABSENT
from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType, flag, under

Json = dict[str, Any]


def _secret(item: Item) -> Json:
    """Whether and how a secret is rotated: in code a resource of its own."""
    given = item.configuration
    rotated, rules = flag(given.get("RotationEnabled")), given.get("RotationRules")
    found = {**given, "Id": given.get("ARN") or item.arn}
    if rotated is False:
        found["related.rotation_schedules"] = []
    elif rotated is True:
        schedule = {
            "AutomaticallyAfterDays": under(rules, "AutomaticallyAfterDays"),
            "Duration": under(rules, "RotationDuration"),
            "ScheduleExpression": under(rules, "RotationScheduleExpression"),
        }
        found["related.rotation_schedules"] = [{"SecretId": found["Id"], "RotationRules": schedule}]
    return found


def _alarm(item: Item) -> Json:
    """An alarm has one metric or an expression over several, never both.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
    """
    given = item.configuration
    return {**given, "Metrics": ABSENT} if given.get("metricName") else dict(given)


TYPES = (
    ConfigType(
        "AWS::AmazonMQ::Broker", recorded=("Logs", "EncryptionOptions", "SecurityGroups", "SubnetIds")
    ),
    ConfigType("AWS::Backup::BackupVault", recorded=("EncryptionKeyArn", "Notifications")),
    ConfigType("AWS::CloudWatch::Alarm", id="AlarmName", shape=_alarm, recorded=("AlarmDescription", "Unit")),
    ConfigType("AWS::Kinesis::Stream", recorded=("StreamEncryption",)),
    ConfigType(
        "AWS::MSK::Cluster",
        recorded=("ClientAuthentication", "LoggingInfo", "OpenMonitoring"),
        unknown=("BrokerNodeGroupInfo.ConnectivityInfo", "EncryptionInfo.EncryptionInTransit"),
    ),
    ConfigType(
        "AWS::SageMaker::NotebookInstance",
        recorded=("KmsKeyId", "SubnetId", "SecurityGroupIds", "LifecycleConfigName"),
    ),
    ConfigType("AWS::SecretsManager::Secret", id="Name", shape=_secret, recorded=("KmsKeyId", "Description")),
)
