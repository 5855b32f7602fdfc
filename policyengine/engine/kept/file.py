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
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

NAME: Final = "results.sqlite3"
APPLICATION: Final = 0x706F6C65
VERSION: Final = 2
MOST_BYTES: Final = 1 << 30
"""Size the file is brought back to at the end of a run, the results that were not used for longest first."""
BATCH: Final = 500
WAIT: Final = 5.0
"""Seconds to wait for another run that is writing; after that these results are not kept."""
_ONE: Final = "SELECT id, used, sum, head, body, told FROM kept WHERE id = ?"
_TOGETHER: Final = "SELECT id, used, sum, head, body, told FROM kept WHERE id BETWEEN ? AND ? LIMIT ?"
_UNNAMED: Final = (
    "DELETE FROM texts WHERE id NOT IN (SELECT substr(head, 17, 16) FROM kept UNION "
    "SELECT substr(head, 33, 16) FROM kept UNION SELECT substr(head, 49, 16) FROM kept)"
)
_DAY: Final = 86_400
_USED_AGAIN: Final = 7
"""Days after which it is written down again that a result was used."""
_SCHEMA: Final = (
    "CREATE TABLE kept (id INTEGER PRIMARY KEY, used INTEGER, sum INTEGER, head BLOB, body BLOB, told BLOB)",
    "CREATE TABLE texts (id BLOB PRIMARY KEY, text BLOB) WITHOUT ROWID",
)
DIGEST: Final = 16
_HEAD: Final = 4 * DIGEST
_OWN_BITS: Final = 40
"""Bits of a resource's number that are its own; those above are of its account, region and type, which lie together."""
MOST_LOADED: Final = 20_000
"""Rows of an account, region and type that are read at once; of more each by itself."""
MOST_TEXTS: Final = 20_000
"""Texts after which those that no row names are given up."""


class Row(NamedTuple):
    """What is kept of a resource: the digests of its line and of three texts, results, findings as JSON.

    ``rules``: the stamps of its rules; ``shape``: what their results rest on; ``state``: what that said of all it
    chooses from.
    """

    line: bytes
    rules: bytes
    shape: bytes
    state: bytes
    body: bytes
    told: bytes


Texts = Mapping[bytes, bytes]
"""By their digests."""
_Unread = tuple[int, int, int, bytes, bytes, bytes]


