"""New values in the style of the document they are put into: indentation, line ends, quotes, flow or block."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from policyengine.documents.scalars import AmbiguousError, strict
from policyengine.fix.layout import Part

_PLAIN: Final = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./-]*(?::{1,2}[A-Za-z0-9_./-]+)*")
_SHORT: Final = {"Ref": "!Ref", "Fn::Sub": "!Sub"}


class Noted(str):
    """Text that is written with a comment behind it where the syntax has comments."""

    note: str = ""

    @classmethod
    def of(cls, text: str, note: str) -> Noted:
        """Return ``text`` with its comment."""
        made = cls(text)
        made.note = note
        return made


@dataclass(frozen=True, slots=True)
class Style:
    """What a document does everywhere: ``unit`` is one step of indentation, ``dash`` how far the elements of a
    list are indented below its key, ``colon`` and ``comma`` what follows those in one line, ``minified`` that it is
    all in one line."""

    newline: str
    unit: str
    dash: str
    colon: str
    comma: str
    minified: bool
    json: bool


def style_of(text: str, root: Part, *, is_json: bool) -> Style:
    """Return the style of a document, from what it does most."""
    at = text.find("\n")
    newline = "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"
    if is_json:
        return _json_style(text, root, newline)
    steps: Counter[str] = Counter()
    dashes: Counter[str] = Counter()
    waiting = [root]
    while waiting:
        part = waiting.pop()
        for member in part.members:
            child = member.part
            waiting.append(child)
            if member.key is None or part.flow or child.flow or not child.members:
                continue
            own = column(text, member.key_start)
            if child.kind == "map":
                steps[" " * (column(text, child.members[0].key_start) - own)] += 1
            elif text[child.start] == "-":
                dashes[" " * (column(text, child.start) - own)] += 1
    unit = steps.most_common(1)[0][0] if steps else "  "
    dash = dashes.most_common(1)[0][0] if dashes else unit
    return Style(newline, unit, dash, ": ", " ", minified=False, json=False)


def _json_style(text: str, root: Part, newline: str) -> Style:
    colon, comma, unit = ": ", " ", "  "
    minified = "\n" not in text[root.start : root.end]
    if root.members:
        first = root.members[0]
        between = text[first.key_end : first.part.start]
        colon = between if "\n" not in between else ": "
        if minified:
            comma = "" if colon == ":" else " "
        else:
            unit = indentation(text, first.key_start) or "  "
    return Style(newline, unit, "", colon, comma, minified, json=True)


def column(text: str, at: int) -> int:
    """Return how many characters stand before an offset in its line."""
    return at - (text.rfind("\n", 0, at) + 1)


def indentation(text: str, at: int) -> str:
    """Return the white space that the line of an offset begins with."""
    start = text.rfind("\n", 0, at) + 1
    end = start
    while end < len(text) and text[end] in " \t":
        end += 1
    return text[start:end]


def scalar(value: Any, style: Style, *, quote: str = "") -> str:
    """Return the text of a scalar; ``quote`` is the mark its predecessor stood in."""
    if style.json:
        return json.dumps(str(value) if isinstance(value, str) else value, ensure_ascii=False)
    if not isinstance(value, str):
        return json.dumps(value)
    if not quote and _PLAIN.fullmatch(value) and _is_text(value):
        return str(value)
    if quote == '"' or not value.isprintable():
        return json.dumps(str(value))
    return "'" + value.replace("'", "''") + "'"


def _is_text(word: str) -> bool:
    """Say whether every reader of YAML takes a word for text."""
    try:
        return strict(word) == word
    except AmbiguousError:
        return False


def in_line(value: Any, style: Style) -> str:
    """Return a value in one line, JSON or YAML's flow style."""
    if isinstance(value, dict):
        if not style.json and (short := _shortened(value, style)) is not None:
            return short
        inner = [f"{scalar(k, style)}{style.colon}{in_line(v, style)}" for k, v in value.items()]
        return "{" + f",{style.comma}".join(inner) + "}"
    if isinstance(value, list):
        return "[" + f",{style.comma}".join(in_line(v, style) for v in value) + "]"
    return scalar(value, style)


def spread(value: Any, style: Style, indent: str) -> str:
    """Return a JSON value over several lines; ``indent`` is that of the line it begins in."""
    if style.minified or not isinstance(value, dict | list) or not value:
        return in_line(value, style)
    deeper = indent + style.unit
    if isinstance(value, dict):
        inner = [f"{scalar(k, style)}{style.colon}{spread(v, style, deeper)}" for k, v in value.items()]
        marks = "{}"
    else:
        inner = [spread(v, style, deeper) for v in value]
        marks = "[]"
    body = f",{style.newline}".join(deeper + line for line in inner)
    return f"{marks[0]}{style.newline}{body}{style.newline}{indent}{marks[1]}"


def block_member(key: str, value: Any, style: Style, indent: str) -> list[str]:
    """Return the lines of ``key: value`` in YAML's block style."""
    head = indent + scalar(key, style)
    if isinstance(value, dict) and value:
        short = _shortened(value, style)
        if short is not None:
            return [f"{head}: {short}"]
        return [head + ":", *_block_members(value, style, indent + style.unit)]
    if isinstance(value, list) and value:
        return [head + ":", *(line for v in value for line in block_element(v, style, indent + style.dash))]
    return [f"{head}: {in_line(value, style)}{_note(value)}"]


def block_element(value: Any, style: Style, indent: str) -> list[str]:
    """Return the lines of ``- value`` in YAML's block style."""
    if isinstance(value, dict) and value and _shortened(value, style) is None:
        lines = _block_members(value, style, indent + "  ")
        return [f"{indent}- {lines[0].lstrip()}", *lines[1:]]
    return [f"{indent}- {in_line(value, style)}{_note(value)}"]


def _block_members(value: dict[str, Any], style: Style, indent: str) -> list[str]:
    return [line for k, v in value.items() for line in block_member(k, v, style, indent)]


def _note(value: Any) -> str:
    return f"  # {value.note}" if isinstance(value, Noted) else ""


def _shortened(value: dict[str, Any], style: Style) -> str | None:
    """Return an intrinsic function with its short tag, None for anything else."""
    if len(value) != 1:
        return None
    ((name, argument),) = value.items()
    if name in _SHORT and isinstance(argument, str):
        return f"{_SHORT[name]} {scalar(argument, style)}"
    if name == "Fn::GetAtt" and isinstance(argument, list) and all(isinstance(a, str) for a in argument):
        return f"!GetAtt {scalar('.'.join(argument), style)}"
    return None
