"""Actions that readers know: where any of several would do, a witness shows one of these."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from policyengine.iam.catalogue import catalogue

WELL_KNOWN: Final = (
    "backup:StartRestoreJob", "bedrock:InvokeModel", "cloudformation:UpdateStack", "cloudtrail:StopLogging",
    "codebuild:StartBuild", "codepipeline:UpdatePipeline", "dynamodb:GetItem", "dynamodb:PutItem",
    "ec2:RunInstances", "ec2:TerminateInstances", "ecr:BatchGetImage", "ecr:PutImage", "ecs:RunTask",
    "elasticfilesystem:ClientMount", "es:ESHttpGet", "events:PutEvents", "execute-api:Invoke", "glue:GetTable",
    "iam:CreateUser", "iam:PassRole", "kinesis:GetRecords", "kinesis:PutRecord", "kms:Decrypt", "kms:Encrypt",
    "lambda:InvokeFunction", "lambda:UpdateFunctionCode", "logs:PutLogEvents", "rds:DeleteDBInstance",
    "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutBucketPolicy", "s3:PutObject",
    "secretsmanager:GetSecretValue", "sns:Publish", "sns:Subscribe", "sqs:ReceiveMessage", "sqs:SendMessage",
    "ssm:GetParameter", "ssm:SendCommand", "states:StartExecution", "sts:AssumeRole",
    "sts:AssumeRoleWithWebIdentity",
)  # fmt: skip


@lru_cache(maxsize=1)
def well_known() -> int:
    """Return them as bits of the catalogue."""
    return catalogue().matching_any(WELL_KNOWN)
