"""Regular expressions that cannot explode: a subset, matched in time linear in the text.

A pattern comes from a rule file, the text from a template somebody else wrote; neither may stall
a run. The pattern is parsed into a tree, the tree becomes a Thompson automaton of at most
``MAX_STATES`` states, and matching walks a lazily built deterministic automaton whose cache is
bounded (K. Thompson, "Regular Expression Search Algorithm", 1968; R. Cox,
https://swtch.com/~rsc/regexp/regexp1.html). Wherever :mod:`re` accepts the same pattern,
``Pattern.fullmatch`` answers as ``re.fullmatch`` does.
"""

from __future__ import annotations

from functools import lru_cache

from policyengine.rules.pattern_parser import MAX_STATES, Chars, Node, PatternError, parse

__all__ = ["MAX_STATES", "Pattern", "PatternError", "compile_pattern"]

_MAX_CACHED_STEPS = 20_000


class _State:
    """A state of the deterministic automaton: a set of positions, as the bits of an integer."""

    __slots__ = ("accepting", "positions", "steps")

    def __init__(self, positions: int, accepting: bool) -> None:
        self.positions = positions
        self.accepting = accepting
        self.steps: dict[str, _State] = {}


class Pattern:
    """A compiled pattern. ``fullmatch`` is safe on text of any length and origin."""

    __slots__ = ("_cached", "_dead", "_follow", "_last", "_members", "_start", "_states", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        automaton = Automaton()
        first, last, nullable = automaton.add(parse(text))
        self._follow = automaton.follow
        self._members = [(chars, mask) for chars, mask in automaton.members.items()]
        self._last = last
        self._dead = _State(0, False)
        self._states: dict[int, _State] = {}
        self._cached = 0
        self._start = _State(first, nullable)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def fullmatch(self, text: str) -> bool:
        """Return whether the whole text matches."""
        state, dead = self._start, self._dead
        for char in text:
            following = state.steps.get(char)
            if following is None:
                following = self._step(state, char)
            if following is dead:
                return False
            state = following
        return state.accepting

    def _step(self, state: _State, char: str) -> _State:
        """Return the state after ``char``; INVARIANT: at most ``_MAX_CACHED_STEPS`` are kept."""
        matched = 0
        for chars, mask in self._members:
            here = state.positions & mask
            if here and chars.accepts(char):
                matched |= here
        if self._cached >= _MAX_CACHED_STEPS:
            for old in self._states.values():
                old.steps.clear()
            self._states.clear()
            self._start.steps.clear()
            self._cached = 0
        following = self._after(matched)
        state.steps[char] = following
        self._cached += 1
        return following

    def _after(self, matched: int) -> _State:
        """Return the state of the positions that can follow those just matched."""
        if not matched:
            return self._dead
        known = self._states.get(matched)
        if known is None:
            positions, rest = 0, matched
            while rest:
                lowest = rest & -rest
                positions |= self._follow[lowest.bit_length() - 1]
                rest ^= lowest
            known = self._states[matched] = _State(positions, bool(matched & self._last))
        return known


class Automaton:
    """The positions of a pattern and which may follow which (Glushkov's form of Thompson's NFA).

    Each character test of the tree is one position; there are no empty moves to close over.
    """

    def __init__(self) -> None:
        self.follow: list[int] = []
        self.members: dict[Chars, int] = {}

    def add(self, node: Node) -> tuple[int, int, bool]:
        """Return (first positions, last positions, matches the empty text) of a tree."""
        if node.kind == "chars":
            return self._position(node)
        if node.kind == "sequence":
            return self._sequence([self.add(child) for child in node.children])
        if node.kind == "choice":
            parts = [self.add(child) for child in node.children]
            first = last = 0
            for one_first, one_last, _ in parts:
                first, last = first | one_first, last | one_last
            return first, last, any(nullable for _, _, nullable in parts)
        return self._repeat(node)

    def _position(self, node: Node) -> tuple[int, int, bool]:
        bit = 1 << len(self.follow)
        self.follow.append(0)
        assert node.chars is not None  # a `chars` node always has them
        self.members[node.chars] = self.members.get(node.chars, 0) | bit
        return bit, bit, False

    def _sequence(self, parts: list[tuple[int, int, bool]]) -> tuple[int, int, bool]:
        first, last, nullable = 0, 0, True
        for one_first, one_last, one_nullable in parts:
            self._link(last, one_first)
            first = first | one_first if nullable else first
            last = last | one_last if one_nullable else one_last
            nullable = nullable and one_nullable
        return first, last, nullable

    def _repeat(self, node: Node) -> tuple[int, int, bool]:
        child, most = node.children[0], node.most
        copies = max(node.least, 1) if most is None else most
        parts = []
        for index in range(copies):
            first, last, nullable = self.add(child)
            if most is None and index == copies - 1:
                self._link(last, first)
            parts.append((first, last, nullable or index >= node.least))
        return self._sequence(parts)

    def _link(self, sources: int, targets: int) -> None:
        while sources:
            lowest = sources & -sources
            self.follow[lowest.bit_length() - 1] |= targets
            sources ^= lowest


@lru_cache(maxsize=1024)
def compile_pattern(text: str) -> Pattern:
    """Return the compiled pattern.

    Takes literals, escapes (``\\d \\w \\s \\.``, ``\\x2d``), classes, ``.``, ``* + ? {m,n}``,
    alternation, ``(…)`` and ``(?:…)``, a leading ``(?i)``, and the redundant ``^`` and ``$`` at
    the ends. Raises PatternError, a ValueError whose message names the column and what to write
    instead, for everything else: look-around, back references, bad syntax, too large.
    """
    return Pattern(text)
