"""Stacks of CloudFormation and environments of Elastic Beanstalk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.sources.live.collectors.resource_policies import listed
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.spec import CodeCollector, Collector, Step

Json = dict[str, Any]
_VARIABLES: Final = "aws:elasticbeanstalk:application:environment"
_HIDDEN: Final = Unresolved("not_collected", "values of environment variables are not collected")
_UNREADABLE: Final = Unresolved(
    "access_denied", "elasticbeanstalk:DescribeConfigurationSettings: nothing of it may be read"
)
_NO_ROOT: Final = Unresolved("not_collected", "the root stack was not listed")
_STACKS: Final = listed("cloudformation", "DescribeStacks", "Stacks")

STACK: Final = Collector(
    "AWS::CloudFormation::Stack",
    "cloudformation",
    # values of parameters may be secrets that no rule asks for
    Step("DescribeStacks", "Stacks", rename={"Parameters": ""}),
    id="{StackId}",
    arn="{StackId}",
)


def _stacks(context: Context) -> Iterator[Resource]:
    """Yield the stacks; a nested one is as protected as its root, on which alone protection is set.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html
    """
    stacks = list(_STACKS(context))
    protected = {stack["StackId"]: stack.get("EnableTerminationProtection") for stack in stacks}
    for stack in stacks:
        root = stack.get("RootId")
        if root is not None:
            stack["EnableTerminationProtection"] = protected.get(root, _NO_ROOT)
    yield from Run(STACK, context).of(iter(stacks))


def _options(found: list[Json], _item: Json) -> Json:
    """Return the settings that are deployed; a draft is not in force yet.

    An environment of which the caller may read nothing has none at all:
    https://docs.aws.amazon.com/elasticbeanstalk/latest/api/API_DescribeConfigurationSettings.html
    """
    deployed = next((each for each in found if each.get("DeploymentStatus") == "deployed"), None)
    if deployed is None:
        return {"OptionSettings": _UNREADABLE, "Options": _UNREADABLE}
    return {"OptionSettings": [_option(each) for each in deployed.get("OptionSettings") or ()]}


def _option(setting: Json) -> Json:
    return {**setting, "Value": _HIDDEN} if setting.get("Namespace") == _VARIABLES else setting


COLLECTORS = (
    CodeCollector(
        (STACK.type,), "cloudformation", _stacks, ("cloudformation:DescribeStacks",), parts=(STACK,)
    ),
    Collector(
        "AWS::ElasticBeanstalk::Environment",
        "elasticbeanstalk",
        Step("DescribeEnvironments", "Environments", {"IncludeDeleted": False}),
        id="{EnvironmentName}",
        arn="{EnvironmentArn}",
        keep=lambda item, _names: item.get("Status") not in ("Terminating", "Terminated"),
        tags="",
        details=(
            Step(
                "DescribeConfigurationSettings",
                "ConfigurationSettings",
                {"ApplicationName": "{ApplicationName}", "EnvironmentName": "{EnvironmentName}"},
                gives=("OptionSettings", "Options"),
                shape=_options,
            ),
            Step(
                "ListTagsForResource",
                "ResourceTags",
                {"ResourceArn": "{EnvironmentArn}"},
                gives=("tags",),
                gone=("ResourceNotFoundException",),
            ),
        ),
    ),
)
