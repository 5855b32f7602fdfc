"""Backup, Systems Manager and Elastic Beanstalk."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    cfn,
    depends,
    doc,
    extra,
    into,
    is_,
    kms_key,
    of,
    to,
)

_PATCH = doc("systems-manager/latest/APIReference/API_CreatePatchBaseline")
_OPTIONS = doc("elasticbeanstalk/latest/dg/command-options-general")
_OPTIONS_NOTE = "saved configurations and .ebextensions may set it"

TYPES = (
    TypeSpec(
        "AWS::Backup::BackupVault",
        names=("BackupVaultName", "BackupVaultArn"),
        relations=(
            kms_key("EncryptionKeyArn"),
            of("plans", "AWS::Backup::BackupPlan", "BackupPlan.BackupPlanRule.TargetBackupVault"),
        ),
        extra=(
            ("Locked", "boolean"),
            ("LockDate", "string"),
            ("NumberOfRecoveryPoints", "integer"),
        ),
    ),
    TypeSpec(
        "AWS::Backup::LogicallyAirGappedBackupVault",
        names=("BackupVaultName", "BackupVaultArn"),
        relations=(kms_key("EncryptionKeyArn"),),
    ),
    TypeSpec(
        "AWS::Backup::BackupPlan",
        names=("BackupPlanId", "BackupPlanArn"),
        defaults=(
            is_(
                "BackupPlan.BackupPlanRule.ScheduleExpression",
                "cron(0 5 ? * * *)",
                doc("aws-backup/latest/devguide/API_BackupRuleInput"),
            ),
            is_(
                "BackupPlan.BackupPlanRule.Lifecycle.DeleteAfterDays",
                -1,
                doc("cdk/api/v2/docs/aws-cdk-lib.aws_backup.BackupPlanRuleProps"),
            ),
            is_(
                "BackupPlan.BackupPlanRule.EnableContinuousBackup",
                False,
                doc("aws-backup/latest/devguide/API_BackupRuleInput"),
            ),
        ),
        relations=(
            to("vaults", "AWS::Backup::BackupVault", "BackupPlan.BackupPlanRule.TargetBackupVault"),
            to(
                "copy_vaults",
                "AWS::Backup::BackupVault",
                "BackupPlan.BackupPlanRule.CopyActions.DestinationBackupVaultArn",
                scope="organization",
            ),
            of("selections", "AWS::Backup::BackupSelection", "BackupPlanId"),
        ),
    ),
    TypeSpec(
        "AWS::Backup::BackupSelection",
        names=("Id",),
        relations=(to("plan", "AWS::Backup::BackupPlan", "BackupPlanId", one=True),),
    ),
    TypeSpec(
        "AWS::Backup::RestoreTestingPlan",
        names=("RestoreTestingPlanName",),
        relations=(of("selections", "AWS::Backup::RestoreTestingSelection", "RestoreTestingPlanName"),),
        extra=extra(LastExecutionTime="string", LastSuccessfulRestoreTime="string"),
    ),
    TypeSpec("AWS::Backup::RestoreTestingSelection", names=("RestoreTestingSelectionName",)),
    TypeSpec(
        "AWS::SSM::Parameter",
        names=("Name",),
        defaults=(
            is_(
                "Tier",
                "Standard",
                doc("systems-manager/latest/userguide/parameter-store-advanced-parameters"),
            ),
        ),
        relations=(kms_key("KeyId"),),
        extra=extra(KeyId="string"),
        secrets=("Value",),
    ),
    TypeSpec(
        "AWS::SSM::Document",
        names=("Name",),
        extra=(
            ("AccountIds", "list:string"),
            ("AccountSharingInfoList", "list:object"),
        ),
    ),
    TypeSpec(
        "AWS::SSM::Association",
        names=("AssociationId",),
        defaults=(is_("ApplyOnlyAtCronInterval", False, cfn("resource-ssm-association")),),
        extra=(("Overview.Status", "string"), ("LastExecutionDate", "string")),
    ),
    TypeSpec(
        "AWS::SSM::PatchBaseline",
        names=("Id",),
        defaults=(
            is_("OperatingSystem", "WINDOWS", _PATCH),
            is_("ApprovedPatchesComplianceLevel", "UNSPECIFIED", _PATCH),
            is_("RejectedPatchesAction", "ALLOW_AS_DEPENDENCY", _PATCH),
            is_("DefaultBaseline", False, cfn("resource-ssm-patchbaseline")),
        ),
    ),
    TypeSpec("AWS::SSM::ServiceSetting", names=("SettingId", "Arn")),
    TypeSpec(
        "AWS::SSM::MaintenanceWindow",
        names=("WindowId",),
        defaults=(
            is_("Enabled", True, doc("systems-manager/latest/APIReference/API_UpdateMaintenanceWindow")),
        ),
        satellites=(
            into("AWS::SSM::MaintenanceWindowTask", "WindowId", "tasks"),
            into("AWS::SSM::MaintenanceWindowTarget", "WindowId", "targets"),
        ),
        extra=extra(Enabled="boolean"),
    ),
    TypeSpec(
        "AWS::ElasticBeanstalk::Environment",
        names=("EnvironmentName",),
        defaults=(
            depends(
                "Options.aws:elasticbeanstalk:cloudwatch:logs:StreamLogs",
                _OPTIONS,
                _OPTIONS_NOTE,
                deployed="false",
            ),
            depends(
                "Options.aws:elasticbeanstalk:healthreporting:system:SystemType",
                _OPTIONS,
                _OPTIONS_NOTE,
                deployed="basic",
            ),
        ),
        extra=(("Options", "map:string"),),
    ),
)
