"""CloudWatch Logs filter patterns for JSON events: read once, asked about many events.

The syntax is that of
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html:
``{ ($.a.b = "x*") && ($.c[0] NOT EXISTS || $.d > 3) }``, with ``&&`` before ``||``. Patterns for unstructured
and space-delimited text, and regular expressions between ``%``, are not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from policyengine.rules.predicates.tags.names import matches_wildcard

Test = Callable[[Mapping[str, Any]], "bool | None"]
"""Whether a pattern matches an event; None where AWS documents no answer."""

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<op>&&|\|\||[(){}]|!=|<=|>=|=|<|>)"
    r"|(?P<word>(?i:NOT\s+EXISTS|EXISTS|IS\s+NULL|IS\s+TRUE|IS\s+FALSE)\b)"
    r'|(?P<quoted>"(?:[^"\\]|\\.)*")'
    r"|(?P<plain>[^\s(){}&|=<>!\"]+))"
)
_SELECTOR: Final = re.compile(r"\$(?:\.[A-Za-z0-9_:@$-]+|\[\d+\])+")
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_MAX_LENGTH: Final = 1024
"""AWS's own limit (PutMetricFilter)."""
_MAX_BRACKETS: Final = 64
"""It bounds the depth of the parser."""
_MISSING: Final = object()


@lru_cache(maxsize=1024)
def parse(pattern: str) -> Test | None:
    """Return the test of a JSON filter pattern, None for what is none or cannot be read."""
    if len(pattern) > _MAX_LENGTH or pattern.count("(") > _MAX_BRACKETS:
        return None
    try:
        reader = _Reader(pattern.strip())
        reader.take("{")
        found = reader.either()
        reader.take("}")
        reader.end()
    except _Unreadable:
        return None
    return found


class _Unreadable(ValueError):
    """The text is no JSON filter pattern that we read."""


class _Reader:
    """A recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("", "")

    def next(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def take(self, text: str) -> None:
        if self.next() != ("op", text):
            raise _Unreadable(text)

    def end(self) -> None:
        if self.at != len(self.tokens):
            raise _Unreadable("more text")

    def either(self) -> Test:
        return self._joined("||", self.both, settled_by=True)

    def both(self) -> Test:
        return self._joined("&&", self.one, settled_by=False)

    def _joined(self, operator: str, part: Callable[[], Test], *, settled_by: bool) -> Test:
        parts = [part()]
        while self.peek() == ("op", operator):
            self.next()
            parts.append(part())
        return parts[0] if len(parts) == 1 else _join(tuple(parts), settled_by)

    def one(self) -> Test:
        if self.peek() == ("op", "("):
            self.next()
            found = self.either()
            self.take(")")
            return found
        return self.comparison()

    def comparison(self) -> Test:
        kind, selector = self.next()
        if kind != "plain" or not _SELECTOR.fullmatch(selector):
            raise _Unreadable(selector)
        steps = tuple(int(i) if i else name for name, i in _STEP.findall(selector[1:]))
        kind, operator = self.next()
        if kind == "word":
            return _state(steps, " ".join(operator.upper().split()))
        if kind != "op" or operator not in _COMPARE:
            raise _Unreadable(operator)
        kind, value = self.next()
        if kind not in ("quoted", "plain") or value.startswith("%"):
            raise _Unreadable(value)
        return _comparison(steps, operator, value, quoted=kind == "quoted")


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            if text[position:].isspace():
                break
            raise _Unreadable(text[position:])
        kind = token.lastgroup or ""
        found.append((kind, token.group(kind)))
        position = token.end()
    return found


def _join(parts: tuple[Test, ...], settled_by: bool) -> Test:
    def test(event: Mapping[str, Any]) -> bool | None:
        answers = [part(event) for part in parts]
        if settled_by in answers:
            return settled_by
        return None if None in answers else not settled_by

    return test


def _state(steps: tuple[str | int, ...], word: str) -> Test:
    wanted: dict[str, Callable[[Any], bool]] = {
        "NOT EXISTS": lambda value: value is _MISSING,
        "EXISTS": lambda value: value is not _MISSING,
        "IS NULL": lambda value: value is None,
        "IS TRUE": lambda value: value is True,
        "IS FALSE": lambda value: value is False,
    }
    check = wanted[word]
    return lambda event: check(_value(event, steps))


def _comparison(steps: tuple[str | int, ...], operator: str, text: str, *, quoted: bool) -> Test:
    expected = re.sub(r"\\(.)", r"\1", text[1:-1]) if quoted else text
    number = None if quoted else _number(expected)
    if operator not in ("=", "!="):
        if number is None:
            raise _Unreadable(text)
        return _ordered(steps, operator, number)
    negated = operator == "!="

    def test(event: Mapping[str, Any]) -> bool | None:
        value = _value(event, steps)
        if value is _MISSING or isinstance(value, dict | list):
            return None if negated else False
        return _same(value, expected, number) is not negated

    return test


def _same(value: Any, expected: str, number: float | None) -> bool:
    if isinstance(value, str):
        return matches_wildcard(expected, value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value] == expected
    return number is not None and float(value) == number


def _ordered(steps: tuple[str | int, ...], operator: str, number: float) -> Test:
    compare = _COMPARE[operator]

    def test(event: Mapping[str, Any]) -> bool | None:
        value = _value(event, steps)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return compare(float(value), number)

    return test


_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _value(event: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        if isinstance(step, int):
            if not isinstance(event, list) or step >= len(event):
                return _MISSING
            event = event[step]
        elif isinstance(event, Mapping) and step in event:
            event = event[step]
        else:
            return _MISSING
    return event
