"""JSON as lines that a person compares: images of resources, arguments of calls, policies that are kept as text.

INVARIANT: two values that differ have different lines. A text that is JSON itself is shown as what it says; of its
bytes there is a digest, so that a difference of spelling alone is seen too.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

ROOM: Final = 88
"""Columns of a mapping or list that stays on one line."""
_APART: Final = frozenset(" ,\"'{}[]`<>…")
_CONTEXT: Final = 2
_DEEPEST: Final = 40
"""Levels of a text that are shown as structure; what is deeper stays text."""


def lines(value: Any, known: Mapping[str, Any] | None = None) -> list[str]:
    """Return a JSON value as indented lines: ``name: value``, ``- item``; members by name, small ones on one line.

    ``known``: name -> a value that is shown elsewhere. A text that says one of them is told by its name instead.
    """
    return list(_block(value, known or {}))


def inline(value: Any) -> str:
    """Return a JSON value on one line, members by name."""
    answer = _answer(value)
    if answer:
        return answer
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{name_text(name)}: {inline(each)}" for name, each in sorted(value.items()))
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def name_text(name: str) -> str:
    """Return a member's name, in quotes where it could be taken for something else."""
    plain = name and not set(name) & _APART and name.isprintable() and not name.startswith("-")
    return name if plain else json.dumps(name, ensure_ascii=False)


def difference(before: Any, after: Any) -> Iterator[str]:
    """Yield what differs, each line with its sign (``-``, ``+`` or a blank), two lines around it and the lines it is
    under; ``…`` stands for what was left out."""
    old, new = lines(before, named_in(before)), lines(after, named_in(after))
    shown = -1
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        first = group[0][1]
        above = [number for number in _above(old, first) if number > shown]
        for number in above:
            if number > shown + 1:
                yield "  …"
            yield f"  {old[number]}"
            shown = number
        if first > shown + 1:
            yield "  …"
        for tag, i, j, k, m in group:
            if tag == "equal":
                yield from (f"  {line}" for line in old[i:j])
            else:
                yield from (f"- {line}" for line in old[i:j])
                yield from (f"+ {line}" for line in new[k:m])
        shown = group[-1][2] - 1
    if 0 <= shown < len(old) - 1:
        yield "  …"


def named_in(value: Any) -> dict[str, Any]:
    """Return the members of a mapping that are mappings or lists, which texts beside them may say again."""
    if not isinstance(value, Mapping):
        return {}
    return {f"`{name}`": each for name, each in value.items() if isinstance(each, Mapping | list) and each}


def said_by(text: Any) -> Any:
    """Return what a text of JSON says, a mapping or a list; None for anything else."""
    if not isinstance(text, str) or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return found if _shallow(found, _DEEPEST) else None


def holds_text(value: Any) -> bool:
    """Whether a value is or holds a text that is JSON itself."""
    if isinstance(value, Mapping):
        return any(map(holds_text, value.values()))
    return any(map(holds_text, value)) if isinstance(value, list) else said_by(value) is not None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is there twice")
    return found


def _shallow(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_shallow(each, levels - 1) for each in inner)


def _answer(value: Any) -> str:
    if isinstance(value, Mapping) and "$answer" in value:
        return f"<{value['$answer']['path']} of step `{value['$answer']['step']}`>"
    return ""


def _block(value: Any, known: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, Mapping) and value and not _answer(value):
        for name in sorted(value):
            yield from _labelled(f"{name_text(name)}:", value[name], known)
    elif isinstance(value, list) and value:
        for each in value:
            yield from _labelled("-", each, known)
    else:
        yield inline(value)


def _labelled(label: str, value: Any, known: Mapping[str, Any]) -> Iterator[str]:
    said = said_by(value)
    if said is not None:
        stamp = f"JSON text sha256:{hashlib.sha256(value.encode(errors='surrogatepass')).hexdigest()[:12]}"
        name = next((name for name, each in known.items() if each == said), None)
        if name is not None:
            yield f"{label} {stamp}, which says {name}"
            return
        yield f"{label} {stamp}"
        value = said
    elif _small(value):
        yield f"{label} {inline(value)}"
        return
    else:
        inner = list(_block(value, known))
        if label == "-":  # the first member stands beside its dash
            yield f"- {inner[0]}"
            yield from (f"  {line}" for line in inner[1:])
            return
        yield label
        yield from (f"  {line}" for line in inner)
        return
    yield from (f"  {line}" for line in _block(value, known))


def _small(value: Any) -> bool:
    """Whether a value stays on one line: scalars, and what holds only scalars and is short."""
    if not isinstance(value, Mapping | list) or _answer(value):
        return True
    parts = list(value.values()) if isinstance(value, Mapping) else value
    plain = all(not isinstance(each, Mapping | list) and said_by(each) is None for each in parts)
    return plain and len(inline(value)) <= ROOM


def _above(old: list[str], number: int) -> list[int]:
    """Return the numbers of the lines that a line is under, the outermost first."""
    found: list[int] = []
    if number >= len(old):
        return found
    indent = _indent(old[number])
    for above in range(number - 1, -1, -1):
        if _indent(old[above]) < indent:
            found.append(above)
            indent = _indent(old[above])
    return found[::-1]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
