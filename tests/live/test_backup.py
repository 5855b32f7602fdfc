"""AWS Backup over HTTP, and what moto lacks as AWS documents it."""

from __future__ import annotations

from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import failure
from tests.live.judging import verdict

REGION = "eu-west-1"
ARN = "arn:aws:backup:us-east-1:123456789012"


def test_vaults_and_plans_over_http(account: Any, aws: Any, collect: Any) -> None:
    backup = aws("backup", REGION)
    backup.create_backup_vault(BackupVaultName="locked", BackupVaultTags={"Owner": "me"})
    backup.put_backup_vault_lock_configuration(
        BackupVaultName="locked", MinRetentionDays=7, MaxRetentionDays=30
    )
    backup.create_backup_vault(BackupVaultName="plain")
    rule = {
        "RuleName": "daily", "TargetBackupVaultName": "locked", "ScheduleExpression": "cron(0 5 * * ? *)",
        "Lifecycle": {"DeleteAfterDays": 35},
    }  # fmt: skip
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "p", "Rules": [rule]})["BackupPlanId"]
    needs = {"AWS::Backup::BackupVault": frozenset({"tags", "LockConfiguration"})}
    found = {v.id: v for v in collect(account, "AWS::Backup::BackupVault", region=REGION, needs=needs)}
    assert found["locked"].properties["LockConfiguration"] == {"MinRetentionDays": 7, "MaxRetentionDays": 30}
    assert found["locked"].tags == {"Owner": "me"}
    assert "LockConfiguration" not in found["plain"].properties
    assert verdict("backup-vault-locked", found["locked"]) == "PASS"
    assert verdict("backup-vault-locked", found["plain"]) == "FAIL"
    (made,) = collect(account, "AWS::Backup::BackupPlan", region=REGION)
    (told,) = made.properties["BackupPlan"]["BackupPlanRule"]
    assert made.id == plan
    assert (told["TargetBackupVault"], told["Lifecycle"]["DeleteAfterDays"]) == ("locked", 35)
    assert verdict("backup-plan-retention", made) == "PASS"


def test_policies_of_vaults(canned: Any, collect: Any) -> None:
    vault = {
        "BackupVaultName": "v",
        "BackupVaultArn": f"{ARN}:backup-vault:v",
        "Locked": False,
        "EncryptionKeyArn": "k",
    }
    gapped = {**vault, "BackupVaultName": "g", "VaultType": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"}
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"backup:*","Resource":"*"}]}'
    answers: dict[str, Any] = {
        "backup:ListBackupVaults": {"BackupVaultList": [vault, gapped]},
        "backup:GetBackupVaultAccessPolicy": {"Policy": policy},
        "backup:GetBackupVaultNotifications": failure("backup:x", "ResourceNotFoundException"),
        "backup:ListTags": {"Tags": {"a": "b"}},
    }
    (found,) = collect(canned(answers), "AWS::Backup::BackupVault")
    assert found.id == "v"
    assert found.tags == {"a": "b"}
    assert "BackupVaultTags" not in found.properties
    assert verdict("backup-vault-policy-not-public", found) == "FAIL"
    answers["backup:GetBackupVaultAccessPolicy"] = failure("backup:x", "ResourceNotFoundException")
    (found,) = collect(canned(answers), "AWS::Backup::LogicallyAirGappedBackupVault")
    assert found.id == "g"
    assert "AccessPolicy" not in found.properties
    answers["backup:GetBackupVaultAccessPolicy"] = failure("backup:x", "AccessDeniedException")
    (found,) = collect(canned(answers), "AWS::Backup::BackupVault")
    assert isinstance(found.properties["AccessPolicy"], Unresolved)
    assert verdict("backup-vault-policy-not-public", found) == "UNKNOWN"


def test_selections_and_recovery_points_of_each_parent(canned: Any, collect: Any) -> None:
    point = {
        "RecoveryPointArn": "arn:aws:ec2:us-east-1::snapshot/snap-1", "BackupVaultName": "v", "IsEncrypted": False,
        "ResourceType": "EBS", "Lifecycle": {"DeleteAfterDays": 5, "MoveToColdStorageAfterDays": 1},
    }  # fmt: skip
    selection = {
        "SelectionName": "s", "IamRoleArn": "arn:aws:iam::123456789012:role/r", "Resources": ["*"],
        "Conditions": {"StringEquals": [{"ConditionKey": "aws:ResourceTag/Backup", "ConditionValue": "yes"}]},
    }  # fmt: skip
    plan = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    account = canned({
        "backup:ListBackupPlans": {"BackupPlansList": [{"BackupPlanId": plan}]},
        "backup:ListBackupSelections": {"BackupSelectionsList": [{"SelectionId": "i", "BackupPlanId": plan}]},
        "backup:GetBackupSelection": {"BackupSelection": selection, "SelectionId": "i", "BackupPlanId": plan},
        "backup:ListBackupVaults": {"BackupVaultList": [{"BackupVaultName": "vault"}]},
        "backup:ListRecoveryPointsByBackupVault": {"RecoveryPoints": [point]},
    })  # fmt: skip
    (found,) = collect(account, "AWS::Backup::BackupSelection")
    assert (found.id, found.properties["BackupPlanId"]) == ("i", plan)
    assert found.properties["BackupSelection"]["Resources"] == ["*"]
    assert found.properties["BackupSelection"]["Conditions"]["StringEquals"][0]["ConditionValue"] == "yes"
    (found,) = collect(account, "AWS::Backup::RecoveryPoint")
    assert found.properties["Lifecycle"] == {"DeleteAfterDays": 5}
    assert verdict("backup-recovery-point-encrypted", found) == "FAIL"


def test_restore_testing(canned: Any, collect: Any) -> None:
    plan = {"RestoreTestingPlanName": "plan", "RestoreTestingPlanArn": f"{ARN}:restore-testing-plan:plan"}
    chosen = {
        "RestoreTestingPlanName": "plan",
        "RestoreTestingSelectionName": "s",
        "ProtectedResourceType": "RDS",
    }
    account = canned({
        "backup:ListRestoreTestingPlans": {"RestoreTestingPlans": [plan]},
        "backup:GetRestoreTestingPlan": {
            "RestoreTestingPlan": {**plan, "RecoveryPointSelection": {"IncludeVaults": ["*"]}}
        },
        "backup:ListTags": {"Tags": {}},
        "backup:ListRestoreTestingSelections": {"RestoreTestingSelections": [chosen]},
        "backup:GetRestoreTestingSelection": {
            "RestoreTestingSelection": {**chosen, "ProtectedResourceArns": ["*"]}
        },
    })  # fmt: skip
    (found,) = collect(account, "AWS::Backup::RestoreTestingPlan")
    assert found.properties["RecoveryPointSelection"] == {"IncludeVaults": ["*"]}
    (found,) = collect(account, "AWS::Backup::RestoreTestingSelection")
    assert found.properties["ProtectedResourceArns"] == ["*"]
    assert found.properties["RestoreTestingPlanName"] == "plan"
