"""Text that must follow something known only later: kept in memory, on disk when it grows."""

from __future__ import annotations

from typing import IO, TextIO

_IN_MEMORY = 8 * 1024 * 1024
_CHUNK = 1 << 16


class Spool:
    """Collects text; :meth:`pour` writes it out and forgets it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._disk: IO[str] | None = None

    def write(self, text: str) -> None:
        """Append ``text``."""
        self._parts.append(text)
        self._size += len(text)
        if self._size > _IN_MEMORY:
            self._to_disk()

    def pour(self, out: TextIO) -> None:
        """Write everything to ``out`` in order and become empty."""
        if self._disk is not None:
            self._to_disk()
            self._disk.seek(0)
            while chunk := self._disk.read(_CHUNK):
                out.write(chunk)
            self._disk.close()
            self._disk = None
        out.writelines(self._parts)
        self._parts, self._size = [], 0

    def _to_disk(self) -> None:
        if self._disk is None:
            import tempfile  # costs several milliseconds that small runs do not pay

            self._disk = tempfile.TemporaryFile(  # noqa: SIM115 - lives until pour() closes it
                "w+", encoding="utf-8", errors="replace", newline=""
            )
        self._disk.writelines(self._parts)
        self._parts, self._size = [], 0
