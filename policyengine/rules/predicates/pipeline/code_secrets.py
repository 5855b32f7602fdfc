"""Predicate about secrets that stand in code: a password in a template is in every clone of the repository."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.redacted import was_written
from policyengine.model.resource import Path
from policyengine.model.values import NEVER_SHOWN, OpenDict, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_DYNAMIC: Final = "{{resolve:"
_SECURE: Final = ("{{resolve:secretsmanager:", "{{resolve:ssm-secure:")
"""Beginnings of dynamic references whose values CloudFormation neither stores nor shows; ``{{resolve:ssm:`` reads
a parameter in plain text
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html)."""
_PARAMETER: Final = "parameter `"
"""Begins what sources say of a parameter that has no value; one with a default that is not shown is ``redacted``."""
_EXPECTED: Final = "a reference to where the secret is kept"


def by_reference(subject: Subject, *, properties: Sequence[str]) -> Answer:
    """TRUE when what stands at each of these paths, through lists, is not written out."""
    doubts: list[Evidence] = []
    shown: Evidence | None = None
    for name in properties:
        steps = name.split(".")
        for path, value in _at(subject.resource.properties, steps, ()):
            if _never_shown(subject, value):
                continue
            known = _dynamic(value)
            if isinstance(known, Unresolved) and not was_written(known):
                if not (_final(path) == steps[-1] and _kept_elsewhere(known)):
                    doubts.append(Evidence(path, value, _EXPECTED, known.reason))
            elif _written(known):
                return Answer(FALSE, (Evidence(path, value, _EXPECTED, "value_mismatch"),))
            shown = shown or Evidence(path, value, _EXPECTED, "requirement_met")
    if doubts:
        return Answer(UNKNOWN, tuple(doubts))
    return Answer(TRUE, (shown,) if shown else ())


def _never_shown(subject: Subject, value: Any) -> bool:
    """Whether this is of a running resource, and AWS tells it to nobody: no code is looked at."""
    running = subject.resource.file is None and isinstance(value, Unresolved)
    return running and value.reason == "not_collected" and value.detail == NEVER_SHOWN


def _dynamic(value: Any) -> Any:
    """Return the text of a dynamic reference, which sources do not resolve; any other value as it is."""
    is_reference = isinstance(value, Unresolved) and value.detail.startswith(_DYNAMIC)
    return value.detail if is_reference else value


def _final(path: Path) -> str | int:
    return path[-1] if path else ""


def _kept_elsewhere(value: Unresolved) -> bool:
    """Whether the value comes from a parameter without default, a secret or another resource of the source."""
    if value.parts is not None and any(value.parts):
        return value.parts[0].startswith(_SECURE)
    if value.reason == "unresolved_reference":
        return value.target is not None or value.detail.startswith(_PARAMETER)
    return value.reason == "known_after_apply"


def _written(value: Any) -> bool:
    """Whether this is a secret that stands here; an empty text is none."""
    if isinstance(value, Unresolved):
        return was_written(value)
    if isinstance(value, str):
        return bool(value) and not value.startswith(_SECURE)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _at(value: Any, steps: Sequence[str], at: Path) -> Iterator[tuple[Path, Any]]:
    """Yield what stands at the end of a path, and what is not known on the way; lists are stepped through."""
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _at(inner, steps, (*at, index))
        if isinstance(value, OpenList):
            yield at, value.more
    elif not steps or isinstance(value, Unresolved):
        yield at, value
    elif isinstance(value, dict) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:], (*at, steps[0]))
    elif isinstance(value, OpenDict):
        yield (*at, steps[0]), value.more


PREDICATES: Final[tuple[Predicate, ...]] = (
    Predicate(
        "code.secrets_by_reference",
        by_reference,
        "No secret property has its value written in the code.",
        {"properties": Arg("list:string", help="paths of properties that hold a secret; lists have no step")},
    ),
)
