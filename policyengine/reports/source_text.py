"""The text of the files that findings name, read when a frame needs it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

MAX_BYTES = 16 * 1024 * 1024
KEEP_FILES = 16


class FileText:
    """Reads files below ``base`` (or absolute ones) and keeps the last few.

    A report shows some dozens of findings, so a few files are enough. Those that cannot be read, are
    not regular or are larger than ``MAX_BYTES`` have no text: the report shows the place without lines.
    """

    def __init__(self, base: Path | None = None) -> None:
        self._base = base or Path()
        self._kept: OrderedDict[str, Sequence[str] | None] = OrderedDict()

    def lines(self, file: str) -> Sequence[str] | None:
        """Return the lines of ``file``, or None."""
        if file not in self._kept:
            self._kept[file] = self._read(file)
            if len(self._kept) > KEEP_FILES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(file)
        return self._kept[file]

    def absolute(self, file: str) -> str | None:
        """Return the absolute path of ``file``."""
        try:
            return str((self._base / file).absolute())
        except (OSError, ValueError):
            return None

    def _read(self, file: str) -> Sequence[str] | None:
        try:
            path = self._base / file
            if not path.is_file() or path.stat().st_size > MAX_BYTES:
                return None
            data = path.read_bytes()
        except (OSError, ValueError):
            return None
        # Not splitlines(): it also cuts at form feeds and U+2028, which no parser counts as lines.
        text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
        return text.split("\n")
