"""Steps that resources of many services have in common."""

from __future__ import annotations

from policyengine.sources.live.spec import Step


def backup_protection(arn: str) -> Step:
    """What AWS Backup knows of a resource; ``arn`` is a template over the item.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeProtectedResource.html: a resource that was
    never backed up is not found.
    """
    return Step(
        "DescribeProtectedResource",
        "",
        {"ResourceArn": arn},
        into="BackupProtection",
        none=("ResourceNotFoundException",),
        service="backup",
        only_named=True,
    )
