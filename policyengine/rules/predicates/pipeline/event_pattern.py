"""EventBridge event patterns: read once, asked about events.

The operators are those of
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html: plain values, `prefix`,
`suffix`, `equals-ignore-case`, `wildcard`, `anything-but` (with each of these), `exists`, `numeric` and `$or`; a
field matches when one of its alternatives does, and a list in the event when one of its elements does. `cidr` and
what is not known (an unresolved value in pattern or event, an operator of a later date) are answered None.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from policyengine.model.values import Unresolved
from policyengine.rules.predicates.tags.names import matches_wildcard

_MISSING: Final = object()
_MAX_DEPTH: Final = 30
_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt, "<=": operator.le, "=": operator.eq, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def matches(pattern: Any, event: Mapping[str, Any], depth: int = 0) -> bool | None:
    """Return whether the event matches; None when that is not known."""
    if not isinstance(pattern, Mapping) or depth > _MAX_DEPTH:
        return None
    answers = []
    for name, wanted in pattern.items():
        if name == "$or" and isinstance(wanted, list):
            answers.append(_any(matches(one, event, depth + 1) for one in wanted))
        elif isinstance(wanted, Mapping):
            inner = event.get(name, {})
            answers.append(matches(wanted, inner if isinstance(inner, Mapping) else {}, depth + 1))
        else:
            answers.append(_field(wanted, event.get(name, _MISSING)))
    if getattr(pattern, "more", None) is not None:
        answers.append(None)
    return False if False in answers else None if None in answers else True


def _any(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    return True if True in found else None if None in found else False


def _field(wanted: Any, value: Any) -> bool | None:
    if not isinstance(wanted, list):
        return None
    values = value if isinstance(value, list) else [value]
    found = [_one(alternative, value, values) for alternative in wanted]
    if getattr(wanted, "more", None) is not None:
        found.append(None)
    return _any(found)


def _one(wanted: Any, whole: Any, values: list[Any]) -> bool | None:
    if isinstance(wanted, Unresolved):
        return True if any(_refers_alike(wanted, v) for v in values) else None
    if any(isinstance(v, Unresolved) for v in values) and not _about_existence(wanted):
        return None
    if not isinstance(wanted, Mapping):
        return any(v is not _MISSING and _same(v, wanted) for v in values)
    if len(wanted) != 1:
        return None
    name, content = next(iter(wanted.items()))
    if isinstance(content, Unresolved):
        return None
    if name == "exists":
        return (whole is not _MISSING) is content if isinstance(content, bool) else None
    if whole is _MISSING:
        return False
    if name == "anything-but":
        return _anything_but(content, values)
    return _any(_operator(name, content, v) for v in values)


def _refers_alike(wanted: Unresolved, value: Any) -> bool:
    """Say whether pattern and event name the same resource without knowing its name."""
    if not isinstance(value, Unresolved) or wanted.target is None or value.target is None:
        return False
    return wanted.target[0] == value.target[0]


def _about_existence(wanted: Any) -> bool:
    return isinstance(wanted, Mapping) and wanted.keys() == {"exists"}


def _same(value: Any, wanted: Any) -> bool:
    return type(value) is type(wanted) and bool(value == wanted)


def _anything_but(content: Any, values: list[Any]) -> bool | None:
    if isinstance(content, Mapping) and len(content) == 1:
        name, inner = next(iter(content.items()))
        listed = inner if isinstance(inner, list) else [inner]
        hit = _any(_operator(name, one, v) for one in listed for v in values)
    else:
        listed = content if isinstance(content, list) else [content]
        unknown = [None for one in listed if isinstance(one, Unresolved)]
        hit = _any([*(_same(v, one) for one in listed for v in values), *unknown])
    return None if hit is None else not hit


def _operator(name: str, content: Any, value: Any) -> bool | None:
    if name == "numeric":
        return _numeric(content, value)
    ignoring_case = isinstance(content, Mapping) and content.keys() == {"equals-ignore-case"}
    if ignoring_case and name in ("prefix", "suffix"):
        content = content["equals-ignore-case"]
    if not isinstance(content, str):
        return None
    if not isinstance(value, str):
        return False
    if ignoring_case or name == "equals-ignore-case":
        content, value = content.lower(), value.lower()
    tests: dict[str, Callable[[], bool]] = {
        "prefix": lambda: value.startswith(content),
        "suffix": lambda: value.endswith(content),
        "equals-ignore-case": lambda: value == content,
        "wildcard": lambda: matches_wildcard(content, value),
    }
    return tests[name]() if name in tests else None


def _numeric(content: Any, value: Any) -> bool | None:
    if not isinstance(content, list) or len(content) % 2:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    for sign, number in zip(content[::2], content[1::2], strict=True):
        if sign not in _COMPARE or isinstance(number, bool) or not isinstance(number, int | float):
            return None
        if not _COMPARE[sign](value, number):
            return False
    return True
