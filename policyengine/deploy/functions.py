"""The functions, what each may do, and the alarms on them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from policyengine.deploy.choice import Choice
from policyengine.deploy.parts import allow, arn_of, camel, document, ref, resource, service_trust, sub
from policyengine.deploy.scanner_role import grant_for, policies
from policyengine.deploy.storage import FUNCTION_SECONDS, TAGS
from policyengine.engine.needs import needs_of, top_names
from policyengine.lambdas.log import NAMESPACE
from policyengine.sources.live.plan import make_plan
from policyengine.store.dynamo_table import ACTIONS

Json = dict[str, Any]
RETENTION_DAYS: Final = 365
ROLE_PREFIX: Final = "${Name}-${AWS::Region}-"
"""Roles are an account's and not a region's: stacks of several regions must not want the same names."""
POLICY_PATH: Final = "/${Name}-stack/"
"""By it the policies of the stack are told from others: they have no names, so that CloudFormation can replace them."""
_BATCH: Final = 10


class Function(NamedTuple):
    """A function of the package: logical id, module, seconds it may take, executions at the same time at most."""

    id: str
    module: str
    seconds: int
    concurrency: int
    repairs: bool


CONFIG_RULE: Final = Function("ConfigRule", "config_rule", 300, 10, repairs=False)
EVENTS: Final = Function("EventsHandler", "events", FUNCTION_SECONDS, 2, repairs=True)
REMEDIATION: Final = Function("Remediation", "remediation", FUNCTION_SECONDS, 2, repairs=True)
"""Few at a time: the journal is one chain, and limits are there to be kept, not raced for."""


def functions(choice: Choice) -> Json:
    """Return the functions with their roles and log groups, the queue's mapping and the alarms."""
    used = [CONFIG_RULE, *((EVENTS, REMEDIATION) if choice.remediations else ())]
    found = _reading(choice)
    reading = list(found)
    for function in used:
        found |= _one(function, choice, reading)
    if choice.remediations:
        found["EventsMapping"] = resource(
            "AWS::Lambda::EventSourceMapping",
            {
                "EventSourceArn": arn_of("Events"),
                "FunctionName": ref(EVENTS.id),
                "BatchSize": _BATCH,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "ScalingConfig": {"MaximumConcurrency": EVENTS.concurrency},
                "Tags": TAGS,
            },
            DependsOn=[f"{EVENTS.id}Policy"],
        )
    return found | _alarms(used)


def _name(function: Function) -> str:
    return f"${{Name}}-{function.module.replace('_', '-')}"


def _role_name(function: Function) -> str:
    return f"{ROLE_PREFIX}{function.module.replace('_', '-')}"


def _one(function: Function, choice: Choice, reading: list[str]) -> Json:
    id = function.id
    environment: Json = {"POLICYENGINE_TABLE": ref("Actions"), "POLICYENGINE_READ": "live"}
    if function.repairs:
        environment |= {
            "POLICYENGINE_ROLE_PREFIX": sub(ROLE_PREFIX),
            "POLICYENGINE_QUEUE": ref("Events"),
            "POLICYENGINE_ACCOUNTS": ref("AWS::AccountId"),
        }
    return {
        f"{id}Logs": resource(
            "AWS::Logs::LogGroup",
            {
                "LogGroupName": sub(f"/aws/lambda/{_name(function)}"),
                "RetentionInDays": RETENTION_DAYS,
                "KmsKeyId": arn_of("Key"),
                "Tags": TAGS,
            },
        ),
        f"{id}Role": resource(
            "AWS::IAM::Role",
            {
                "RoleName": sub(_role_name(function)),
                "Description": f"policyengine: {function.module}",
                "AssumeRolePolicyDocument": service_trust("lambda.amazonaws.com"),
                "ManagedPolicyArns": [ref(name) for name in reading],
                "Tags": TAGS,
            },
        ),
        f"{id}Policy": resource(
            "AWS::IAM::ManagedPolicy",
            {
                "Path": sub(POLICY_PATH),
                "Description": f"policyengine: what the function {function.module} does",
                "Roles": [ref(f"{id}Role")],
                "PolicyDocument": document(_statements(function, choice)),
            },
        ),
        id: resource(
            "AWS::Lambda::Function",
            {
                "FunctionName": sub(_name(function)),
                "Description": f"policyengine: {function.module}",
                "Handler": f"policyengine.lambdas.{function.module}.handler",
                "Runtime": ref("Runtime"),
                "Architectures": [ref("Architecture")],
                "Code": {"S3Bucket": sub("${CodeBucketPrefix}-${AWS::Region}"), "S3Key": ref("CodeKey")},
                "Role": arn_of(f"{id}Role"),
                "MemorySize": 1024,
                "Timeout": function.seconds,
                "ReservedConcurrentExecutions": function.concurrency,
                "TracingConfig": {"Mode": "Active"},
                "DeadLetterConfig": {"TargetArn": arn_of("DeadLetters")},
                "KmsKeyArn": arn_of("Key"),
                "Environment": {"Variables": environment},
                "Tags": TAGS,
            },
            DependsOn=[f"{id}Logs", f"{id}Policy"],
        ),
    }


