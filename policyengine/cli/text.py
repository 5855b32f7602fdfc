"""The text behind findings when targets lie under different repository roots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from policyengine.documents.files import exists
from policyengine.model.location import Location
from policyengine.reports.source_text import FileText
from policyengine.sources.base import SecretText
from policyengine.sources.paths import base_folder

CONFIGURATION = (".tf", ".tofu", ".tf.json", ".tofu.json")
SHORTEST = 4
"""Shorter texts are not looked for all over a configuration: they would be found in every word."""


class TargetText:
    """Looks a finding's file up under the base of each target, in order; secrets in it are starred out.

    Only files that the sources of the run read are shown, and only below a base or the ``configuration`` of
    a plan: the name of a file may come from a snapshot line, which may say anything.
    """

    def __init__(
        self,
        targets: Sequence[str],
        configuration: Path | None = None,
        sources: Sequence[Any] = (),
        *,
        bases: Sequence[Path] | None = None,
    ) -> None:
        """``bases`` are folders that names begin in, where they are not those of the targets."""
        found = (Path(base_folder(t)) for t in targets if t != "-" and exists(t)) if bases is None else bases
        self._bases = list(dict.fromkeys(found))
        self._texts = [FileText(base) for base in self._bases]
        self._roots = [base.resolve() for base in (*self._bases, *([configuration] if configuration else []))]
        self._sources = sources
        self._secrets: _Secrets | None = None
        self._kept: dict[str, Sequence[str] | None] = {}

    def lines(self, file: str) -> Sequence[str] | None:
        """Return the lines of ``file``, or None."""
        if file not in self._kept:
            if self._secrets is None:
                self._secrets = _Secrets(self._sources)
            self._kept = {file: self._read(file, self._secrets)}
        return self._kept[file]

    def _read(self, file: str, secrets: _Secrets) -> Sequence[str] | None:
        if not secrets.may_show(file):
            return None
        found = (text.lines(file) for text in self._texts_with(file))
        lines = next((lines for lines in found if lines is not None), None)
        return None if lines is None else secrets.starred(file, lines)

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


class _Secrets:
    """What the sources of a run say must not be printed."""

    def __init__(self, sources: Iterable[Any]) -> None:
        self.spans: dict[str, list[Location]] = defaultdict(list)
        self.texts: set[str] = set()
        self.hidden: set[str] = set()
        self.templates: set[str] = set()
        for source in sources:
            if source.kind == "template":
                self.templates.add(source.file)
            if hasattr(source, "secret_text"):
                self._take(source.secret_text())

    def _take(self, found: SecretText) -> None:
        for place in found.spans:
            self.spans[place.file].append(place)
        self.texts.update(text for text in found.texts if len(text) >= SHORTEST)
        self.hidden |= found.hidden

    def may_show(self, file: str) -> bool:
        """Whether lines of a file may be shown at all."""
        return file not in self.hidden and (file in self.templates or file.endswith(CONFIGURATION))

    def starred(self, file: str, lines: Sequence[str]) -> Sequence[str]:
        """Return the lines with stars over secrets, as wide as they were."""
        shown = list(lines)
        for place in self.spans.get(file, ()):
            cover(shown, place)
        if file.endswith(CONFIGURATION):
            for number, line in enumerate(shown):
                for text in self.texts:
                    if text in line:
                        line = line.replace(text, "*" * len(text))
                shown[number] = line
        return shown


def cover(lines: list[str], place: Location) -> None:
    """Put stars over one text; of block text, whose end is not known, over all lines that stand deeper."""
    if place.line is None or place.column is None or place.line > len(lines):
        return
    first = place.line - 1
    if place.end_line is None or place.end_column is None:
        last, end = _end_of_block(lines, first), None
    else:
        last, end = min(place.end_line - 1, len(lines) - 1), place.end_column - 1
    for number in range(first, last + 1):
        start = place.column - 1 if number == first else 0
        stop = end if number == last and end is not None else len(lines[number])
        covered = lines[number][start:stop]
        lines[number] = lines[number][:start] + "*" * len(covered) + lines[number][start + len(covered) :]


def _end_of_block(lines: Sequence[str], first: int) -> int:
    margin = len(lines[first]) - len(lines[first].lstrip())
    last = first
    while last + 1 < len(lines):
        below = lines[last + 1]
        if below.strip() and len(below) - len(below.lstrip()) <= margin:
            break
        last += 1
    return last
