"""Counters whose memory is bounded: what does not fit goes into a temporary database on disk.

A log may have any number of sources. A counter keeps ``limit`` keys in memory and adds them to a table of SQLite
when there are more; the table is in a file without a name that goes with the process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from policyengine.model.errors import PolicyEngineError

Key = tuple[Any, ...]
LIMIT: Final = 50_000
"""Keys in memory; about 25 MB."""
_MOST: Final = 1 << 61
"""Sums stay below it, so that two of them are still a number of SQLite's."""


class Counted:
    """Sums by key, with the least and the greatest moment each was seen.

    ``width`` is how many texts or numbers make a key, ``sums`` how many numbers are summed. Moments are texts or
    numbers that sort as time does.
    """

    def __init__(self, width: int, sums: int, limit: int = LIMIT) -> None:
        self._width, self._sums, self._limit = width, sums, limit
        self._kept: dict[Key, list[Any]] = {}
        self._table: sqlite3.Connection | None = None

    def add(self, key: Key, numbers: Sequence[int], first: Any, last: Any) -> None:
        """Add to a key."""
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= self._limit:
                self._spill()
            self._kept[key] = [*numbers, first, last]
            return
        for position, number in enumerate(numbers):
            kept[position] += number
        if first < kept[-2]:
            kept[-2] = first
        if last > kept[-1]:
            kept[-1] = last

    def _columns(self) -> tuple[list[str], list[str]]:
        return [f"k{n}" for n in range(self._width)], [f"n{n}" for n in range(self._sums)]

    def _opened(self) -> sqlite3.Connection:
        if self._table is None:
            keys, sums = self._columns()
            self._table = sqlite3.connect("", isolation_level=None)  # "" is a temporary file
            self._table.execute("PRAGMA journal_mode=OFF")
            self._table.execute("PRAGMA synchronous=OFF")
            self._table.execute(
                f"CREATE TABLE t ({', '.join(keys + sums)}, a, z, PRIMARY KEY ({', '.join(keys)})) WITHOUT ROWID"
            )
        return self._table

    def _spill(self) -> None:
        """Add what is in memory to the table. Raises PolicyEngineError where there is no room for it."""
        try:
            self._put(self._opened())
        except sqlite3.Error as problem:
            raise PolicyEngineError(
                f"the temporary database cannot be written: {problem}; SQLITE_TMPDIR names another folder for it"
            ) from None
        self._kept.clear()

    def _put(self, table: sqlite3.Connection) -> None:
        keys, sums = self._columns()
        adding = [f"{n} = min({n} + excluded.{n}, {_MOST})" for n in sums]
        # only names made above are put into the statement; values are bound
        marks = ", ".join("?" * (self._width + self._sums + 2))
        doing = ", ".join([*adding, "a = min(a, excluded.a)", "z = max(z, excluded.z)"])
        clash = f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {doing}"
        statement = f"INSERT INTO t VALUES ({marks}) {clash}"  # noqa: S608 - see above
        table.execute("BEGIN")
        table.executemany(statement, self._bounded())
        table.execute("COMMIT")

    def _bounded(self) -> Iterator[tuple[Any, ...]]:
        for key, (*numbers, first, last) in sorted(self._kept.items()):
            yield (*key, *(min(number, _MOST) for number in numbers), first, last)

    def _query(self, rest: str, values: Sequence[Any] = (), what: str = "*") -> sqlite3.Cursor:
        if self._kept:
            self._spill()
        # ``what`` and ``rest`` are made of the columns' names alone
        return self._opened().execute(f"SELECT {what} FROM t {rest}", values)  # noqa: S608

    def rows(self, *prefix: Any) -> Iterator[tuple[Any, ...]]:
        """Yield (key…, sums…, first, last) in the order of keys, of those that begin with ``prefix``."""
        keys, _ = self._columns()
        yield from self._query(f"{self._where(prefix)} ORDER BY {', '.join(keys)}", prefix)

    def top(self, prefix: Sequence[Any], limit: int) -> tuple[list[tuple[Any, ...]], int]:
        """Return the ``limit`` rows with the greatest first sums below a prefix, and how many others there are."""
        keys, sums = self._columns()
        order = ", ".join([f"{name} DESC" for name in sums] + keys)
        where = self._where(prefix)
        found = self._query(f"{where} ORDER BY {order} LIMIT ?", [*prefix, limit]).fetchall()
        (count,) = self._query(where, prefix, "COUNT(*)").fetchone()
        return found, count - len(found)

    def latest(self, prefix: Sequence[Any], limit: int) -> tuple[list[tuple[Any, ...]], int]:
        """Return the last ``limit`` rows below a prefix in the order of their keys, and how many come before."""
        keys, _ = self._columns()
        where = self._where(prefix)
        order = ", ".join(f"{key} DESC" for key in keys)
        found = self._query(f"{where} ORDER BY {order} LIMIT ?", [*prefix, limit]).fetchall()
        (count,) = self._query(where, prefix, "COUNT(*)").fetchone()
        return found[::-1], count - len(found)

    def distinct(self, column: int, limit: int) -> set[Any] | None:
        """Return the values of one part of the keys, None where there are more than ``limit``."""
        name = self._columns()[0][column]
        found = {row[0] for row in self._query(f"LIMIT {int(limit) + 1}", (), f"DISTINCT {name}")}
        return found if len(found) <= limit else None

    def _where(self, prefix: Sequence[Any]) -> str:
        if not prefix:
            return ""
        keys, _ = self._columns()
        return "WHERE " + " AND ".join(f"{key} = ?" for key in keys[: len(prefix)])

    def close(self) -> None:
        """Let go of the table."""
        if self._table is not None:
            self._table.close()
            self._table = None
