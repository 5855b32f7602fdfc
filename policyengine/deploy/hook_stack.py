"""The stack of a CloudFormation Hook: the function that judges what is about to be deployed, and the Hook that calls it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-lambdahook.html. It is a
stack of its own: who evaluates continuously need not check at deployment, and the other way round. The Hook leaves its own
stack alone, so that it can always be mended or taken away.
"""

from __future__ import annotations

from typing import Any, Final

from policyengine.deploy.choice import Choice
from policyengine.deploy.functions import POLICY_PATH, RETENTION_DAYS, ROLE_PREFIX
from policyengine.deploy.parts import allow, arn_of, document, ref, resource, service_trust, sub
from policyengine.deploy.storage import TAGS
from policyengine.deploy.template import parameters

Json = dict[str, Any]
SECONDS: Final = 28
"""CloudFormation waits for 30
(https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html)."""
MEMORY: Final = 1769
"""Megabytes at which Lambda gives one whole processor
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""
TARGETS: Final = "STACK,CHANGE_SET,RESOURCE,CLOUD_CONTROL"
_FUNCTION: Final = "${Name}-hook"
_HERE: Final = "${AWS::Region}:${AWS::AccountId}"
_SERVICE: Final = "hooks.cloudformation.amazonaws.com"


def hook_stack(choice: Choice) -> Json:
    """Return the template of one account and region."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"policyengine: a CloudFormation Hook that asks {len(choice.pack.rules)} rules before deployment",
        "Parameters": {**parameters(), **_parameters()},
        "Resources": {**_key(), **_function(), **_hook(), **_alarms()},
        "Outputs": {
            "Hook": {"Description": "The Hook", "Value": arn_of("Hook", "HookArn")},
            "Function": {"Description": "What it calls", "Value": arn_of("HookFunction")},
            "AlarmTopic": {"Description": "Subscribe to it", "Value": ref("Alarms")},
        },
    }


def _parameters() -> Json:
    return {
        "FailureMode": {
            "Type": "String",
            "Default": "WARN",
            "AllowedValues": ["FAIL", "WARN"],
            "Description": "FAIL stops what fails, and everything while the function cannot answer; WARN only tells",
        },
        "FailOn": {
            "Type": "String",
            "Default": "high",
            "AllowedValues": ["low", "medium", "high", "critical", "never"],
            "Description": "A FAIL at or above this severity fails the Hook; others are told",
        },
        "Unknown": {
            "Type": "String",
            "Default": "warn",
            "AllowedValues": ["warn", "fail"],
            "Description": "What could not be determined is told as that (warn), or fails the Hook, too (fail)",
        },
        "TargetOperations": {
            "Type": "CommaDelimitedList",
            "Default": TARGETS,
            "Description": "STACK and CHANGE_SET see whole templates, RESOURCE and CLOUD_CONTROL one resource each",
        },
        "HookAlias": {
            "Type": "String",
            "Default": "Private::Policyengine::Hook",
            "AllowedPattern": "[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}",
            "Description": "Name of the Hook in the account's registry",
        },
    }


