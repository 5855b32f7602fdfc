"""Files of ours that are SQLite databases: made, told from others' and never written to where they are not ours.

What a file holds is its module's; who may read it and what is checked of its rows as well.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SETTINGS: Final = ("trusted_schema = OFF", "cell_size_check = ON")


@dataclass(frozen=True)
class Kind:
    """One kind of file. ``what`` is its name in messages, ``application`` and ``version`` stand in its header.

    ``schema`` are the statements that make it and by which it is known, ``first`` what is done to a new one after them.
    ``settings`` are pragmas of each connection. ``log``: it has a write-ahead log. ``error`` makes what is raised of a
    message, ``again`` is what else helps where a file cannot be used.
    """

    what: str
    application: int
    version: int
    schema: Sequence[str]
    error: Callable[[str], Exception]
    settings: Sequence[str]
    first: Sequence[tuple[str, tuple[Any, ...]]] = ()
    log: bool = False
    again: str = ""

    def failure(self, problem: sqlite3.Error, path: Path, wait: float | None = None) -> Exception:
        """Return what SQLite's error means for whoever uses the file; ``wait``: the seconds it was waited for."""
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF  # the higher bits only say more of the same
        if code in _BUSY:
            long = "too long" if wait is None else f"{wait:g} seconds"
            return self.error(f"other processes have been writing to `{path}` for {long}: try again")
        if code in _DAMAGED:
            return self.damaged(path, str(problem))
        if code == sqlite3.SQLITE_FULL:
            return self.error(f"there is no room for `{path}`, so nothing was written: make some")
        return self.error(f"`{path}` cannot be read or written: {problem}")

    def damaged(self, path: Path, text: str) -> Exception:
        """Return what is raised for a file that is damaged; ``text`` says what was found."""
        left = "it was left as it is: put back a copy of it" + (f", or {self.again}" if self.again else "")
        return self.error(f"`{path}` is damaged, or no {self.what} ({text}); {left}")


def make_file(path: Path, folder_mode: int = 0o777) -> None:
    """Make an empty file with mode 0600, and its folders, where there is none. Raises OSError.

    An existing one is not opened: closing it would take away the locks that another connection of this process has on
    it (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=folder_mode)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def connect(
    kind: Kind,
    path: Path,
    prepare: Callable[[], str],
    *,
    wait: float,
    check: Callable[[sqlite3.Connection], None] | None = None,
    same_thread: bool = True,
) -> sqlite3.Connection:
    """Return a connection to a file of a kind; an empty one is given its tables.

    ``prepare`` looks at the file first and returns how it is opened (the parameters of SQLite's address), ``check`` looks
    at what it holds; ``wait``: seconds to wait for other processes. Raises the kind's error for a file that cannot be
    opened, is damaged, of something else or of another version; such a file is left as it is.
    """
    try:
        address = f"file:{quote(str(path.absolute()))}?{prepare()}"
        connection = sqlite3.connect(
            address, uri=True, timeout=wait, isolation_level=None, check_same_thread=same_thread
        )
    except OSError as problem:
        raise kind.error(f"`{path}` cannot be opened: {(problem.strerror or 'error').lower()}") from None
    except sqlite3.Error as problem:
        raise kind.failure(problem, path, wait) from None
    try:
        _set_up(connection, kind, path)
        if check is not None:
            check(connection)
    except BaseException as problem:
        connection.close()
        if isinstance(problem, sqlite3.Error):
            raise kind.failure(problem, path, wait) from None
        raise
    return connection


def _set_up(connection: sqlite3.Connection, kind: Kind, path: Path) -> None:
    for setting in (*_SETTINGS, *kind.settings):
        connection.execute(f"PRAGMA {setting}")
    if _is_new(connection, kind):
        if kind.log:
            connection.execute("PRAGMA journal_mode = WAL")
        _create(connection, kind)
    if _number(connection, "application_id") != kind.application:
        raise kind.error(f"`{path}` is no {kind.what} but another database; it was left as it is")
    version = _number(connection, "user_version")
    if version != kind.version:
        use = "use the policyengine that wrote it" + (f", or {kind.again}" if kind.again else "")
        raise kind.error(
            f"`{path}` has version {version}; expected {kind.version}: {use}; it was left as it is"
        )
    found = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    if found != set(kind.schema):
        raise kind.error(f"`{path}` does not have the tables of a {kind.what}; it was left as it is")


def _is_new(connection: sqlite3.Connection, kind: Kind) -> bool:
    if not kind.log:
        return not _number(connection, "page_count")
    # turning the log on writes the first page: who is killed then leaves a file with nothing in it
    headers = _number(connection, "application_id") or _number(connection, "user_version")
    return not (headers or _tables(connection))


def _create(connection: sqlite3.Connection, kind: Kind) -> None:
    """In one transaction: of two processes that begin together one does it, and one that is killed has not."""
    connection.execute("BEGIN IMMEDIATE")
    if not _tables(connection):
        for statement in kind.schema:
            connection.execute(statement)
        for statement, values in kind.first:
            connection.execute(statement, values)
        connection.execute(f"PRAGMA application_id = {kind.application}")
        connection.execute(f"PRAGMA user_version = {kind.version}")
    connection.execute("COMMIT")


def _tables(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
