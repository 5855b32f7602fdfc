"""One statement more in the text of a policy; every other byte of it stays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policyengine.iam.documents import MAX_CHARACTERS, MAX_DEPTH, parse_json, read_value, too_deep
from policyengine.iam.errors import PolicyError, shown

_SPACE: Final = " \t\r\n"
_VERSION: Final = "2012-10-17"


def with_statement(text: str | None, statement: Mapping[str, Any]) -> str:
    """Return the text of a policy with a statement after its last one; None is no policy yet.

    A single statement that is no list becomes a list of two. Removing what was put in gives the text back, byte for
    byte. Raises PolicyError for a text that is no policy.
    """
    added = _compact(statement)
    if text is None:
        return _compact({"Version": _VERSION, "Statement": [statement]})
    if len(text) > MAX_CHARACTERS:
        raise PolicyError(
            (), f"the document has {len(text)} characters", expected=f"at most {MAX_CHARACTERS}"
        )
    if too_deep(text, MAX_DEPTH):
        raise PolicyError((), f"nested deeper than {MAX_DEPTH} levels")
    start, end, value = _statements(text)
    if isinstance(value, dict):
        return f"{text[:start]}[{text[start:end]},{added}]{text[end:]}"
    last = len(text[: end - 1].rstrip(_SPACE))
    comma = "," if value else ""
    return f"{text[:last]}{comma}{added}{text[last:]}"


def free_sid(text: str | None, wanted: str) -> str:
    """Return the Sid, with a number behind it where a statement of the policy has it already. Raises PolicyError."""
    taken = set()
    if text is not None:
        _, _, value = _statements(text)
        for statement in value if isinstance(value, list) else [value]:
            taken |= {v for k, v in statement.items() if k.lower() == "sid"}
    number = 1
    sid = wanted
    while sid in taken:
        number += 1
        sid = f"{wanted}{number}"
    return sid


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _statements(text: str) -> tuple[int, int, Any]:
    """Return where the value of the element Statement begins and ends, and the value."""
    if not isinstance(parse_json(text), dict):
        raise PolicyError((), "not a policy", shown(text), "an object with `Statement`")
    found = [(s, e, v) for key, s, e, v in _members(text) if key.lower() == "statement"]
    if len(found) != 1:
        raise PolicyError((), "has no `Statement`" if not found else "`Statement` stands twice in one object")
    value = found[0][2]
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in listed):
        raise PolicyError(("Statement",), "no statements", shown(value), "an object or a list of objects")
    return found[0]


def _members(text: str) -> Iterator[tuple[str, int, int, Any]]:
    """Yield the members of a JSON object that was parsed before: key, where its value begins and ends, the value."""
    at = _after_space(text, 0) + 1
    while True:
        at = _after_space(text, at)
        if text[at] == "}":
            return
        key, at = read_value(text, at)
        start = _after_space(text, _after_space(text, at) + 1)
        value, end = read_value(text, start)
        yield key, start, end, value
        at = _after_space(text, end)
        at += text[at] == ","


def _after_space(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at
