"""Trails, recorders, detectors, alarms, backups, pipelines and Bedrock."""

from __future__ import annotations

from typing import Any

from .base import (
    ANALYTICS,
    LOG_ARCHIVE,
    MANAGEMENT,
    PAYMENTS,
    SANDBOX,
    WEB,
    Account,
    Builder,
    arn_of,
    denied,
    hex_id,
    key_arn,
    uuid_id,
)

ALARMS = (
    ("root-use", "RootAccountUsage"),
    ("unauthorized", "UnauthorizedApiCalls"),
    ("policy-changes", "IamPolicyChanges"),
    ("trail-changes", "CloudTrailChanges"),
    ("group-changes", "SecurityGroupChanges"),
)


def build(b: Builder, account: Account, region: str) -> None:
    """Add what watches an account in one region."""
    _trail(b, account, region)
    _recorder(b, account, region)
    _detectors(b, account, region)
    _alarms(b, account, region)
    _backup(b, account, region)
    if account.workload:
        _events(b, account, region)
        _pipeline(b, account, region)
    if account in (PAYMENTS, ANALYTICS, SANDBOX):
        _bedrock(b, account, region)


def _trail(b: Builder, account: Account, region: str) -> None:
    if region != "eu-west-1":
        return
    name = "organization-trail" if account is MANAGEMENT else f"{account.name}-trail"
    if account in (WEB, LOG_ARCHIVE):
        return
    careful = account is not SANDBOX
    properties: dict[str, Any] = {
        "TrailName": name,
        "Arn": arn_of("cloudtrail", region, account, f"trail/{name}"),
        "IsLogging": True,
        "IsMultiRegionTrail": careful,
        "IsOrganizationTrail": account is MANAGEMENT,
        "IncludeGlobalServiceEvents": True,
        "EnableLogFileValidation": careful,
        "S3BucketName": f"example-log-archive-trail-{region}",
        "HomeRegion": region,
        "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}],
    }
    if careful:
        properties["KMSKeyId"] = key_arn(account, region, "logs")
        group = arn_of("logs", region, account, "log-group:trail:*")
        properties["CloudWatchLogsLogGroupArn"] = group
        properties["CloudWatchLogsRoleArn"] = arn_of("iam", "global", account, "role/trail-to-logs")
    b.add(account, region, "AWS::CloudTrail::Trail", name, properties, arn=properties["Arn"])


def _recorder(b: Builder, account: Account, region: str) -> None:
    if account is SANDBOX and region == "us-east-1":
        return
    recording: dict[str, Any] = {
        "AllSupported": b.good(account),
        "IncludeGlobalResourceTypes": region == "eu-west-1",
    }
    status = {"Recording": b.good(account), "LastStatus": "SUCCESS"}
    role = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    properties = {
        "Name": "default",
        "RoleARN": arn_of("iam", "global", account, f"role/{role}"),
        "RecordingGroup": recording,
        "Status": status,
    }
    b.add(account, region, "AWS::Config::ConfigurationRecorder", "default", properties)
    channel = {"Name": "default", "S3BucketName": f"example-log-archive-config-{region}"}
    b.add(
        account,
        region,
        "AWS::Config::DeliveryChannel",
        "default",
        {**channel, "Status": {"LastStatus": "SUCCESS"}},
    )


def _detectors(b: Builder, account: Account, region: str) -> None:
    detector = uuid_id(account.id, region, "detector").replace("-", "")
    if account is not SANDBOX or region == "eu-west-1":
        names = (
            "S3_DATA_EVENTS",
            "EKS_AUDIT_LOGS",
            "EBS_MALWARE_PROTECTION",
            "RDS_LOGIN_EVENTS",
            "LAMBDA_NETWORK_LOGS",
        )
        features = [{"Name": name, "Status": "ENABLED" if b.good(account) else "DISABLED"} for name in names]
        properties: dict[str, Any] = {"Id": detector, "Enable": True, "Features": features}
        unknown = None
        if account is ANALYTICS and region == "us-east-1":
            del properties["Features"]
            unknown = [denied("/Features", "guardduty:GetDetector")]
        b.add(account, region, "AWS::GuardDuty::Detector", detector, properties, unknown=unknown)
    if b.good(account):
        hub = arn_of("securityhub", region, account, "hub/default")
        b.add(
            account, region, "AWS::SecurityHub::Hub", hub, {"ARN": hub, "AutoEnableControls": True}, arn=hub
        )
        standard = arn_of(
            "securityhub", region, account, "subscription/aws-foundational-security-best-practices/v/1.0.0"
        )
        reference = (
            f"arn:aws:securityhub:{region}::standards/aws-foundational-security-best-practices/v/1.0.0"
        )
        properties = {"StandardsSubscriptionArn": standard, "StandardsArn": reference}
        b.add(account, region, "AWS::SecurityHub::Standard", standard, properties)
    if b.good(account):
        arn = arn_of("access-analyzer", region, account, "analyzer/default")
        properties = {"AnalyzerName": "default", "Arn": arn, "Type": "ACCOUNT", "Status": "ACTIVE"}
        b.add(account, region, "AWS::AccessAnalyzer::Analyzer", "default", properties, arn=arn)
    if b.good(account) and account is not WEB:
        properties = {"AwsAccountId": account.id, "Status": "ENABLED"}
        b.add(account, region, "AWS::Macie::Session", account.id, properties)


