"""The text behind findings when targets lie under different repository roots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from policyengine.reports.source_text import FileText
from policyengine.sources.paths import base_folder


class TargetText:
    """Looks a finding's file up under the base of each target, in order."""

    def __init__(self, targets: Sequence[str]) -> None:
        bases = dict.fromkeys(base_folder(t) for t in targets if t != "-" and Path(t).exists())
        self._texts = [FileText(Path(base)) for base in bases]

    def lines(self, file: str) -> Sequence[str] | None:
        """Return the lines of ``file``, or None."""
        return next((lines for text in self._texts if (lines := text.lines(file)) is not None), None)

    def absolute(self, file: str) -> str | None:
        """Return the absolute path of ``file``, or None."""
        paths = [path for text in self._texts if (path := text.absolute(file)) is not None]
        return next((p for p in paths if Path(p).exists()), paths[0] if paths else None)
