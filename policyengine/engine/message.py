"""The sentences of findings: a rule's message with its values filled in, and values as people read them.

A message is read by somebody who does not know the rule, so it never says ``(not set)`` within
brackets of its own, ``1 days``, or nothing at all for an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from policyengine.engine.access import Mistyped
from policyengine.model.finding import Evidence
from policyengine.model.reasons import sentence
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, UNRESOLVED_REASONS, Unresolved

Parts = Sequence[str | tuple[str]]

_COUNTED: Final = re.compile(
    r"^( (?:critical )?(?:day|hour|second|hop|node|replica|character|finding|vault|zone|region))s\b"
)
_MOST_PATHS: Final = 8


def split(text: str) -> list[str | tuple[str]]:
    """Split a message into texts and the names (in tuples) whose values go between them."""
    parts: list[str | tuple[str]] = []
    while "{" in text:
        before, _, text = text.partition("{")
        name, _, text = text.partition("}")
        parts += [before, (name,)]
    return [*parts, text]


def fill(parts: Parts, value_of: Callable[[str], str]) -> str:
    """Put values between the texts of a message, and the words around them right.

    After ``is`` and within brackets ``(not set)`` loses its own brackets; ``1 days`` becomes ``1 day``.
    """
    said = ""
    one = False
    for part in parts:
        if isinstance(part, str):
            said += _singular(part) if one else part
            one = False
            continue
        value = value_of(part[0])
        if value in _BRACKETED and said.endswith((" is ", " are ", "(")):
            value = value[1:-1]
        said += value
        one = value == "1"
    return said


def _singular(text: str) -> str:
    if text == " are required":
        return " is required"
    return _COUNTED.sub(r"\1", text)


SENTENCES: Final = frozenset({"request_allowed", "request_not_denied", "request_denied"})
"""Reasons whose evidence is a request in a sentence, which is read whole or not at all."""
SENTENCE: Final = 500
NOT_SET, NOT_KNOWN, EMPTY = "(not set)", "(not known)", "(empty)"
_BRACKETED: Final = frozenset({NOT_SET, NOT_KNOWN, EMPTY})


def show(value: Any, limit: int = 80) -> str:
    """Return a value as messages show it; a reference by what it refers to."""
    if value is ABSENT or value is None:
        return NOT_SET
    if isinstance(value, Unresolved):
        if value.target is not None:
            return f"`{value.target[0]}`"
        return show(value.detail, limit) if value.detail else NOT_KNOWN
    if isinstance(value, Mistyped):
        return show(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        text = ", ".join(show(v, limit) for v in value) or EMPTY
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{k}: {show(v, limit)}" for k, v in value.items()) + "}"
    else:
        text = str(value) or '""'
    return text if len(text) <= limit else text[: limit - 1] + "…"


def dotted(path: Path) -> str:
    """Return a path as rules write it."""
    return ".".join(str(step) for step in path)


def all_paths(evidence: Sequence[Evidence]) -> str:
    """Return the distinct paths of evidence; tags by their keys alone."""
    paths = [e.path[1:] if e.path[:1] == ("tags",) and len(e.path) > 1 else e.path for e in evidence]
    shown = list(dict.fromkeys(dotted(path) for path in paths if path))
    more = len(shown) - _MOST_PATHS
    return ", ".join(shown[:_MOST_PATHS]) + (f" and {more} more" if more > 0 else "")


def unknown_sentence(reason: str, evidence: Sequence[Evidence]) -> str:
    """Say which value is not known and why."""
    about = next((e for e in evidence if e.reason == reason), None)
    if about is None:
        return sentence(reason)
    name = dotted(about.path) or "the resource"
    if isinstance(about.observed, Unresolved):
        if not about.path:
            return f"{about.expected}: {about.observed.describe()}"
        return f"`{name}` is not known: {about.observed.describe()}"
    if reason in UNRESOLVED_REASONS:
        return f"{about.expected}: {sentence(reason)}"
    seen = fill([f"`{name}` is ", ("value",), ""], lambda _: show(about.observed))
    return f"{seen}, where {about.expected} was expected: {sentence(reason)}"


def excluded_sentence(evidence: Sequence[Evidence]) -> str:
    """Say which value keeps a resource out of a rule."""
    if not evidence:
        return "the rule's `when` excludes this resource"
    first = evidence[0]
    if first.reason in SENTENCES:
        return f"{show(first.observed, SENTENCE)}; the rule asks for {first.expected}"
    name = f"`{dotted(first.path)}`" if first.path else "the resource"
    seen = fill([f"{name} is ", ("value",), ""], lambda _: show(first.observed))
    if first.expected.startswith(("a ", "an ")):
        return f"{seen}; the rule asks for {first.expected}"
    return f"{seen}; the rule is about resources where it is {first.expected}"
