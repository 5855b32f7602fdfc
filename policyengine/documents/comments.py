"""Comments of YAML documents, found by the scanner's tokens: a ``#`` inside a text is none.

The parser forgets comments, so the text is scanned again; callers do that only where it has what they look for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from policyengine.documents.document import Document

_HEADER: Final = re.compile(r"[|>][0-9+-]{0,2}")
"""What a block text begins with (YAML 1.2, 8.1.1): a comment may follow on the same line."""

_Columns = tuple[int, int | None]
"""From 0, the end exclusive; None: to the end of the line."""


class Comment(NamedTuple):
    """``text`` begins with its ``#``; line and column start at 1. ``alone``: nothing stands before it on its line."""

    text: str
    line: int
    column: int
    alone: bool


def comments(document: Document, word: str) -> list[Comment]:
    """Return the comments of a document that have a word in them, in order; JSON has none."""
    if document.syntax != "yaml" or word not in document.text:
        return []
    lines = document.lines()
    wanted = {number for number, line in enumerate(lines) if word in line and "#" in line}
    if not wanted:
        return []
    taken = _taken(document.text, lines, wanted)
    found = (_comment(lines[number], number, taken.get(number, [])) for number in sorted(wanted))
    return [each for each in found if each is not None and word in each.text]


def _comment(line: str, number: int, taken: Sequence[_Columns]) -> Comment | None:
    """Return the comment of a line: from the first ``#`` on that no token has. ``taken`` are in order."""
    at, index = line.find("#"), 0
    while at >= 0:
        while index < len(taken) and (end := taken[index][1]) is not None and end <= at:
            index += 1
        if index == len(taken) or at < taken[index][0]:
            return Comment(line[at:], number + 1, at + 1, not line[:at].strip(" \t"))
        inside = taken[index][1]
        if inside is None:
            return None
        at = line.find("#", inside)
    return None


def _taken(text: str, lines: Sequence[str], wanted: set[int]) -> dict[int, list[_Columns]]:
    """Return the columns that tokens have on each line that is wanted."""
    found: dict[int, list[_Columns]] = {}
    for token in _tokens(text):
        start, end = token.start_mark, token.end_mark
        first = start.line
        if getattr(token, "style", None) in ("|", ">"):
            header = _HEADER.match(lines[first], start.column)
            stop = header.end() if header else start.column + 1
            found.setdefault(first, []).append((start.column, stop))
            first += 1
        for line in wanted.intersection(range(first, end.line + 1)):
            begin = start.column if line == start.line else 0
            last = end.column if line == end.line else None
            if last is None or last > begin:
                found.setdefault(line, []).append((begin, last))
    return found


def _tokens(text: str) -> Iterator[Any]:
    import yaml  # JSON needs none
    from yaml._yaml import CParser

    scanner = CParser(text)
    try:
        while (token := scanner.get_token()) is not None:
            yield token
    except yaml.YAMLError:  # the parser took the text, so there is nothing behind this place
        return
