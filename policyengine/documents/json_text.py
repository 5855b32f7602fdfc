"""JSON: the standard parser behind a depth check, and places found by a scanner that runs when asked."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from policyengine.documents.errors import MAX_DEPTH, MAX_VALUES, Span, fail, shown
from policyengine.model.resource import Path

_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:]|[^\s\[\]{},:"]++', re.DOTALL)
_MEMBER: Final = re.compile(r'[\s,:]*+("[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]|[^\s\[\]{},:"]++)', re.DOTALL)
_BRACKET: Final = re.compile(r'(?:[^"\[\]{}]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+[\[\]{}]', re.DOTALL)
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_STRUCTURE: Final = bytes(b for b in range(256) if b not in b'"[]{}')


class _DuplicateError(ValueError):
    """An object has a key twice; the place is looked for afterwards."""


class _NotJsonError(ValueError):
    """A number JSON does not have."""


def parse(text: str, name: str) -> tuple[Any, JsonPositions]:
    """Return the value of a JSON text and what finds places in it.

    Raises DocumentError: ``syntax``, ``duplicate_key``, ``too_deep``, ``too_many_values`` or
    ``encoding`` (half a surrogate pair, which no encoding can write).
    """
    positions = JsonPositions(text)
    if sum(map(text.count, ",[{")) > MAX_VALUES:
        raise fail(name, "too_many_values", f"holds more than {MAX_VALUES:,} values; split it")
    if _depth(text) > MAX_DEPTH:
        raise _too_deep(positions, name)
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
    except _DuplicateError:
        raise _duplicate(positions, name) from None
    except json.JSONDecodeError as error:
        what = error.msg[:1].lower() + error.msg[1:].removesuffix(" starting at")
        cut = "; is the file truncated?" if what.startswith("unterminated") or error.pos >= len(text) else ""
        message = f"not valid JSON: {what}{cut}"
        raise fail(name, "syntax", message, Span(error.lineno, error.colno)) from None
    except _NotJsonError as error:
        span = positions.span(max(text.find(str(error)), 0))
        raise fail(name, "syntax", f"not valid JSON: {shown(str(error))} is no number", span) from None
    except RecursionError:
        raise _too_deep(positions, name) from None
    match = _SURROGATE.search(text)
    if match and _has_lone_surrogate(value):
        span = positions.span(match.start())
        raise fail(name, "encoding", f"{shown(match.group())} is half a surrogate pair", span)
    return value, positions


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateError
    return found


def _constant(text: str) -> NoReturn:
    raise _NotJsonError(text)


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _NotJsonError(text)
    return number


def _int(text: str) -> int:
    if len(text) > 400:  # quadratic to convert, and no AWS number comes near
        raise _NotJsonError(text)
    return int(text)


def _depth(text: str) -> int:
    """Return how deep brackets nest outside strings, at the speed of bytes methods."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    data = text.encode("utf-8", "surrogatepass").replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(data.translate(None, _STRUCTURE).split(b'"')[::2])
    depth = deepest = 0
    for byte in brackets:
        if byte in b"[{":
            depth += 1
            if depth > deepest:
                deepest = depth
        else:
            depth -= 1
    return deepest


def _too_deep(positions: JsonPositions, name: str) -> Exception:
    depth = 0
    span = Span(1, 1)
    for token in _TOKEN.finditer(positions.text):
        mark = token.group()
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                span = positions.span(token.start())
                break
        elif mark in "]}":
            depth -= 1
    return fail(name, "too_deep", f"nested deeper than {MAX_DEPTH} levels", span)


def _duplicate(positions: JsonPositions, name: str) -> Exception:
    """Return the error for the first key that stands twice in one object; such a key exists."""
    seen: list[dict[str, int] | None] = []
    previous: tuple[str, int] = ("", 0)
    for token in _TOKEN.finditer(positions.text):
        mark, at = token.group(), token.start()
        if mark in "[{":
            seen.append({} if mark == "{" else None)
        elif mark in "]}":
            seen.pop()
        elif mark == ":" and seen and (keys := seen[-1]) is not None:
            key = json.loads(previous[0])
            if key in keys:
                first = positions.span(keys[key]).line
                message = f"duplicate key {shown(key)}: it stands on line {first} already"
                return fail(name, "duplicate_key", message, positions.span(previous[1], len(previous[0])))
            keys[key] = previous[1]
        previous = (mark, at)
    raise AssertionError("INVARIANT: the parser saw a duplicate key")


