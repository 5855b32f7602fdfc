"""Keys, secrets, certificates, and the services that watch."""

from __future__ import annotations

from policyengine.catalog.spec import Default, TypeSpec
from policyengine.catalog.types._build import cfn, doc, extra, into, is_, kms_key, of, to

_KEY = cfn("resource-kms-key")
_DETECTOR = doc("guardduty/latest/APIReference/API_CreateDetector")
_SECRET = cfn("resource-secretsmanager-secret")

TYPES = (
    TypeSpec(
        "AWS::KMS::Key",
        names=("KeyId", "Arn"),
        untaggable=(
            "KeyManager",
            "AWS",
        ),  # https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html
        defaults=(
            is_("EnableKeyRotation", False, _KEY),
            is_("RotationPeriodInDays", 365, _KEY),
            is_("Enabled", True, _KEY),
            is_("KeySpec", "SYMMETRIC_DEFAULT", _KEY),
            is_("KeyUsage", "ENCRYPT_DECRYPT", _KEY),
            is_("Origin", "AWS_KMS", _KEY),
            is_("MultiRegion", False, _KEY),
            is_("PendingWindowInDays", 30, _KEY),
        ),
        relations=(of("aliases", "AWS::KMS::Alias", "TargetKeyId"),),
        extra=(
            *extra(
                KeyState="string",
                KeyManager="string",
                CreationDate="string",
                DeletionDate="string",
                LastRotationDate="string",
            ),
            ("Grants", "list:object"),
            ("Grants.GranteePrincipal", "string"),
            ("Grants.RetiringPrincipal", "string"),
            ("Grants.IssuingAccount", "string"),
            ("Grants.Operations", "list:string"),
            ("Grants.Constraints", "json"),
        ),
    ),
    TypeSpec(
        "AWS::KMS::Alias",
        names=("AliasName",),
        relations=(to("key", "AWS::KMS::Key", "TargetKeyId", one=True),),
    ),
    TypeSpec(
        "AWS::SecretsManager::Secret",
        names=("Id", "Name"),
        satellites=(
            into("AWS::SecretsManager::RotationSchedule", "SecretId", "rotation_schedules"),
            into("AWS::SecretsManager::ResourcePolicy", "SecretId", "policies"),
            into("AWS::SecretsManager::SecretTargetAttachment", "SecretId", "target_attachments"),
        ),
        defaults=(is_("KmsKeyId", "alias/aws/secretsmanager", _SECRET),),
        relations=(
            kms_key(),
            to("rotation_functions", "AWS::Lambda::Function", "related.rotation_schedules.RotationLambdaARN"),
        ),
        extra=(
            *extra(
                RotationEnabled="boolean",
                LastRotatedDate="string",
                LastAccessedDate="string",
                LastChangedDate="string",
                CreatedDate="string",
                DeletedDate="string",
                NextRotationDate="string",
            ),
        ),
        secrets=("SecretString", "SecretStringTemplate"),
    ),
    TypeSpec(
        "AWS::CertificateManager::Certificate",
        names=("CertificateArn", "Id"),
        defaults=(
            is_("KeyAlgorithm", "RSA_2048", doc("acm/latest/APIReference/API_RequestCertificate")),
            is_(
                "CertificateTransparencyLoggingPreference",
                "ENABLED",
                doc("acm/latest/userguide/acm-concepts"),
            ),
        ),
        extra=(
            *extra(
                NotBefore="string",
                NotAfter="string",
                Status="string",
                Type="string",
                RenewalEligibility="string",
            ),
            ("InUseBy", "list:string"),
        ),
    ),
    TypeSpec(
        "AWS::GuardDuty::Detector",
        names=("Id",),
        defaults=(
            is_(
                "FindingPublishingFrequency",
                "SIX_HOURS",
                doc("guardduty/latest/ug/guardduty_findings_eventbridge"),
            ),
            *(
                Default(
                    f"FeatureStatus.{name}",
                    _DETECTOR,
                    value=status,
                    unless=("DataSources",),
                    deployed="DISABLED",
                )
                for name, status in (
                    ("S3_DATA_EVENTS", "ENABLED"),
                    ("EKS_AUDIT_LOGS", "ENABLED"),
                    ("EBS_MALWARE_PROTECTION", "ENABLED"),
                    ("RDS_LOGIN_EVENTS", "ENABLED"),
                    ("LAMBDA_NETWORK_LOGS", "ENABLED"),
                    ("RUNTIME_MONITORING", "DISABLED"),
                )
            ),
        ),
        extra=(("FeatureStatus", "map:string"),),
    ),
    TypeSpec(
        "AWS::SecurityHub::Hub",
        names=("ARN",),
        defaults=(
            is_("AutoEnableControls", True, cfn("resource-securityhub-hub")),
            is_("EnableDefaultStandards", True, doc("securityhub/1.0/APIReference/API_EnableSecurityHub")),
        ),
    ),
    TypeSpec("AWS::SecurityHub::Standard", names=("StandardsSubscriptionArn",)),
    TypeSpec("AWS::SecurityHub::FindingAggregator", names=("FindingAggregatorArn",)),
    TypeSpec("AWS::AccessAnalyzer::Analyzer", names=("AnalyzerName", "Arn"), extra=extra(Status="string")),
    TypeSpec(
        "AWS::Macie::Session",
        names=("AwsAccountId",),
        defaults=(is_("Status", "ENABLED", cfn("resource-macie-session")),),
    ),
    TypeSpec("AWS::Detective::Graph", names=("Arn",)),
    TypeSpec(
        "AWS::Shield::Protection",
        names=("ProtectionArn",),
        is_global=True,
    ),
)
