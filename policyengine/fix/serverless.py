"""Changes of what SAM makes, as changes of the resource it is made from.

Only resources that keep their name in the translation; SAM's own names of properties:
https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-resources-and-properties.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from policyengine.fix.changes import APPEND, Change, Put
from policyengine.fix.derive import NotMechanicalError
from policyengine.model.resource import Path

_MADE: Final[Mapping[str, tuple[str, Mapping[Path, Path]]]] = {
    "AWS::Serverless::Function": ("AWS::Lambda::Function", {("TracingConfig", "Mode"): ("Tracing",)}),
    "AWS::Serverless::SimpleTable": (
        "AWS::DynamoDB::Table",
        {
            steps: steps
            for steps in (
                ("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"),
                ("SSESpecification", "SSEEnabled"),
            )
        },
    ),
}
"""SAM type -> the type it becomes under its own name, and property of that -> property of SAM's."""


def makes(serverless: Any, type_: str) -> bool:
    """Say whether a type of SAM becomes ``type_`` under the same name, and is known here."""
    return isinstance(serverless, str) and _MADE.get(serverless, ("",))[0] == type_


def written(changes: Iterable[Change], serverless: str) -> list[Change]:
    """Return changes of what is made as changes of what is written. Raises NotMechanicalError."""
    names = _MADE[serverless][1]
    found: list[Change] = []
    for change in changes:
        if not isinstance(change, Put):
            raise NotMechanicalError(f"`{serverless}` is not edited in this way")
        if change.steps == ("Tags", APPEND):
            tag = change.value
            found.append(Put(change.resource, ("Tags", tag["Key"]), tag["Value"], change.effects))
        elif change.steps in names:
            found.append(Put(change.resource, names[change.steps], change.value, change.effects))
        else:
            steps = ".".join(map(str, change.steps))
            raise NotMechanicalError(f"`{serverless}` has no property for `{steps}`")
    return found
