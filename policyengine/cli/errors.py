"""Exit codes and how errors look on the terminal."""

from __future__ import annotations

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
    for item in getattr(error, "errors", (error,)):
        print(f"error: {item}", file=sys.stderr)
