"""What a resource's verdicts are in one run, and what became of them: distinct lists of letters, by number.

A *known* list has, for each rule, what was determined last, whatever was UNKNOWN or not looked at since: ``P`` ``F`` ``N``,
``.`` where nothing ever was; in lower case (``p`` ``n``) where it had failed before; ``g`` where the resource went away after
it had failed.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Kind = Literal["observed", "unseen", "gone", "known"]
Became = Literal["new", "reopened", "fixed", "to_na", "gone", "open", "unknown"]
_FAILED: Final = "Fpng"
"""Known letters of what failed once."""
_ENDED: Final = "png"
"""Known letters of what failed and no longer did."""


class State(NamedTuple):
    """``letters`` has one letter for each of ``rules``."""

    kind: Kind
    type: str
    rules: tuple[str, ...]
    letters: str

    @property
    def failing(self) -> tuple[str, ...]:
        """The rules that failed."""
        if "F" not in self.letters:
            return ()
        return tuple(rule for rule, letter in zip(self.rules, self.letters, strict=True) if letter == "F")

    def verdicts(self) -> dict[str, str]:
        """Return rule -> letter."""
        return dict(zip(self.rules, self.letters, strict=True))


class Step(NamedTuple):
    """What one run did to a resource: the known list afterwards, and (rule, what became of it)."""

    known: State
    became: tuple[tuple[str, Became], ...]


NOTHING: Final = State("known", "", (), "")
GONE: Final = State("gone", "", (), "")


class States:
    """The states of a file, by number both ways; new ones are written when they are first asked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[State, int] = {}
        self._states: dict[int, State] = {}
        self._steps: dict[tuple[int, int], tuple[int, tuple[tuple[str, Became], ...]]] = {}
        self._unseen: dict[int, int] = {}

    def number(self, state: State) -> int:
        """Return the number of a state, a new one where it is new."""
        found = self._numbers.get(state)
        if found is None:
            row = (state.kind, state.type, json.dumps(state.rules), state.letters)
            self._connection.execute(
                "INSERT OR IGNORE INTO states (kind, type, rules, letters) VALUES (?, ?, ?, ?)", row
            )
            where = "SELECT n FROM states WHERE kind = ? AND type = ? AND rules = ? AND letters = ?"
            found = int(self._connection.execute(where, row).fetchone()[0])
            self._numbers[state], self._states[found] = found, state
        return found

    def state(self, number: int) -> State:
        """Return the state of a number."""
        found = self._states.get(number)
        if found is None:
            kind, type_, rules, letters = self._connection.execute(
                "SELECT kind, type, rules, letters FROM states WHERE n = ?", (number,)
            ).fetchone()
            found = State(kind, type_, tuple(json.loads(rules)), letters)
            self._numbers[found], self._states[number] = number, found
        return found

    def step(self, known: int, state: int) -> tuple[int, tuple[tuple[str, Became], ...]]:
        """Return what a state makes of what was known: (number of the known list, what became of findings)."""
        found = self._steps.get((known, state))
        if found is None:
            step = step_of(self.state(known), self.state(state))
            found = self._steps[known, state] = self.number(step.known), step.became
        return found

    def unseen(self, known: int) -> int:
        """Return the state of a resource that nobody looked at."""
        found = self._unseen.get(known)
        if found is None:
            state = self.state(known)
            found = self._unseen[known] = self.number(
                State("unseen", state.type, state.rules, "?" * len(state.rules))
            )
        return found


def step_of(known: State, state: State) -> Step:
    """Return what a state makes of what was known before."""
    before = known.verdicts()
    if state.kind == "gone":
        gone = [(rule, letter) for rule, letter in before.items() if letter == "F"]
        after = {rule: "g" if letter in _FAILED else "." for rule, letter in before.items()}
        return Step(_known(known.type, after), tuple((rule, "gone") for rule, _ in gone))
    if state.kind == "unseen":
        return Step(known, ())
    after, became = dict(before), []
    for rule, letter in zip(state.rules, state.letters, strict=True):
        was = before.get(rule, ".")
        after[rule] = _after(was, letter)
        what = _became(was, letter)
        became += [(rule, each) for each in what]
    return Step(_known(state.type, after), tuple(became))


def _known(type_: str, verdicts: Mapping[str, str]) -> State:
    rules = tuple(sorted(verdicts))
    return State("known", type_, rules, "".join(verdicts[rule] for rule in rules))


def _after(was: str, letter: str) -> str:
    if letter in "PN":
        return letter.lower() if was in _FAILED else letter
    return "F" if letter == "F" else was


def _became(was: str, letter: str) -> tuple[Became, ...]:
    if letter == "F":
        if was == "F":
            return ("open",)
        return ("new", "reopened") if was in _ENDED else ("new",)
    if was == "F":
        return {"P": ("fixed",), "N": ("to_na",), "U": ("unknown",)}.get(letter, ())  # type: ignore[return-value]  # a literal's values
    return ()


def tally(state: State, times: int, into: Counter[tuple[str, str]]) -> None:
    """Count the letters of a state that so many resources have, by (rule, letter)."""
    for rule, letter in zip(state.rules, state.letters, strict=True):
        if letter != "-":
            into[rule, letter] += times
