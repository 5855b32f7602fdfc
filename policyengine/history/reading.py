"""What the file of history knows: runs, and what became of each finding."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

from policyengine.history.runs import identity_from
from policyengine.history.states import State, States
from policyengine.model.errors import InputError, UsageError
from policyengine.model.finding import finding_id

Status = Literal["open", "fixed", "gone", "not_applicable", "unknown", "not_looked_at", "not_asked"]
STATUSES: Final[tuple[Status, ...]] = (
    "open", "fixed", "gone", "not_applicable", "unknown", "not_looked_at", "not_asked",
)  # fmt: skip
_OF_LETTER: Final[Mapping[str, Status]] = {
    "F": "open", "P": "fixed", "N": "not_applicable", "U": "unknown", "?": "not_looked_at", "-": "not_asked",
}  # fmt: skip


class RunRow(NamedTuple):
    """A run of the history. ``counts``: letters and what became of findings -> number."""

    number: int
    id: str
    at: str
    complete: bool
    resources: int
    pack: int
    about: Mapping[str, Any]
    counts: Mapping[str, int]


class Stretch(NamedTuple):
    """Runs ``since`` to ``until``, both included, in which a resource had one state."""

    since: int
    until: int
    state: State


class Episode(NamedTuple):
    """A time of failing. ``begins``: number of the first run that failed; ``before``: of the last run before it that knew better,
    None where none did; ``last``: of the last run that failed; ``ends``: of the first run that knew better, None while none does.
    """

    begins: int
    before: int | None
    last: int
    ends: int | None
    ended: Status | None


class Life(NamedTuple):
    """What became of one rule on one resource that failed at least once."""

    id: str
    rule: str
    type: str
    identity: tuple[str, str, str, str]
    episodes: Sequence[Episode]
    status: Status
    observations: int
    """Runs that gave a verdict other than UNKNOWN."""
    failures: int


class History:
    """A file of history, to be asked."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.db = connection
        self.states = States(connection)

    @cached_property
    def runs(self) -> list[RunRow]:
        """The runs, in the order of time; ``runs[n - 1].number`` is n."""
        found = self.db.execute(
            "SELECT n, id, at, complete, resources, pack, about, counts FROM runs ORDER BY n"
        )
        return [
            RunRow(n, id_, at, bool(complete), resources, pack, json.loads(about), json.loads(counts))
            for n, id_, at, complete, resources, pack, about, counts in found
        ]

    def run(self, number: int) -> RunRow:
        """Return a run by its number."""
        return self.runs[number - 1]

    @cached_property
    def milestones(self) -> dict[str, int]:
        """name -> number of the run, in the order of the runs."""
        return dict(self.db.execute("SELECT name, run FROM milestones ORDER BY run, name").fetchall())

    def find_run(self, text: str) -> RunRow:
        """Return the run that a milestone, an id or the beginning of one (eight digits or more) names.

        Raises InputError where there is none, or several.
        """
        if text in self.milestones:
            return self.run(self.milestones[text])
        found = [run for run in self.runs if run.id == text or (len(text) >= 8 and run.id.startswith(text))]
        if len(found) != 1:
            many = "several runs" if found else "no milestone and no run"
            known = ", ".join(f"`{name}`" for name in self.milestones) or "none yet"
            raise InputError(f"`{text}` is {many} of the history; its milestones: {known}")
        return found[0]

    def pack(self, number: int) -> dict[str, dict[str, Any]]:
        """Return the rules of a run by id: severity, pillar, family, title, frameworks."""
        if number not in self._packs:
            row = self.db.execute("SELECT rules FROM packs WHERE n = ?", (number,)).fetchone()
            self._packs[number] = json.loads(row[0])
        return self._packs[number]

    @cached_property
    def _packs(self) -> dict[int, dict[str, dict[str, Any]]]:
        return {}

    # -- resources --------------------------------------------------------------------------------------

    def stretches(self, *, failed: bool = False) -> Iterator[tuple[bytes, list[Stretch]]]:
        """Yield each resource with its stretches in order; only those that failed at least once with ``failed``."""
        last = len(self.runs)
        gone = State("gone", "", (), "")
        rows = self.db.execute(
            "SELECT key, since, until, state FROM past UNION ALL SELECT key, since, ?, state FROM current ORDER BY 1, 2", (last,)
        )  # fmt: skip
        key, found = b"", list[Stretch]()
        for row in rows:
            if row[0] != key:
                if found and (not failed or _has_failed(found)):
                    yield key, found
                key, found = row[0], []
            state = self.states.state(row[3])
            if state != gone:
                found.append(Stretch(row[1], row[2], state))
        if found and (not failed or _has_failed(found)):
            yield key, found

    def at(self, number: int) -> Iterator[tuple[bytes, State]]:
        """Yield the resources that a run has, or nobody looked at in it, with their states, in the order of keys."""
        rows = self.db.execute(
            "SELECT key, state FROM past WHERE since <= ?1 AND until >= ?1 "
            "UNION ALL SELECT key, state FROM current WHERE since <= ?1 ORDER BY key", (number,)
        )  # fmt: skip
        for key, state in rows:
            found = self.states.state(state)
            if found.kind != "gone":
                yield key, found

    def lives(self, rules: Iterable[str] = ()) -> Iterator[Life]:
        """Yield what became of every finding that failed at least once, of these rules or of all, in the order of runs."""
        wanted = frozenset(rules)
        for key, stretches in self.stretches(failed=True):
            names = {rule for each in stretches for rule in each.state.failing}
            for rule in sorted(names & wanted if wanted else names):
                yield self._life(key, rule, stretches)

    def _life(self, key: bytes, rule: str, stretches: Sequence[Stretch]) -> Life:
        letters = list(letters_of(rule, stretches, len(self.runs)))
        seen = sum(until - since + 1 for since, until, letter in letters if letter and letter in "PFN")
        failures = sum(until - since + 1 for since, until, letter in letters if letter == "F")
        return Life(
            finding_id(rule, key), rule, stretches[-1].state.type, identity_from(key), episodes_of(letters),
            "gone" if letters[-1][2] == "" else _OF_LETTER[letters[-1][2]], seen, failures,
        )  # fmt: skip