def _has_lone_surrogate(value: Any) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if not item.isascii() and any("\ud800" <= c <= "\udfff" for c in item):
                return True
        elif isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return False


class _Child:
    """Offsets of one member: its key (None in a list), its value, and the end of a scalar."""

    __slots__ = ("end", "key", "key_end", "start")

    def __init__(self, start: int, end: int | None, key: int | None, key_end: int | None) -> None:
        self.start = start
        self.end = end
        self.key = key
        self.key_end = key_end


class JsonPositions:
    """Places in a text that the parser has accepted; containers are scanned when first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._containers: dict[int, dict[str | int, _Child]] = {}
        self._ends: dict[int, int] = {}
        # short containers are quickly scanned again; so few are kept of any text
        self._long = max(256, len(text) >> 14)
        self._breaks: list[int] | None = None

    def span(self, offset: int, length: int | None = None) -> Span:
        """Return the place of an offset, with its end when a length is given (one line only)."""
        if self._breaks is None:
            self._breaks = [m.start() for m in re.finditer("\n", self.text)]
        row = bisect_right(self._breaks, offset - 1)
        column = offset - (self._breaks[row - 1] + 1 if row else 0) + 1
        if length is None:
            return Span(row + 1, column)
        return Span(row + 1, column, row + 1, column + length)

    def extents(self) -> Iterator[tuple[Path, int, int | None]]:
        """Yield nothing: JSON has no comments, and nobody else asks what stands on a line."""
        yield from ()

    def find(self, path: Path, *, key: bool) -> Span | None:
        """Return the place of ``path``, of its longest known prefix where it is nowhere."""
        first = _TOKEN.search(self.text)
        if first is None:
            return None
        here = _Child(first.start(), first.end() if first.group() not in "[{" else None, None, None)
        found = 0
        for step in path:
            child = self._children(here.start).get(step) if here.end is None else None
            if child is None:
                break
            here = child
            found += 1
        if key and found == len(path) and here.key is not None and here.key_end is not None:
            return self.span(here.key, here.key_end - here.key)
        return self.span(here.start, None if here.end is None else here.end - here.start)

    def _children(self, offset: int) -> dict[str | int, _Child]:
        known = self._containers.get(offset)
        if known is None:
            known = self._containers[offset] = dict(self._members(offset))
        return known

    def _text(self, start: int, end: int) -> str:
        """Return the string that stands between two offsets, most of which hold no escape."""
        plain = self.text[start + 1 : end - 1]
        return plain if "\\" not in plain else str(json.loads(self.text[start:end]))

    def _members(self, offset: int) -> Iterator[tuple[str | int, _Child]]:
        """Yield the members of the container that starts at ``offset``."""
        text, ends, next_member = self.text, self._ends, _MEMBER.match
        in_object = text[offset] == "{"
        index = 0
        key: tuple[int, int] | None = None
        at = offset + 1
        while True:
            token = next_member(text, at)
            assert token is not None  # the parser has accepted the text
            start, at = token.span(1)
            mark = text[start]
            if mark == "]" or mark == "}":
                return
            if in_object and key is None:
                key = start, at
                continue
            end: int | None = at
            if mark == "[" or mark == "{":
                end = None
                at = ends.get(start) or self._skip(start)
            yield (self._text(*key) if key else index), _Child(start, end, *(key or (None, None)))
            key = None
            index += 1

    def _skip(self, start: int) -> int:
        """Return where the container that starts at ``start`` ends, and note the long ones in it."""
        text, next_bracket = self.text, _BRACKET.match
        opened = [start]
        at = start + 1
        while opened:
            token = next_bracket(text, at)
            assert token is not None  # the parser has accepted the text
            at = token.end()
            if text[at - 1] in "[{":
                opened.append(at - 1)
            elif at - (first := opened.pop()) > self._long:
                self._ends[first] = at
        return at
