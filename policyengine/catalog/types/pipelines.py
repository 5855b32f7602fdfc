"""Source repositories, builds, pipelines, deployments, packages and code signing."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    BUCKET,
    KMS_KEY,
    ROLE,
    cfn,
    depends,
    doc,
    every,
    extra,
    groups,
    is_,
    kms_key,
    of,
    off,
    subnets,
    to,
)

_PROJECT = cfn("resource-codebuild-project")
_PIPELINE = cfn("resource-codepipeline-pipeline")
_CODEBUILD = "codebuild/latest/APIReference/API_"
_GROUP = doc("codedeploy/latest/APIReference/API_CreateDeploymentGroup")

_CONNECTION = ("ConnectionArn", "ConnectionName")

TYPES = (
    TypeSpec(
        "AWS::CodeBuild::Project",
        names=("Name", "Arn", "Id"),
        defaults=(
            is_("Environment.PrivilegedMode", False, doc(f"{_CODEBUILD}ProjectEnvironment")),
            is_("Environment.ImagePullCredentialsType", "CODEBUILD", doc(f"{_CODEBUILD}ProjectEnvironment")),
            is_(
                "Environment.EnvironmentVariables.Type", "PLAINTEXT", doc(f"{_CODEBUILD}EnvironmentVariable")
            ),
            *off(_PROJECT, "BadgeEnabled"),
            *off(doc(f"{_CODEBUILD}ProjectSource"), "Source.InsecureSsl", "SecondarySources.InsecureSsl"),
            *off(
                cfn("properties-codebuild-project-artifacts"),
                "Artifacts.EncryptionDisabled",
                "SecondaryArtifacts.EncryptionDisabled",
            ),
            is_("LogsConfig.S3Logs.EncryptionDisabled", False, doc(f"{_CODEBUILD}S3LogsConfig")),
            is_("LogsConfig.S3Logs.Status", "DISABLED", cfn("properties-codebuild-project-s3logsconfig")),
            is_(
                "LogsConfig.CloudWatchLogs.Status",
                "ENABLED",
                doc("codebuild/latest/userguide/create-project"),
            ),
            is_("Visibility", "PRIVATE", doc("codebuild/latest/userguide/public-builds")),
            is_("TimeoutInMinutes", 60, doc(f"{_CODEBUILD}CreateProject")),
        ),
        relations=(
            to("role", ROLE, "ServiceRole", one=True, scope="account"),
            kms_key("EncryptionKey"),
            subnets("VpcConfig.Subnets"),
            groups("VpcConfig.SecurityGroupIds"),
        ),
        extra=(("Triggers.BranchFilter", "string"), ("LastBuildTime", "string"), ("Created", "string")),
        secrets=("Value", "Auth"),
    ),
    TypeSpec(
        "AWS::CodeBuild::ReportGroup",
        names=("Arn", "Name"),
        defaults=off(
            doc("codebuild/latest/userguide/test-report-group-create-console"),
            "ExportConfig.S3Destination.EncryptionDisabled",
        ),
        relations=(kms_key("ExportConfig.S3Destination.EncryptionKey"),),
    ),
    TypeSpec("AWS::CodeBuild::SourceCredential", names=("Arn",), secrets=("Token",)),
    TypeSpec(
        "AWS::CodeBuild::Fleet",
        names=("Arn", "Name"),
        relations=(
            to("role", ROLE, "FleetServiceRole", one=True, scope="account"),
            subnets("FleetVpcConfig.Subnets"),
            groups("FleetVpcConfig.SecurityGroupIds"),
        ),
    ),
    TypeSpec(
        "AWS::CodePipeline::Pipeline",
        names=("Name", "Arn"),
        defaults=(
            is_("ExecutionMode", "SUPERSEDED", _PIPELINE),
            depends("PipelineType", _PIPELINE, "V1 through the API, V2 in the console"),
        ),
        relations=(
            to("role", ROLE, "RoleArn", one=True, scope="account"),
            to("action_roles", ROLE, "Stages.Actions.RoleArn", scope="organization"),
            to("artifact_bucket", BUCKET, "ArtifactStore.Location", one=True),
            to("artifact_buckets", BUCKET, "ArtifactStores.ArtifactStore.Location", scope="account"),
            kms_key("ArtifactStore.EncryptionKey.Id"),
            to("regional_keys", KMS_KEY, "ArtifactStores.ArtifactStore.EncryptionKey.Id", scope="account"),
            to(
                "projects",
                "AWS::CodeBuild::Project",
                "Stages.Actions.Configuration.ProjectName",
                scope="account",
            ),
            to(
                "applications",
                "AWS::CodeDeploy::Application",
                "Stages.Actions.Configuration.ApplicationName",
                scope="account",
            ),
            to(
                "deployment_groups",
                "AWS::CodeDeploy::DeploymentGroup",
                "Stages.Actions.Configuration.DeploymentGroupName",
                scope="account",
            ),
            to(
                "repositories",
                "AWS::CodeCommit::Repository",
                "Stages.Actions.Configuration.RepositoryName",
                scope="account",
            ),
            of("webhooks", "AWS::CodePipeline::Webhook", "TargetPipeline"),
            of("notification_rules", "AWS::CodeStarNotifications::NotificationRule", "Resource"),
            every("event_rules", "AWS::Events::Rule"),
        ),
        extra=(
            ("Actions", "list:object"),
            ("Actions.Stage", "string"),
            ("Actions.StageIndex", "integer"),
            ("Actions.StageOnFailure", "string"),
            ("Actions.Name", "string"),
            ("Actions.Category", "string"),
            ("Actions.Owner", "string"),
            ("Actions.Provider", "string"),
            ("Actions.Version", "string"),
            ("Actions.Configuration", "json"),
            ("Actions.RoleArn", "string"),
            ("Actions.Region", "string"),
            ("Actions.RunOrder", "integer"),
            ("Actions.Commands", "list:string"),
            ("Actions.EnvironmentVariables", "json"),
            ("Actions.InputArtifacts", "json"),
            ("Actions.OutputArtifacts", "json"),
            ("Actions.TimeoutInMinutes", "integer"),
        ),
        secrets=("OAuthToken", "SecretToken", "EnvironmentVariables"),
    ),
    TypeSpec(
        "AWS::CodePipeline::Webhook",
        names=("Id", "Name"),
        relations=(to("pipeline", "AWS::CodePipeline::Pipeline", "TargetPipeline", one=True),),
        secrets=("SecretToken",),
    ),
    TypeSpec(
        "AWS::CodeDeploy::Application",
        names=("ApplicationName",),
        defaults=(
            is_("ComputePlatform", "Server", doc("codedeploy/latest/APIReference/API_CreateApplication")),
        ),
    ),
    TypeSpec(
        "AWS::CodeDeploy::DeploymentConfig",
        names=("DeploymentConfigName",),
        defaults=(
            is_(
                "ComputePlatform", "Server", doc("codedeploy/latest/APIReference/API_CreateDeploymentConfig")
            ),
            is_(
                "TrafficRoutingConfig.Type",
                "AllAtOnce",
                doc("codedeploy/latest/APIReference/API_TrafficRoutingConfig"),
            ),
        ),
    ),
    TypeSpec(
        "AWS::CodeDeploy::DeploymentGroup",
        names=("DeploymentGroupName",),
        defaults=(
            *off(_GROUP, "AutoRollbackConfiguration.Enabled", "AlarmConfiguration.Enabled"),
            is_("DeploymentStyle.DeploymentType", "IN_PLACE", _GROUP),
        ),
        relations=(
            to("application", "AWS::CodeDeploy::Application", "ApplicationName", one=True),
            to("deployment_config", "AWS::CodeDeploy::DeploymentConfig", "DeploymentConfigName", one=True),
            to("role", ROLE, "ServiceRoleArn", one=True, scope="account"),
            to("alarms", "AWS::CloudWatch::Alarm", "AlarmConfiguration.Alarms.Name"),
        ),
    ),
    TypeSpec(
        "AWS::CodeCommit::Repository",
        names=("RepositoryId", "Name", "Arn", "RepositoryName"),
        relations=(
            kms_key(),
            of("approval_rule_templates", "AWS::CodeCommit::ApprovalRuleTemplate", "RepositoryNames"),
            of("notification_rules", "AWS::CodeStarNotifications::NotificationRule", "Resource"),
            every("event_rules", "AWS::Events::Rule"),
        ),
    ),
    TypeSpec(
        "AWS::CodeCommit::ApprovalRuleTemplate",
        names=("ApprovalRuleTemplateId", "ApprovalRuleTemplateName"),
        extra=extra(
            ApprovalRuleTemplateId="string",
            ApprovalRuleTemplateName="string",
            ApprovalRuleTemplateContent="json",
            RepositoryNames="list:string",
        ),
    ),
    TypeSpec(
        "AWS::CodeArtifact::Domain",
        names=("DomainName", "Arn"),
        relations=(kms_key("EncryptionKey"),),
    ),
    TypeSpec(
        "AWS::CodeArtifact::Repository",
        names=("RepositoryName", "Arn"),
        relations=(to("domain", "AWS::CodeArtifact::Domain", "DomainName", one=True),),
    ),
    TypeSpec("AWS::CodeArtifact::PackageGroup", names=("Arn",)),
    TypeSpec(
        "AWS::CodeArtifact::Package",
        names=("Arn",),
        extra=(
            *extra(Arn="string", DomainName="string", Repository="string", Format="string"),
            *extra(Namespace="string", Package="string", OriginType="string"),
            ("OriginConfiguration.Restrictions.Publish", "string"),
            ("OriginConfiguration.Restrictions.Upstream", "string"),
        ),
    ),
    TypeSpec("AWS::CodeConnections::Connection", names=_CONNECTION),
    TypeSpec("AWS::CodeStarConnections::Connection", names=_CONNECTION),
    TypeSpec(
        "AWS::CodeStarNotifications::NotificationRule",
        names=("Arn",),
        defaults=(is_("Status", "ENABLED", cfn("resource-codestarnotifications-notificationrule")),),
    ),
    TypeSpec(
        "AWS::Signer::SigningProfile",
        names=("ProfileName", "Arn", "ProfileVersionArn"),
    ),
)