class ResultFile:
    """The results of a folder; each process of a run opens the file for itself."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most = most_bytes
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._rows: list[_Unread] = []
        self._moved: list[tuple[int, int, bytes, int]] = []
        self._texts: dict[bytes, bytes] = {}
        self._new_texts: set[bytes] = set()
        self._again: list[int] = []
        self._loaded: tuple[int | None, dict[int, _Unread] | None] = (None, None)
        """The number above a resource's own, with its rows; None for the rows where they are too many."""
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
        self._drop()
        if self.problem is None:
            try:
                self._connection = self._opened()
            except (OSError, sqlite3.Error, ValueError) as error:
                self._give_up(error)
        return self._connection

    def get(self, number: int) -> Row | None:
        """Return what is kept under a number, if it is whole."""
        if self.open() is None:
            return None
        try:
            found = self._found(number)
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        if found is None or any(part.__class__ is not bytes for part in found[3:]):
            return None
        _, used, check, head, body, told = found
        if len(head) != _HEAD or check != _check(head, body, told):
            return None
        if not isinstance(used, int) or used < self._today - _USED_AGAIN:
            self._again.append(number)
        return Row(head[:16], head[16:32], head[32:48], head[48:], body, told)

    def _found(self, number: int) -> _Unread | None:
        """Return a row; those that lie together are read at once, since they are asked for one after the other."""
        place = number >> _OWN_BITS
        if self._loaded[0] != place:
            start = place << _OWN_BITS
            last = start + (1 << _OWN_BITS) - 1
            rows = self._read(_TOGETHER, start, last, MOST_LOADED + 1)
            self._loaded = (place, {row[0]: row for row in rows} if len(rows) <= MOST_LOADED else None)
        loaded = self._loaded[1]
        if loaded is not None:
            return loaded.get(number)
        return next(iter(self._read(_ONE, number)), None)

    def _read(self, query: str, *values: int) -> list[_Unread]:
        assert self._connection is not None  # whoever asks has it open
        return self._connection.execute(query, values).fetchall()

    def text(self, name: bytes) -> bytes | None:
        """Return the text of a digest; None where it is not known."""
        known = self._texts.get(name)
        connection = self.open()
        if known is None and connection is not None:
            try:
                if not self._texts:  # a run asks for most of them, one after the other
                    read = connection.execute("SELECT id, text FROM texts LIMIT ?", (MOST_TEXTS,)).fetchall()
                else:
                    read = connection.execute("SELECT id, text FROM texts WHERE id = ?", (name,)).fetchall()
            except sqlite3.Error as error:
                self._give_up(error)
                return None
            whole = ((id_, text) for id_, text in read if text.__class__ is bytes and name_of(text) == id_)
            self._texts.update(whole)
            known = self._texts.get(name)
        return known

    def put(self, number: int, row: Row, texts: Texts) -> None:
        """Keep what is known of a resource; written a batch at a time. ``texts``: those the row names."""
        if self.open() is None:
            return
        self._note(texts)
        head = b"".join(row[:4])
        self._rows.append((number, self._today, _check(head, row.body, row.told), head, row.body, row.told))
        self._full()

    def move(self, number: int, row: Row, texts: Texts) -> None:
        """Keep under what state the same is known of a resource."""
        if self.open() is None:
            return
        self._note(texts)
        head = b"".join(row[:4])
        self._moved.append((self._today, _check(head, row.body, row.told), head, number))
        self._full()

    def _note(self, texts: Texts) -> None:
        for name, text in texts.items():
            if name not in self._texts:
                self._texts[name] = text
                self._new_texts.add(name)

    def _full(self) -> None:
        if len(self._rows) + len(self._moved) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        connection = self.open()
        if connection is None or not (self._rows or self._moved or self._again):
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            texts = [(name, self._texts[name]) for name in self._new_texts]
            connection.executemany("INSERT OR REPLACE INTO texts VALUES (?, ?)", texts)
            connection.executemany(
                "UPDATE kept SET used = ? WHERE id = ?", ((self._today, n) for n in self._again)
            )
            connection.executemany("UPDATE kept SET used = ?, sum = ?, head = ? WHERE id = ?", self._moved)
            connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?)", self._rows)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)
        self._wrote()

    def _wrote(self) -> None:
        """Forget what waited: it is in the file, or will never be."""
        self._rows, self._moved, self._again, self._new_texts = [], [], [], set()

    def _drop(self) -> None:
        """Forget what waits and what was read: another process, or another connection, has its own."""
        self._wrote()
        self._texts, self._loaded = {}, (None, None)

    def pause(self) -> None:
        """Write what waits and close the database: no connection may be open where a process is forked."""
        if self._process == os.getpid():
            self.flush()
            if self._connection is not None:
                self._connection.close()
        self._connection, self._process = None, 0
        self._drop()

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
            connection.execute(_UNNAMED)
            connection.executescript("PRAGMA incremental_vacuum")  # execute gives up one page
        elif connection.execute("SELECT count(*) FROM texts").fetchone()[0] > MOST_TEXTS:
            connection.execute(_UNNAMED)
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
        self._drop()


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
    connection.execute("SELECT id, used, sum, head, body, told FROM kept LIMIT 1").fetchall()
    connection.execute("SELECT id, text FROM texts LIMIT 1").fetchall()


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


def _check(head: bytes, body: bytes, told: bytes) -> int:
    """Return what tells a row from what a broken disk made of it."""
    return crc32(told, crc32(b"%d:" % len(body) + body, crc32(head)))


def name_of(text: bytes) -> bytes:
    """Return the digest of a text."""
    return blake2b(text, digest_size=DIGEST).digest()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return str(error) or type(error).__name__


def number_of(identity: tuple[str, str, str, str]) -> int:
    """Return the number of a resource by its account, region, type and id.

    Two of one number put each other out, and nothing worse.
    """
    account, region, type_, id_ = identity
    place = f"{account}\0{region}\0{type_}".encode("utf-8", "surrogatepass")
    above = int.from_bytes(blake2b(place, digest_size=3).digest(), "little", signed=True)
    own = blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=_OWN_BITS // 8).digest()
    return (above << _OWN_BITS) | int.from_bytes(own, "little")