def _key() -> Json:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html says whom the key has to admit."""
    logs = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    group = sub(f"arn:${{AWS::Partition}}:logs:{_HERE}:log-group:/aws/lambda/{_FUNCTION}")
    root = {"AWS": sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}
    statements = [
        {"Sid": "Administration", "Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
        {
            "Sid": "Alarms", "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
        },
        {
            "Sid": "Logs", "Effect": "Allow", "Principal": {"Service": sub("logs.${AWS::Region}.amazonaws.com")},
            "Action": logs, "Resource": "*", "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": group}},
        },
    ]  # fmt: skip
    properties = {
        "Description": "Logs and alarms of policyengine's Hook",
        "EnableKeyRotation": True,
        "PendingWindowInDays": 30,
        "KeyPolicy": document(statements),
        "Tags": TAGS,
    }
    return {
        "Key": resource("AWS::KMS::Key", properties, DeletionPolicy="Retain", UpdateReplacePolicy="Retain"),
        "KeyAlias": resource(
            "AWS::KMS::Alias", {"AliasName": sub("alias/${Name}-hook"), "TargetKeyId": ref("Key")}
        ),
    }


def _function() -> Json:
    """It calls nothing of AWS: rules, settings and code are in its zip, the request brings the rest."""
    logs = sub(f"arn:${{AWS::Partition}}:logs:{_HERE}:log-group:/aws/lambda/{_FUNCTION}:*")
    statements = [
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], logs, sid="Logs"),
        allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*", sid="Traces"),
    ]
    environment = {"POLICYENGINE_FAIL_ON": ref("FailOn"), "POLICYENGINE_UNKNOWN": ref("Unknown")}
    log_group = {
        "LogGroupName": sub(f"/aws/lambda/{_FUNCTION}"), "RetentionInDays": RETENTION_DAYS, "KmsKeyId": arn_of("Key"),
        "Tags": TAGS,
    }  # fmt: skip
    function = {
        "FunctionName": sub(_FUNCTION),
        "Description": "policyengine: judges what is about to be deployed",
        "Handler": "policyengine.lambdas.hook.handler",
        "Runtime": ref("Runtime"),
        "Architectures": [ref("Architecture")],
        "Code": {"S3Bucket": sub("${CodeBucketPrefix}-${AWS::Region}"), "S3Key": ref("CodeKey")},
        "Role": arn_of("HookFunctionRole"),
        "MemorySize": MEMORY,
        "Timeout": SECONDS,
        "TracingConfig": {"Mode": "Active"},
        "KmsKeyArn": arn_of("Key"),
        "Environment": {"Variables": environment},
        "Tags": TAGS,
    }
    return {
        "HookFunctionLogs": resource("AWS::Logs::LogGroup", log_group),
        **_role("HookFunction", "function", service_trust("lambda.amazonaws.com"), statements),
        "HookFunction": resource(
            "AWS::Lambda::Function", function, DependsOn=["HookFunctionLogs", "HookFunctionPolicy"]
        ),
    }


def _role(id: str, what: str, trust: Json, statements: list[Json]) -> Json:
    role = {
        "RoleName": sub(f"{ROLE_PREFIX}hook-{what}"), "Description": f"policyengine: the Hook's {what}",
        "AssumeRolePolicyDocument": trust, "Tags": TAGS,
    }  # fmt: skip
    policy = {
        "Path": sub(POLICY_PATH), "Description": f"policyengine: what the Hook's {what} does", "Roles": [ref(f"{id}Role")],
        "PolicyDocument": document(statements),
    }  # fmt: skip
    return {
        f"{id}Role": resource("AWS::IAM::Role", role),
        f"{id}Policy": resource("AWS::IAM::ManagedPolicy", policy),
    }


def _hook() -> Json:
    """The Hook, and the role it calls the function with."""
    own = {
        "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
        "ArnLike": {"aws:SourceArn": sub(f"arn:${{AWS::Partition}}:cloudformation:{_HERE}:type/hook/*")},
    }
    name = sub(f"arn:${{AWS::Partition}}:lambda:{_HERE}:function:{_FUNCTION}")
    hook = {
        "Alias": ref("HookAlias"),
        "HookStatus": "ENABLED",
        "FailureMode": ref("FailureMode"),
        "LambdaFunction": arn_of("HookFunction"),
        "ExecutionRole": arn_of("HookRole"),
        "TargetOperations": ref("TargetOperations"),
        "TargetFilters": {"Actions": ["CREATE", "UPDATE"]},
        "StackFilters": {"FilteringCriteria": "ALL", "StackNames": {"Exclude": [ref("AWS::StackName")]}},
    }
    call = [allow(["lambda:InvokeFunction"], name, sid="Call")]
    return {
        **_role("Hook", "caller", service_trust(_SERVICE, condition=own), call),
        "Hook": resource("AWS::CloudFormation::LambdaHook", hook, DependsOn=["HookPolicy"]),
    }


def _alarms() -> Json:
    """What keeps the function from answering stops deployments where the Hook's mode is FAIL."""
    found: Json = {
        "Alarms": resource("AWS::SNS::Topic", {"KmsMasterKeyId": ref("Key"), "Tags": TAGS}),
        "AlarmsPolicy": resource(
            "AWS::SNS::TopicPolicy",
            {
                "Topics": [ref("Alarms")],
                "PolicyDocument": document(
                    [
                        {
                            "Sid": "Alarms", "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Action": "sns:Publish", "Resource": ref("Alarms"),
                            "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
                        },
                        {
                            "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish",
                            "Resource": ref("Alarms"), "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        },
                    ]
                ),
            },
        ),
    }  # fmt: skip
    for metric in ("Errors", "Throttles"):
        found[f"HookFunction{metric}Alarm"] = resource(
            "AWS::CloudWatch::Alarm",
            {
                "AlarmName": sub(f"${{Name}}-hook-{metric.lower()}"),
                "AlarmDescription": f"policyengine: {metric.lower()} of the Hook's function; deployments may be stopped by them",
                "Namespace": "AWS/Lambda", "MetricName": metric,
                "Dimensions": [{"Name": "FunctionName", "Value": ref("HookFunction")}],
                "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1, "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
                "AlarmActions": [ref("Alarms")], "OKActions": [ref("Alarms")], "Tags": TAGS,
            },
        )  # fmt: skip
    return found
