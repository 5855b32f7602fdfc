"""AWS Backup."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from policyengine.sources.live.spec import Collector, Parent, Step

Json = dict[str, Any]
_GONE: Final = ("ResourceNotFoundException",)
_VAULT: Final = {"BackupVaultName": "{BackupVaultName}"}
_TESTING: Final = {"RestoreTestingPlanName": "{RestoreTestingPlanName}"}


def _vault_type(*types: str) -> Callable[[Json, Mapping[str, str]], bool]:
    return lambda item, _names: item.get("VaultType", "BACKUP_VAULT") in types


def _vault(item: Json) -> Json:
    """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupVaultListMember.html"""
    lock = {name: item[name] for name in ("MinRetentionDays", "MaxRetentionDays") if name in item}
    return {**item, "LockConfiguration": lock if item.get("Locked") else None}


def _notifications(result: Json, _item: Json) -> Json:
    return {name: result.get(name) for name in ("SNSTopicArn", "BackupVaultEvents")}


def _tags(arn: str) -> Step:
    return Step("ListTags", "Tags", {"ResourceArn": f"{{{arn}}}"}, gives=("tags",), gone=_GONE, paged=True)


def _vaults(type: str, vault_type: str, **more: Any) -> Collector:
    """A vault has a policy or notifications, or AWS says that there is no such resource."""
    return Collector(
        type,
        "backup",
        Step("ListBackupVaults", "BackupVaultList"),
        id="{BackupVaultName}",
        arn="{BackupVaultArn}",
        tags="",
        keep=_vault_type(vault_type),
        details=(
            Step("GetBackupVaultAccessPolicy", "Policy", _VAULT, into="AccessPolicy", none=_GONE),
            Step(
                "GetBackupVaultNotifications",
                "",
                _VAULT,
                into="Notifications",
                none=_GONE,
                shape=_notifications,
                only_named=True,
            ),
            _tags("BackupVaultArn"),
        ),
        **more,
    )


COLLECTORS = (
    _vaults("AWS::Backup::BackupVault", "BACKUP_VAULT", shape=_vault, gives=("LockConfiguration",)),
    _vaults("AWS::Backup::LogicallyAirGappedBackupVault", "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"),
    Collector(
        "AWS::Backup::BackupPlan",
        "backup",
        Step("ListBackupPlans", "BackupPlansList"),
        describe=Step(
            "GetBackupPlan",
            "",
            {"BackupPlanId": "{BackupPlanId}"},
            gone=_GONE,
            rename={
                "BackupPlan.Rules": "BackupPlanRule",
                "BackupPlan.Rules.TargetBackupVaultName": "TargetBackupVault",
            },
        ),
        id="{BackupPlanId}",
        arn="{BackupPlanArn}",
        tags="",
        details=(_tags("BackupPlanArn"),),
    ),
    Collector(
        "AWS::Backup::BackupSelection",
        "backup",
        Step("ListBackupSelections", "BackupSelectionsList", gone=_GONE),
        describe=Step(
            "GetBackupSelection",
            "",
            {"BackupPlanId": "{BackupPlanId}", "SelectionId": "{SelectionId}"},
            gone=_GONE,
        ),
        id="{SelectionId}",
        tags="",
        parent=Parent("AWS::Backup::BackupPlan", {"BackupPlanId": "{BackupPlanId}"}),
    ),
    Collector(
        "AWS::Backup::RecoveryPoint",
        "backup",
        Step("ListRecoveryPointsByBackupVault", "RecoveryPoints", gone=_GONE),
        id="{RecoveryPointArn}",
        arn="{RecoveryPointArn}",
        tags="",
        parent=Parent("AWS::Backup::BackupVault", _VAULT),
    ),
    Collector(
        "AWS::Backup::RestoreTestingPlan",
        "backup",
        Step("ListRestoreTestingPlans", "RestoreTestingPlans"),
        id="{RestoreTestingPlanName}",
        arn="{RestoreTestingPlanArn}",
        tags="",
        details=(
            Step(
                "GetRestoreTestingPlan",
                "RestoreTestingPlan.RecoveryPointSelection",
                _TESTING,
                into="RecoveryPointSelection",
                gone=_GONE,
            ),
            _tags("RestoreTestingPlanArn"),
        ),
    ),
    Collector(
        "AWS::Backup::RestoreTestingSelection",
        "backup",
        Step("ListRestoreTestingSelections", "RestoreTestingSelections", gone=_GONE),
        describe=Step(
            "GetRestoreTestingSelection",
            "RestoreTestingSelection",
            {**_TESTING, "RestoreTestingSelectionName": "{RestoreTestingSelectionName}"},
            gone=_GONE,
        ),
        id="{RestoreTestingSelectionName}",
        tags="",
        parent=Parent("AWS::Backup::RestoreTestingPlan", _TESTING),
    ),
)
