"""The calls of one collection: spooled as they are made, told in order at the end.

Many threads make calls, and how they take turns is chance; told they are in the order of account, region, operation and time.
Nothing of what was asked for is in it but the operation, and nothing of the answers but how much there was.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from policyengine.aws.calls import Call


class CallSpool:
    """A file that calls are added to, in the folder of a collection; one that is resumed goes on with it."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        """Begin, or go on. Raises OSError."""
        self.path = path
        more = os.O_APPEND if resume else os.O_TRUNC
        self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | more, 0o600)
        if resume:
            os.write(self._file, b"\n")  # a process that was killed may have left half a line

    def add(self, call: Call) -> None:
        """Add a call. Raises OSError."""
        if self._file is not None:
            os.write(self._file, json.dumps(call, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Take no more calls."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def lines(self) -> Iterator[bytes]:
        """Yield a line for each call, in order. Memory does not grow with the calls. Raises OSError."""
        with closing(sqlite3.connect("")) as sorting:  # a private file that goes with the connection
            sorting.execute(
                "CREATE TABLE calls (account TEXT, region TEXT, operation TEXT, at TEXT, line INTEGER, call TEXT)"
            )
            sorting.executemany("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?)", self._rows())
            place, number = None, 0
            rows = sorting.execute("SELECT call FROM calls ORDER BY account, region, operation, at, line")
            for (text,) in rows:
                call = Call(*json.loads(text))
                number = number + 1 if place == call[:3] else 1
                place = call[:3]
                yield json.dumps(_told(call, number), separators=(",", ":"), ensure_ascii=True).encode()

    def _rows(self) -> Iterator[tuple[str, str, str, str, int, str]]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file):
                try:
                    call = Call(*json.loads(line))
                except (ValueError, TypeError):
                    continue  # the half line of a process that was killed: its call was answered to nobody
                yield (*call[:4], number, line.decode())


def _told(call: Call, number: int) -> dict[str, Any]:
    """Return what is told of a call; ``sequence`` numbers those of one account, region and operation."""
    found: dict[str, Any] = {
        "account": call.account, "region": call.region, "operation": call.operation, "sequence": number, "at": call.at,
        "request_id": call.request_id, "retries": call.retries,
    }  # fmt: skip
    if call.items is not None:
        found["items"] = call.items
    if call.error:
        found["error"] = call.error
    return found
