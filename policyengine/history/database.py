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
from pathlib import Path
from typing import Final

from policyengine.model.errors import InputError
from policyengine.store.database import Kind, connect, make_file

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
KIND: Final = Kind(
    what="file of history",
    application=0x5045_4849,  # ``PEHI``: history of policyengine
    version=FORMAT,
    schema=_SCHEMA,
    error=InputError,
    settings=("synchronous = FULL", "temp_store = FILE"),
    log=True,
    again="add its runs to a new file",
)


def open_history(path: Path, *, create: bool = False, wait: float = WAIT) -> sqlite3.Connection:
    """Return a connection to the file, made with mode 0600 where there is none and ``create``.

    ``wait``: seconds to wait for a process that adds a run. Raises InputError for a file that is missing, damaged, of something
    else or of another version; such a file is left as it is.
    """
    return connect(KIND, path, lambda: _prepared(path, create), wait=wait)


def _prepared(path: Path, create: bool) -> str:
    """In a folder where nothing may be written, no log can be kept beside the file: it is read as it is, which nobody
    can be changing (https://www.sqlite.org/wal.html#read_only_databases)."""
    if create:
        make_file(path)
    try:
        about = path.stat()
    except FileNotFoundError:
        raise InputError(
            f"`{path}` does not exist: `policyengine history add RUN --db {path}` makes it"
        ) from None
    if not stat.S_ISREG(about.st_mode):
        raise InputError(f"`{path}` is no file of history: expected a regular file")
    log = path.with_name(f"{path.name}-wal")
    if create or os.access(path.parent, os.W_OK) or log.exists():
        return "mode=rw"
    return "mode=ro&immutable=1"
