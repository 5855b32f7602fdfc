"""Keys, secrets, certificates, detection and web application firewalls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Emit, Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_kms_key": TypeMap(
        "AWS::KMS::Key",
        """
            customer_master_key_spec=KeySpec deletion_window_in_days=PendingWindowInDays
            is_enabled=Enabled policy:json=KeyPolicy bypass_policy_lockout_safety_check
            description enable_key_rotation key_usage multi_region rotation_period_in_days
        """,
        absent="Origin",
    ),
    "aws_kms_external_key": TypeMap(
        "AWS::KMS::Key",
        """
            bypass_policy_lockout_safety_check description enabled multi_region
            deletion_window_in_days=PendingWindowInDays policy:json=KeyPolicy
        """,
        constants={"Origin": "EXTERNAL"},
        absent="EnableKeyRotation RotationPeriodInDays",
    ),
    "aws_kms_key_policy": (Merge("AWS::KMS::Key", "key_id", "policy:json=KeyPolicy"),),
    "aws_kms_alias": TypeMap(
        "AWS::KMS::Alias",
        "name=AliasName target_key_id",
        tags="",
    ),
    "aws_secretsmanager_secret": TypeMap(
        "AWS::SecretsManager::Secret",
        "replica*=ReplicaRegions { region kms_key_id } description kms_key_id name",
        emit=(
            Emit("AWS::SecretsManager::ResourcePolicy", "policy", "policy:json=ResourcePolicy", "SecretId"),
        ),
        absent="GenerateSecretString SecretString Type",
    ),
    "aws_secretsmanager_secret_rotation": TypeMap(
        "AWS::SecretsManager::RotationSchedule",
        """
            rotation_rules { automatically_after_days duration schedule_expression }
            secret_id rotation_lambda_arn=RotationLambdaARN
        """,
        tags="",
        absent="HostedRotationLambda",
    ),
    "aws_secretsmanager_secret_policy": TypeMap(
        "AWS::SecretsManager::ResourcePolicy",
        "secret_arn=SecretId policy:json=ResourcePolicy block_public_policy",
        tags="",
    ),
    "aws_guardduty_detector": TypeMap(
        "AWS::GuardDuty::Detector",
        """
            datasources=DataSources { s3_logs=S3Logs { enable } kubernetes { audit_logs {
            enable } } malware_protection {
            scan_ec2_instance_with_findings=ScanEc2InstanceWithFindings {
            ebs_volumes.enable=EbsVolumes } } } enable finding_publishing_frequency
        """,
    ),
    "aws_guardduty_detector_feature": (
        Merge(
            "AWS::GuardDuty::Detector",
            "detector_id",
            """
            name=Features.Name status=Features.Status
            additional_configuration*=Features.AdditionalConfiguration { name status }
        """,
            append=("Features",),
        ),
    ),
    "aws_securityhub_account": TypeMap(
        "AWS::SecurityHub::Hub",
        "auto_enable_controls control_finding_generator enable_default_standards",
    ),
    "aws_securityhub_standards_subscription": TypeMap(
        "AWS::SecurityHub::Standard",
        "standards_arn",
        tags="",
    ),
    "aws_securityhub_finding_aggregator": TypeMap(
        "AWS::SecurityHub::FindingAggregator",
        "linking_mode=RegionLinkingMode specified_regions*=Regions",
        tags="",
    ),
    "aws_accessanalyzer_analyzer": TypeMap(
        "AWS::AccessAnalyzer::Analyzer",
        """
            configuration=AnalyzerConfiguration { unused_access=UnusedAccessConfiguration {
            unused_access_age } } analyzer_name type
        """,
        absent="ArchiveRules",
    ),
    "aws_macie2_account": TypeMap(
        "AWS::Macie::Session",
        "finding_publishing_frequency status",
        tags="",
    ),
    "aws_detective_graph": TypeMap(
        "AWS::Detective::Graph",
        "",
    ),
    "aws_shield_protection": TypeMap(
        "AWS::Shield::Protection",
        "name resource_arn",
    ),
    "aws_acm_certificate": TypeMap(
        "AWS::CertificateManager::Certificate",
        """
            options.certificate_transparency_logging_preference=CertificateTransparencyLoggingPreference
            options.export=CertificateExport validation_option*=DomainValidationOptions {
            domain_name validation_domain } certificate_authority_arn domain_name
            key_algorithm subject_alternative_names* validation_method
        """,
    ),
    "aws_inspector2_enabler": TypeMap(
        "PolicyEngine::Account::Region",
        "",
        code="inspector",
        sets="InspectorStatus",
        tags="",
        partial=True,
    ),
    "aws_wafv2_web_acl": TypeMap(
        "AWS::WAFv2::WebACL",
        """
            default_action { allow {} block {} } description name scope visibility_config {
            cloudwatch_metrics_enabled=CloudWatchMetricsEnabled metric_name
            sampled_requests_enabled } rule*=Rules { name priority visibility_config {
            cloudwatch_metrics_enabled=CloudWatchMetricsEnabled metric_name
            sampled_requests_enabled } action { allow {} block {} count {} captcha {}
            challenge {} } override_action { count {} none {} } statement {
            managed_rule_group_statement { name vendor_name version }
            rule_group_reference_statement { arn } rate_based_statement { limit
            aggregate_key_type } ip_set_reference_statement=IPSetReferenceStatement { arn }
            geo_match_statement { country_codes* } } } token_domains*
        """,
    ),
    "aws_wafv2_web_acl_association": TypeMap(
        "AWS::WAFv2::WebACLAssociation",
        "resource_arn web_acl_arn=WebACLArn",
        tags="",
    ),
    "aws_wafv2_web_acl_logging_configuration": TypeMap(
        "AWS::WAFv2::LoggingConfiguration",
        """
            log_destination_configs* resource_arn logging_filter { default_behavior
            filter*=Filters { behavior condition*=Conditions { action_condition { action }
            label_name_condition { label_name } } requirement } }
        """,
        tags="",
    ),
    "aws_codecommit_repository": TypeMap(
        "AWS::CodeCommit::Repository",
        "repository_name description=RepositoryDescription kms_key_id",
    ),
}
