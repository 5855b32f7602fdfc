"""CodeBuild, CodePipeline, CodeDeploy and notifications about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Parent, Step
from policyengine.sources.shaping import timestamp

Json = dict[str, Any]
_APPLICATION: Final = "AWS::CodeDeploy::Application"
_DEPLOY: Final = "arn:{partition}:codedeploy:{region}:{account}"


def _project(item: Json) -> Json:
    """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Project.html"""
    network, webhook = item.get("vpcConfig") or {}, item.get("webhook")
    return {
        **item,
        "BadgeEnabled": (item.get("badge") or {}).get("badgeEnabled"),
        "Triggers": _triggers(webhook) if webhook else None,
        "Visibility": item.get("projectVisibility"),
        "vpcConfig": network if network.get("vpcId") else None,
    }


def _triggers(webhook: Json) -> Json:
    names = ("branchFilter", "buildType", "pullRequestBuildPolicy", "scopeConfiguration")
    groups = webhook.get("filterGroups")
    return {
        "Webhook": True,
        "FilterGroups": [[_filter(each) for each in group] for group in groups]
        if groups is not None
        else None,
        **{name: webhook.get(name) for name in names},
    }


def _filter(given: Json) -> Json:
    names = {"Type": "type", "Pattern": "pattern", "ExcludeMatchedPattern": "excludeMatchedPattern"}
    return {name: given[own] for name, own in names.items() if own in given}


def _last_build(context: Context, item: Json) -> Json:
    """The builds of a project, the last one first: one page is enough."""
    asked = {"projectName": item["value"], "sortOrder": "DESCENDING"}
    ids = context.call("codebuild", "ListBuildsForProject", asked).get("ids") or []
    if not ids:
        return {}
    builds = context.call("codebuild", "BatchGetBuilds", {"ids": ids[:1]}).get("builds") or [{}]
    started = builds[0].get("startTime")
    return {"LastBuildTime": timestamp(started)} if started is not None else {}


def _pipeline(item: Json) -> Json:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineDeclaration.html"""
    found = item.get("pipeline") or {}
    stores, version = found.get("artifactStores"), found.get("version")
    return {
        **item,
        **{name: found.get(name) for name in ("roleArn", "artifactStore", "stages", "variables", "triggers")},
        "ArtifactStores": [{"Region": r, "ArtifactStore": s} for r, s in sorted(stores.items())]
        if stores
        else None,
        "ExecutionMode": found.get("executionMode"),
        "PipelineType": found.get("pipelineType"),
        "Version": str(version) if version is not None else None,
    }


def _webhook(item: Json) -> Json:
    return {**item, **item["definition"]}


def _own(item: Json, _names: Mapping[str, str]) -> bool:
    """AWS's own configurations are in every account."""
    return not str(item["value"]).startswith("CodeDeployDefault.")


def _group(item: Json) -> Json:
    """https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentGroupInfo.html"""
    scaling, application = item.get("autoScalingGroups"), item["parent"]["value"]
    tagged, premises = item.get("ec2TagSet"), item.get("onPremisesTagSet")
    return {
        **item,
        "applicationName": application,
        "deploymentGroupName": item["value"],
        "autoScalingGroups": [each.get("name") for each in scaling] if scaling is not None else None,
        "ec2TagSet": {"Ec2TagSetList": _sets(tagged, "ec2TagSetList", "Ec2TagGroup")} if tagged else None,
        "onPremisesTagSet": {
            "OnPremisesTagSetList": _sets(premises, "onPremisesTagSetList", "OnPremisesTagGroup")
        }
        if premises
        else None,
    }


def _sets(given: Json, name: str, group: str) -> list[Json]:
    return [{group: filters} for filters in given.get(name) or ()]


def _notification(item: Json) -> Json:
    events = item.get("EventTypes")
    return {
        **item,
        "EventTypeIds": [each.get("EventTypeId") for each in events] if events is not None else None,
    }


def _named(item: Json) -> Json:
    return {**item, "name": item["value"]}


def _tags(arn: str, name: str, result: str, *gone: str) -> Step:
    return Step("ListTagsForResource", result, {name: arn}, gives=("tags",), gone=gone, paged=True)


