"""CodeBuild and CodePipeline, as AWS Config records them."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.values import ABSENT
from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType, first, said, under

Json = dict[str, Any]
_PROJECT: Final = frozenset(
    {"source", "artifacts", "vpcConfig", "webhook", "badge", "projectVisibility", "tags"}
)


def _project(item: Item) -> Json:
    given = item.configuration
    network = given.get("vpcConfig")
    found = {
        **{name: value for name, value in given.items() if name not in _PROJECT},
        "Source": first(given.get("source")),
        "Artifacts": first(given.get("artifacts")),
        "VpcConfig": _network(network) if isinstance(network, dict) and under(network, "vpcId") else None,
        "Triggers": _triggers(given.get("webhook")),
        "Tags": given.get("tags"),
    }
    if given.get("projectVisibility") is not None:
        found["Visibility"] = given["projectVisibility"]
    if isinstance(given.get("badge"), dict):
        found["BadgeEnabled"] = under(given, "badge", "badgeEnabled") is True
    return said(found, given, {"Source": "source", "Artifacts": "artifacts", "Tags": "tags"})


def _network(value: Json) -> Json:
    subnets = value.get("subnets")
    names = (
        [s.get("subnet") if isinstance(s, dict) else s for s in subnets]
        if isinstance(subnets, list)
        else subnets
    )
    return {**value, "subnets": names}


def _triggers(webhook: Any) -> Any:
    if not isinstance(webhook, dict) or not webhook:
        return None
    return {
        "Webhook": True,
        "FilterGroups": webhook.get("filterGroups"),
        "BranchFilter": webhook.get("branchFilter"),
    }


def _pipeline(item: Item) -> Json:
    given = item.configuration.get("pipeline")
    pipeline = dict(given) if isinstance(given, dict) else dict(item.configuration)
    stores = pipeline.get("artifactStores")
    if isinstance(stores, dict):
        pipeline["artifactStores"] = [
            {"Region": r, "ArtifactStore": store} for r, store in sorted(stores.items())
        ]
    else:
        pipeline["artifactStores"] = ABSENT if "artifactStore" in pipeline else None
    if isinstance(stores, dict) and pipeline.get("artifactStore") is None:
        pipeline["artifactStore"] = ABSENT
    return {**pipeline, "version": _text(pipeline.get("version"))}


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


TYPES = (
    ConfigType(
        "AWS::CodeBuild::Project",
        id="Name",
        shape=_project,
        recorded=(
            "VpcConfig", "Triggers", "Description", "SourceVersion", "SecondaryArtifacts", "SecondarySources",
            "SecondarySourceVersions", "FileSystemLocations", "BuildBatchConfig", "ConcurrentBuildLimit", "LogsConfig",
        ),
        unknown=("Triggers.FilterGroups", "Source.InsecureSsl", "SecondarySources.InsecureSsl", "Environment.Fleet"),
    ),
    ConfigType(
        "AWS::CodePipeline::Pipeline",
        shape=_pipeline,
        unknown=("Stages.OnFailure", "Stages.BeforeEntry", "Stages.OnSuccess", "Stages.Actions.Commands"),
    ),
)  # fmt: skip
