"""The file of history: SQLite, made, opened and checked. A file that is not ours is never written to.

It has a write-ahead log (https://www.sqlite.org/wal.html): who reads does not wait for who adds a run, and a process that is
killed leaves a log that the next one drops, with nothing of the half run. Beside the file lie ``-wal`` and ``-shm`` while it
is open; the last one to close it leaves one file. It cannot lie on a network file system.

A resource has a row for each stretch of runs in which all its verdicts were the same: what does not change takes no room.

``runs``     one row a run, in the order of time (``n``); ``counts`` is JSON
``states``   distinct lists of verdicts: ``kind`` observed (letters of ``rules``), unseen (nobody looked), gone, known
``current``  key -> state since run ``since``, and ``known``: the verdicts that were determined last
``past``     the stretches before, from run ``since`` to run ``until``, both included
``tallies``  how many findings of a rule had a verdict in a run, and how many became new, fixed, …
``packs``    what the rules of a run were; ``names`` texts that rows name by number; ``milestones`` names of runs
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from policyengine.model.errors import InputError

APPLICATION: Final = 0x5045_4849
"""``PEHI`` in the file's header: history of policyengine."""
FORMAT: Final = 1
WAIT: Final = 120.0
"""Seconds to wait for another process that adds a run."""
_SCHEMA: Final = (
    (
        "CREATE TABLE runs (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at TEXT NOT NULL, complete INTEGER NOT NULL, "
        "resources INTEGER NOT NULL, digest TEXT NOT NULL, pack INTEGER NOT NULL, about TEXT NOT NULL, counts TEXT NOT NULL)"
    ),
    "CREATE TABLE packs (n INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, rules TEXT NOT NULL)",
    "CREATE TABLE names (n INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    (
        "CREATE TABLE states (n INTEGER PRIMARY KEY, kind TEXT NOT NULL, type TEXT NOT NULL, rules TEXT NOT NULL, "
        "letters TEXT NOT NULL, UNIQUE (kind, type, rules, letters))"
    ),
    (
        "CREATE TABLE current (key BLOB PRIMARY KEY, since INTEGER NOT NULL, state INTEGER NOT NULL, "
        "known INTEGER NOT NULL) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE past (key BLOB NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, state INTEGER NOT NULL, "
        "PRIMARY KEY (key, since)) WITHOUT ROWID"
    ),
    (
        "CREATE TABLE tallies (run INTEGER NOT NULL, rule INTEGER NOT NULL, what TEXT NOT NULL, number INTEGER NOT NULL, "
        "PRIMARY KEY (run, rule, what)) WITHOUT ROWID"
    ),
    "CREATE TABLE milestones (name TEXT PRIMARY KEY, run INTEGER NOT NULL, note TEXT NOT NULL)",
)
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_history(path: Path, *, create: bool = False, wait: float = WAIT) -> sqlite3.Connection:
    """Return a connection to the file, made with mode 0600 where there is none and ``create``.

    ``wait``: seconds to wait for a process that adds a run. Raises InputError for a file that is missing, damaged, of something
    else or of another version; such a file is left as it is.
    """
    try:
        _prepare(path, create)
        address = f"file:{quote(str(path.absolute()))}?{_mode(path, create=create)}"
        connection = sqlite3.connect(address, uri=True, timeout=wait, isolation_level=None)
    except OSError as problem:
        raise InputError(f"`{path}` cannot be opened: {(problem.strerror or 'error').lower()}") from None
    except sqlite3.Error as problem:
        raise failure(problem, path) from None
    try:
        _set_up(connection, path)
    except BaseException as problem:
        connection.close()
        if isinstance(problem, sqlite3.Error):
            raise failure(problem, path) from None
        raise
    return connection


def _mode(path: Path, *, create: bool) -> str:
    """In a folder where nothing may be written, no log can be kept beside the file: it is read as it is, which nobody
    can be changing (https://www.sqlite.org/wal.html#read_only_databases)."""
    log = path.with_name(f"{path.name}-wal")
    if create or os.access(path.parent, os.W_OK) or log.exists():
        return "mode=rw"
    return "mode=ro&immutable=1"


def _prepare(path: Path, create: bool) -> None:
    """An existing file is not opened here: closing it would take away the locks that another connection of this
    process has on it (https://www.sqlite.org/howtocorrupt.html, section 2.2)."""
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        about = path.stat()
    except FileNotFoundError:
        raise InputError(
            f"`{path}` does not exist: `policyengine history add RUN --db {path}` makes it"
        ) from None
    if not stat.S_ISREG(about.st_mode):
        raise InputError(f"`{path}` is no file of history: expected a regular file")


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    for setting in (
        "trusted_schema = OFF",
        "cell_size_check = ON",
        "synchronous = FULL",
        "temp_store = FILE",
    ):
        connection.execute(f"PRAGMA {setting}")
    if not (
        number(connection, "application_id") or number(connection, "user_version") or _tables(connection)
    ):
        connection.execute("PRAGMA journal_mode = WAL")
        _create(connection)
    if number(connection, "application_id") != APPLICATION:
        raise InputError(f"`{path}` is no file of history but another database; it was left as it is")
    version = number(connection, "user_version")
    if version != FORMAT:
        raise InputError(
            f"`{path}` has version {version}, expected {FORMAT}: use the policyengine that wrote it, or add its runs to a new "
            "file; it was left as it is"
        )
    found = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    if found != set(_SCHEMA):
        raise InputError(f"`{path}` does not have the tables of a file of history; it was left as it is")


def _tables(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _create(connection: sqlite3.Connection) -> None:
    """In one transaction: of two processes that begin together one does it, and one that is killed has not."""
    connection.execute("BEGIN IMMEDIATE")
    if not _tables(connection):
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


def number(connection: sqlite3.Connection, pragma: str) -> int:
    """Return what a pragma says."""
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def failure(problem: sqlite3.Error, path: Path) -> InputError:
    """Return what SQLite's error means for whoever uses the file."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF  # the higher bits only say more of the same
    if code in _BUSY:
        return InputError(f"another process has been writing to `{path}` for too long: try again")
    if code in _DAMAGED:
        return InputError(
            f"`{path}` is damaged, or no file of history ({problem}); it was left as it is: put back a copy of it, or add the "
            "runs to a new file"
        )
    if code == sqlite3.SQLITE_FULL:
        return InputError(f"there is no room for `{path}`, so nothing was added: make some")
    return InputError(f"`{path}` cannot be read or written: {problem}")
