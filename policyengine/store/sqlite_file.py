"""The file of remediations: made, opened, checked. A file that is not ours is never written to.

It has a rollback journal and no write-ahead log: everything is in one file that can be copied while nobody writes, also
where locks work over a network and shared memory does not. A process that is killed leaves its journal beside the file, and
who opens it next rolls back (https://www.sqlite.org/atomiccommit.html). ``synchronous = EXTRA`` makes that hold after a loss
of power as well (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from policyengine.store.actions import StoreError
from policyengine.store.chain import START
from policyengine.store.records import FORMAT

APPLICATION: Final = 0x5045_5241
"""``PERA`` in the file's header: remediation actions of policyengine."""
_SCHEMA: Final = (
    (
        "CREATE TABLE actions (id TEXT PRIMARY KEY, key TEXT NOT NULL, state TEXT NOT NULL, resource TEXT NOT NULL, "
        "rule TEXT NOT NULL, updated TEXT NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL)"
    ),
    "CREATE INDEX actions_of_resource ON actions (resource, updated)",
    "CREATE INDEX actions_of_state ON actions (state, updated)",
    "CREATE INDEX actions_in_time ON actions (updated)",
    "CREATE TABLE keys (key TEXT PRIMARY KEY, action TEXT NOT NULL, until REAL NOT NULL)",
    (
        "CREATE TABLE journal (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, action TEXT NOT NULL, kind TEXT NOT NULL, "
        "body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL)"
    ),
    "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL)",
    "CREATE TABLE leases (resource TEXT PRIMARY KEY, owner TEXT, fence INTEGER NOT NULL, until REAL NOT NULL)",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, amount INTEGER NOT NULL, until REAL NOT NULL)",
    "CREATE TABLE flags (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
)
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_file(path: Path, *, create: bool, wait: float) -> sqlite3.Connection:
    """Return a connection to the file, made in a folder with mode 0700 where there is none and ``create``.

    ``wait``: seconds to wait for other processes. Raises StoreError for a file that is missing, damaged, of something else
    or of a newer version, or that others may read or write; such a file is left as it is.
    """
    try:
        _prepare(path, create)
        address = f"file:{quote(str(path.absolute()))}?mode=rw"
        connection = sqlite3.connect(
            address, uri=True, timeout=wait, isolation_level=None, check_same_thread=False
        )
    except OSError as problem:
        raise StoreError(f"`{path}` cannot be opened: {(problem.strerror or 'error').lower()}") from None
    except sqlite3.Error as problem:
        raise failure(problem, path, wait) from None
    try:
        _set_up(connection, path)
    except BaseException as problem:
        connection.close()
        if isinstance(problem, sqlite3.Error):
            raise failure(problem, path, wait) from None
        raise
    return connection


def _prepare(path: Path, create: bool) -> None:
    """An existing file is not opened here: closing it would take away the locks that another connection of this
    process has on it (https://www.sqlite.org/howtocorrupt.html, section 2.2)."""
    if create:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        about = path.lstat()
    except FileNotFoundError:
        raise StoreError(f"`{path}` does not exist: nothing was remediated with this store") from None
    if not stat.S_ISREG(about.st_mode):
        raise StoreError(f"`{path}` is no file of remediations: expected a regular file")
    if about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StoreError(
            f"others may read or write `{path}` (mode {stat.S_IMODE(about.st_mode):04o}); expected 0600: see who could "
            f"have changed it, then `chmod 600 {path}`"
        )
    if path.parent.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StoreError(
            f"others may put files into `{path.parent}`, and so into the store; keep it in a folder of its own with mode 0700"
        )


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    for setting in ("trusted_schema = OFF", "cell_size_check = ON", "synchronous = EXTRA", "fullfsync = ON"):
        connection.execute(f"PRAGMA {setting}")
    if not _number(connection, "page_count"):
        _create(connection)
    if _number(connection, "application_id") != APPLICATION:
        raise StoreError(f"`{path}` is no file of remediations but another database; it was left as it is")
    version = _number(connection, "user_version")
    if version != FORMAT:
        raise StoreError(
            f"`{path}` has version {version}; expected {FORMAT}: use the policyengine that wrote it. It was left as it is"
        )
    found = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    if found != set(_SCHEMA):
        raise StoreError(f"`{path}` does not have the tables of a file of remediations; it was left as it is")
    first = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if first != "ok":
        raise StoreError(_damaged(path, str(first)))


def _create(connection: sqlite3.Connection) -> None:
    """In one transaction: of two processes that begin together one does it, and one that is killed has not."""
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO head VALUES (1, ?, ?)", START)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def failure(problem: sqlite3.Error, path: Path, wait: float) -> StoreError:
    """Return what SQLite's error means for whoever uses the store."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF  # the higher bits only say more of the same
    if code in _BUSY:
        return StoreError(f"other processes have been writing to `{path}` for {wait:g} seconds: try again")
    if code in _DAMAGED:
        return StoreError(_damaged(path, str(problem)))
    if code == sqlite3.SQLITE_FULL:
        return StoreError(f"there is no room for `{path}`, so nothing was written: make some")
    return StoreError(f"`{path}` cannot be read or written: {problem}")


def _damaged(path: Path, text: str) -> str:
    return f"`{path}` is damaged, or no file of remediations ({text}); it was left as it is: put back a copy of it"
