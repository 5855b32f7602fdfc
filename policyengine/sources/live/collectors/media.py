"""MediaStore, which took no new customers in its last years."""

from __future__ import annotations

from typing import Final

from policyengine.sources.live.spec import Collector, Step

_CONTAINER: Final = {"ContainerName": "{Name}"}

COLLECTORS = (
    Collector(
        "AWS::MediaStore::Container",
        "mediastore",
        Step("ListContainers", "Containers", rename={"Name": "ContainerName"}),
        id="{Name}",
        arn="{ARN}",
        tags="",
        details=(
            Step(
                "GetContainerPolicy",
                "Policy",
                _CONTAINER,
                into="Policy",
                none=("PolicyNotFoundException",),
                gone=("ContainerNotFoundException",),
            ),
            Step(
                "ListTagsForResource",
                "Tags",
                {"Resource": "{ARN}"},
                gives=("tags",),
                gone=("ContainerNotFoundException",),
            ),
        ),
    ),
)
