"""EventBridge: buses, rules, endpoints, schema registries; the scheduler."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.spec import Collector, Parent, Step

Json = dict[str, Any]
_GONE: Final = ("ResourceNotFoundException",)
_BUS: Final = "AWS::Events::EventBus"
_TAGS: Final = Step("ListTagsForResource", "Tags", {"ResourceARN": "{Arn}"}, gives=("tags",), gone=_GONE)


def _rule(item: Json) -> Json:
    return {**item, "RuleName": item["Name"]}


def _target(found: list[Json], _item: Json) -> list[Json]:
    """Two lists of ECS are named otherwise in the registry."""
    targets = []
    for target in found:
        ecs = target.get("EcsParameters")
        if ecs:
            own = {"PlacementStrategies": ecs.get("PlacementStrategy"), "TagList": ecs.get("Tags")}
            target = {**target, "EcsParameters": {**ecs, **own}}
        targets.append(target)
    return targets


COLLECTORS = (
    Collector(
        _BUS,
        "events",
        Step("ListEventBuses", "EventBuses"),
        id="{Name}",
        arn="{Arn}",
        tags="",
        details=(
            Step(
                "DescribeEventBus",
                "",
                {"Name": "{Name}"},
                gives=("KmsKeyIdentifier", "DeadLetterConfig", "LogConfig"),
                gone=_GONE,
            ),
            _TAGS,
        ),
        also={"AWS::Events::EventBusPolicy": "Policy"},
    ),
    Collector(
        "AWS::Events::Rule",
        "events",
        Step("ListRules", "Rules", gone=_GONE),
        id="{Arn}",
        arn="{Arn}",
        tags="",
        parent=Parent(_BUS, {"EventBusName": "{Name}"}),
        shape=_rule,
        gives=("RuleName",),
        details=(
            Step(
                "ListTargetsByRule",
                "Targets",
                {"Rule": "{Name}", "EventBusName": "{EventBusName}"},
                into="Targets",
                shape=_target,
                gone=_GONE,
                paged=True,
            ),
            _TAGS,
        ),
    ),
    Collector(
        "AWS::Events::Endpoint",
        "events",
        Step("ListEndpoints", "Endpoints"),
        id="{Name}",
        arn="{Arn}",
        tags="",
    ),
    Collector(
        "AWS::Scheduler::Schedule",
        "scheduler",
        Step("ListSchedules", "Schedules", rename={"Target": ""}),
        id="{Arn}",
        arn="{Arn}",
        tags="",
        details=(
            Step(
                "GetSchedule",
                "",
                {"Name": "{Name}", "GroupName": "{GroupName}"},
                gives=(
                    "Description", "EndDate", "FlexibleTimeWindow", "KmsKeyArn", "ScheduleExpression",
                    "ScheduleExpressionTimezone", "StartDate", "Target",
                ),
                gone=_GONE,
            ),
        ),
    ),
    Collector(
        "AWS::EventSchemas::RegistryPolicy",
        "schemas",
        Step("ListRegistries", "Registries", {"Scope": "LOCAL"}),
        id="{RegistryName}",
        describe=Step(
            "GetResourcePolicy", "", {"RegistryName": "{RegistryName}"}, gone=("NotFoundException",)
        ),
        tags="",
    ),
)  # fmt: skip
