"""What a path is, asked without an exception: what cannot be looked at is not there.

``pathlib`` raises for folders that may not be searched, names that are too long and zero bytes.
"""

from __future__ import annotations

import stat
from pathlib import Path


def exists(path: str | Path) -> bool:
    """Return whether something is there, links followed."""
    return _mode(path) is not None


def is_file(path: str | Path) -> bool:
    """Return whether a regular file is there, links followed."""
    mode = _mode(path)
    return mode is not None and stat.S_ISREG(mode)


def is_folder(path: str | Path) -> bool:
    """Return whether a folder is there, links followed."""
    mode = _mode(path)
    return mode is not None and stat.S_ISDIR(mode)


def _mode(path: str | Path) -> int | None:
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return None