def letters_of(rule: str, stretches: Sequence[Stretch], runs: int) -> Iterator[tuple[int, int, str]]:
    """Yield (since, until, letter) of a rule over the stretches of a resource: ``""`` where it was gone, ``?`` where nobody
    looked, ``-`` where the rule was not asked."""
    next_run = stretches[0].since
    for since, until, state in stretches:
        if since > next_run:
            yield next_run, since - 1, ""
        yield since, until, "?" if state.kind == "unseen" else state.verdicts().get(rule, "-")
        next_run = until + 1
    if next_run <= runs:
        yield next_run, runs, ""


def episodes_of(letters: Iterable[tuple[int, int, str]]) -> list[Episode]:
    """Return the times of failing. UNKNOWN, and runs that did not look, end none: nobody knows that it was repaired."""
    found: list[Episode] = []
    knew: int | None = None
    now: Episode | None = None
    for since, until, letter in letters:
        if letter == "F":
            now = Episode(since, knew, until, None, None) if now is None else now._replace(last=until)
        elif letter in ("P", "N", "") and now is not None:
            found.append(now._replace(ends=since, ended=_OF_LETTER.get(letter, "gone")))
            now = None
        if letter in ("P", "N", "F", ""):
            knew = until
    return [*found, now] if now is not None else found


def _has_failed(stretches: Iterable[Stretch]) -> bool:
    return any(each.state.failing for each in stretches)


def numbers_between(runs: Sequence[RunRow], start: str | None, end: str | None) -> list[RunRow]:
    """Return the runs of a period, both ends included. Raises UsageError for a text that is no time."""
    from policyengine.history.moments import moment

    first, last = (None if text is None else moment(text) for text in (start, end))
    if first is not None and last is not None and last < first:
        raise UsageError(f"the period ends on {end}, before it begins on {start}")
    return [
        run
        for run in runs
        if (first is None or moment(run.at) >= first) and (last is None or moment(run.at) <= last)
    ]
