"""Taking a run into the file of history: one pass over its rows beside what was known, in one transaction."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.history.database import KIND
from policyengine.history.looked import Looked
from policyengine.history.runs import Row, RunRead, pack_of, place_of
from policyengine.history.states import GONE, NOTHING, State, States, tally
from policyengine.model.errors import InputError
from policyengine.model.pairing import paired

_BATCH: Final = 20_000


class Added(NamedTuple):
    """What adding a run did. ``fresh``: it was not there already. ``counts`` is what ``runs.counts`` holds."""

    run: str
    at: str
    fresh: bool
    resources: int
    counts: dict[str, int]


class _Last(NamedTuple):
    number: int
    id: str
    at: str
    targets: Sequence[str]


def add_run(connection: sqlite3.Connection, path: Path, file: Path) -> Added:
    """Add the run at ``path`` to the history in ``file``, of ``connection``; one that is there already is not added again.

    Raises InputError for what is no run, for a run that is older than the newest of the history, and for one that has the id
    of another run and other verdicts. Then, and when the process ends early, nothing of it is in the file.
    """
    return take_run(connection, RunRead(path), file)


def take_run(connection: sqlite3.Connection, run: RunRead, file: Path) -> Added:
    """Do the same with a run that was opened."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            added = _Adding(connection, run).add()
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.Error as problem:
        raise KIND.failure(problem, file) from None
    return added


