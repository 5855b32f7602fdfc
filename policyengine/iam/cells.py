"""Which texts a set of patterns can tell apart: one example for each way they can match together.

Every pattern is a small automaton (a character, any of a class, a run of a class). All of them run
side by side as the bits of one number, and the states that can be reached are visited breadth first:
the combinations of accepting patterns met on the way are exactly those some text has, and the way is
the shortest such text. This is the product construction of the textbooks, done lazily.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

MAX_STATES: Final = 20_000
"""Most states that are visited; what was not is missing from the answer, which then says so."""

MAX_WORK: Final = 40_000_000
"""Most bits of states that are looked at, which bounds the time where patterns are long."""

FRESH: Final = "xyzqwvkjbdxyzXYZQWVKJ_~^|<>"
"""Where an example needs a character that no pattern mentions, the first of these that none does."""


class Token(NamedTuple):
    """One step of a pattern: a character of ``chars`` (``negated``: any other), ``star``: any run of them."""

    chars: frozenset[str]
    negated: bool
    star: bool


class Pattern(tuple[Token, ...]):
    """A pattern of texts, token by token. Patterns are looked up all the time, so each knows its hash."""

    _hash: int

    def __hash__(self) -> int:
        """Return the hash of the tokens, worked out once."""
        try:
            return self._hash
        except AttributeError:
            found = self._hash = tuple.__hash__(self)
            return found


class Either(tuple[Pattern, ...]):
    """Patterns of which only it matters whether one of them matches."""


_ANY: Final = Token(frozenset(), True, False)
_ANY_RUN: Final = Token(frozenset(), True, True)
_PART: Final = Token(frozenset(":"), True, False)
_PART_RUN: Final = Token(frozenset(":"), True, True)
_SEGMENT: Final = Token(frozenset(":/"), True, False)
_SEGMENT_RUN: Final = Token(frozenset(":/"), True, True)
_DIGIT: Final = Token(frozenset("0123456789"), False, False)

ANYTHING: Final = Pattern((_ANY, _ANY_RUN))
"""Any text but the empty one."""
PART: Final = Pattern((_PART, _PART_RUN))
"""A text without colons, as between the colons of an ARN."""
SEGMENT: Final = Pattern((_SEGMENT, _SEGMENT_RUN))
"""A text without colons and slashes."""
ACCOUNT: Final = Pattern((_DIGIT,) * 12)
ANY_RUN: Final = Pattern((_ANY_RUN,))
"""Any text, the empty one too."""
PART_RUN: Final = Pattern((_PART_RUN,))
"""A text without colons, the empty one too."""


def exact(text: str) -> Pattern:
    """Return the pattern of one text."""
    return Pattern(_character(c) for c in text)


@lru_cache(maxsize=1024)
def _character(character: str) -> Token:
    return Token(frozenset(character), False, False)


def ignoring_case(text: str) -> Pattern:
    """Return the pattern of one text in any case."""
    return Pattern(Token(frozenset((c, c.lower(), c.upper()[:1])), False, False) for c in text)


@lru_cache(maxsize=8192)
def glob(text: str) -> Pattern:
    """Return the pattern of a text with ``*`` and ``?``, which stand for any characters."""
    return _tidy([_ANY_RUN if c == "*" else _ANY if c == "?" else _character(c) for c in text])


@lru_cache(maxsize=8192)
def arn_glob(text: str) -> Pattern:
    """Return the pattern of the ARN operators: wildcards stay within the first five parts."""
    tokens: list[Token] = []
    for index, part in enumerate(text.split(":", 5)):
        if index:
            tokens.append(_character(":"))
        run, one = (_ANY_RUN, _ANY) if index == 5 else (_PART_RUN, _PART)
        tokens.extend(run if c == "*" else one if c == "?" else _character(c) for c in part)
    return _tidy(tokens)


def _tidy(tokens: Iterable[Token]) -> Pattern:
    kept: list[Token] = []
    for token in tokens:
        if not (token.star and kept and kept[-1] == token):
            kept.append(token)
    return Pattern(kept)


def joined(*parts: Pattern) -> Pattern:
    """Return one pattern after the other."""
    return _tidy(token for part in parts for token in part)


class _Steps:
    """What each character does in patterns one behind the other; bit ``start + i`` says that ``i`` tokens of a
    pattern are behind us. Of each pair the first are steps, the second loops."""

    def __init__(self, before: _Steps | None = None) -> None:
        self.size: int = before.size if before else 0
        self.accepts: list[int] = [*before.accepts] if before else []
        self.spans: list[int] = [*before.spans] if before else []
        self.settled: list[tuple[int, int, int]] = [*before.settled] if before else []
        """Of each Either: where no text can do any more, all its bits, and those that stand for it then."""
        self.first: int = before.first if before else 0
        self.stars: int = before.stars if before else 0
        self.named: dict[str, list[int]] = {c: [*pair] for c, pair in before.named.items()} if before else {}
        self.barred: dict[str, list[int]] = (
            {c: [*pair] for c, pair in before.barred.items()} if before else {}
        )
        self.other: list[int] = [*before.other] if before else [0, 0]

    def add(self, patterns: Iterable[Pattern | Either]) -> _Steps:
        """Put patterns behind the others."""
        for one in patterns:
            begin, ends, last = self.size, 0, 0
            for pattern in one if isinstance(one, Either) else (one,):
                self.first |= 1 << self.size
                for at, token in enumerate(pattern, self.size):
                    self._place(token, 1 << at)
                self.size += len(pattern) + 1
                ends |= 1 << (self.size - 1)
                if pattern[-1:] == ANY_RUN:
                    last |= 1 << (self.size - 2)
            self.spans.append(((1 << (self.size - begin)) - 1) << begin)
            self.accepts.append(ends)
            if isinstance(one, Either) and last:
                self.settled.append((last, self.spans[-1], (last & -last) * 3))
        return self

    def _place(self, token: Token, bit: int) -> None:
        kind = 1 if token.star else 0
        if token.star:
            self.stars |= bit
        if token.negated:
            self.other[kind] |= bit
        pairs = self.barred if token.negated else self.named
        for character in token.chars:
            if character not in pairs:  # and then in neither
                self.named[character], self.barred[character] = [0, 0], [0, 0]
            pairs[character][kind] |= bit


@lru_cache(maxsize=1024)
def _steps(universe: tuple[Pattern, ...]) -> _Steps:
    return _Steps().add(universe)


_Letter = tuple[str, int, int, int]
"""A character, its steps, its loops, where it differs from one that no pattern mentions."""


class _Machine:
    """All patterns as one automaton, those of the universe first."""

    def __init__(self, universe: tuple[Pattern, ...], patterns: Sequence[Pattern | Either]) -> None:
        steps = _Steps(_steps(universe)).add(patterns)
        self.size = steps.size
        self.accepts, self.spans = steps.accepts, steps.spans
        self.stars, self.settled = steps.stars, steps.settled
        mentioned = steps.named
        self.fresh = next((c for c in FRESH if c not in mentioned), None) or _unmentioned(mentioned)
        self.numbers: dict[str, int] = {}
        """Character -> which of the letters stands for it."""
        self.letters = self._letters(steps)
        self.first = self.closed(steps.first)

    def _letters(self, steps: _Steps) -> list[_Letter]:
        """Return one letter of each behaviour."""
        named, barred, (other_step, other_loop) = steps.named, steps.barred, steps.other
        letters = [(self.fresh, other_step, other_loop, -1)]
        seen = {(other_step, other_loop): 0}
        for character in sorted(named):
            step = named[character][0] | (other_step & ~barred[character][0])
            loop = named[character][1] | (other_loop & ~barred[character][1])
            self.numbers[character] = seen.setdefault((step, loop), len(letters))
            if self.numbers[character] == len(letters):
                letters.append((character, step, loop, (step ^ other_step) | (loop ^ other_loop)))
        return letters

    def closed(self, state: int) -> int:
        """Add what can be reached without a character: a run may be empty; leave out what no longer matters."""
        while (wider := state | ((state & self.stars) << 1)) != state:
            state = wider
        for last, span, stand in self.settled:
            if state & last:
                state = (state & ~span) | stand
        return state


def _unmentioned(mentioned: Container[str]) -> str:
    code = 0x100
    while chr(code) in mentioned:
        code += 1
    return chr(code)


class Cells(NamedTuple):
    """``texts``: one for each set of patterns (bit i: pattern i) that some text of the universe matches
    together and no other of the set's; ``complete``: no other combinations exist; ``cost``: in states of short
    patterns, what it took to find out."""

    texts: Mapping[int, str]
    complete: bool
    cost: int


@lru_cache(maxsize=8192)
def cells(
    universe: tuple[Pattern, ...],
    patterns: tuple[Pattern | Either, ...],
    limit: int = MAX_STATES,
    wanted: tuple[Pattern, ...] = (),
) -> Cells:
    """Return the ways patterns can match together, among texts that match a pattern of the universe.

    ``wanted``: some of the patterns; ways in which none of them matches may be left out.
    """
    machine = _Machine(universe, patterns)
    size = machine.size
    limit = min(limit, MAX_WORK // (size + 1) + 64)
    inside = sum(machine.spans[: len(universe)])
    spans = zip(patterns, machine.spans[len(universe) :], strict=True)
    needed = _Needed(machine, [(pattern, span) for pattern, span in spans if pattern in wanted])
    useful = needed.bits
    ends = sum(machine.accepts[: len(universe)])
    accepts = list(enumerate(machine.accepts[len(universe) :]))
    found: dict[int, str] = {}
    seen = {machine.first}
    met: set[int] = set()
    queue = deque([(machine.first, "")])
    letters, closed = machine.letters, machine.closed
    while queue:
        state, text = queue.popleft()
        if state & ends:
            signature = 0
            for index, bit in accepts:
                if state & bit:
                    signature |= 1 << index
            found.setdefault(signature, text)
        for character, step, loop, differs in needed.letters(state) if wanted else letters:
            if state & differs:
                following = ((state & step) << 1) | (state & loop)
                # what is added without a character stays in its pattern, so this settles it before that is done
                if not following & inside or not following & useful or following in met:
                    continue
                met.add(following)
                following = closed(following)
                if following not in seen:
                    if len(seen) >= limit:
                        return Cells(found, False, _cost(len(seen), size))
                    seen.add(following)
                    queue.append((following, text + character))
    return Cells(found, True, _cost(len(seen), size))


class _Needed:
    """The patterns one of which a text must match; ``bits``: their states, all there are where there is none."""

    def __init__(self, machine: _Machine, needed: Sequence[tuple[Pattern, int]]) -> None:
        self.bits = sum(span for _, span in needed) or -1
        self._all = machine.letters
        self._only: dict[int, int] = {}
        self._ends = 0
        for pattern, span in needed:
            bit = span & -span
            for token in pattern:
                if not (token.star or token.negated) and len(token.chars) == 1:
                    self._only[bit] = machine.numbers[next(iter(token.chars))]
                bit <<= 1
            self._ends |= bit

    def letters(self, state: int) -> Sequence[_Letter]:
        """Return the letters, in their order, on which one of the patterns may go on."""
        left = state & self.bits & ~self._ends
        found: set[int] = set()
        while left:
            low = left & -left
            if low not in self._only:
                return self._all
            found.add(self._only[low])
            left ^= low
        return [self._all[number] for number in sorted(found)]


def _cost(states: int, size: int) -> int:
    """Return what states of an automaton of ``size`` bits cost; measured."""
    return states * (1 + size // 6000) + size // 7


def matches(pattern: Pattern, text: str) -> bool:
    """Say whether a pattern matches a text."""
    return signature_of((pattern,), text) == 1


def signature_of(patterns: Sequence[Pattern | Either], text: str) -> int:
    """Return which patterns match a text, as :func:`cells` keys them."""
    found = 0
    for index, one in enumerate(patterns):
        if any(_runs(p, text) for p in one) if isinstance(one, Either) else _runs(one, text):
            found |= 1 << index
    return found


@lru_cache(maxsize=65_536)
def _runs(pattern: Pattern, text: str) -> bool:
    head, tail = _headed(pattern)
    if tail is None:
        return text == head
    if not text.startswith(head):
        return False
    moves = _moves(tail)
    state = moves.start
    for character in text[len(head) :]:
        state = moves.after(state, character)
        if not state:
            return False
    return bool(state >> len(tail) & 1)


@lru_cache(maxsize=8192)
def _headed(pattern: Pattern) -> tuple[str, Pattern | None]:
    """Return the text that a pattern begins with, and what follows; None where nothing does."""
    head: list[str] = []
    for token in pattern:
        if token.star or token.negated or len(token.chars) != 1:
            return "".join(head), Pattern(pattern[len(head) :])
        head.extend(token.chars)
    return "".join(head), None


class _Moves:
    """One pattern's automaton, its steps worked out once for each character."""

    __slots__ = ("_of", "_pattern", "_stars", "start")

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._stars = sum(1 << at for at, token in enumerate(pattern) if token.star)
        self._of: dict[str, tuple[int, int]] = {}
        self.start = self._closed(1)

    def after(self, state: int, character: str) -> int:
        """Return the state behind one more character; 0: no text goes on like this."""
        if character not in self._of:
            self._of[character] = self._read(character)
        step, loop = self._of[character]
        return self._closed(((state & step) << 1) | (state & loop))

    def _closed(self, state: int) -> int:
        while (wider := state | ((state & self._stars) << 1)) != state:
            state = wider
        return state

    def _read(self, character: str) -> tuple[int, int]:
        step = loop = 0
        for at, token in enumerate(self._pattern):
            if (character in token.chars) != token.negated:
                if token.star:
                    loop |= 1 << at
                else:
                    step |= 1 << at
        return step, loop


@lru_cache(maxsize=8192)
def _moves(pattern: Pattern) -> _Moves:
    return _Moves(pattern)
