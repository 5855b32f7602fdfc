"""The pattern subset as a tree; see :mod:`policyengine.rules.patterns` for what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MAX_LENGTH: Final = 4_000
MAX_STATES: Final = 2_000
MAX_REPEAT: Final = 1_000
MAX_DEPTH: Final = 50

_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_HEX = {"x": 2, "u": 4, "U": 8}
_CLASSES = "dDwWsS"
_GROUPS = (
    ("(?=", "look-ahead `(?=` is not supported: write a second check and join both with `all`"),
    ("(?!", "look-ahead `(?!` is not supported: write a second check under `none`"),
    ("(?<=", "look-behind `(?<=` is not supported: spell out what stands before"),
    ("(?<!", "look-behind `(?<!` is not supported: write a second check under `none`"),
    ("(?P=", "back reference `(?P=` is not supported: spell out the alternatives"),
    ("(?P<", "a named group is not supported: write `(?:` instead of `(?P<name>`"),
    ("(?>", "an atomic group is not supported: write `(?:` instead of `(?>`"),
    ("(?(", "a conditional group is not supported: write the alternatives with `|`"),
    ("(?#", "a comment is not supported: write it beside the pattern, after `#` in YAML"),
)


class PatternError(ValueError):
    """A pattern outside the subset; ``column`` counts from 1 inside the pattern."""

    def __init__(self, column: int, message: str) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column


@dataclass(frozen=True, slots=True)
class Chars:
    """A set of characters: ranges of code points and the Unicode classes ``d``, ``w``, ``s``."""

    ranges: tuple[tuple[int, int], ...] = ()
    classes: str = ""
    negated: bool = False
    fold: bool = False

    def accepts(self, char: str) -> bool:
        """Return whether one character belongs to the set."""
        if self._holds(char):
            return not self.negated
        if self.fold and any(self._holds(other) for other in _case_variants(char)):
            return not self.negated
        return self.negated

    def _holds(self, char: str) -> bool:
        point = ord(char)
        if any(low <= point <= high for low, high in self.ranges):
            return True
        return any(_in_class(name, char) for name in self.classes)


@dataclass(frozen=True, slots=True)
class Node:
    """``chars``, ``sequence``, ``choice`` or ``repeat``; ``size`` is how many positions it makes."""

    kind: str
    size: int
    chars: Chars | None = None
    children: tuple[Node, ...] = ()
    least: int = 1
    most: int | None = 1


_EMPTY = Node("sequence", 0)


def _in_class(name: str, char: str) -> bool:
    if name.isupper():
        return not _in_class(name.lower(), char)
    if name == "d":
        return char.isdecimal()
    return char.isspace() if name == "s" else char.isalnum() or char == "_"


def _case_variants(char: str) -> tuple[str, ...]:
    upper = char.upper()
    found = (char.lower(), upper, upper.lower() if len(upper) == 1 else char)
    return tuple(other for other in found if len(other) == 1 and other != char)


def parse(text: str, marks: Mapping[str, Chars] | None = None) -> Node:
    """Return the tree of a pattern. Raises PatternError.

    With ``marks`` the anchors ``^`` and ``$`` may stand anywhere and are these sets of characters.
    """
    if len(text) > MAX_LENGTH:
        raise PatternError(MAX_LENGTH + 1, f"the pattern is longer than {MAX_LENGTH} characters: split it")
    parser = _Parser(text, marks or {})
    tree = parser.choice(0)
    if parser.at < len(text):
        raise parser.error("this `)` closes no group: write `\\)` for a parenthesis")
    return tree


class _Parser:
    """Recursive descent over the groups, so MAX_DEPTH bounds the recursion."""

    def __init__(self, text: str, marks: Mapping[str, Chars]) -> None:
        self.text = text
        self.marks = marks
        self.fold = text.startswith("(?i)")
        self.at = 4 if self.fold else 0

    def error(self, message: str, at: int | None = None) -> PatternError:
        return PatternError((self.at if at is None else at) + 1, message)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def choice(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.error(f"groups are nested deeper than {MAX_DEPTH}: write a flatter pattern")
        options = [self.sequence(depth)]
        while self.peek() == "|":
            self.at += 1
            options.append(self.sequence(depth))
        if len(options) == 1:
            return options[0]
        filled = [option for option in options if option.size]
        if len(filled) < len(options):
            filled.append(_EMPTY)  # INVARIANT: a tree has no more nodes than it has characters
        return self.sized(Node("choice", sum(o.size for o in filled), children=tuple(filled)), self.at)

    def sequence(self, depth: int) -> Node:
        items: list[Node] = []
        top = depth == 0 and not self.marks
        if top and self.peek() == "^":
            self.at += 1
        while self.at < len(self.text) and self.peek() not in "|)":
            if self.peek() == "$" and top and self.text[self.at + 1 : self.at + 2] in ("", "|"):
                self.at += 1
                break
            start = self.at
            item = self.quantified(self.atom(depth), start)
            if item.size:
                items.append(item)
        if len(items) == 1:
            return items[0]
        return self.sized(Node("sequence", sum(i.size for i in items), children=tuple(items)), self.at)

    def sized(self, node: Node, at: int) -> Node:
        if node.size > MAX_STATES:
            raise self.error(
                f"the pattern is too large ({node.size} positions, at most {MAX_STATES}): lower its counts",
                min(at, len(self.text) - 1),
            )
        return node

    def atom(self, depth: int) -> Node:
        char = self.peek()
        if char == "(":
            return self.group(depth)
        if char == "[":
            return self.set()
        if char in "*+?":
            raise self.error(f"`{char}` has nothing to repeat: write `\\{char}` for the character")
        if char in self.marks:
            return self.mark(char)
        if char in "^$":
            raise self.error(
                f"`{char}` may only stand at an end of the whole pattern: remove it, or write `\\{char}`"
            )
        if char == "\\":
            return self.one(self.escape(inside=False))
        self.at += 1
        if char == ".":
            return self.one(Chars(((10, 10),), negated=True))
        return self.one(Chars(((ord(char), ord(char)),)))

    def mark(self, char: str) -> Node:
        self.at += 1
        if self.peek() and (self.peek() in "*+?" or self.counted() is not None):
            raise self.error(f"`{char}` cannot be repeated: remove the quantifier")
        return Node("chars", 1, self.marks[char])

    def one(self, chars: Chars) -> Node:
        return Node("chars", 1, Chars(chars.ranges, chars.classes, chars.negated, self.fold))

    def group(self, depth: int) -> Node:
        start = self.at
        for opening, message in _GROUPS:
            if self.text.startswith(opening, start):
                raise self.error(message)
        if self.text.startswith("(?:", start):
            self.at += 3
        elif self.text.startswith("(?", start):
            raise self.error("flags may only be `(?i)` at the start of the pattern: write `(?:` for a group")
        else:
            self.at += 1
        inner = self.choice(depth + 1)
        if self.peek() != ")":
            raise self.error("this `(` is never closed: write `\\(` for a parenthesis", start)
        self.at += 1
        return inner

    def quantified(self, item: Node, start: int) -> Node:
        bounds = self.quantifier()
        if bounds is None:
            return item
        least, most = bounds
        if self.peek() == "?":
            self.at += 1  # laziness cannot change whether the whole text matches
        elif self.peek() == "+":
            raise self.error("a possessive quantifier is not supported: remove the second `+`")
        if self.peek() and (self.peek() in "*+?" or self.counted() is not None):
            raise self.error("two quantifiers in a row: write `(?:…)` around the first part")
        copies = max(least, 1) if most is None else most
        if item.size * copies == 0:
            return _EMPTY
        return self.sized(Node("repeat", item.size * copies, None, (item,), least, most), start)

    def quantifier(self) -> tuple[int, int | None] | None:
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        char = self.peek()
        if char in simple:
            self.at += 1
            return simple[char]
        counted = self.counted()
        if counted is None:
            return None
        least, most, end = counted
        if least > MAX_REPEAT or (most or 0) > MAX_REPEAT:
            raise self.error(f"a repeat count is larger than {MAX_REPEAT}: use a smaller one, or `*`")
        if most is not None and most < least:
            raise self.error(f"the repeat `{{{least},{most}}}` ends before it starts: swap the numbers")
        self.at = end
        return least, most

    def counted(self) -> tuple[int, int | None, int] | None:
        """Return (least, most, end) when a `{m,n}` starts here; other braces are literals, as in re."""
        end = self.text.find("}", self.at)
        if self.peek() != "{" or end < 0 or end == self.at + 1:
            return None
        low, comma, high = self.text[self.at + 1 : end].partition(",")
        if not all(part == "" or (part.isascii() and part.isdigit()) for part in (low, high)):
            return None
        if max(len(low), len(high)) > 9:
            raise self.error(f"a repeat count is larger than {MAX_REPEAT}: use a smaller one, or `*`")
        least = int(low or 0)
        most = (int(high) if high else None) if comma else least
        return least, most, end + 1

    def escape(self, *, inside: bool) -> Chars:
        start = self.at
        char = self.text[start + 1 : start + 2]
        self.at += 2
        if char == "":
            raise self.error("the pattern ends in `\\`: write `\\\\` for a backslash", start)
        if char in _CLASSES:
            return Chars(classes=char)
        if char in _CONTROL or (inside and char == "b"):
            point = ord(_CONTROL.get(char, "\b"))
            return Chars(((point, point),))
        if char in _HEX:
            return self.hexadecimal(char, start)
        if char.isdigit():
            raise self.error(f"back reference `\\{char}` is not supported: spell out the alternatives", start)
        if char.isascii() and char.isalpha():
            raise self.error(f"`\\{char}` is not supported: write the characters it stands for", start)
        return Chars(((ord(char), ord(char)),))

    def hexadecimal(self, kind: str, start: int) -> Chars:
        digits = self.text[self.at : self.at + _HEX[kind]]
        valid = len(digits) == _HEX[kind] and all(d in "0123456789abcdefABCDEF" for d in digits)
        if not valid or int(digits, 16) > 0x10FFFF:
            raise self.error(f"`\\{kind}` needs {_HEX[kind]} hexadecimal digits, as in `\\x2d`", start)
        self.at += len(digits)
        return Chars(((int(digits, 16), int(digits, 16)),))

    def set(self) -> Node:
        start = self.at
        self.at += 1
        negated = self.peek() == "^"
        self.at += negated
        ranges: list[tuple[int, int]] = []
        classes = ""
        first = True
        while first or self.peek() != "]":
            first = False
            low = self.member(start)
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                ranges.append(self.range(low, self.member(start)))
                continue
            ranges += low.ranges
            classes += low.classes
        self.at += 1
        return self.one(Chars(tuple(ranges), classes, negated))

    def range(self, low: Chars, high: Chars) -> tuple[int, int]:
        if low.classes or high.classes:
            raise self.error(
                "a class such as `\\d` cannot end a range: write `\\-` for a hyphen", self.at - 1
            )
        if high.ranges[0][0] < low.ranges[0][0]:
            raise self.error("this range ends before it starts: swap its ends", self.at - 1)
        return low.ranges[0][0], high.ranges[0][0]

    def member(self, start: int) -> Chars:
        char = self.peek()
        if char == "":
            raise self.error("this `[` is never closed: write `\\[` for a bracket", start)
        if self.text.startswith("[:", self.at):
            raise self.error("POSIX classes are not supported: write `a-zA-Z` instead of `[:alpha:]`")
        if char == "\\":
            return self.escape(inside=True)
        self.at += 1
        return Chars(((ord(char), ord(char)),))
