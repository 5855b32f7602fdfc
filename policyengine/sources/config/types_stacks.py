"""CloudFormation and Elastic Beanstalk, as AWS Config records them."""

from __future__ import annotations

from typing import Any

from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType, Part, flag

Json = dict[str, Any]


def _environment(item: Item) -> Json:
    """AWS Config has the options as a map of maps, the registry as a list."""
    settings = item.configuration.get("optionSettings")
    found = {name: value for name, value in item.configuration.items() if name != "optionSettings"}
    if isinstance(settings, dict):
        found["OptionSettings"] = [
            {"Namespace": namespace, "OptionName": name, "Value": value}
            for namespace, options in settings.items()
            for name, value in options.items()
            if isinstance(value, str)
        ]
    return found


TYPES = (
    ConfigType(
        "AWS::CloudFormation::Stack",
        parts=(
            Part(
                "EnableTerminationProtection",
                "EnableTerminationProtection",
                shape=lambda value, _: flag(value),
            ),
        ),
    ),
    ConfigType("AWS::ElasticBeanstalk::Environment", shape=_environment),
)
