"""Remediations in one file. What one method writes is one transaction, begun as a writer's (``BEGIN IMMEDIATE``)."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from policyengine.store.actions import (
    Action,
    ConflictError,
    Count,
    Entry,
    Json,
    Lease,
    NoSuchActionError,
    Note,
    StoreError,
    UnfitError,
)
from policyengine.store.chain import Head
from policyengine.store.records import (
    SLACK,
    Wanted,
    action_of,
    changed_since,
    check_action,
    check_lease,
    first_over,
    holds_key,
    instant,
    linked,
    not_newest,
    text_of,
    value_of,
)
from policyengine.store.sqlite_file import KIND, open_file

_WAIT: Final = 15.0
_PAGE: Final = 200


class SqliteActions:
    """The ActionStore of a file; safe to use from many threads and processes.

    ``wait`` is how many seconds to wait for other processes. Raises StoreError as :func:`open_file`.
    """

    def __init__(self, path: Path, *, create: bool = True, wait: float = _WAIT) -> None:
        self.path = path
        self._wait = wait
        self._lock = threading.RLock()
        self._connection = open_file(path, create=create, wait=wait)
        self._process = os.getpid()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    # -- actions ------------------------------------------------------------------------------------------

    def claim(self, action: Action, note: Note, *, until: float, now: float) -> Action:
        """See :meth:`ActionStore.claim`."""
        check_action(action)
        new = replace(action, version=1)
        row = self._row(new)
        with self._writing() as db:
            held = db.execute(
                "SELECT id, doc, until FROM keys JOIN actions ON id = action WHERE keys.key = ?", (new.key,)
            ).fetchone()
            if held is not None:
                holder = self._action(held[0], held[1])
                if holds_key(holder, held[2], now):
                    return holder
            if db.execute("SELECT 1 FROM actions WHERE id = ?", (new.id,)).fetchone():
                raise ConflictError(f"there is an action {new.id} already, with another key")
            db.execute("INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", (new.key, new.id, until))
            _append(db, (note,))
        return new

    def get(self, action: str) -> Action:
        """See :meth:`ActionStore.get`."""
        for id, doc in self._read("SELECT id, doc FROM actions WHERE id = ?", (action,)):
            return self._action(id, doc)
        raise NoSuchActionError(f"there is no action `{action}` in `{self.path}`")

    def save(
        self, action: Action, notes: Iterable[Note], lease: Lease | None = None, *, until: float | None = None
    ) -> Action:
        """See :meth:`ActionStore.save`."""
        check_lease(lease, action)
        new = replace(action, version=action.version + 1)
        id, key, state, resource, rule, updated, version, doc = self._row(new)
        with self._writing() as db:
            found = db.execute(
                "SELECT version FROM actions WHERE (id, key, resource, rule) = (?, ?, ?, ?)",
                (id, key, resource, rule),
            ).fetchone()
            if found is None:
                raise NoSuchActionError(f"there is no action `{id}` for `{resource}` in `{self.path}`")
            if found[0] != action.version:
                raise ConflictError(changed_since(action, found[0]))
            if lease is not None and not _newest(db, lease):
                raise ConflictError(not_newest(lease))
            db.execute(
                "UPDATE actions SET state = ?, updated = ?, version = ?, doc = ? WHERE id = ?",
                (state, updated, version, doc, id),
            )
            if until is not None:
                db.execute("UPDATE keys SET until = ? WHERE key = ? AND action = ?", (until, key, id))
            _append(db, notes)
        return new

    def find(
        self, *, states: Iterable[str] = (), resource: str = "", rule: str = "", since: str = ""
    ) -> Iterator[Action]:
        """See :meth:`ActionStore.find`. No lock is held while it is read."""
        wanted = Wanted.of(states, resource, rule, since)
        conditions, values = ["updated >= ?"], [wanted.since]
        for column, value in (("resource", resource), ("rule", rule)):
            if value:
                conditions.append(f"{column} = ?")
                values.append(value)
        if wanted.states:
            conditions.append(f"state IN ({', '.join('?' * len(wanted.states))})")
            values += sorted(wanted.states)
        # column names and question marks are all that is put together
        query = f"SELECT id FROM actions WHERE {' AND '.join(conditions)} ORDER BY updated DESC, id DESC"  # noqa: S608
        ids = [id for (id,) in self._read(query, values)]
        for start in range(0, len(ids), _PAGE):
            page = ids[start : start + _PAGE]
            marks = ", ".join("?" * len(page))
            docs = dict(self._read(f"SELECT id, doc FROM actions WHERE id IN ({marks})", page))  # noqa: S608  # as above
            found = (self._action(id, docs[id]) for id in page if id in docs)
            yield from (action for action in found if wanted.admits(action))

    # -- leases, counters, flags --------------------------------------------------------------------------

    def lease(self, resource: str, owner: str, *, seconds: float, now: float) -> Lease | None:
        """See :meth:`ActionStore.lease`."""
        with self._writing() as db:
            row = db.execute(
                "SELECT owner, fence, until FROM leases WHERE resource = ?", (resource,)
            ).fetchone()
            if row is not None and row[0] not in (None, owner) and row[2] > now:
                return None
            lease = Lease(resource, owner, 1 if row is None else row[1] + 1, now + seconds)
            db.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)", lease)
        return lease

    def renew(self, lease: Lease, *, seconds: float, now: float) -> Lease:
        """See :meth:`ActionStore.renew`."""
        until = now + seconds
        with self._writing() as db:
            done = db.execute(
                "UPDATE leases SET until = ? WHERE (resource, owner, fence) = (?, ?, ?) AND until > ?",
                (until, *lease[:3], now),
            )
            if not done.rowcount:
                raise ConflictError(not_newest(lease))
        return lease._replace(until=until)

    def release(self, lease: Lease) -> None:
        """See :meth:`ActionStore.release`. The row stays, so that fences only grow."""
        with self._writing() as db:
            db.execute(
                "UPDATE leases SET owner = NULL, until = 0 WHERE (resource, owner, fence) = (?, ?, ?)",
                lease[:3],
            )

    def count(self, counts: Iterable[Count], *, now: float, seconds: float) -> Count | None:
        """See :meth:`ActionStore.count`."""
        given = list(counts)
        with self._writing() as db:
            kept: dict[str, tuple[int, float]] = {}
            for name in {count.name for count in given}:
                row = db.execute(
                    "SELECT amount, until FROM counters WHERE name = ? AND until > ?", (name, now)
                ).fetchone()
                kept[name] = row or (0, 0.0)
            full = first_over(given, {name: amount for name, (amount, _) in kept.items()})
            if full is not None:
                return full
            for count in given:
                amount, until = kept[count.name]
                kept[count.name] = (amount + count.amount, max(until, now + seconds))
            rows = [(name, amount, until) for name, (amount, until) in kept.items()]
            db.executemany("INSERT OR REPLACE INTO counters VALUES (?, ?, ?)", rows)
            db.execute("DELETE FROM counters WHERE until <= ?", (now - SLACK,))
        return None

    def read_flag(self, name: str) -> Json | None:
        """See :meth:`ActionStore.read_flag`."""
        for (text,) in self._read("SELECT value FROM flags WHERE name = ?", (name,)):
            value: Json = value_of(text, f"the flag `{name}` in `{self.path}`")
            return value
        return None

    def write_flag(self, name: str, value: Json, *, was: Json | None) -> bool:
        """See :meth:`ActionStore.write_flag`."""
        text = text_of(value, f"the flag `{name}`")
        before = None if was is None else text_of(was, f"the flag `{name}`")
        with self._writing() as db:
            row = db.execute("SELECT value FROM flags WHERE name = ?", (name,)).fetchone()
            if (row and row[0]) != before:
                return False
            db.execute("INSERT OR REPLACE INTO flags VALUES (?, ?)", (name, text))
        return True

    # -- the journal --------------------------------------------------------------------------------------

    def note(self, note: Note) -> Entry:
        """See :meth:`ActionStore.note`."""
        with self._writing() as db:
            return _append(db, (note,))[0]

    def journal(self, after: int = 0) -> Iterator[Entry]:
        """See :meth:`ActionStore.journal`. No lock is held while it is read."""
        while True:
            rows = self._read(
                "SELECT seq, at, action, kind, body, prev, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",
                (after, _PAGE),
            )
            for seq, at, action, kind, body, prev, hash in rows:
                value = value_of(body, f"entry {seq} of the journal in `{self.path}`")
                yield Entry(seq, at, action, kind, value, prev, hash)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]

    def head(self) -> Head:
        """See :meth:`ActionStore.head`."""
        rows: list[Head] = self._read("SELECT seq, hash FROM head", ())
        return rows[0]

    # -- the file -----------------------------------------------------------------------------------------

    def _row(self, action: Action) -> tuple[Any, ...]:
        updated = instant(action.updated_at, f"the action {action.id}")
        doc = text_of(action.to_json(), f"the action {action.id}")
        return (
            action.id,
            action.key,
            action.state,
            action.resource,
            action.rule,
            updated,
            action.version,
            doc,
        )

    def _action(self, id: str, doc: str) -> Action:
        return action_of(doc, f"the action {id} in `{self.path}`")

    def _read(self, query: str, values: Any) -> list[Any]:
        with self._lock:
            try:
                return self._open().execute(query, values).fetchall()
            except sqlite3.Error as problem:
                raise KIND.failure(problem, self.path, self._wait) from None
            except UnicodeEncodeError:
                raise UnfitError("a name with a lone surrogate cannot be kept") from None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed when the block ends, undone when anything is raised in it."""
        with self._lock:
            connection = self._open()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as problem:
                with suppress(sqlite3.Error):  # after some errors SQLite has rolled back already
                    connection.execute("ROLLBACK")
                if isinstance(problem, sqlite3.Error):
                    raise KIND.failure(problem, self.path, self._wait) from None
                if isinstance(problem, UnicodeEncodeError):
                    text = "a name with a lone surrogate cannot be kept, and nothing was written"
                    raise UnfitError(text) from None
                raise

    def _open(self) -> sqlite3.Connection:
        """A connection is not carried into a forked process (https://www.sqlite.org/howtocorrupt.html, section 2.6)."""
        if self._process != os.getpid():
            self._connection = open_file(self.path, create=False, wait=self._wait)
            self._process = os.getpid()
        return self._connection


def _append(db: sqlite3.Connection, notes: Iterable[Note]) -> list[Entry]:
    head = db.execute("SELECT seq, hash FROM head").fetchone()
    if head is None:
        raise StoreError("the journal has lost its head: the file is damaged, put back a copy of it")
    entries = linked(head, notes)
    if entries:
        rows = [(*entry[:4], text_of(entry.body, "a note of the journal"), *entry[5:]) for entry in entries]
        db.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        db.execute("UPDATE head SET seq = ?, hash = ?", (entries[-1].seq, entries[-1].hash))
    return entries


def _newest(db: sqlite3.Connection, lease: Lease) -> bool:
    row = db.execute("SELECT owner, fence FROM leases WHERE resource = ?", (lease.resource,)).fetchone()
    return row is not None and tuple(row) == (lease.owner, lease.fence)
