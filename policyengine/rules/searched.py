r"""Which texts regular expressions admit when they are *searched for*, counted rather than guessed.

CodeBuild looks for a webhook filter's pattern anywhere in the value: `^refs/heads/` is triggered by
`refs/heads/branch-name` (https://docs.aws.amazon.com/codebuild/latest/APIReference/API_WebhookFilter.html). So the
anchors matter and stand wherever their author put them, `(^111$)|(^222$)` and `^(111|222)$` alike. The question is
which ids several such patterns admit together, some of them negated. Each becomes an automaton over the text
between marks, which `^` and `$` stand for (as many on each side as the pattern could ask for in a row); the
product of all is walked breadth first, counting the texts that lead to each state. Time and memory are bounded by
``MAX_STATES`` states at each length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from policyengine.rules.pattern_parser import Chars, Node, PatternError, parse
from policyengine.rules.patterns import Automaton

MAX_STATES: Final = 500
_BEGIN: Final = Chars(((0x110000, 0x110000),))
_END: Final = Chars(((0x110001, 0x110001),))
"""Beyond every character, so that no class or `.` takes a mark for one."""
_ANY: Final = Chars(negated=True)
_MARKS: Final = {"^": _BEGIN, "$": _END}


@dataclass(frozen=True, slots=True)
class Texts:
    """An alphabet and the most characters a text has; a text does not begin with one of ``not_first``."""

    alphabet: str
    longest: int
    not_first: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """How many texts pass (``most`` + 1 stands for more), and up to ``most`` + 1 of them, shortest first."""

    count: int
    samples: tuple[str, ...]


class TooLarge(ValueError):
    """The patterns need more states than are walked."""


class _Searched:
    """The automaton of one pattern, stepped by characters and marks."""

    __slots__ = ("_cache", "_follow", "_last", "_marks", "_members", "start")

    def __init__(self, text: str) -> None:
        found = parse(text, _MARKS)
        before, after = _skipped(_BEGIN), _skipped(_END)
        whole = Node("sequence", before.size + found.size + after.size, children=(before, found, after))
        automaton = Automaton()
        first, self._last, _ = automaton.add(whole)
        self._follow = automaton.follow
        self._members = tuple(automaton.members.items())
        self._cache: dict[tuple[int, str | Chars], int] = {}
        self._marks = min(sum(map(text.count, "^$")), 50) + 1
        self.start = first
        for _ in range(self._marks):
            self.start = self.step(self.start, _BEGIN)

    def step(self, positions: int, symbol: str | Chars) -> int:
        """Return the positions that may come after a symbol read at ``positions``."""
        key = (positions, symbol)
        if key not in self._cache:
            matched = 0
            for chars, mask in self._members:
                here = positions & mask
                if here and (chars == symbol if isinstance(symbol, Chars) else _takes(chars, symbol)):
                    matched |= here
            self._cache[key] = self._after(matched)
        return self._cache[key]

    def ends(self, positions: int) -> bool:
        """Return whether a text that ends here has the pattern in it."""
        for _ in range(self._marks - 1):
            positions = self.step(positions, _END)
        return any(positions & mask & self._last for chars, mask in self._members if chars == _END)

    def _after(self, matched: int) -> int:
        found = 0
        while matched:
            lowest = matched & -matched
            found |= self._follow[lowest.bit_length() - 1]
            matched ^= lowest
        return found


def _takes(chars: Chars, symbol: str) -> bool:
    return chars is not _BEGIN and chars is not _END and chars.accepts(symbol)


def _skipped(mark: Chars) -> Node:
    """Return any text on the way, the mark among it."""
    either = Node("choice", 2, children=(Node("chars", 1, mark), Node("chars", 1, _ANY)))
    return Node("repeat", 2, None, (either,), 0, None)


@lru_cache(maxsize=512)
def _compiled(text: str) -> _Searched:
    return _Searched(text)


def admitted(include: tuple[str, ...], exclude: tuple[str, ...], texts: Texts, most: int) -> Admitted:
    """Return the texts in which every pattern of ``include`` and none of ``exclude`` is found.

    Raises PatternError for a pattern outside the subset, TooLarge for patterns that need too many states.
    """
    machines = [_compiled(text) for text in (*include, *exclude)]
    wanted = (True,) * len(include) + (False,) * len(exclude)
    layer: dict[tuple[int, ...], tuple[int, tuple[str, ...]]] = {tuple(m.start for m in machines): (1, ("",))}
    count = 0
    samples: list[str] = []
    for length in range(texts.longest):
        layer = _next(
            machines, layer, [c for c in texts.alphabet if length or c not in texts.not_first], most
        )
        for state, (number, here) in layer.items():
            if all(m.ends(s) is w for m, s, w in zip(machines, state, wanted, strict=True)):
                count += number
                samples += here
        if count > most:
            break
    return Admitted(min(count, most + 1), tuple(samples[: most + 1]))


def _next(
    machines: list[_Searched],
    layer: dict[tuple[int, ...], tuple[int, tuple[str, ...]]],
    alphabet: list[str],
    most: int,
) -> dict[tuple[int, ...], tuple[int, tuple[str, ...]]]:
    found: dict[tuple[int, ...], tuple[int, tuple[str, ...]]] = {}
    for state, (number, samples) in layer.items():
        for char in alphabet:
            after = tuple(m.step(s, char) for m, s in zip(machines, state, strict=True))
            known, shown = found.get(after, (0, ()))
            room = most + 1 - len(shown)
            more = tuple(sample + char for sample in samples[: max(room, 0)])
            found[after] = (known + number, shown + more)
        if len(found) > MAX_STATES:
            raise TooLarge(f"more than {MAX_STATES} states")
    return found


__all__ = ["Admitted", "PatternError", "Texts", "TooLarge", "admitted"]
