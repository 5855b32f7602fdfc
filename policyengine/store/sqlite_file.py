"""The file of remediations: made, opened, checked. A file that is not ours is never written to.

It has a rollback journal and no write-ahead log: everything is in one file that can be copied while nobody writes, also
where locks work over a network and shared memory does not. A process that is killed leaves its journal beside the file, and
who opens it next rolls back (https://www.sqlite.org/atomiccommit.html). ``synchronous = EXTRA`` makes that hold after a loss
of power as well (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Final

from policyengine.store.actions import StoreError
from policyengine.store.chain import START
from policyengine.store.database import Kind, connect, make_file
from policyengine.store.records import FORMAT

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
KIND: Final = Kind(
    what="file of remediations",
    application=0x5045_5241,  # ``PERA``: remediation actions of policyengine
    version=FORMAT,
    schema=_SCHEMA,
    error=StoreError,
    settings=("synchronous = EXTRA", "fullfsync = ON"),
    first=(("INSERT INTO head VALUES (1, ?, ?)", START),),
)


def open_file(path: Path, *, create: bool, wait: float) -> sqlite3.Connection:
    """Return a connection to the file, made in a folder with mode 0700 where there is none and ``create``.

    ``wait``: seconds to wait for other processes. Raises StoreError for a file that is missing, damaged, of something else
    or of a newer version, or that others may read or write; such a file is left as it is.
    """

    def check(connection: sqlite3.Connection) -> None:
        first = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if first != "ok":
            raise KIND.damaged(path, str(first))

    return connect(KIND, path, lambda: _prepared(path, create), wait=wait, check=check, same_thread=False)


def _prepared(path: Path, create: bool) -> str:
    if create:
        make_file(path, 0o700)
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
    return "mode=rw"
