"""Documents of which parts are too large for memory: arrays that wait on disk, objects that are written as they come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from policyengine.reports.jsontext import compact
from policyengine.reports.oscal.words import UUID_BYTES, Json, uuid_text
from policyengine.reports.spool import Spool


class Sink(Protocol):
    """Where text goes: a stream or a spool."""

    def write(self, text: str, /) -> object:
        """Append ``text``."""
        ...


class Open(dict[str, Any]):
    """An object some of whose members are one of the classes here."""


class Rows:
    """The elements of a JSON array, one a line; on disk when they grow, and written once."""

    def __init__(self, found: Iterable[Json] = ()) -> None:
        self._spool = Spool()
        self._count = 0
        for row in found:
            self.add(row)

    def __len__(self) -> int:
        return self._count

    def add(self, row: Json) -> None:
        """Append an element."""
        self._spool.write(",\n" if self._count else "\n")
        write(self._spool, row)
        self._count += 1

    def pour(self, out: Any) -> None:
        """Write the array and forget it."""
        out.write("[")
        self._spool.pour(out)
        out.write("]")


@dataclass(frozen=True, slots=True)
class References:
    """An array of objects with one member ``name``, a UUID; ``raw`` has 16 bytes of each."""

    name: str
    raw: bytearray

    def __len__(self) -> int:
        return len(self.raw) // UUID_BYTES

    def pour(self, out: Sink) -> None:
        """Write the array."""
        lead, raw = "[", self.raw
        for at in range(0, len(raw), UUID_BYTES):
            out.write(f'{lead}{{"{self.name}":"{uuid_text(bytes(raw[at : at + UUID_BYTES]))}"}}')
            lead = ","
        out.write("]")


@dataclass(frozen=True, slots=True)
class One:
    """An array of one object."""

    element: Open

    def __len__(self) -> int:
        return 1

    def pour(self, out: Any) -> None:
        """Write the array."""
        out.write("[")
        write(out, self.element)
        out.write("]")


def write(out: Any, value: object) -> None:
    """Write a value; arrays of an open object that are empty are left out, because OSCAL's are never empty."""
    if isinstance(value, Rows | References | One):
        value.pour(out)
    elif isinstance(value, Open):
        lead = "{"
        for name, what in value.items():
            if not isinstance(what, Rows | References) or len(what):
                out.write(f'{lead}"{name}":')
                write(out, what)
                lead = ",\n"
        out.write("{}" if lead == "{" else "}")
    else:
        out.write(compact(value))
