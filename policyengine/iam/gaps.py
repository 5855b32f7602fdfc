"""Statements of which something is not known: what they surely say, and the most they can say.

A text that is not known is an :class:`Opaque` in its place (in a list: any number of texts). Such a
statement is read as two: one without the unknown texts, which applies only where the statement surely
does, and one with the widest patterns in their place, marked ``opaque``. An Allow or a Deny is the union
of the two, because an element that names several things applies to each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policyengine.iam.opaque import Opaque, PartText

NO_PART: Final = object()
"""An element that can be said to hold for nothing."""

_ELEMENTS: Final = {
    "action": ("Action", False), "notaction": ("Action", True),
    "resource": ("Resource", False), "notresource": ("Resource", True),
    "principal": ("Principal", False), "notprincipal": ("Principal", True),
}  # fmt: skip
_ACTION: Final = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+\Z")

Statement = Mapping[str, Any]


def gap_in(value: Any) -> Opaque | None:
    """Return the first Opaque in a JSON value, None where there is none."""
    waiting = [value]
    while waiting:
        at = waiting.pop()
        if isinstance(at, Opaque):
            return at
        if isinstance(at, dict):
            waiting.extend(at.values())
        elif isinstance(at, list):
            waiting.extend(at)
    return None


def hide_variables(value: Any, why: Opaque) -> Any:
    """Return the value with ``why`` for each text with ``${``, where it is not known what that means."""
    if isinstance(value, str):
        return why if "${" in value else value
    if isinstance(value, list):
        return [hide_variables(item, why) for item in value]
    if isinstance(value, dict):
        return {key: hide_variables(item, why) for key, item in value.items()}
    return value


def split(statement: Statement, arns: bool) -> Iterator[tuple[Statement, Opaque | None]]:
    """Yield what a statement surely says, if that is anything, and the most it can say with the reason.

    ``arns``: its resources are ARNs. A statement without gaps, or one that is none, is yielded as it is.
    """
    gap = gap_in(statement)
    if gap is None or any(name in statement and f"Not{name}" in statement for name, _ in _ELEMENTS.values()):
        yield statement, None
        return
    sure: dict[str, Any] | None = {}
    wide: dict[str, Any] = {}
    for name, value in statement.items():
        certain, most = _element(name, value, arns)
        if certain is NO_PART:
            sure = None
        elif sure is not None:
            sure.update(certain)
        wide.update(most)
    if sure is not None:
        yield sure, None
    effects = ("Allow", "Deny") if "Effect" not in wide else (wide["Effect"],)
    for effect in effects:
        yield {**wide, "Effect": effect}, gap


def has_conditions(block: Any) -> bool:
    """Say whether a condition block surely holds a condition, though it may not be known which."""
    operators = block.values() if isinstance(block, dict) else ()
    return any(_is_there(v) for keys in operators if isinstance(keys, dict) for v in keys.values())


def _is_there(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_there, value))
    return not isinstance(value, Opaque) or value.present


def _element(name: str, value: Any, arns: bool) -> tuple[Any, dict[str, Any]]:
    """Return (what to put for certain, the widest) for one element, or NO_PART for the first."""
    if gap_in(value) is None:
        return {name: value}, {name: value}
    lowered = name.lower()
    if lowered == "sid":
        return {}, {}
    if lowered == "condition":
        return _conditions(name, value)
    if lowered not in _ELEMENTS:
        return NO_PART, {}
    element, negated = _ELEMENTS[lowered]
    if element == "Principal":
        return _principals(name, value, negated)
    known, gaps = _parted(value)
    globs = [glob for gap in gaps for glob in _globs(gap, element, arns)]
    if not negated:
        return ({name: known} if known else NO_PART), {name: [*known, *globs]}
    # what is left out for certain is all that may be; what may be left in is all but what is known
    certain = {name: [*known, *globs]} if "*" not in globs else NO_PART
    return certain, ({name: known} if known else {element: "*"})


def _parted(value: Any) -> tuple[list[Any], list[Opaque]]:
    listed = value if isinstance(value, list) else [value]
    gaps = [item for item in listed if isinstance(item, Opaque)]
    return [item for item in listed if not isinstance(item, Opaque)], gaps


def _globs(gap: Opaque, element: str, arns: bool) -> tuple[str, ...]:
    """Return the narrowest patterns one of which surely matches whatever an unknown text matches."""
    text = _joined(gap)
    if text is None:
        return ("*",)
    if element == "Action":
        return (text if _ACTION.match(text) else "*",)
    if arns and not text.startswith("arn:"):
        # the text is an ARN, or it is `*`, which has no known parts
        return _arns_that_end_in(text.lstrip("*")) if text.startswith("*") else ("*",)
    return (text,)


def _arns_that_end_in(rest: str) -> tuple[str, ...]:
    """Return patterns for an unknown text followed by ``rest``, which may hold (some of) `arn:` itself."""
    known, star, _ = rest.partition("*")
    starts = ("", "a", "ar", "arn")
    if star and any(len(start + known) < 4 and "arn:".startswith(start + known) for start in starts):
        return ("*",)
    return (f"arn:*{rest}", *(start + rest for start in starts if (start + rest).startswith("arn:")))


def _joined(gap: Opaque) -> str | None:
    """Return the known parts with stars between them; None where nothing is known."""
    if not isinstance(gap, PartText) or not any(gap.parts):
        return None
    if any("${" in part and "}" not in part.rpartition("${")[2] for part in gap.parts):
        return None
    return "*".join(gap.parts)


def _principals(name: str, value: Any, negated: bool) -> tuple[Any, dict[str, Any]]:
    everyone = {"Principal": "*"}
    if not isinstance(value, dict):
        return NO_PART, everyone
    known: dict[str, Any] = {}
    wide: dict[str, Any] = {}
    for kind, names in value.items():
        found, gaps = _parted(names)
        if found:
            known[kind] = found
        wide[kind] = [*found, "*"] if gaps else found
        if gaps and kind.lower() == "canonicaluser":
            return ({name: known} if known and not negated else NO_PART), everyone
    if negated:
        return NO_PART, ({name: known} if known else everyone)
    return ({name: known} if known else NO_PART), {name: wide}


def _conditions(name: str, value: Any) -> tuple[Any, dict[str, Any]]:
    """Every condition must hold: one of which too little is known holds never, or is left out."""
    if not isinstance(value, dict):
        return NO_PART, {}
    sure: dict[str, Any] | None = {}
    wide: dict[str, Any] = {}
    for operator, keys in value.items():
        if not isinstance(keys, dict):
            sure = None
            continue
        certain: dict[str, Any] = {}
        most: dict[str, Any] = {}
        for key, values in keys.items():
            holds, may_hold = _values(operator.lower(), values)
            if holds is NO_PART:
                sure = None
            else:
                certain[key] = holds
            if may_hold is not NO_PART:
                most[key] = may_hold
        if sure is not None:
            sure[operator] = certain
        if most:
            wide[operator] = most
    return (NO_PART if sure is None else {name: sure}), ({name: wide} if wide else {})


def _values(operator: str, values: Any) -> tuple[Any, Any]:
    """Return values under which a condition surely holds, and those under which it may."""
    known, gaps = _parted(values)
    if not gaps:
        return values, values
    globs = [_joined(gap) for gap in gaps] if "string" in operator and "like" in operator else [None]
    some = [glob for glob in globs if glob is not None]
    all_or_none = [*known, *some] if len(some) == len(globs) else NO_PART
    few = known or NO_PART
    # more values make a condition weaker, and a negated one stronger
    return (all_or_none, few) if "not" in operator else (few, all_or_none)