def _statements(function: Function, choice: Choice) -> list[Json]:
    logs = sub(
        f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:/aws/lambda/{_name(function)}:*"
    )
    statements = [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], logs, sid="Logs"),
        allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*", sid="Traces"),
        allow(["kms:Decrypt", "kms:GenerateDataKey"], arn_of("Key"), sid="Key"),
        allow(["sqs:SendMessage"], arn_of("DeadLetters"), sid="DeadLetters"),
    ]
    if function is CONFIG_RULE:
        config = [
            "config:GetComplianceDetailsByConfigRule",
            "config:GetResourceConfigHistory",
            "config:PutEvaluations",
        ]
        statements += [
            allow(config, "*", sid="Config"),
            allow(["dynamodb:PutItem"], arn_of("Actions"), sid="Verdicts"),
        ]
        return statements
    roles = [role_arn(role_name(each.id)) for each in choice.remediations]
    statements += [
        allow(list(ACTIONS), arn_of("Actions"), sid="Actions"),
        allow(["sts:AssumeRole"], roles, sid="Remediations"),
    ]
    if function is EVENTS:
        receive = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
        statements.append(allow(receive, arn_of("Events"), sid="Events"))
    return statements


def role_name(remediation: str) -> str:
    """Return the name of a remediation's role, for Fn::Sub."""
    return f"{ROLE_PREFIX}{remediation.replace('_', '-')}"


def role_arn(name: str) -> Json:
    """Return the ARN of a role of the stack by its name, which templates can be judged by before they are deployed."""
    return sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{name}")


def function_role(function: Function) -> Json:
    """Return the ARN of a function's role."""
    return role_arn(_role_name(function))


def role_id(remediation: str) -> str:
    """Return the logical id of a remediation's role, without ``Role``."""
    return f"Remediate{camel(remediation)}"


def _reading(choice: Choice) -> Json:
    """Reading what the chosen rules look at, as ``policyengine permissions`` prints it for them."""
    grant = grant_for(make_plan(top_names(needs_of(choice.pack.rules))))
    always = {
        "organizations:DescribeOrganization"
    }  # whether the account is in an organisation decides what is looked for
    grant = grant._replace(actions=tuple(sorted({*grant.actions, *always})))
    return {
        f"ReadConfiguration{number}": resource(
            "AWS::IAM::ManagedPolicy",
            {
                "Path": sub(POLICY_PATH),
                "Description": "Reading the configuration that the rules of policyengine are about",
                "PolicyDocument": document,
            },
        )
        for number, document in enumerate(policies(grant), 1)
    }


def _alarms(used: list[Function]) -> Json:
    found: Json = {
        "DeadLettersAlarm": _alarm(
            "dead-letters", "AWS/SQS", "ApproximateNumberOfMessagesVisible", 1,
            {"QueueName": arn_of("DeadLetters", "QueueName")}, "an event could not be dealt with (docs/lambdas.md)",
        ),
        "AgeAlarm": _alarm(
            "event-age", "AWS/SQS", "ApproximateAgeOfOldestMessage", 3600,
            {"QueueName": arn_of("Events", "QueueName")}, "events have waited for an hour",
        ),
    }  # fmt: skip
    if EVENTS in used:
        found["StoppedAlarm"] = _alarm(
            "stopped", NAMESPACE, "RemediationsStopped", 1, {"Function": "events"},
            "a repair failed, was taken back, or was stopped by a limit, the breaker or flapping", statistic="Sum",
        )  # fmt: skip
    for function in used:
        name = {"FunctionName": ref(function.id)}
        kind = function.module.replace("_", "-")
        for metric in ("Errors", "Throttles"):
            found[f"{function.id}{metric}Alarm"] = _alarm(
                f"{kind}-{metric.lower()}",
                "AWS/Lambda",
                metric,
                1,
                name,
                f"{metric.lower()} of {kind}",
                statistic="Sum",
            )
    return found


def _alarm(
    name: str,
    namespace: str,
    metric: str,
    threshold: int,
    dimensions: Json,
    why: str,
    *,
    statistic: str = "Maximum",
) -> Json:
    return resource(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": sub(f"${{Name}}-{name}"),
            "AlarmDescription": f"policyengine: {why}",
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": statistic,
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [ref("Alarms")],
            "OKActions": [ref("Alarms")],
            "Tags": TAGS,
        },
    )
