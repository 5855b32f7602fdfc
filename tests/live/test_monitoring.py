"""CloudWatch, its logs and Step Functions over HTTP; the rest with answers as AWS documents them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

GROUP, FILTER, ALARM = "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter", "AWS::CloudWatch::Alarm"
MACHINE = "AWS::StepFunctions::StateMachine"
KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "logs:*", "Resource": "*"}],
}


def test_groups_and_filters_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-1"
    logs = aws("logs", region)
    logs.create_log_group(logGroupName="/app/a", tags={"Owner": "me"}, kmsKeyId=KEY)
    logs.put_retention_policy(logGroupName="/app/a", retentionInDays=400)
    logs.create_log_group(logGroupName="/app/b")
    change = {"metricName": "m", "metricNamespace": "n", "metricValue": "1", "dimensions": {"user": "$.user"}}
    logs.put_metric_filter(
        logGroupName="/app/a", filterName="f", filterPattern="x", metricTransformations=[change]
    )
    needs = {GROUP: frozenset({"tags", "RetentionInDays", "KmsKeyId", "CreationTime"})}
    found = {r.id: r for r in collect(account, GROUP, region=region, needs=needs)}
    good, bare = found["/app/a"], found["/app/b"]
    p = good.properties
    arn = f"arn:aws:logs:{region}:{MOTO_ACCOUNT}:log-group:/app/a"
    assert (good.arn, p["Arn"], good.tags, bare.tags) == (arn, f"{arn}:*", {"Owner": "me"}, {})
    assert (p["RetentionInDays"], p["KmsKeyId"]) == (400, KEY)
    assert p["CreationTime"].startswith("20") and p["CreationTime"].endswith("Z")
    assert "RetentionInDays" not in bare.properties
    assert "KmsKeyId" not in bare.properties
    assert [verdict("log-group-retention-set", each) for each in (good, bare)] == ["PASS", "FAIL"]
    (found_filter,) = collect(account, FILTER, region=region)
    p = found_filter.properties
    assert (p["FilterName"], p["LogGroupName"], p["FilterPattern"]) == ("f", "/app/a", "x")
    assert p["MetricTransformations"][0]["MetricName"] == "m"


def _group(canned: Callable[..., Any], **answers: Any) -> Any:
    group = {
        "logGroupName": "g",
        "arn": "arn:aws:logs:us-east-1:123456789012:log-group:g:*",
        "storedBytes": 3,
    }
    return canned({
        "logs:DescribeLogGroups": {"logGroups": [{**group, **answers.pop("group", {})}]},
        "logs:ListTagsForResource": {"tags": {}},
        "logs:DescribeResourcePolicies": {"resourcePolicies": []},
        **answers,
    })  # fmt: skip


def test_policies_of_a_log_group_and_of_the_account(canned: Callable[..., Any], collect: Any) -> None:
    policy = {"policyName": "p", "policyDocument": json.dumps(PUBLIC)}
    account = _group(canned, **{"logs:DescribeResourcePolicies": {"resourcePolicies": [policy]}})
    (group,) = collect(account, GROUP)
    assert group.properties["ResourcePolicyDocument"] == PUBLIC
    assert verdict("logs-policy-not-public", group) == "FAIL"
    (found,) = collect(account, "AWS::Logs::ResourcePolicy")
    assert (found.id, found.properties["PolicyDocument"]) == ("p", PUBLIC)
    assert verdict("logs-policy-not-public", found) == "FAIL"
    (group,) = collect(_group(canned), GROUP)
    assert "ResourcePolicyDocument" not in group.properties
    assert verdict("logs-policy-not-public", group) == "PASS"
    assert group.properties["DataProtectionPolicy"].reason == "not_collected"


def test_a_data_protection_policy_is_asked_for_where_there_is_one(
    canned: Callable[..., Any], collect: Any
) -> None:
    needs = {GROUP: frozenset({"DataProtectionPolicy"})}
    (group,) = collect(_group(canned), GROUP, needs=needs)
    assert "DataProtectionPolicy" not in group.properties
    policy = {"logs:GetDataProtectionPolicy": {"policyDocument": '{"Name": "n"}'}}
    (group,) = collect(
        _group(canned, group={"dataProtectionStatus": "ACTIVATED"}, **policy), GROUP, needs=needs
    )
    assert group.properties["DataProtectionPolicy"] == {"Name": "n"}


def test_what_hangs_on_logs(canned: Callable[..., Any], collect: Any) -> None:
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1", "dimensions": {"user": "$.user"}}
    log_filter = {
        "filterName": "f",
        "logGroupName": "g",
        "metricTransformations": [metric],
        "creationTime": 1,
    }
    destination = {"destinationName": "d", "arn": "arn:aws:logs:us-east-1:123456789012:destination:d",
                   "accessPolicy": json.dumps(PUBLIC)}  # fmt: skip
    source = {"name": "s", "arn": "arn:aws:logs:us-east-1:123456789012:delivery-source:s", "logType": "ACCESS_LOGS",
              "resourceArns": ["arn:r"], "tags": {"a": "b"}}  # fmt: skip
    account = _group(canned, **{
        "logs:DescribeMetricFilters": {"metricFilters": [log_filter]},
        "logs:DescribeSubscriptionFilters": {"subscriptionFilters": [{"filterName": "s", "logGroupName": "g"}]},
        "logs:DescribeDestinations": {"destinations": [destination]},
        "logs:DescribeDeliverySources": {"deliverySources": [source]},
    })  # fmt: skip
    (found,) = collect(account, FILTER)
    assert found.properties["MetricTransformations"][0]["Dimensions"] == [{"Key": "user", "Value": "$.user"}]
    (found,) = collect(account, "AWS::Logs::SubscriptionFilter")
    assert found.id == "g|s"
    (found,) = collect(account, "AWS::Logs::Destination")
    assert json.loads(found.properties["DestinationPolicy"]) == PUBLIC
    assert verdict("logs-policy-not-public", found) == "FAIL"
    (found,) = collect(account, "AWS::Logs::DeliverySource")
    assert (found.properties["ResourceArn"], found.tags) == ("arn:r", {"a": "b"})


def test_alarms_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-2"
    cloudwatch = aws("cloudwatch", region)
    topic = f"arn:aws:sns:{region}:{MOTO_ACCOUNT}:t"
    metric = {"MetricName": "m", "Namespace": "n", "Period": 60, "Statistic": "Sum", "EvaluationPeriods": 1,
              "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}  # fmt: skip
    cloudwatch.put_metric_alarm(
        AlarmName="good", AlarmActions=[topic], Dimensions=[{"Name": "QueueName", "Value": "q"}],
        Tags=[{"Key": "Owner", "Value": "me"}], **metric,
    )  # fmt: skip
    cloudwatch.put_metric_alarm(AlarmName="mute", ActionsEnabled=False, **metric)
    found = {r.id: r for r in collect(account, ALARM, region=region)}
    good, mute = found["good"], found["mute"]
    assert good.tags == {"Owner": "me"}
    assert good.properties["Dimensions"] == [{"Name": "QueueName", "Value": "q"}]
    assert (good.properties["AlarmActions"], mute.properties["ActionsEnabled"]) == ([topic], False)
    assert [verdict("alarm-has-action", each) for each in (good, mute)] == ["PASS", "FAIL"]
    assert [verdict("alarm-actions-enabled", each) for each in (good, mute)] == ["PASS", "FAIL"]


def test_composite_alarms(canned: Callable[..., Any], collect: Any) -> None:
    alarm = {"AlarmName": "both", "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:both",
             "AlarmRule": "ALARM(a)", "ActionsEnabled": True, "AlarmActions": []}  # fmt: skip
    asked: list[Any] = []

    def alarms(arguments: Any) -> Any:
        asked.append(arguments["AlarmTypes"])
        return {"CompositeAlarms": [alarm]}

    account = canned({
        "cloudwatch:DescribeAlarms": alarms,
        "cloudwatch:ListTagsForResource": {"Tags": [{"Key": "a", "Value": "b"}]},
    })  # fmt: skip
    (both,) = collect(account, "AWS::CloudWatch::CompositeAlarm")
    assert asked == [["CompositeAlarm"]]
    assert (both.properties["AlarmRule"], both.tags) == ("ALARM(a)", {"a": "b"})
    assert verdict("alarm-has-action", both) == "FAIL"


def test_policies_of_tracing_and_sinks(canned: Callable[..., Any], collect: Any) -> None:
    sink = "arn:aws:oam:us-east-1:123456789012:sink/s"
    account = canned({
        "xray:ListResourcePolicies": {
            "ResourcePolicies": [{"PolicyName": "p", "PolicyDocument": json.dumps(PUBLIC)}]
        },
        "oam:ListSinks": {"Items": [{"Arn": sink, "Name": "s", "Id": "1"}]},
        "oam:GetSinkPolicy": failure("oam:GetSinkPolicy", "ResourceNotFoundException", "read_error"),
        "oam:ListTagsForResource": {"Tags": {"a": "b"}},
    })  # fmt: skip
    (found,) = collect(account, "AWS::XRay::ResourcePolicy")
    assert found.properties["PolicyName"] == "p"
    (found,) = collect(account, "AWS::Oam::Sink")
    assert (found.tags, found.arn) == ({"a": "b"}, sink)
    assert "Policy" not in found.properties
    account.answers = {**account.answers, "oam:GetSinkPolicy": {"Policy": json.dumps(PUBLIC)}}
    (found,) = collect(account, "AWS::Oam::Sink")
    assert found.properties["Policy"] == PUBLIC


def test_state_machines_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-3"
    role = aws("iam").create_role(RoleName="workflows", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    definition = {"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}
    group = f"arn:aws:logs:{region}:{MOTO_ACCOUNT}:log-group:w:*"
    arn = aws("stepfunctions", region).create_state_machine(
        name="work", definition=json.dumps(definition), roleArn=role, tags=[{"key": "Owner", "value": "me"}],
        loggingConfiguration={"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]},
    )["stateMachineArn"]  # fmt: skip
    needs = {MACHINE: frozenset({"*", "Definition"})}
    (machine,) = collect(account, MACHINE, region=region, needs=needs)
    p = machine.properties
    assert (machine.id, machine.arn, p["Arn"], machine.tags) == ("work", arn, arn, {"Owner": "me"})
    assert (p["StateMachineType"], p["RoleArn"], p["Definition"]) == ("STANDARD", role, definition)
    assert "DefinitionString" not in p
    assert verdict("state-machine-logging", machine) == "PASS"


def test_a_definition_nobody_may_decrypt(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
    described = {
        "stateMachineArn": arn,
        "name": "m",
        "roleArn": "r",
        "loggingConfiguration": {"level": "OFF"},
    }

    def describe(arguments: Any) -> Any:
        if arguments.get("includedData") == "METADATA_ONLY":
            return described
        return failure("stepfunctions:DescribeStateMachine", "KmsAccessDeniedException")

    account = canned({
        "stepfunctions:ListStateMachines": {
            "stateMachines": [{"stateMachineArn": arn, "name": "m", "type": "EXPRESS"}]
        },
        "stepfunctions:DescribeStateMachine": describe,
        "stepfunctions:ListTagsForResource": {"tags": []},
    })  # fmt: skip
    (machine,) = collect(account, MACHINE, needs={MACHINE: frozenset({"*", "Definition"})})
    assert isinstance(machine.properties["Definition"], Unresolved)
    assert verdict("state-machine-logging", machine) == "FAIL"
    assert verdict("state-machine-without-secrets", machine) == "UNKNOWN"