def _alarms(b: Builder, account: Account, region: str) -> None:
    topic = arn_of("sns", region, account, f"{account.name}-alarms")
    for name, metric in ALARMS:
        if not b.good(account):
            continue
        pattern = '{ $.userIdentity.type = "Root" }' if name == "root-use" else "{ $.errorCode = * }"
        transformation = {"MetricName": metric, "MetricNamespace": "Security", "MetricValue": "1"}
        filter_ = {"FilterName": name, "LogGroupName": "trail", "FilterPattern": pattern}
        b.add(
            account,
            region,
            "AWS::Logs::MetricFilter",
            name,
            {**filter_, "MetricTransformations": [transformation]},
        )
        full = f"{account.name}-{name}"
        properties = {
            "AlarmName": full,
            "MetricName": metric,
            "Namespace": "Security",
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "EvaluationPeriods": 1,
            "ActionsEnabled": True,
            "AlarmActions": [topic] if b.good(account) else [],
            "StateValue": "OK",
        }
        b.add(account, region, "AWS::CloudWatch::Alarm", full, properties)


def _backup(b: Builder, account: Account, region: str) -> None:
    vault = f"{account.name}-vault"
    properties: dict[str, Any] = {
        "BackupVaultName": vault,
        "EncryptionKeyArn": key_arn(account, region, "backup"),
        "Locked": b.good(account),
        "NumberOfRecoveryPoints": 120,
    }
    if properties["Locked"]:
        properties["LockConfiguration"] = {"MinRetentionDays": 7, "MaxRetentionDays": 400}
    b.add(account, region, "AWS::Backup::BackupVault", vault, properties)
    other = "us-east-1" if region == "eu-west-1" else "eu-west-1"
    rule: dict[str, Any] = {
        "RuleName": "daily",
        "TargetBackupVault": vault,
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "Lifecycle": {"DeleteAfterDays": 35 if b.good(account) else 3},
    }
    if b.good(account):
        destination = arn_of("backup", other, account, f"backup-vault:{vault}")
        rule["CopyActions"] = [{"DestinationBackupVaultArn": destination}]
    plan = uuid_id(account.id, region, "plan")
    content = {"BackupPlanName": f"{account.name}-daily", "BackupPlanRule": [rule]}
    b.add(account, region, "AWS::Backup::BackupPlan", plan, {"BackupPlanId": plan, "BackupPlan": content})
    if account.workload:
        name = f"{account.name}_restore_test"
        last = "2026-10-28T00:00:00Z" if b.good(account) else "2025-06-01T00:00:00Z"
        properties = {
            "RestoreTestingPlanName": name,
            "ScheduleExpression": "cron(0 5 1 * ? *)",
            "LastExecutionTime": last,
            "LastSuccessfulRestoreTime": last,
        }
        b.add(account, region, "AWS::Backup::RestoreTestingPlan", name, properties)


def _events(b: Builder, account: Account, region: str) -> None:
    for name in ("nightly", "orders", "findings"):
        full = f"{account.name}-{name}"
        target: dict[str, Any] = {
            "Id": "1",
            "Arn": arn_of("lambda", region, account, f"function:{account.name}-notify"),
        }
        if b.good(account):
            target["DeadLetterConfig"] = {"Arn": arn_of("sqs", region, account, f"{account.name}-dlq")}
        properties = {
            "Name": full,
            "State": "ENABLED",
            "ScheduleExpression": "rate(1 day)",
            "Targets": [target],
        }
        b.add(account, region, "AWS::Events::Rule", full, properties)


