"""Policies that code writes as JSON text with variables in it, as ``!Sub '{"Statement": … "${Queue.Arn}" …}'``.

The text as a whole is not known, but where the variables stand is: each text inside that has one is
unresolved by itself, and the rest of the policy is known.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from policyengine.model.values import Unresolved

_HOLE: Final = re.compile(r"\$\{([^}]*)\}")
_MARK: Final = "\ue000{}\ue001"  # private use: no policy has these
_MARKED: Final = re.compile("\ue000([0-9]+)\ue001")
_LONGEST: Final = 1_000_000
_DEEPEST: Final = 64


def parsed(value: Any) -> Any:
    """Return the policy that an unresolved JSON text is; the value itself where it is none."""
    if (
        not isinstance(value, Unresolved)
        or value.parts is None
        or not value.parts[0].lstrip().startswith("{")
    ):
        return value
    text = value.parts[0] + "".join(_MARK.format(i) + part for i, part in enumerate(value.parts[1:]))
    if len(text) > _LONGEST or text.count("{") + text.count("[") > _LONGEST // 100:
        return value
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return value
    names = _HOLE.findall(value.detail)
    return _marked(document, value, names if len(names) == len(value.parts) - 1 else [], 0)


def _marked(item: Any, value: Unresolved, names: list[str], depth: int) -> Any:
    if depth > _DEEPEST:
        return value
    if isinstance(item, str):
        return _text(item, value, names)
    if isinstance(item, dict):
        if any(_MARKED.search(key) for key in item):
            return value
        return {key: _marked(one, value, names, depth + 1) for key, one in item.items()}
    if isinstance(item, list):
        return [_marked(one, value, names, depth + 1) for one in item]
    return item


def _text(text: str, value: Unresolved, names: list[str]) -> Any:
    """Return a text, unresolved where it has variables: with what it refers to, if that is one thing."""
    pieces = _MARKED.split(text)
    if len(pieces) == 1:
        return text
    parts, holes = tuple(pieces[::2]), [int(number) for number in pieces[1::2]]
    called = [names[hole] if names else "…" for hole in holes]
    detail = parts[0] + "".join(f"${{{name}}}{part}" for name, part in zip(called, parts[1:], strict=True))
    id_, dot, attribute = called[0].partition(".")
    target = (id_, attribute) if dot and len(called) == 1 else None
    return Unresolved(value.reason, detail, present=True, target=target, parts=parts)
