"""Exit codes and how errors look on the terminal."""

from __future__ import annotations

import os
import sys
from typing import Final

from policyengine.model.errors import PolicyEngineError

EXIT_OK: Final = 0
EXIT_FAIL: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNKNOWN: Final = 3
EXIT_INCOMPLETE: Final = 4


def show_error(error: PolicyEngineError) -> None:
    """Print an error to standard error, one line a mistake."""
    from policyengine.reports.text import visible, without_log_commands

    for item in getattr(error, "errors", (error,)):
        print(without_log_commands(f"error: {visible(str(item))}"), file=sys.stderr)


def show_crash(error: Exception) -> None:
    """Print what ended the run, on one line: the operating system's reason, or that it is our mistake."""
    from policyengine.engine.evaluate import crash_text
    from policyengine.sources.paths import printable

    if isinstance(error, OSError):
        name = error.filename
        where = f"`{printable(os.fsdecode(name))}`: " if isinstance(name, str | bytes) else ""
        text = f"{where}{(error.strerror or type(error).__name__).lower()}"
    elif isinstance(error, MemoryError):
        text = "out of memory; scan fewer or smaller targets at a time"
    else:
        text = (
            f"internal error, a bug of ours: {crash_text(error)}; POLICYENGINE_DEBUG=1 shows the whole trace"
        )
    print(f"error: {text}; the run ended early", file=sys.stderr)
