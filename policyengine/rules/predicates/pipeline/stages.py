"""What stands between a commit and production in the stages of a CodePipeline pipeline.

A production stage is one whose name says so; where no name does, the last stage that deploys. Stages run one after
the other, the actions of a stage by run order, equal ones side by side
(https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-pipeline-structure.html): what must come before
production stands in an earlier stage, or in the stage with a lower run order than everything that changes production. A
stage that is skipped when it fails (`OnFailure.Result: SKIP`) stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.catalog.pipeline_actions import flatten
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.patterns import PatternError, compile_pattern
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_AT: Final = ("Stages",)
_HARMLESS: Final = frozenset({"Approval", "Source", "Test"})
"""Categories of actions that change nothing where the pipeline leads to."""


class _Production(NamedTuple):
    """The actions of the pipeline, the indices of the stages of production, and why there may be more."""

    actions: list[Mapping[str, Any]]
    stages: list[int]
    doubt: Unresolved | None


def reach_production(subject: Subject, *, production: Sequence[str], other: Sequence[str]) -> Answer:
    """TRUE when the pipeline has a stage of production: one of that name, or one that deploys."""
    found = _production(subject, production, other)
    expected = "a stage of production"
    if found.stages:
        name = _stage_name(found, found.stages[0])
        return Answer(TRUE, (Evidence(_AT, name, expected, "requirement_met"),))
    if found.doubt is not None:
        return Answer(UNKNOWN, (Evidence(_AT, found.doubt, expected, found.doubt.reason),))
    return Answer(FALSE, (Evidence(_AT, "no stage that deploys", expected, "none_satisfies"),))


def approved(subject: Subject, *, production: Sequence[str], other: Sequence[str]) -> Answer:
    """TRUE when a manual approval comes before everything that changes production."""

    def does(action: Mapping[str, Any]) -> bool | Unresolved:
        return _is(action, "Category", ("Approval",))

    return _before(_production(subject, production, other), does, "a manual approval")


def checked(
    subject: Subject,
    *,
    production: Sequence[str],
    other: Sequence[str],
    names: Sequence[str],
    categories: Sequence[str],
    providers: Sequence[str],
    what: str,
) -> Answer:
    """TRUE when an action of such a category, provider or name comes before everything that changes production."""

    def does(action: Mapping[str, Any]) -> bool | Unresolved:
        if _is(action, "Category", ("Approval", "Source", "Deploy")) is True:
            return False
        kinds = (_is(action, "Category", categories), _is(action, "Provider", providers))
        found = True if True in kinds else _named(_texts(action), names)
        return found or next((kind for kind in kinds if isinstance(kind, Unresolved)), False)

    return _before(_production(subject, production, other), does, what)


def rolled_back(
    subject: Subject, *, production: Sequence[str], other: Sequence[str], providers: Sequence[str]
) -> Answer:
    """TRUE when each stage of production rolls back on failure, or all that changes it there does so by itself."""
    found = _production(subject, production, other)
    expected = "OnFailure with the result ROLLBACK, or actions that roll back by themselves"
    if found.doubt is not None:
        return Answer(UNKNOWN, (Evidence(_AT, found.doubt, expected, found.doubt.reason),))
    bad: list[Evidence] = []
    doubts: list[Unresolved] = []
    for index in found.stages:
        changing = [a for a in found.actions if a["StageIndex"] == index and _changes(a)]
        result = changing[0].get("StageOnFailure", ABSENT) if changing else "ROLLBACK"
        own = [_is(action, "Provider", providers) for action in changing]
        if isinstance(result, Unresolved):
            doubts.append(result)
        elif result != "ROLLBACK" and False in own:
            observed = f"{_stage_name(found, index)}: {'no OnFailure' if result is ABSENT else result}"
            reason = "missing" if result is ABSENT else "value_mismatch"
            bad.append(Evidence(("Stages", index, "OnFailure", "Result"), observed, expected, reason))
        elif result != "ROLLBACK":
            doubts += [why for why in own if isinstance(why, Unresolved)]
    if bad:
        return Answer(FALSE, tuple(bad))
    if doubts:
        return Answer(UNKNOWN, tuple(Evidence(_AT, why, expected, why.reason) for why in doubts))
    return Answer(TRUE, (Evidence(_AT, "rolled back", expected, "requirement_met"),))


def _before(found: _Production, does: Callable[[Mapping[str, Any]], bool | Unresolved], what: str) -> Answer:
    """Decide whether an action of this kind, which can stop the pipeline, comes before production."""
    expected = f"{what} before the first stage of production, in a stage that can fail"
    doubt = found.doubt
    if not found.stages:
        why = doubt or Unresolved("unsupported", "which stage is production")
        return Answer(UNKNOWN, (Evidence(_AT, why, expected, why.reason),))
    first = found.stages[0]
    start = _start(found.actions, first)
    for action in found.actions:
        hit = does(action) if _earlier(action, first, start) else False
        if hit is True and action.get("StageOnFailure", "FAIL") == "SKIP" and action["StageIndex"] < first:
            continue
        if hit is True and doubt is None:
            shown = f"`{action.get('Name', '')}` in `{action.get('Stage', '')}`"
            return Answer(TRUE, (Evidence(_AT, shown, expected, "requirement_met"),))
        doubt = doubt or (hit if isinstance(hit, Unresolved) else None)
    if doubt is not None:
        return Answer(UNKNOWN, (Evidence(_AT, doubt, expected, doubt.reason),))
    return Answer(FALSE, (Evidence(_AT, _stage_name(found, first), expected, "none_satisfies"),))


def _earlier(action: Mapping[str, Any], first: int, start: int) -> bool:
    return action["StageIndex"] < first or (action["StageIndex"] == first and _order(action) < start)


def _start(actions: Sequence[Mapping[str, Any]], stage: int) -> int:
    """Return the lowest run order at which a stage changes something."""
    orders = [_order(a) for a in actions if a["StageIndex"] == stage and _changes(a)]
    return min(orders, default=1_000)


def _changes(action: Mapping[str, Any]) -> bool:
    category = action.get("Category", "Deploy")
    return not (isinstance(category, str) and category in _HARMLESS)


def _order(action: Mapping[str, Any]) -> int:
    order = action.get("RunOrder", 1)
    if isinstance(order, str) and order.isascii() and order.isdigit() and len(order) < 5:
        return int(order)
    return order if isinstance(order, int) else 1


def _is(action: Mapping[str, Any], name: str, values: Sequence[str]) -> bool | Unresolved:
    value = action.get(name, ABSENT)
    return value if isinstance(value, Unresolved) else value in values


def _texts(action: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what names an action: its own name, its stage's, its project's, and the commands it runs."""
    configuration = action.get("Configuration", {})
    project = configuration.get("ProjectName", "") if isinstance(configuration, Mapping) else configuration
    if isinstance(project, Unresolved) and project.target is not None:
        project = project.target[0]
    yield from (action.get("Name", ""), action.get("Stage", ""), project)
    commands = action.get("Commands", [])
    yield from commands if isinstance(commands, list) else [commands]
    if isinstance(commands, OpenList):
        yield commands.more


