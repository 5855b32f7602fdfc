"""What publishing may do, and no more: the policies that its roles need.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecurityhub.html (BatchImportFindings is granted
on the product, GetFindings on the hub),
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def security_hub(partition: str = "aws") -> Json:
    """Return the policy for the role in each account whose findings are published."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ImportFindings",
                "Effect": "Allow",
                "Action": "securityhub:BatchImportFindings",
                "Resource": f"arn:{partition}:securityhub:*:*:product/*/default",
            },
            {
                "Sid": "ReadOwnFindings",
                "Effect": "Allow",
                "Action": "securityhub:GetFindings",
                "Resource": f"arn:{partition}:securityhub:*:*:hub/default",
            },
        ],
    }


def assume(role: str, partition: str = "aws") -> Json:
    """Return the policy for who runs the command and publishes for other accounts."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "EnterAccounts",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": f"arn:{partition}:iam::*:role/{role}",
            }
        ],
    }


def object_lock(bucket: str, prefix: str, *, kms_key: str | None = None, partition: str = "aws") -> Json:
    """Return the policy for who writes bundles: no permission to delete, to shorten a retention or to bypass one.

    ``prefix`` is empty or ends with a slash; ``kms_key`` is the ARN of the key, where one is used.
    """
    of_bucket = f"arn:{partition}:s3:::{bucket}"
    objects = f"{of_bucket}/{prefix}*"
    statements: list[Json] = [
        {
            "Sid": "CheckBucket",
            "Effect": "Allow",
            "Action": ["s3:GetBucketObjectLockConfiguration", "s3:GetBucketVersioning"],
            "Resource": of_bucket,
        },
        {
            "Sid": "TellMissingFromDenied",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": of_bucket,
        },
        {
            "Sid": "FindHead",
            "Effect": "Allow",
            "Action": "s3:ListBucketVersions",
            "Resource": of_bucket,
            "Condition": {"StringLike": {"s3:prefix": f"{prefix}*"}},
        },
        {
            "Sid": "WriteLocked",
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:PutObjectRetention", "s3:AbortMultipartUpload"],
            "Resource": objects,
        },
        {
            "Sid": "ReadBack",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"],
            "Resource": objects,
        },
    ]
    if kms_key is not None:
        statements.append(
            {
                "Sid": "Encrypt",
                "Effect": "Allow",
                "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                "Resource": kms_key,
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}
