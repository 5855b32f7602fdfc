"""The file of results: one SQLite database in a folder that only its user may enter.

Nothing here is needed to be right: a file that is not ours, of a later version, damaged, locked or on a full disk
is left alone, the run goes on without it and says why. Every row carries a check of its own, so what a broken disk
made of it is not read.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

NAME: Final = "results.sqlite3"
APPLICATION: Final = 0x706F6C65
VERSION: Final = 1
MOST_BYTES: Final = 1 << 30
"""Size the file is brought back to at the end of a run, the results that were not used for longest first."""
BATCH: Final = 500
WAIT: Final = 5.0
"""Seconds to wait for another run that is writing; after that these results are not kept."""
_DAY: Final = 86_400
_USED_AGAIN: Final = 7
"""Days after which it is written down again that a result was used."""
_SCHEMA: Final = (
    "CREATE TABLE kept (id INTEGER PRIMARY KEY, used INTEGER, line BLOB, rules BLOB, sum BLOB, body BLOB, told BLOB)",
    "CREATE TABLE lists (id BLOB PRIMARY KEY, stamps BLOB)",
)


class Row(NamedTuple):
    """What is kept of a resource: digests of its line and its rules, results and findings as JSON."""

    line: bytes
    rules: bytes
    body: bytes
    told: bytes


class ResultFile:
    """The results of a folder; each process of a run opens the file for itself."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most = most_bytes
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._rows: list[tuple[int, int, bytes, bytes, bytes, bytes, bytes]] = []
        self._lists: dict[bytes, bytes] = {}
        self._new_lists: set[bytes] = set()
        self._again: list[int] = []
        self._today = int(time.time()) // _DAY
        self.problem: str | None = None
        """Why nothing is kept (any more)."""

    def __reduce__(self) -> tuple[object, ...]:
        return (ResultFile, (self._folder,))

    def open(self) -> sqlite3.Connection | None:
        """Return the database as this process has it open; None with a ``problem`` where it cannot be used."""
        if self._process == os.getpid():
            return self._connection
        self._process, self._connection = os.getpid(), None
        self._rows, self._again, self._new_lists = [], [], set()
        if self.problem is None:
            try:
                self._connection = self._opened()
            except (OSError, sqlite3.Error, ValueError) as error:
                self._give_up(error)
        return self._connection

    def get(self, number: int) -> Row | None:
        """Return what is kept under a number, if it is whole."""
        connection = self.open()
        if connection is None:
            return None
        try:
            found = connection.execute(
                "SELECT used, line, rules, sum, body, told FROM kept WHERE id = ?", (number,)
            ).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        if found is None or any(part.__class__ is not bytes for part in found[1:]):
            return None
        used, line, rules, check, body, told = found
        if check != _check(line, rules, body, told):
            return None
        if not isinstance(used, int) or used < self._today - _USED_AGAIN:
            self._again.append(number)
        return Row(line, rules, body, told)

    def stamps(self, rules: bytes) -> bytes:
        """Return the stamps of a list of rules; empty where they are not known."""
        known = self._lists.get(rules)
        connection = self.open()
        if known is None and connection is not None:
            try:
                found = connection.execute("SELECT stamps FROM lists WHERE id = ?", (rules,)).fetchone()
            except sqlite3.Error as error:
                self._give_up(error)
                found = None
            known = found[0] if found is not None and found[0].__class__ is bytes else b""
            self._lists[rules] = known
        return known or b""

    def put(self, number: int, row: Row, stamps: bytes) -> None:
        """Keep what is known of a resource; written a batch at a time."""
        if self.open() is None:
            return
        if row.rules not in self._new_lists and self._lists.get(row.rules) != stamps:
            self._new_lists.add(row.rules)
            self._lists[row.rules] = stamps
        check = _check(row.line, row.rules, row.body, row.told)
        self._rows.append((number, self._today, row.line, row.rules, check, row.body, row.told))
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        connection = self.open()
        if connection is None or not (self._rows or self._again):
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            lists = [(name, self._lists[name]) for name in self._new_lists]
            connection.executemany("INSERT OR REPLACE INTO lists VALUES (?, ?)", lists)
            connection.executemany(
                "UPDATE kept SET used = ? WHERE id = ?", ((self._today, n) for n in self._again)
            )
            connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?, ?)", self._rows)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)
        self._rows, self._again, self._new_lists = [], [], set()

    def pause(self) -> None:
        """Write what waits and close the database: no connection may be open where a process is forked."""
        if self._process == os.getpid():
            self.flush()
            if self._connection is not None:
                self._connection.close()
        self._connection, self._process = None, 0

    def close(self) -> None:
        """Write what waits and bring the file back to its size."""
        self.flush()
        connection = self.open()
        if connection is not None:
            try:
                self._shrink(connection)
            except sqlite3.Error as error:
                self._give_up(error)
        self.pause()

    def _shrink(self, connection: sqlite3.Connection) -> None:
        """Give up the results that were not used for longest, until the file has its size again."""
        pages, free, size = (
            _number(connection, name) for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size > self._most:
            total = connection.execute("SELECT count(*) FROM kept").fetchone()[0]
            share = 1 - self._most * 0.9 / ((pages - free) * size)
            connection.execute(
                "DELETE FROM kept WHERE id IN (SELECT id FROM kept ORDER BY used LIMIT ?)",
                (int(total * share) + 1,),
            )
            connection.execute("DELETE FROM lists WHERE id NOT IN (SELECT rules FROM kept)")
            connection.executescript("PRAGMA incremental_vacuum")  # execute gives up one page
        elif free * size > self._most:
            connection.executescript("PRAGMA incremental_vacuum")  # execute gives up one page

    # -- opening ----------------------------------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _refuse_foreign(self._folder.stat(), "the folder", stat.S_ISDIR)
        path = self._folder / NAME
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
        _refuse_foreign(path.lstat(), f"`{NAME}`", stat.S_ISREG)
        connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
        try:
            _set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_up(self, error: Exception) -> None:
        text = str(error) if isinstance(error, ValueError) else _reason(error)
        self.problem = f"results are not kept in `{self._folder}`: {text}"
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()
        self._connection = None
        self._rows, self._again, self._new_lists = [], [], set()


def _set_up(connection: sqlite3.Connection) -> None:
    """Check that the database is ours, or make it so where it is new."""
    for setting in ("trusted_schema = OFF", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {setting}")
    if _number(connection, "schema_version") == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if _number(connection, "schema_version") == 0:  # else another run was quicker
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    if _number(connection, "application_id") != APPLICATION:
        raise ValueError(f"`{NAME}` is no file of results")
    if _number(connection, "user_version") != VERSION:
        raise ValueError(f"`{NAME}` is of another version")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("SELECT id, used, line, rules, sum, body, told FROM kept LIMIT 1").fetchall()


def _refuse_foreign(about: os.stat_result, what: str, right: object) -> None:
    """Raise ValueError for what others own or may write to: their results could say anything."""
    if not callable(right) or not right(about.st_mode):
        raise ValueError(f"{what} is of the wrong kind")
    if about.st_uid != os.geteuid():
        raise ValueError(f"{what} belongs to another user")
    if about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError(f"others may enter or read {what} (its mode must be 0700)")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _check(*parts: bytes) -> bytes:
    hasher = blake2b(digest_size=8)
    for part in parts:
        hasher.update(b"%d:" % len(part))
        hasher.update(part)
    return hasher.digest()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return str(error) or type(error).__name__


def number_of(identity: Iterable[str]) -> int:
    """Return the number of a resource: two of one number put each other out, and nothing worse."""
    text = "\0".join(identity).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little", signed=True)