class _Adding:
    """One run on its way in."""

    def __init__(self, connection: sqlite3.Connection, run: RunRead) -> None:
        self.db = connection
        self.run = run
        self.states = States(connection)
        self.looked: Looked = run.looked()
        self.digest = hashlib.sha256()
        self.steps: Counter[tuple[int, int]] = Counter()
        self.of_state: Counter[int] = Counter()
        self.waived = self.resources = 0
        self._gone, self._nothing = self.states.number(GONE), self.states.number(NOTHING)

    def add(self) -> Added:
        there = self.db.execute(
            "SELECT digest, counts, resources FROM runs WHERE id = ?", (self.run.id,)
        ).fetchone()
        if there is not None:
            return self._again(*there)
        last = self._last()
        if last is not None and self.run.at < last.at:
            raise InputError(
                f"`{self.run.path}` is of {self.run.at}, before the newest run of the history ({last.id} of {last.at}): runs are "
                "added in the order of their times; add them all to a new file, which sorts them"
            )
        self.number = 1 if last is None else last.number + 1
        self._tables()
        self._merge()
        self._absent(last)
        self._apply()
        return self._write()

    def _again(self, digest: str, counts: str, resources: int) -> Added:
        for _ in self._rows():
            pass
        if self.digest.hexdigest() != digest:
            raise InputError(
                f"`{self.run.path}` has the id of a run that is in the history ({self.run.id}) and other verdicts: one of the "
                "two was changed after it was written"
            )
        return Added(self.run.id, self.run.at, False, resources, json.loads(counts))

    def _last(self) -> _Last | None:
        row = self.db.execute("SELECT n, id, at, about FROM runs ORDER BY n DESC LIMIT 1").fetchone()
        return None if row is None else _Last(row[0], row[1], row[2], json.loads(row[3])["targets"])

    # -- the pass ---------------------------------------------------------------------------------------

    def _tables(self) -> None:
        for table in ("absent (key BLOB, since INTEGER, state INTEGER, known INTEGER)",
                      "changed (key BLOB PRIMARY KEY, since INTEGER, state INTEGER, known INTEGER) WITHOUT ROWID"):  # fmt: skip
            name = table.split()[0]
            self.db.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table}")
            self.db.execute(f"DELETE FROM temp.{name}")  # noqa: S608  # the two names above

    def _rows(self) -> Iterator[tuple[bytes, Row]]:
        for row in self.looked.noting_rows(self.run.rows()):
            key = row.key
            about = "\0".join((row.letters, row.type, *row.rules)).encode("utf-8", "surrogatepass")
            self.digest.update(b"%d %d %s%s" % (len(key), len(about), key, about))
            self.resources += 1
            self.waived += row.waived
            yield key, row

    def _merge(self) -> None:
        known = self.db.execute("SELECT key, since, state, known FROM current ORDER BY key")
        absent: list[tuple[Any, ...]] = []
        changed: list[tuple[Any, ...]] = []
        numbers: dict[tuple[str, tuple[str, ...], str], int] = {}
        for old, row in paired(((each[0], each) for each in known), self._rows()):
            if row is None:
                absent.append(old or ())
            else:
                what = (row.type, row.rules, row.letters)
                state = numbers.get(what)
                if state is None:
                    state = numbers[what] = self.states.number(State("observed", *what))
                self.of_state[state] += 1
                after = self._step(self._nothing if old is None else old[3], state)
                if old is None or old[2] != state or old[3] != after:
                    changed.append((row.key if old is None else old[0], old, state, after))
            if len(absent) + len(changed) >= _BATCH:
                self._spool(absent, changed)
        self._spool(absent, changed)

    def _step(self, known: int, state: int) -> int:
        self.steps[known, state] += 1
        return self.states.step(known, state)[0]

    def _spool(self, absent: list[tuple[Any, ...]], changed: list[tuple[Any, ...]]) -> None:
        """``current`` is being read: what changes in it waits in a table of its own."""
        self.db.executemany("INSERT INTO temp.absent VALUES (?, ?, ?, ?)", absent)
        ended, begun = [], []
        for key, old, state, known in changed:
            same = old is not None and old[2] == state
            begun.append((key, old[1] if same else self.number, state, known))
            if old is not None and not same and old[2] != self._gone:
                ended.append((key, old[1], self.number - 1, old[2]))
        self.db.executemany("INSERT INTO past VALUES (?, ?, ?, ?)", ended)
        self.db.executemany("INSERT INTO temp.changed VALUES (?, ?, ?, ?)", begun)
        absent.clear()
        changed.clear()

    def _absent(self, last: _Last | None) -> None:
        """Whether nobody looked, or what is missing is gone, is known only when all rows are read."""
        if last is None:
            return
        rules, before = self.run.compared(None), Looked({}, last.targets)
        gone_from: dict[tuple[Any, ...], bool] = {}
        changed: list[tuple[Any, ...]] = []
        for old in self.db.execute("SELECT key, since, state, known FROM temp.absent ORDER BY key"):
            state = self._gone
            if old[2] != self._gone:
                place = place_of(old[0], self.states.state(old[2]).type)
                resource, where = place["resource"], place["location"]
                what = (resource["account"], resource["region"], resource["type"], where and where["file"])
                if what not in gone_from:
                    gone_from[what] = not rules.was_unread(place) and not self.looked.why_not(place, before)
                if not gone_from[what]:
                    state = self.states.unseen(old[3])
                    self.of_state[state] += 1
            after = self._step(old[3], state)
            if old[2] != state or old[3] != after:
                changed.append((old[0], old, state, after))
            if len(changed) >= _BATCH:
                self._spool([], changed)
        self._spool([], changed)

    def _apply(self) -> None:
        """A resource that is gone and never failed is forgotten; one that did is kept, should it come back failing."""
        self.db.execute("INSERT OR REPLACE INTO current SELECT * FROM temp.changed")
        self.db.execute(
            "DELETE FROM current WHERE state = ? AND known IN "
            "(SELECT n FROM states WHERE kind = 'known' AND letters NOT GLOB '*[Fpng]*')",
            (self._gone,),
        )

    # -- what is said of the run ------------------------------------------------------------------------

    def _write(self) -> Added:
        tallies: Counter[tuple[str, str]] = Counter()
        for state, times in self.of_state.items():
            tally(self.states.state(state), times, tallies)
        counts = dict.fromkeys("PFUN?", 0)
        for (_, letter), times in tallies.items():
            counts[letter] += times
        for (known, state), times in self.steps.items():
            for rule, what in self.states.step(known, state)[1]:
                tallies[rule, what] += times
                counts[what] = counts.get(what, 0) + times
        counts["waived"] = self.waived
        run = self.run
        self.db.execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self.number, run.id, run.at, int(run.complete), self.resources, self.digest.hexdigest(), self._pack(),
             json.dumps(run.about(), sort_keys=True), json.dumps(counts, sort_keys=True)),
        )  # fmt: skip
        self.db.executemany(
            "INSERT INTO tallies VALUES (?, ?, ?, ?)",
            [(self.number, self._name(rule), what, times) for (rule, what), times in sorted(tallies.items())],
        )
        return Added(run.id, run.at, True, self.resources, counts)

    def _pack(self) -> int:
        text = json.dumps(pack_of(self.run.rules), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.db.execute("INSERT OR IGNORE INTO packs (digest, rules) VALUES (?, ?)", (digest, text))
        return int(self.db.execute("SELECT n FROM packs WHERE digest = ?", (digest,)).fetchone()[0])

    def _name(self, text: str) -> int:
        self.db.execute("INSERT OR IGNORE INTO names (text) VALUES (?)", (text,))
        return int(self.db.execute("SELECT n FROM names WHERE text = ?", (text,)).fetchone()[0])
