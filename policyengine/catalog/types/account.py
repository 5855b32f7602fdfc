"""The subjects of rules about what an account lacks or how it is set.

``AWS::::Account`` is emitted once for each account, ``PolicyEngine::Account::Region`` once for each
account and region, by a source from its scope, even when it found nothing else there. Neither is in
the registry: every property is ours, named after the field of the AWS API that returns it.

``PolicyEngine::Code::Suppression`` is what sources of code make of a comment or ``Metadata`` that refers to a waiver
(docs/decisions/0020-suppressions-in-place.md); the engine, which knows the waivers, adds ``State`` and ``Why``.
"""

from __future__ import annotations

from policyengine.catalog.spec import Relation, TypeSpec
from policyengine.catalog.types._build import BUCKET, LOG_GROUP, depends, doc, every, is_, kms_key, off, to

_BEDROCK_LOG_GROUP = "BedrockModelInvocationLogging.CloudWatchLogGroupName"
_BEDROCK_LOG_BUCKET = "BedrockModelInvocationLogging.S3BucketName"
_BEDROCK_LARGE = "BedrockModelInvocationLogging.LargeDataDeliveryS3BucketName"

_EVERYWHERE = (
    ("trails", "AWS::CloudTrail::Trail"),
    ("event_data_stores", "AWS::CloudTrail::EventDataStore"),
    ("configuration_recorders", "AWS::Config::ConfigurationRecorder"),
    ("delivery_channels", "AWS::Config::DeliveryChannel"),
    ("configuration_aggregators", "AWS::Config::ConfigurationAggregator"),
    ("config_rules", "AWS::Config::ConfigRule"),
    ("detectors", "AWS::GuardDuty::Detector"),
    ("security_hubs", "AWS::SecurityHub::Hub"),
    ("security_standards", "AWS::SecurityHub::Standard"),
    ("finding_aggregators", "AWS::SecurityHub::FindingAggregator"),
    ("analyzers", "AWS::AccessAnalyzer::Analyzer"),
    ("macie_sessions", "AWS::Macie::Session"),
    ("detective_graphs", "AWS::Detective::Graph"),
    ("alarms", "AWS::CloudWatch::Alarm"),
    ("composite_alarms", "AWS::CloudWatch::CompositeAlarm"),
    ("metric_filters", "AWS::Logs::MetricFilter"),
    ("log_groups", "AWS::Logs::LogGroup"),
    ("backup_plans", "AWS::Backup::BackupPlan"),
    ("backup_selections", "AWS::Backup::BackupSelection"),
    ("backup_vaults", "AWS::Backup::BackupVault"),
    ("restore_testing_plans", "AWS::Backup::RestoreTestingPlan"),
    ("lifecycle_policies", "AWS::DLM::LifecyclePolicy"),
    ("vpcs", "AWS::EC2::VPC"),
    ("vpc_endpoints", "AWS::EC2::VPCEndpoint"),
    ("flow_logs", "AWS::EC2::FlowLog"),
    ("instances", "AWS::EC2::Instance"),
    ("volumes", "AWS::EC2::Volume"),
    ("buckets", "AWS::S3::Bucket"),
    ("functions", "AWS::Lambda::Function"),
    ("db_instances", "AWS::RDS::DBInstance"),
    ("db_clusters", "AWS::RDS::DBCluster"),
    ("rds_event_subscriptions", "AWS::RDS::EventSubscription"),
    ("repositories", "AWS::ECR::Repository"),
    ("registry_scanning", "AWS::ECR::RegistryScanningConfiguration"),
    ("event_rules", "AWS::Events::Rule"),
    ("pipelines", "AWS::CodePipeline::Pipeline"),
    ("build_projects", "AWS::CodeBuild::Project"),
    ("code_repositories", "AWS::CodeCommit::Repository"),
    ("notification_rules", "AWS::CodeStarNotifications::NotificationRule"),
    ("image_signing", "AWS::ECR::SigningConfiguration"),
    ("topics", "AWS::SNS::Topic"),
    ("load_balancers", "AWS::ElasticLoadBalancingV2::LoadBalancer"),
    ("web_acls", "AWS::WAFv2::WebACL"),
    ("kms_keys", "AWS::KMS::Key"),
    ("patch_baselines", "AWS::SSM::PatchBaseline"),
    ("ssm_associations", "AWS::SSM::Association"),
    ("maintenance_windows", "AWS::SSM::MaintenanceWindow"),
    ("ssm_service_settings", "AWS::SSM::ServiceSetting"),
    ("ssm_documents", "AWS::SSM::Document"),
    ("lake_formation_settings", "AWS::LakeFormation::DataLakeSettings"),
    ("glue_encryption_settings", "AWS::Glue::DataCatalogEncryptionSettings"),
    ("vpc_block_public_access", "AWS::EC2::VPCBlockPublicAccessOptions"),
    ("resolver_query_logging", "AWS::Route53Resolver::ResolverQueryLoggingConfig"),
    ("enforced_guardrails", "AWS::Bedrock::EnforcedGuardrailConfiguration"),
    ("sagemaker_domains", "AWS::SageMaker::Domain"),
    ("processing_jobs", "AWS::SageMaker::ProcessingJob"),
    ("guardrails", "AWS::Bedrock::Guardrail"),
    ("bedrock_agents", "AWS::Bedrock::Agent"),
    ("knowledge_bases", "AWS::Bedrock::KnowledgeBase"),
    ("bedrock_flows", "AWS::Bedrock::Flow"),
    ("prompts", "AWS::Bedrock::Prompt"),
)
"""Relation -> type; in the account and region for a Region, in the whole account for an Account."""

