"""Wildcards: ``*`` is any run of characters, ``?`` exactly one. No regular expressions.

A pattern is cut at its stars; what stands between must occur in this order, and taking the leftmost
place for each loses nothing. No pattern takes more than a few passes over the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

Matcher = Callable[[str], bool]
Run = tuple[int, str]

FEW_RUNS: Final = 4
"""Up to so many texts between question marks are tried place by place; more are sought all at once."""


class _Segment:
    """What stands between two stars: ``runs`` are the texts around its question marks, with offsets."""

    __slots__ = ("_last", "_masks", "_open", "length", "runs")

    def __init__(self, characters: Sequence[str | None]) -> None:
        self.length = len(characters)
        runs: list[Run] = []
        start = 0
        for at, character in enumerate([*characters, None]):
            if character is None:
                if at > start:
                    runs.append((start, "".join(c for c in characters[start:at] if c is not None)))
                start = at + 1
        self.runs = tuple(runs)
        self._masks: dict[str, int] = {}
        if len(runs) > FEW_RUNS:
            self._open = sum(1 << at for at, character in enumerate(characters) if character is None)
            self._last = 1 << (self.length - 1)
            for at, character in enumerate(characters):
                if character is not None:
                    self._masks[character] = self._masks.get(character, self._open) | 1 << at

    def at(self, text: str, start: int) -> bool:
        """Say whether it stands at ``start``; the caller knows that there is room for it."""
        return all(text.startswith(run, start + offset) for offset, run in self.runs)

    def find(self, text: str, start: int, stop: int) -> int:
        """Return the leftmost place in ``[start, stop - length]``, or -1."""
        last = stop - self.length
        if not self.runs:
            return start if start <= last else -1
        if self._masks:
            return self._shift_and(text, start, stop)
        offset, run = self.runs[0]
        while start <= last:
            found = text.find(run, start + offset, last + offset + len(run))
            if found < 0:
                return -1
            if len(self.runs) == 1 or self.at(text, found - offset):
                return found - offset
            start = found - offset + 1
        return -1

    def _shift_and(self, text: str, start: int, stop: int) -> int:
        """Find it by keeping, in the bits of one number, every prefix that ends here."""
        state, masks, open_places = 0, self._masks, self._open
        for place in range(start, stop):
            state = ((state << 1) | 1) & masks.get(text[place], open_places)
            if state & self._last:
                return place - self.length + 1
        return -1


def compile_pieces(pieces: Sequence[tuple[str, bool]]) -> Matcher:
    """Return the matcher of a pattern in pieces; where the flag is True, stars are only stars."""
    segments: list[list[str | None]] = [[]]
    for text, literal in pieces:
        for character in text:
            if literal or character not in "*?":
                segments[-1].append(character)
            elif character == "?":
                segments[-1].append(None)
            else:
                segments.append([])
    return _matcher(segments)


@lru_cache(maxsize=32_768)
def compile_glob(pattern: str) -> Matcher:
    """Return the matcher of a pattern; the usual shapes become one string comparison."""
    if "?" in pattern:
        return compile_pieces([(pattern, False)])
    stars = pattern.count("*")
    if stars == 0:
        return pattern.__eq__
    if pattern == "*":
        return _always
    if stars == 1:
        head, _, tail = pattern.partition("*")
        if not tail:
            return lambda text: text.startswith(head)
        if not head:
            return lambda text: text.endswith(tail)
        size = len(pattern) - 1
        return lambda text: len(text) >= size and text.startswith(head) and text.endswith(tail)
    return compile_pieces([(pattern, False)])


def has_wildcard(text: str) -> bool:
    """Say whether a text holds ``*`` or ``?``."""
    return "*" in text or "?" in text


def _always(text: str) -> bool:
    return True


def _matcher(segments: list[list[str | None]]) -> Matcher:
    if len(segments) == 1:
        whole = _Segment(segments[0])
        return lambda text: len(text) == whole.length and whole.at(text, 0)
    head = _Segment(segments[0])
    tail = _Segment(segments[-1])
    middle = [_Segment(s) for s in segments[1:-1] if s]
    least = head.length + tail.length + sum(s.length for s in middle)

    def matches(text: str) -> bool:
        if len(text) < least or not head.at(text, 0) or not tail.at(text, len(text) - tail.length):
            return False
        place, stop = head.length, len(text) - tail.length
        for segment in middle:
            place = segment.find(text, place, stop)
            if place < 0:
                return False
            place += segment.length
        return True

    return matches
