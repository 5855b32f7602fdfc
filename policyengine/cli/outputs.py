"""Where reports go: standard output or files that appear whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TextIO

from policyengine.model.errors import UsageError
from policyengine.reports.ansi import detect
from policyengine.reports.base import Context, Report, TerminalOptions
from policyengine.reports.table import REPORTS
from policyengine.reports.text import visible, without_log_commands
from policyengine.sources.paths import printable


def terminal_options(options: Mapping[str, Any], out: TextIO) -> TerminalOptions:
    """Return how the terminal report looks on this stream."""
    look = detect(out, os.environ)
    return replace(
        look, compact=options["compact"], limit=options["limit"], show_waived=options["show_waived"]
    )


def terminal_look(out: TextIO) -> TerminalOptions:
    """Return how a page looks on this stream."""
    return detect(out, os.environ)


def say(line: str) -> None:
    """Print a line without anything that a terminal or a log reader would obey."""
    print(without_log_commands(visible(line)))


def note(line: str) -> None:
    """Print a note to standard error, as :func:`say` does."""
    print(without_log_commands(f"note: {visible(line)}"), file=sys.stderr)


def open_reports(
    formats: Sequence[tuple[str, Path | None]], out: TextIO, context: Context, stack: ExitStack
) -> list[Report]:
    """Return one report per format; files are renamed into place when the stack ends well.

    Raises UsageError for a file that cannot be written, and as :func:`refuse_binary_output` does.
    """
    refuse_binary_output(formats)
    reports = []
    for name, path in formats:
        if path is None:
            stream: IO[Any] = _standard(out, name)
        else:
            stream = stack.enter_context(AtomicFile(path, binary=REPORTS[name].binary))
        reports.append(REPORTS[name].make(stream, context))
    return reports


def named_formats(
    texts: Iterable[str], known: Collection[str], *, quiet: bool
) -> list[tuple[str, Path | None]]:
    """Return (format, file or None) for each ``FMT[=FILE]``; the terminal's where none is named, nothing where it is to be
    quiet. Raises UsageError for an unknown one, and for two on standard output."""
    found: list[tuple[str, Path | None]] = []
    for text in texts:
        name, _, file = text.partition("=")
        if name not in known:
            raise UsageError(f"unknown format `{name}`; known are {', '.join(known)}")
        found.append((name, Path(file) if file else None))
    if sum(file is None for _, file in found) > 1:
        raise UsageError("two formats want standard output; give all but one a file: `--format sarif=FILE`")
    if not found and not quiet:
        found.append(("terminal", None))
    return found


def refuse_binary_output(formats: Sequence[tuple[str, Path | None]]) -> None:
    """Raise UsageError where a format of bytes has no file: a terminal or a log would be garbled."""
    for name, path in formats:
        if path is None and REPORTS[name].binary:
            file = f"report.{REPORTS[name].extension}"
            raise UsageError(f"`{name}` is no text; give it a file: `--format {name}={file}`")


def _standard(out: TextIO, name: str) -> TextIO:
    """Return standard output as a format needs it: UTF-8 for programs, whatever a terminal shows for people."""
    if name != "terminal" and isinstance(out, io.TextIOWrapper):
        out.reconfigure(encoding="utf-8", errors="strict", newline="")
    return out


class AtomicFile:
    """A file that replaces ``path`` only when everything was written: UTF-8 text, or bytes where it is ``binary``.

    What is there and no regular file (a device, a pipe) is written to, never replaced.
    """

    def __init__(self, path: Path, *, binary: bool = False) -> None:
        self.path = path
        self.temporary: Path | None = None
        self.binary = binary

    def __enter__(self) -> IO[Any]:
        try:
            self.file = self._open()
        except (OSError, ValueError) as error:
            raise self._unwritable(error) from error
        return self.file

    def _open(self) -> IO[Any]:
        # what a link points to is written, and the link stays
        self.target = Path(os.path.realpath(self.path))
        if self.target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if self.target.exists() and not self.target.is_file():
            return self._stream(self.target)
        import tempfile  # costs several milliseconds that small runs do not pay

        handle, name = tempfile.mkstemp(dir=self.target.parent, prefix=".policyengine.")
        self.temporary = Path(name)
        os.fchmod(handle, 0o644)
        return self._stream(handle)

    def _stream(self, file: Path | int) -> IO[Any]:
        handle = file if isinstance(file, int) else os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        return (
            os.fdopen(handle, "wb") if self.binary else os.fdopen(handle, "w", encoding="utf-8", newline="")
        )

    def _unwritable(self, error: Exception) -> UsageError:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        return UsageError(f"`{printable(str(self.path))}` cannot be written: {reason}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.file.close()
            if kind is None and self.temporary is not None:
                self.temporary.replace(self.target)
        except OSError as problem:
            raise self._unwritable(problem) from problem
        finally:
            if self.temporary is not None:
                self.temporary.unlink(missing_ok=True)
