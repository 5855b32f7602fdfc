"""The text behind findings when targets lie under different repository roots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from policyengine.documents.files import exists
from policyengine.reports.source_text import FileText
from policyengine.sources.paths import base_folder, common_folder


class TargetText:
    """Looks a finding's file up under the base of each target, in order.

    Only files below a base, or below the ``configuration`` of a plan, are read: the name of a file may
    come from a snapshot line, which may say anything.
    """

    def __init__(self, targets: Sequence[str], configuration: Path | None = None) -> None:
        self._bases = list(dict.fromkeys(Path(base_folder(t)) for t in targets if t != "-" and exists(t)))
        above = common_folder([t for t in targets if t == "-" or exists(t)])
        self._bases += [above] if above is not None else []
        self._texts = [FileText(base) for base in self._bases]
        given = self._bases[:-1] if above is not None else self._bases
        self._roots = [base.resolve() for base in (*given, *([configuration] if configuration else []))]

    def lines(self, file: str) -> Sequence[str] | None:
        """Return the lines of ``file``, or None."""
        found = (text.lines(file) for text in self._texts_with(file))
        return next((lines for lines in found if lines is not None), None)

    def absolute(self, file: str) -> str | None:
        """Return the absolute path of ``file``, or None."""
        paths = [path for text in self._texts_with(file) if (path := text.absolute(file)) is not None]
        return next((p for p in paths if exists(p)), paths[0] if paths else None)

    def _texts_with(self, file: str) -> list[FileText]:
        return [t for t, base in zip(self._texts, self._bases, strict=True) if self._is_below(base / file)]

    def _is_below(self, path: Path) -> bool:
        try:
            real = path.resolve()
        except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle
            return False
        return any(real.is_relative_to(root) for root in self._roots)