_ACCOUNT_ONLY: tuple[Relation, ...] = (
    every("regions", "PolicyEngine::Account::Region", "account"),
    every("roles", "AWS::IAM::Role", "account"),
    every("users", "AWS::IAM::User", "account"),
    every("groups", "AWS::IAM::Group", "account"),
    every("managed_policies", "AWS::IAM::ManagedPolicy", "account"),
    every("oidc_providers", "AWS::IAM::OIDCProvider", "account"),
    every("saml_providers", "AWS::IAM::SAMLProvider", "account"),
    every("server_certificates", "AWS::IAM::ServerCertificate", "account"),
    every("distributions", "AWS::CloudFront::Distribution", "account"),
    every("hosted_zones", "AWS::Route53::HostedZone", "account"),
    every("shield_protections", "AWS::Shield::Protection", "account"),
    every("organization", "AWS::Organizations::Organization", "organization"),
    every("organization_accounts", "AWS::Organizations::Account", "organization"),
    every("organization_trails", "AWS::CloudTrail::Trail", "organization"),
    every("organization_metric_filters", "AWS::Logs::MetricFilter", "organization"),
    every("organization_analyzers", "AWS::AccessAnalyzer::Analyzer", "organization"),
    every("sso_instances", "AWS::SSO::Instance", "organization"),
    every("organization_alarms", "AWS::CloudWatch::Alarm", "organization"),
)

_ROOT_HAS = (
    "AccountMFAEnabled",
    "AccountPasswordPresent",
    "AccountAccessKeysPresent",
    "AccountSigningCertificatesPresent",
)
"""Fields of the account summary about the root user."""
_PASSWORD = doc("IAM/latest/APIReference/API_UpdateAccountPasswordPolicy")
_SUMMARY = doc("IAM/latest/APIReference/API_GetAccountSummary")
_ROOT = doc("IAM/latest/UserGuide/id_root-user")
_CONTACT = ("Name", "Title", "EmailAddress", "PhoneNumber")

