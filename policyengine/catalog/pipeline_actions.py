"""The actions of a CodePipeline pipeline in one list, which rules read more easily than stages of actions.

Each element is ``{Stage, StageIndex, StageOnFailure, Name, Category, Owner, Provider, Version, Configuration,
RoleArn, Region, RunOrder, Commands, EnvironmentVariables, InputArtifacts, OutputArtifacts, TimeoutInMinutes}``,
each only where it is written. ``RunOrder`` is 1 where it is not: the actions of a stage with one run order
run side by side, a higher one waits for the lower ones
(https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html). A stage that is not
known leaves the list open, an action that is not known stands in it as what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved

_TYPE: Final = ("Category", "Owner", "Provider", "Version")
_OWN: Final = (
    "Name", "Configuration", "RoleArn", "Region", "RunOrder", "Commands", "EnvironmentVariables", "InputArtifacts",
    "OutputArtifacts", "TimeoutInMinutes",
)  # fmt: skip
_OF_STAGE: Final = {"Stage": ("Name",), "StageOnFailure": ("OnFailure", "Result")}


@dataclass(frozen=True, slots=True)
class ActionsView:
    """``into`` is the list of the actions of the stages in ``source``."""

    source: str
    into: str


def flatten(stages: Any) -> Any:
    """Return the actions of all stages in their order."""
    if isinstance(stages, Unresolved):
        return stages
    if not isinstance(stages, list):
        return Unresolved("unsupported", "`Stages` is not a list", present=True)
    found: list[Any] = []
    more = stages.more if isinstance(stages, OpenList) else None
    for index, stage in enumerate(stages):
        actions = _get(stage, "Actions")
        if isinstance(actions, list):
            found += [_action(action, index, stage) for action in actions]
            more = more or getattr(actions, "more", None)
        elif isinstance(actions, Unresolved):
            more = more or actions
    return found if more is None else OpenList(found, more)


def _action(action: Any, index: int, stage: Mapping[str, Any]) -> Any:
    if not isinstance(action, Mapping):
        return action
    found: dict[str, Any] = {"StageIndex": index, "RunOrder": 1}
    for name, steps in _OF_STAGE.items():
        _take(found, name, stage, *steps)
    for name in _TYPE:
        _take(found, name, action, "ActionTypeId", name)
    for name in _OWN:
        _take(found, name, action, name)
    return OpenDict(found, action.more) if isinstance(action, OpenDict) else found


def _take(into: dict[str, Any], name: str, source: Any, *steps: str) -> None:
    for step in steps:
        source = _get(source, step)
    if source is not ABSENT:
        into[name] = source


def _get(value: Any, step: str) -> Any:
    if isinstance(value, Unresolved):
        return value.part()
    if not isinstance(value, Mapping):
        return ABSENT
    return value[step] if step in value else getattr(value, "more", ABSENT)


def written(stages: Any, rest: Path, source: str) -> Path:
    """Return where the value at ``rest`` of the list stands below the stages."""
    at = _position(stages, rest[0]) if rest and isinstance(rest[0], int) else None
    if at is None:
        return (source,)
    stage, action = at
    here: Path = (source, stage, "Actions", action)
    name = rest[1] if len(rest) > 1 else ""
    if name == "StageIndex":
        return (source, stage)
    if name in _OF_STAGE:
        return (source, stage, *_OF_STAGE[str(name)])
    return (*here, "ActionTypeId", *rest[1:]) if name in _TYPE else (*here, *rest[1:])


def _position(stages: Any, number: int) -> tuple[int, int] | None:
    """Return the stage, and the place in it, of the action with this number."""
    for index, stage in enumerate(stages if isinstance(stages, list) else ()):
        actions = _get(stage, "Actions")
        if isinstance(actions, list):
            if number < len(actions):
                return index, number
            number -= len(actions)
    return None
