"""The offending lines with numbers and carets, whatever the lines hold.

Only lines inside the finding's span are shown. A value that follows a key which names a secret is
replaced by ``***`` unless it is a reference, because reports end in build logs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from policyengine.model.location import Location
from policyengine.reports.text import display_width, visible

MAX_LINES = 5
MAX_COLUMNS = 100_000  # of one source line looked at: a minified template is one line
# Possessive quantifiers: a line of a megabyte of spaces costs no more than any other.
_SECRET = re.compile(
    r"""(?ix) ((?:password|passphrase|secret|secretkey|secretstring|token|apikey|privatekey)
        ["']?+\s*+[:=]\s*+["']?+)  (?!\s*+(?:[!{\[$]|true\b|false\b|$)) [^\s"',}][^"',}]*+"""
)
_TOKEN_END = re.compile(r"[\s,\]}]|$")


class FrameLine(NamedTuple):
    """One line of a frame: ``number`` is None for marks; ``text`` is safe to print."""

    number: int | None
    text: str
    is_mark: bool = False


def frame(lines: Sequence[str], place: Location, width: int, caret: str = "^") -> list[FrameLine]:
    """Return the lines of ``place``, at most ``width`` columns wide, [] when it is not in ``lines``."""
    first = place.line
    if first is None or not 1 <= first <= len(lines):
        return []
    last = min(max(place.end_line or first, first), len(lines))
    if place.end_line and place.end_line > first and (place.end_column or 2) <= 1:
        last = max(first, min(last, place.end_line - 1))  # the span ends before this line begins
    if last == first:
        return _one_line(lines[first - 1], first, place, width, caret)
    shown = range(first, min(last, first + MAX_LINES - 1) + 1)
    texts = [_shown(lines[number - 1]) for number in shown]
    indent = min((len(t) - len(t.lstrip()) for t in texts if t.strip()), default=0)
    margin = max(0, indent - 4)
    found = [
        FrameLine(number, _crop(text[margin:], 0, width)[0])
        for number, text in zip(shown, texts, strict=True)
    ]
    if last > shown[-1]:
        found.append(FrameLine(None, f"... {last - shown[-1]:,} more lines", is_mark=False))
    return found


def _one_line(raw: str, number: int, place: Location, width: int, caret: str) -> list[FrameLine]:
    start = max(0, min((place.column or 1) - 1, len(raw)))
    if place.column is None:
        start = len(raw) - len(raw.lstrip())
    end = (
        place.end_column - 1 if place.end_column and place.end_column - 1 > start else _token_end(raw, start)
    )
    end = min(end, len(raw))
    text = _shown(raw)
    before = visible(raw[:start].expandtabs(4))[: len(text)]
    marked = visible(raw[:end].expandtabs(4))[len(before) :]
    margin = max(0, min(len(text) - len(text.lstrip()), len(before)) - 4)
    line, moved = _crop(text[margin:], len(before) - margin, width)
    offset = display_width(before[margin:]) - moved
    room = max(1, min(display_width(line) - offset, width - offset))
    mark = " " * offset + caret * max(1, min(display_width(marked), room))
    return [FrameLine(number, line), FrameLine(None, mark, is_mark=True)]


def _token_end(raw: str, start: int) -> int:
    if start < len(raw) and raw[start] in "\"'":
        closing = raw.find(raw[start], start + 1)
        if closing > 0:
            return closing + 1
    found = _TOKEN_END.search(raw, start)
    return max(start + 1, found.start() if found else len(raw))


def _shown(raw: str) -> str:
    return visible(_SECRET.sub(r"\1***", raw[:MAX_COLUMNS]).expandtabs(4).rstrip())


def _crop(text: str, focus: int, width: int) -> tuple[str, int]:
    """Return at most ``width`` columns of ``text`` around index ``focus``, and how many columns to its left went."""
    if display_width(text) <= width:
        return text, 0
    start = 0
    while display_width(text[start:focus]) > width * 2 // 3:
        start += max(1, (focus - start) // 3)
    piece = text[start : start + width]
    while display_width(piece) > width:
        piece = piece[:-1]
    moved = display_width(text[:start])
    if start + len(piece) < len(text):
        piece = piece[:-1] + "…"
    if start > 0:
        moved += display_width(piece[0]) - 1
        piece = "…" + piece[1:]
    return piece, moved