TYPES = (
    TypeSpec(
        "AWS::::Account",
        names=("AccountId",),
        is_global=True,
        defaults=(
            *off(
                doc("AmazonS3/latest/userguide/configuring-block-public-access-account"),
                "PublicAccessBlockConfiguration.BlockPublicAcls",
                "PublicAccessBlockConfiguration.IgnorePublicAcls",
                "PublicAccessBlockConfiguration.BlockPublicPolicy",
                "PublicAccessBlockConfiguration.RestrictPublicBuckets",
            ),
            *off(
                _PASSWORD,
                "PasswordPolicy.RequireSymbols",
                "PasswordPolicy.RequireNumbers",
                "PasswordPolicy.RequireUppercaseCharacters",
                "PasswordPolicy.RequireLowercaseCharacters",
                "PasswordPolicy.HardExpiry",
            ),
            is_("PasswordPolicy.PasswordReusePrevention", 0, _PASSWORD),
            is_("PasswordPolicy.MaxPasswordAge", 0, _PASSWORD),
            *(
                depends(f"AccountSummary.{field}", _SUMMARY, "nobody has asked for the account summary")
                for field in _ROOT_HAS
            ),
            depends("RootHardwareMfa", _ROOT, "the root user's devices were not listed here"),
        ),
        relations=(*(every(name, type_, "account") for name, type_ in _EVERYWHERE), *_ACCOUNT_ONLY),
        extra=(
            ("AccountId", "string"),
            ("AccountName", "string"),
            *(
                (f"PublicAccessBlockConfiguration.{flag}", "boolean")
                for flag in (
                    "BlockPublicAcls",
                    "IgnorePublicAcls",
                    "BlockPublicPolicy",
                    "RestrictPublicBuckets",
                )
            ),
            ("PasswordPolicy.MinimumPasswordLength", "integer"),
            ("PasswordPolicy.RequireSymbols", "boolean"),
            ("PasswordPolicy.RequireNumbers", "boolean"),
            ("PasswordPolicy.RequireUppercaseCharacters", "boolean"),
            ("PasswordPolicy.RequireLowercaseCharacters", "boolean"),
            ("PasswordPolicy.MaxPasswordAge", "integer"),
            ("PasswordPolicy.PasswordReusePrevention", "integer"),
            ("PasswordPolicy.HardExpiry", "boolean"),
            *((f"AccountSummary.{field}", "integer") for field in _ROOT_HAS),
            ("CredentialReport.GeneratedTime", "string"),
            ("RootPasswordLastUsed", "string"),
            ("RootAccessKeyLastUsed", "string"),
            ("RootHardwareMfa", "boolean"),
            *(
                (f"AlternateContacts.{kind}.{name}", "string")
                for kind in ("SECURITY", "BILLING", "OPERATIONS")
                for name in _CONTACT
            ),
            ("ContactInformation.FullName", "string"),
            ("ContactInformation.PhoneNumber", "string"),
            ("OrganizationId", "string"),
            ("IsManagementAccount", "boolean"),
            ("IsLogArchiveAccount", "boolean"),
            ("ShieldSubscription.SubscriptionState", "string"),
            ("SupportPlan", "string"),
        ),
    ),
    TypeSpec(
        "PolicyEngine::Account::Region",
        names=("RegionName",),
        defaults=(
            is_("EbsEncryptionByDefault", False, doc("ebs/latest/userguide/encryption-by-default")),
            is_(
                "SerialConsoleAccessEnabled",
                False,
                doc("AWSEC2/latest/UserGuide/configure-access-to-serial-console"),
            ),
            is_(
                "SnapshotBlockPublicAccess.State",
                "unblocked",
                doc("ebs/latest/userguide/block-public-access-snapshots"),
            ),
        ),
        relations=(
            *(every(name, type_) for name, type_ in _EVERYWHERE),
            kms_key("EbsDefaultKmsKeyId", "ebs_default_key"),
            kms_key("SsmSessionPreferences.KmsKeyId", "session_key"),
            to("bedrock_log_group", LOG_GROUP, _BEDROCK_LOG_GROUP, one=True),
            to("bedrock_log_bucket", BUCKET, _BEDROCK_LOG_BUCKET, one=True, scope="account"),
            to("bedrock_large_data_bucket", BUCKET, _BEDROCK_LARGE, one=True, scope="account"),
        ),
        extra=(
            ("RegionName", "string"),
            ("EbsEncryptionByDefault", "boolean"),
            ("EbsDefaultKmsKeyId", "string"),
            ("SnapshotBlockPublicAccess.State", "string"),
            ("ImageBlockPublicAccess.State", "string"),
            ("InstanceMetadataDefaults.HttpTokens", "string"),
            ("InstanceMetadataDefaults.HttpPutResponseHopLimit", "integer"),
            ("InstanceMetadataDefaults.HttpEndpoint", "string"),
            ("InstanceMetadataDefaults.InstanceMetadataTags", "string"),
            ("SerialConsoleAccessEnabled", "boolean"),
            ("SecurityHubEnabled", "boolean"),
            ("InspectorStatus.Ec2", "string"),
            ("InspectorStatus.Ecr", "string"),
            ("InspectorStatus.Lambda", "string"),
            ("InspectorStatus.LambdaCode", "string"),
            ("InspectorStatus.CodeRepository", "string"),
            ("MacieStatus", "string"),
            ("MacieAutomatedDiscoveryStatus", "string"),
            ("SsmSessionPreferences.CloudWatchLogGroupName", "string"),
            ("SsmSessionPreferences.CloudWatchEncryptionEnabled", "boolean"),
            ("SsmSessionPreferences.S3BucketName", "string"),
            ("SsmSessionPreferences.S3EncryptionEnabled", "boolean"),
            ("SsmSessionPreferences.KmsKeyId", "string"),
            ("SsmSessionPreferences.IdleSessionTimeout", "string"),
            ("SsmDocumentPublicSharingDisabled", "boolean"),
            ("DefaultHostManagementRole", "string"),
            ("BackupRegionSettings.ResourceTypeOptInPreference", "map:boolean"),
            ("ServiceQuotas", "list:object"),
            ("ServiceQuotas.ServiceCode", "string"),
            ("ServiceQuotas.QuotaCode", "string"),
            ("ServiceQuotas.QuotaName", "string"),
            ("ServiceQuotas.Value", "number"),
            ("ServiceQuotas.Usage", "number"),
            ("ServiceQuotas.UtilizationPercent", "number"),
            ("BedrockModelInvocationLogging.CloudWatchLogGroupName", "string"),
            ("BedrockModelInvocationLogging.S3BucketName", "string"),
            (_BEDROCK_LARGE, "string"),
            *(
                (f"BedrockModelInvocationLogging.{kind}DataDeliveryEnabled", "boolean")
                for kind in ("Text", "Image", "Embedding", "Video", "Audio")
            ),
            ("LambdaConcurrencyLimit", "integer"),
            ("EmrBlockPublicAccess.BlockPublicSecurityGroupRules", "boolean"),
            ("EmrBlockPublicAccess.PermittedPublicSecurityGroupRuleRanges", "list:object"),
            ("EmrBlockPublicAccess.PermittedPublicSecurityGroupRuleRanges.MinRange", "integer"),
            ("EmrBlockPublicAccess.PermittedPublicSecurityGroupRuleRanges.MaxRange", "integer"),
            ("ApiGatewayCloudwatchRoleArn", "string"),
            ("GlueResourcePolicy", "json"),
        ),
    ),
    TypeSpec(
        "PolicyEngine::Code::Suppression",
        extra=(
            ("Kind", "string"),
            ("Form", "string"),
            ("Text", "string"),
            ("Waiver", "string"),
            ("Targets", "list:object"),
            ("Targets.Id", "string"),
            ("Targets.Type", "string"),
            ("Targets.Account", "string"),
            ("Targets.Region", "string"),
            ("Targets.Arn", "string"),
            ("Targets.ConstructPath", "string"),
            ("State", "string"),
            ("Why", "string"),
        ),
    ),
)