def _pipeline(b: Builder, account: Account, region: str) -> None:
    key = key_arn(account, region, "data")
    for name in ("build", "deploy"):
        full = f"{account.name}-{name}"
        careful = b.good(account)
        variable = {"Name": "STAGE", "Value": account.environment, "Type": "PLAINTEXT"}
        environment = {
            "ComputeType": "BUILD_GENERAL1_SMALL",
            "Image": "aws/codebuild/amazonlinux2-aarch64-standard:3.0",
            "Type": "ARM_CONTAINER",
            "PrivilegedMode": not careful,
            "EnvironmentVariables": [variable],
        }
        logs = {"CloudWatchLogs": {"Status": "ENABLED" if b.good(account) else "DISABLED"}}
        properties: dict[str, Any] = {
            "Name": full,
            "Arn": arn_of("codebuild", region, account, f"project/{full}"),
            "ServiceRole": arn_of("iam", "global", account, "role/platform/deployer"),
            "Source": {"Type": "CODEPIPELINE"},
            "Artifacts": {"Type": "CODEPIPELINE", "EncryptionDisabled": not careful},
            "Environment": environment,
            "LogsConfig": logs,
        }
        if b.good(account):
            properties["EncryptionKey"] = key
        b.add(account, region, "AWS::CodeBuild::Project", full, properties, tags=b.tags(account))
    _stages(b, account, region, key)


def _stages(b: Builder, account: Account, region: str, key: str) -> None:
    def action(name: str, category: str, provider: str, **configuration: Any) -> dict[str, Any]:
        type_ = {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}
        return {"Name": name, "ActionTypeId": type_, "Configuration": configuration, "RunOrder": 1}

    repository = f"example/{account.name}"
    source = action(
        "Source", "Source", "CodeStarSourceConnection", FullRepositoryId=repository, BranchName="main"
    )
    stages = [{"Name": "Source", "Actions": [source]}]
    stages.append(
        {
            "Name": "Build",
            "Actions": [action("Build", "Build", "CodeBuild", ProjectName=f"{account.name}-build")],
        }
    )
    if b.good(account):
        stages.append({"Name": "Approve", "Actions": [action("Approve", "Approval", "Manual")]})
    deploy = action("Deploy", "Deploy", "CloudFormation", ActionMode="CREATE_UPDATE", StackName=account.name)
    stages.append({"Name": "Deploy", "Actions": [deploy]})
    store: dict[str, Any] = {"Type": "S3", "Location": f"example-{account.name}-artifacts-{region}"}
    if b.good(account):
        store["EncryptionKey"] = {"Id": key, "Type": "KMS"}
    name = f"{account.name}-release"
    properties = {
        "Name": name,
        "PipelineType": "V2",
        "RoleArn": arn_of("iam", "global", account, "role/platform/deployer"),
        "ArtifactStore": store,
        "Stages": stages,
    }
    b.add(account, region, "AWS::CodePipeline::Pipeline", name, properties)


def _bedrock(b: Builder, account: Account, region: str) -> None:
    guardrail = hex_id("g", account.id, region)[3:15]
    kinds = ("SEXUAL", "VIOLENCE", "HATE", "INSULTS", "MISCONDUCT", "PROMPT_ATTACK")
    strength = "HIGH" if b.good(account) else "LOW"
    filters = [
        {"Type": k, "InputStrength": strength, "OutputStrength": "NONE" if k == "PROMPT_ATTACK" else strength}
        for k in kinds
    ]
    properties: dict[str, Any] = {
        "GuardrailId": guardrail,
        "GuardrailArn": arn_of("bedrock", region, account, f"guardrail/{guardrail}"),
        "Name": f"{account.name}-guardrail",
        "BlockedInputMessaging": "This request is not allowed.",
        "BlockedOutputsMessaging": "This answer is not allowed.",
        "ContentPolicyConfig": {"FiltersConfig": filters},
    }
    if b.good(account):
        properties["KmsKeyArn"] = key_arn(account, region, "data")
    b.add(account, region, "AWS::Bedrock::Guardrail", guardrail, properties, arn=properties["GuardrailArn"])
    for index in range(2):
        id_ = hex_id("a", account.id, region, index)[3:13].upper()
        properties = {
            "AgentId": id_,
            "AgentArn": arn_of("bedrock", region, account, f"agent/{id_}"),
            "AgentName": f"{account.name}-assistant-{index}",
            "AgentResourceRoleArn": arn_of("iam", "global", account, "role/assistant"),
            "FoundationModel": "amazon.nova-lite-v1:0",
            "IdleSessionTTLInSeconds": 600,
        }
        if b.good(account):
            properties["GuardrailConfiguration"] = {"GuardrailIdentifier": guardrail, "GuardrailVersion": "1"}
        if b.good(account):
            properties["CustomerEncryptionKeyArn"] = key_arn(account, region, "data")
        b.add(account, region, "AWS::Bedrock::Agent", id_, properties, arn=properties["AgentArn"])