def _named(texts: Iterator[Any], patterns: Sequence[str]) -> bool | Unresolved:
    doubt: Unresolved | None = None
    for text in texts:
        if isinstance(text, Unresolved):
            doubt = doubt or text
        elif any(compile_pattern(pattern).fullmatch(str(text)) for pattern in patterns):
            return True
    return doubt or False


def _production(subject: Subject, production: Sequence[str], other: Sequence[str]) -> _Production:
    listed = flatten(subject.resource.properties.get("Stages", []))
    if isinstance(listed, Unresolved):
        return _Production([], [], listed)
    doubt = listed.more if isinstance(listed, OpenList) else next(_doubts(listed), None)
    actions = [action for action in listed if isinstance(action, Mapping)]
    named: list[int] = []
    for index, stage in _stages(actions).items():
        if isinstance(stage, Unresolved):
            doubt = doubt or stage
        elif _named(iter((stage,)), production) is True and _named(iter((stage,)), other) is False:
            named.append(index)
    deploying = [a["StageIndex"] for a in actions if a.get("Category") == "Deploy"]
    return _Production(actions, named or deploying[-1:], doubt)


def _doubts(actions: Sequence[Any]) -> Iterator[Unresolved]:
    """Yield what must be known of every action to say what comes before what."""
    for action in actions:
        if isinstance(action, Unresolved):
            yield action
        elif isinstance(action, Mapping):
            values = (action.get(name, ABSENT) for name in ("Category", "RunOrder", "StageOnFailure"))
            yield from (value for value in values if isinstance(value, Unresolved))


def _stages(actions: Sequence[Mapping[str, Any]]) -> dict[int, Any]:
    return {action["StageIndex"]: action.get("Stage", "") for action in actions}


def _stage_name(found: _Production, index: int) -> str:
    name = _stages(found.actions).get(index, "")
    return f"stage {index + 1}" if isinstance(name, Unresolved) else f"stage `{name}`"


def _problem(arguments: Mapping[str, Any]) -> str | None:
    for name in ("production", "other", "names"):
        for pattern in arguments.get(name) or ():
            try:
                compile_pattern(pattern)
            except PatternError as error:
                return f"`{name}`: `{pattern}`: {error}"
    return None


_STAGES: Final = {
    "production": Arg("list:string", help="patterns of the names of stages of production"),
    "other": Arg("list:string", False, (), "patterns of names that only look like it"),
}
_TYPES: Final = ("AWS::CodePipeline::Pipeline",)
PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "stages.reach_production",
        reach_production,
        "The pipeline has a stage of production: one whose name says so, or else one that deploys.",
        _STAGES,
        types=_TYPES,
        problem=_problem,
    ),
    Predicate(
        "stages.approved",
        approved,
        "A manual approval comes before everything that changes production.",
        _STAGES,
        types=_TYPES,
        problem=_problem,
    ),
    Predicate(
        "stages.checked",
        checked,
        "An action of such a kind, which can stop the pipeline, comes before everything that changes production.",
        {
            **_STAGES,
            "names": Arg(
                "list:string", False, (), "patterns of names of actions, stages, projects and commands"
            ),
            "categories": Arg("list:string", False, (), "categories of such actions"),
            "providers": Arg("list:string", False, (), "providers of such actions"),
            "what": Arg("string", help="what such an action is called in a finding"),
        },
        types=_TYPES,
        problem=_problem,
    ),
    Predicate(
        "stages.rolled_back",
        rolled_back,
        "Each stage of production is rolled back when it fails, or what changes it rolls back by itself.",
        {
            **_STAGES,
            "providers": Arg("list:string", False, (), "providers of actions that roll back by themselves"),
        },
        types=_TYPES,
        problem=_problem,
    ),
)
