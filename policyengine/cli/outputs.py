"""Where reports go: standard output or files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from policyengine.model.errors import UsageError
from policyengine.reports.ansi import detect
from policyengine.reports.base import Context, Report, TerminalOptions
from policyengine.reports.table import REPORTS


def terminal_options(options: Mapping[str, Any], out: TextIO) -> TerminalOptions:
    """Return how the terminal report looks on this stream."""
    return replace(detect(out, os.environ), compact=options["compact"], limit=options["limit"])


def terminal_look(out: TextIO) -> TerminalOptions:
    """Return how a page looks on this stream."""
    return detect(out, os.environ)


def open_reports(
    formats: Sequence[tuple[str, Path | None]], out: TextIO, context: Context, stack: ExitStack
) -> list[Report]:
    """Return one report per format; files are renamed into place when the stack ends well."""
    reports = []
    for name, path in formats:
        stream = out if path is None else stack.enter_context(AtomicText(path))
        reports.append(REPORTS[name].make(stream, context))
    return reports


class AtomicText:
    """A text file that replaces ``path`` only when everything was written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> TextIO:
        try:
            handle, self.temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        except OSError as error:
            raise UsageError(f"`{self.path}` cannot be written: {error.strerror}") from error
        os.fchmod(handle, 0o644)
        self.file = os.fdopen(handle, "w", encoding="utf-8", newline="")
        return self.file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()
        if kind is None:
            Path(self.temporary).replace(self.path)
        else:
            Path(self.temporary).unlink(missing_ok=True)
