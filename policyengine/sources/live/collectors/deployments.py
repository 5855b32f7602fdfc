"""Stacks of CloudFormation and environments of Elastic Beanstalk."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_VARIABLES: Final = "aws:elasticbeanstalk:application:environment"
_HIDDEN: Final = Unresolved("not_collected", "values of environment variables are not collected")
_UNREADABLE: Final = Unresolved(
    "access_denied", "elasticbeanstalk:DescribeConfigurationSettings: nothing of it may be read"
)


def _root(context: Context, item: Json) -> Json:
    """A nested stack is as protected as its root, on which alone protection is set; asked once for all of them.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html
    """
    root = item.get("RootId") or item["StackId"]
    return context.shared.once(
        ("cloudformation:DescribeStacks", root),
        lambda: context.call("cloudformation", "DescribeStacks", {"StackName": root}),
    )


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
    Collector(
        "AWS::CloudFormation::Stack",
        "cloudformation",
        # values of parameters may be secrets that no rule asks for
        Step("DescribeStacks", "Stacks", rename={"Parameters": "", "EnableTerminationProtection": ""}),
        id="{StackId}",
        arn="{StackId}",
        details=(
            # said only of a stack that is asked for by name: https://github.com/boto/boto3/issues/2907
            Step(
                "DescribeStacks",
                "Stacks.EnableTerminationProtection",
                {"StackName": "{StackId}"},
                into="EnableTerminationProtection",
                ask=_root,
                shape=lambda found, _item: found[0] if found else None,
                gone=("ValidationError: does not exist",),
            ),
        ),
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