COLLECTORS = (
    Collector(
        "AWS::CodeBuild::Project",
        "codebuild",
        Step("ListProjects", "projects"),
        id="{value}",
        arn="arn:{partition}:codebuild:{region}:{account}:project/{value}",
        tags="tags",
        describe=Step("BatchGetProjects", "projects", {"names": "{value}"}, batch=100, key="name"),
        shape=lambda item: _named(_project(item)),
        gives=("BadgeEnabled", "Name", "Triggers", "Visibility"),
        details=(
            Step(
                "ListBuildsForProject",
                "",
                gives=("LastBuildTime",),
                gone=("ResourceNotFoundException",),
                ask=_last_build,
                calls=("codebuild:BatchGetBuilds",),
                only_named=True,
            ),
        ),
    ),
    Collector(
        "AWS::CodeBuild::ReportGroup",
        "codebuild",
        Step("ListReportGroups", "reportGroups"),
        id="{value}",
        arn="{value}",
        tags="tags",
        describe=Step(
            "BatchGetReportGroups", "reportGroups", {"reportGroupArns": "{value}"}, batch=100, key="arn"
        ),
    ),
    Collector(
        "AWS::CodeBuild::SourceCredential",
        "codebuild",
        Step("ListSourceCredentials", "sourceCredentialsInfos"),
        id="{arn}",
        arn="{arn}",
        tags="",
    ),
    Collector(
        "AWS::CodePipeline::Pipeline",
        "codepipeline",
        Step("ListPipelines", "pipelines", rename={"version": "", "executionMode": "", "pipelineType": ""}),
        id="{name}",
        arn="arn:{partition}:codepipeline:{region}:{account}:{name}",
        tags="",
        describe=Step("GetPipeline", "", {"name": "{name}"}, gone=("PipelineNotFoundException",)),
        shape=_pipeline,
        gives=(
            "Actions", "ArtifactStore", "ArtifactStores", "ExecutionMode", "PipelineType", "RoleArn", "Stages",
            "Triggers", "Variables", "Version",
        ),
        details=(
            _tags(
                "arn:{partition}:codepipeline:{region}:{account}:{name}",
                "resourceArn",
                "tags",
                "ResourceNotFoundException",
            ),
        ),
    ),
    Collector(
        "AWS::CodePipeline::Webhook",
        "codepipeline",
        Step("ListWebhooks", "webhooks"),
        id="{definition.name}",
        arn="{arn}",
        tags="tags",
        shape=_webhook,
        gives=("Authentication", "AuthenticationConfiguration", "Filters", "Name", "TargetAction", "TargetPipeline"),
    ),
    Collector(
        _APPLICATION,
        "codedeploy",
        Step("ListApplications", "applications"),
        id="{value}",
        arn=f"{_DEPLOY}:application:{{value}}",
        tags="",
        shape=lambda item: {**item, "ApplicationName": item["value"]},
        gives=("ApplicationName",),
        details=(
            Step(
                "BatchGetApplications",
                "applicationsInfo",
                {"applicationNames": "{value}"},
                gives=("ComputePlatform",),
                batch=100,
                key="applicationName",
            ),
            _tags(f"{_DEPLOY}:application:{{value}}", "ResourceArn", "Tags", ),
        ),
    ),
    Collector(
        "AWS::CodeDeploy::DeploymentConfig",
        "codedeploy",
        Step("ListDeploymentConfigs", "deploymentConfigsList"),
        id="{value}",
        tags="",
        keep=_own,
        describe=Step(
            "GetDeploymentConfig",
            "deploymentConfigInfo",
            {"deploymentConfigName": "{value}"},
            gone=("DeploymentConfigDoesNotExistException",),
        ),
        shape=lambda item: {**item, "deploymentConfigName": item["value"]},
    ),
    Collector(
        "AWS::CodeDeploy::DeploymentGroup",
        "codedeploy",
        Step("ListDeploymentGroups", "deploymentGroups", gone=("ApplicationDoesNotExistException",)),
        id="{parent.value}|{value}",
        arn=f"{_DEPLOY}:deploymentgroup:{{parent.value}}/{{value}}",
        tags="",
        parent=Parent(_APPLICATION, {"applicationName": "{value}"}),
        describe=Step(
            "BatchGetDeploymentGroups",
            "deploymentGroupsInfo",
            {"deploymentGroupNames": "{value}", "applicationName": "{parent.value}"},
            batch=100,
            key="deploymentGroupName",
        ),
        shape=_group,
        details=(
            _tags(
                f"{_DEPLOY}:deploymentgroup:{{parent.value}}/{{value}}",
                "ResourceArn",
                "Tags",
            ),
        ),
    ),
    Collector(
        "AWS::CodeStarNotifications::NotificationRule",
        "codestar-notifications",
        Step("ListNotificationRules", "NotificationRules"),
        id="{Arn}",
        arn="{Arn}",
        describe=Step(
            "DescribeNotificationRule", "", {"Arn": "{Arn}"}, gone=("ResourceNotFoundException",)
        ),
        shape=_notification,
        gives=("EventTypeIds",),
    ),
)  # fmt: skip
