"""ECR, CodeBuild, CodePipeline, CodeDeploy, CodeCommit and CodeArtifact."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

IMAGES, PROJECT, PIPELINE = "AWS::ECR::Repository", "AWS::CodeBuild::Project", "AWS::CodePipeline::Pipeline"
DAY = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": "*"}],
}


def test_repositories_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-1"
    ecr = aws("ecr", region)
    made = ecr.create_repository(
        repositoryName="web", imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": True},
        tags=[{"Key": "Owner", "Value": "me"}],
    )["repository"]  # fmt: skip
    policy = {**PUBLIC, "Statement": [{k: v for k, v in PUBLIC["Statement"][0].items() if k != "Resource"}]}
    ecr.set_repository_policy(repositoryName="web", policyText=json.dumps(policy))
    needs = {IMAGES: frozenset({"tags", "RepositoryPolicyText", "LifecyclePolicy"})}
    (web,) = collect(account, IMAGES, region=region, needs=needs)
    p = web.properties
    assert (web.id, web.arn, web.tags) == ("web", made["repositoryArn"], {"Owner": "me"})
    assert (p["Arn"], p["RepositoryUri"]) == (made["repositoryArn"], made["repositoryUri"])
    assert p["RepositoryPolicyText"] == policy
    assert "LifecyclePolicy" not in p
    assert p["ScanFrequency"].reason == "not_collected"
    for rule, expected in (
        ("ecr-policy-not-public", "FAIL"), ("ecr-tags-immutable", "PASS"), ("ecr-scan-on-push", "PASS"),
        ("ecr-images-expire", "FAIL"),
    ):  # fmt: skip
        assert verdict(rule, web) == expected, rule


def _repository(canned: Callable[..., Any], **answers: Any) -> Any:
    listed = {"repositoryName": "web", "repositoryArn": "arn:aws:ecr:us-east-1:123456789012:repository/web",
              "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev*"}]}  # fmt: skip
    images = [
        {"imageDigest": "old", "imagePushedAt": datetime(2026, 1, 1, tzinfo=UTC)},
        {"imageDigest": "new", "imagePushedAt": DAY},
        {
            "imageDigest": "signature",
            "imagePushedAt": datetime(2026, 6, 1, tzinfo=UTC),
            "subjectManifestDigest": "new",
        },
    ]
    return canned({
        "ecr:DescribeRepositories": {"repositories": [listed]},
        "ecr:ListTagsForResource": {"tags": []},
        "ecr:GetRepositoryPolicy": failure("ecr:GetRepositoryPolicy", "RepositoryPolicyNotFoundException"),
        "ecr:GetLifecyclePolicy": {"lifecyclePolicyText": '{"rules": []}'},
        "ecr:BatchGetRepositoryScanningConfiguration": {
            "scanningConfigurations": [{"repositoryName": "web", "scanFrequency": "CONTINUOUS_SCAN"}]
        },
        "ecr:DescribeImages": {"imageDetails": images},
        **{f"ecr:{name}": answer for name, answer in answers.items()},
    })  # fmt: skip


def test_the_newest_image(canned: Callable[..., Any], collect: Any) -> None:
    needs = {IMAGES: frozenset({"*", "NewestImage"})}

    def scan(arguments: Any) -> Any:
        assert arguments["imageId"] == {"imageDigest": "new"}
        found = {"findingSeverityCounts": {"CRITICAL": 2}}
        return {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": found}

    (web,) = collect(_repository(canned, DescribeImageScanFindings=scan), IMAGES, needs=needs)
    p = web.properties
    assert p["NewestImage"] == {"PushedAt": "2026-03-04T05:06:07Z", "ScanStatus": "COMPLETE"}
    assert p["ImageScanFindings"] == {"Critical": 2, "High": 0}
    assert p["ScanFrequency"] == "CONTINUOUS_SCAN"
    assert p["ImageTagMutabilityExclusionFilters"] == [
        {
            "ImageTagMutabilityExclusionFilterType": "WILDCARD",
            "ImageTagMutabilityExclusionFilterValue": "dev*",
        }
    ]
    assert "RepositoryPolicyText" not in p
    assert verdict("ecr-newest-image-without-critical-findings", web) == "FAIL"
    never = failure("ecr:DescribeImageScanFindings", "ScanNotFoundException", "read_error")
    (web,) = collect(_repository(canned, DescribeImageScanFindings=never), IMAGES, needs=needs)
    assert web.properties["NewestImage"] == {"PushedAt": "2026-03-04T05:06:07Z"}
    assert "ImageScanFindings" not in web.properties
    assert verdict("ecr-newest-image-scanned", web) == "FAIL"
    (web,) = collect(_repository(canned, DescribeImages={"imageDetails": []}), IMAGES, needs=needs)
    assert "NewestImage" not in web.properties
    assert verdict("ecr-newest-image-scanned", web) == "NOT_APPLICABLE"
    denied = failure("ecr:DescribeImages", "AccessDeniedException")
    (web,) = collect(_repository(canned, DescribeImages=denied), IMAGES, needs=needs)
    assert verdict("ecr-newest-image-scanned", web) == "UNKNOWN"


def test_what_is_set_for_the_registry(canned: Callable[..., Any], collect: Any) -> None:
    rules = [
        {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}
    ]
    account = canned({
        "ecr:GetRegistryScanningConfiguration": {
            "registryId": MOTO_ACCOUNT, "scanningConfiguration": {"scanType": "ENHANCED", "rules": rules}
        },
        "ecr:GetRegistryPolicy": failure("ecr:GetRegistryPolicy", "RegistryPolicyNotFoundException", "read_error"),
        "ecr:GetSigningConfiguration": {
            "registryId": MOTO_ACCOUNT, "signingConfiguration": {"rules": [{"signingProfileArn": "arn:p"}]}
        },
        "ecr:DescribeRepositoryCreationTemplates": {
            "repositoryCreationTemplates": [{"prefix": "team", "imageTagMutability": "MUTABLE"}]
        },
    })  # fmt: skip
    (found,) = collect(account, "AWS::ECR::RegistryScanningConfiguration")
    assert (found.id, found.properties["RegistryId"]) == (MOTO_ACCOUNT, MOTO_ACCOUNT)
    assert found.properties["Rules"][0]["RepositoryFilters"] == [{"Filter": "*", "FilterType": "WILDCARD"}]
    assert verdict("ecr-enhanced-scanning", found) == "PASS"
    assert collect(account, "AWS::ECR::RegistryPolicy") == []
    assert collect.last.whole == ("AWS::ECR::RegistryPolicy",)
    (found,) = collect(account, "AWS::ECR::SigningConfiguration")
    assert found.properties["Rules"] == [{"SigningProfileArn": "arn:p"}]
    (found,) = collect(account, "AWS::ECR::RepositoryCreationTemplate")
    assert verdict("ecr-created-repositories-immutable", found) == "FAIL"


def test_projects_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-2"
    role = aws("iam").create_role(RoleName="builds", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    aws("codebuild", region).create_project(
        name="build", serviceRole=role, tags=[{"key": "Owner", "value": "me"}],
        source={"type": "GITHUB", "location": "https://github.com/a/b"}, artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "privilegedMode": True,
                     "computeType": "BUILD_GENERAL1_SMALL"},
    )  # fmt: skip
    (build,) = collect(account, PROJECT, region=region)
    p = build.properties
    assert (build.id, p["Name"], p["ServiceRole"], build.tags) == ("build", "build", role, {"Owner": "me"})
    assert build.arn == p["Arn"] == f"arn:aws:codebuild:{region}:{MOTO_ACCOUNT}:project/build"
    assert p["Source"]["Location"] == "https://github.com/a/b"
    assert "VpcConfig" not in p
    assert "Triggers" not in p
    assert p["LastBuildTime"].reason == "not_collected"
    assert verdict("codebuild-not-privileged", build) == "FAIL"


def test_a_project_with_everything(canned: Callable[..., Any], collect: Any) -> None:
    actors = [
        [
            {"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"},
            {"type": "ACTOR_ACCOUNT_ID", "pattern": "^111$"},
        ]
    ]
    described = {
        "name": "build", "arn": "arn:aws:codebuild:us-east-1:123456789012:project/build", "created": DAY,
        "badge": {"badgeEnabled": True, "badgeRequestUrl": "u"}, "projectVisibility": "PUBLIC_READ",
        "vpcConfig": {"vpcId": "vpc-1", "subnets": ["subnet-1"]}, "webhook": {"url": "u", "filterGroups": actors},
    }  # fmt: skip
    account = canned({
        "codebuild:ListProjects": {"projects": ["build", "gone"]},
        "codebuild:BatchGetProjects": {"projects": [described], "projectsNotFound": ["gone"]},
        "codebuild:ListBuildsForProject": {"ids": ["b:2", "b:1"]},
        "codebuild:BatchGetBuilds": lambda a: {"builds": [{"id": a["ids"][0], "startTime": DAY}]},
    })  # fmt: skip
    (build,) = collect(account, PROJECT, needs={PROJECT: frozenset({"*", "LastBuildTime"})})
    p = build.properties
    assert (p["BadgeEnabled"], p["Visibility"], p["VpcConfig"]["Subnets"]) == (
        True,
        "PUBLIC_READ",
        ["subnet-1"],
    )
    assert (p["LastBuildTime"], p["Created"]) == ("2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z")
    assert p["Triggers"]["Webhook"] is True
    assert p["Triggers"]["FilterGroups"][0][1] == {"Type": "ACTOR_ACCOUNT_ID", "Pattern": "^111$"}
    for rule in ("codebuild-badge-off", "codebuild-not-public"):
        assert verdict(rule, build) == "FAIL", rule
    assert verdict("codebuild-webhook-only-named-actors", build) == "PASS"


def test_reports_and_credentials(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:codebuild:us-east-1:123456789012:report-group/r"
    export = {"exportConfigType": "S3", "s3Destination": {"bucket": "b", "encryptionDisabled": True}}
    account = canned({
        "codebuild:ListReportGroups": {"reportGroups": [arn]},
        "codebuild:BatchGetReportGroups": {"reportGroups": [{"arn": arn, "name": "r", "exportConfig": export}]},
        "codebuild:ListSourceCredentials": {
            "sourceCredentialsInfos": [{"arn": "arn:c", "serverType": "GITHUB", "authType": "PERSONAL_ACCESS_TOKEN"}]
        },
    })  # fmt: skip
    (found,) = collect(account, "AWS::CodeBuild::ReportGroup")
    assert verdict("codebuild-report-export-encrypted", found) == "FAIL"
    (found,) = collect(account, "AWS::CodeBuild::SourceCredential")
    assert isinstance(found.properties["Token"], Unresolved)
    assert verdict("codebuild-source-credential-not-a-token", found) == "FAIL"


def test_pipelines(canned: Callable[..., Any], collect: Any) -> None:
    action = {"name": "approve", "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual",
              "version": "1"}, "configuration": {"NotificationArn": "arn:t"}, "roleArn": "arn:r"}  # fmt: skip
    store = {"type": "S3", "location": "b", "encryptionKey": {"id": "k", "type": "KMS"}}
    described = {"name": "p", "roleArn": "r", "version": 3, "pipelineType": "V2", "executionMode": "QUEUED",
                 "artifactStores": {"us-east-1": store}, "stages": [{"name": "s", "actions": [action]}]}  # fmt: skip
    hook = {"definition": {"name": "h", "targetPipeline": "p", "targetAction": "a", "authentication": "IP",
            "filters": [], "authenticationConfiguration": {"AllowedIPRange": "0.0.0.0/0"}},
            "url": "https://h", "arn": "arn:aws:codepipeline:us-east-1:123456789012:webhook:h"}  # fmt: skip
    account = canned({
        "codepipeline:ListPipelines": {"pipelines": [{"name": "p", "version": 2, "pipelineType": "V1"}]},
        "codepipeline:GetPipeline": {"pipeline": described},
        "codepipeline:ListTagsForResource": {"tags": [{"key": "a", "value": "b"}]},
        "codepipeline:ListWebhooks": {"webhooks": [hook]},
    })  # fmt: skip
    (found,) = collect(account, PIPELINE)
    p = found.properties
    assert found.arn == "arn:aws:codepipeline:us-east-1:123456789012:p"
    assert (p["Name"], p["Version"], p["PipelineType"], p["ExecutionMode"]) == ("p", "3", "V2", "QUEUED")
    assert p["ArtifactStores"][0]["Region"] == "us-east-1"
    assert p["ArtifactStores"][0]["ArtifactStore"]["EncryptionKey"] == {"Id": "k", "Type": "KMS"}
    assert "ArtifactStore" not in p
    assert p["Stages"][0]["Actions"][0]["ActionTypeId"]["Provider"] == "Manual"
    assert found.tags == {"a": "b"}
    (found,) = collect(account, "AWS::CodePipeline::Webhook")
    p = found.properties
    assert (found.id, p["Name"], p["Authentication"], p["TargetPipeline"]) == ("h", "h", "IP", "p")
    assert p["AuthenticationConfiguration"]["AllowedIPRange"] == "0.0.0.0/0"
    denied = failure("codepipeline:GetPipeline", "AccessDeniedException")
    account.answers = {**account.answers, "codepipeline:GetPipeline": denied}
    (found,) = collect(account, PIPELINE)
    assert found.id == "p"
    assert "Stages" not in found.properties or isinstance(found.properties["Stages"], Unresolved)


def test_deployments(canned: Callable[..., Any], collect: Any) -> None:
    group = {
        "applicationName": "a", "deploymentGroupName": "g", "deploymentConfigName": "CodeDeployDefault.AllAtOnce",
        "autoScalingGroups": [{"name": "asg", "hook": "h"}], "alarmConfiguration": {"enabled": False, "alarms": []},
        "ec2TagSet": {"ec2TagSetList": [[{"Key": "k", "Value": "v", "Type": "KEY_AND_VALUE"}]]},
        "autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
    }  # fmt: skip
    account = canned({
        "codedeploy:ListApplications": {"applications": ["a"]},
        "codedeploy:BatchGetApplications": {"applicationsInfo": [{"applicationName": "a", "computePlatform": "ECS"}]},
        "codedeploy:ListTagsForResource": {"Tags": [{"Key": "a", "Value": "b"}]},
        "codedeploy:ListDeploymentGroups": {"applicationName": "a", "deploymentGroups": ["g"]},
        "codedeploy:BatchGetDeploymentGroups": {"deploymentGroupsInfo": [group]},
        "codedeploy:ListDeploymentConfigs": {"deploymentConfigsList": ["CodeDeployDefault.AllAtOnce", "own"]},
        "codedeploy:GetDeploymentConfig": {"deploymentConfigInfo": {
            "deploymentConfigName": "own", "minimumHealthyHosts": {"type": "HOST_COUNT", "value": 1}}},
    })  # fmt: skip
    (found,) = collect(account, "AWS::CodeDeploy::Application")
    assert (found.id, found.properties["ComputePlatform"], found.tags) == ("a", "ECS", {"a": "b"})
    (found,) = collect(account, "AWS::CodeDeploy::DeploymentGroup")
    p = found.properties
    assert (found.id, p["ApplicationName"], p["AutoScalingGroups"]) == ("a|g", "a", ["asg"])
    assert p["Ec2TagSet"]["Ec2TagSetList"][0]["Ec2TagGroup"][0]["Key"] == "k"
    assert p["AutoRollbackConfiguration"] == {"Enabled": True, "Events": ["DEPLOYMENT_FAILURE"]}
    assert found.tags == {"a": "b"}
    (found,) = collect(account, "AWS::CodeDeploy::DeploymentConfig")
    assert found.properties["DeploymentConfigName"] == "own"
    assert found.properties["MinimumHealthyHosts"] == {"Type": "HOST_COUNT", "Value": 1}


def test_notifications(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:codestar-notifications:us-east-1:123456789012:notificationrule/n"
    described = {"Arn": arn, "Name": "n", "Resource": "arn:p", "Status": "ENABLED", "Tags": {"a": "b"},
                 "EventTypes": [{"EventTypeId": "codepipeline-pipeline-pipeline-execution-failed"}],
                 "Targets": [{"TargetAddress": "arn:t", "TargetType": "SNS", "TargetStatus": "ACTIVE"}]}  # fmt: skip
    account = canned({
        "codestar-notifications:ListNotificationRules": {"NotificationRules": [{"Id": "n", "Arn": arn}]},
        "codestar-notifications:DescribeNotificationRule": described,
    })  # fmt: skip
    (found,) = collect(account, "AWS::CodeStarNotifications::NotificationRule")
    p = found.properties
    assert p["EventTypeIds"] == ["codepipeline-pipeline-pipeline-execution-failed"]
    assert p["Targets"] == [{"TargetAddress": "arn:t", "TargetType": "SNS"}]
    assert found.tags == {"a": "b"}


def test_git_repositories(canned: Callable[..., Any], collect: Any) -> None:
    content = {"Version": "2018-11-08", "Statements": [{"Type": "Approvers", "NumberOfApprovalsNeeded": 2}]}
    template = {"approvalRuleTemplateName": "t", "approvalRuleTemplateId": "1",
                "approvalRuleTemplateContent": json.dumps(content)}  # fmt: skip
    account = canned({
        "codecommit:ListRepositories": {"repositories": [{"repositoryName": "code", "repositoryId": "r-1"}]},
        "codecommit:BatchGetRepositories": {"repositories": [{"repositoryName": "code", "kmsKeyId": "k"}]},
        "codecommit:GetRepositoryTriggers": {"triggers": [{"name": "t", "destinationArn": "arn:t"}]},
        "codecommit:ListTagsForResource": {"tags": {"a": "b"}},
        "codecommit:ListApprovalRuleTemplates": {"approvalRuleTemplateNames": ["t"]},
        "codecommit:GetApprovalRuleTemplate": {"approvalRuleTemplate": template},
        "codecommit:ListRepositoriesForApprovalRuleTemplate": {"repositoryNames": ["code"]},
    })  # fmt: skip
    (found,) = collect(account, "AWS::CodeCommit::Repository")
    p = found.properties
    assert found.arn == "arn:aws:codecommit:us-east-1:123456789012:code"
    assert (p["RepositoryName"], p["RepositoryId"], p["KmsKeyId"], found.tags) == (
        "code",
        "r-1",
        "k",
        {"a": "b"},
    )
    assert p["Triggers"] == [{"Name": "t", "DestinationArn": "arn:t"}]
    (found,) = collect(account, "AWS::CodeCommit::ApprovalRuleTemplate")
    p = found.properties
    assert (p["ApprovalRuleTemplateContent"], p["RepositoryNames"]) == (content, ["code"])


def test_packages(canned: Callable[..., Any], collect: Any) -> None:
    at = "arn:aws:codeartifact:us-east-1:123456789012"
    modes = {"PUBLISH": {"mode": "ALLOW"}, "EXTERNAL_UPSTREAM": {"mode": "ALLOW"},
             "INTERNAL_UPSTREAM": {"mode": "INHERIT", "effectiveMode": "ALLOW"}}  # fmt: skip
    group = {
        "arn": f"{at}:package-group/d/x",
        "pattern": "/*",
        "originConfiguration": {"restrictions": modes},
    }
    package = {
        "format": "npm",
        "package": "left",
        "originConfiguration": {"restrictions": {"publish": "ALLOW", "upstream": "ALLOW"}},
    }
    versions = {"versions": [{"version": "1", "origin": {"originType": "INTERNAL"}}]}
    account = canned({
        "codeartifact:ListDomains": {"domains": [{"name": "dom", "owner": MOTO_ACCOUNT, "arn": f"{at}:domain/dom"}]},
        "codeartifact:GetDomainPermissionsPolicy": {"policy": {"document": json.dumps(PUBLIC)}},
        "codeartifact:ListTagsForResource": {"tags": []},
        "codeartifact:ListRepositories": {"repositories": [
            {"name": "repo", "domainName": "dom", "domainOwner": MOTO_ACCOUNT, "arn": f"{at}:repository/dom/repo"}]},
        "codeartifact:GetRepositoryPermissionsPolicy": failure(
            "codeartifact:GetRepositoryPermissionsPolicy", "ResourceNotFoundException", "read_error"),
        "codeartifact:ListPackageGroups": {"packageGroups": [group]},
        "codeartifact:ListPackages": {"packages": [package]},
        "codeartifact:ListPackageVersions": versions,
    })  # fmt: skip
    (found,) = collect(account, "AWS::CodeArtifact::Domain")
    assert (found.properties["DomainName"], found.properties["PermissionsPolicyDocument"]) == ("dom", PUBLIC)
    (found,) = collect(account, "AWS::CodeArtifact::Repository")
    assert (found.properties["RepositoryName"], found.properties["DomainName"]) == ("repo", "dom")
    assert "PermissionsPolicyDocument" not in found.properties
    (found,) = collect(account, "AWS::CodeArtifact::PackageGroup")
    assert found.properties["OriginConfiguration"]["Restrictions"] == {
        "Publish": {"RestrictionMode": "ALLOW"}, "ExternalUpstream": {"RestrictionMode": "ALLOW"}
    }  # fmt: skip
    assert verdict("codeartifact-package-group-one-origin", found) == "FAIL"
    (found,) = collect(account, "AWS::CodeArtifact::Package")
    p = found.properties
    assert found.id == f"{at}:package/dom/repo/npm//left"
    assert (p["OriginType"], p["OriginConfiguration"]["Restrictions"]["Upstream"]) == ("INTERNAL", "ALLOW")
