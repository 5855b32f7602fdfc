"""Where the configuration of a target lies."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FILE_NAME: Final = "policyengine.yaml"


def find_config(target: Path) -> Path | None:
    """Return the nearest ``policyengine.yaml`` above a target, up to the repository root."""
    start = target.resolve()
    start = start if start.is_dir() else start.parent
    for folder in (start, *start.parents):
        path = folder / FILE_NAME
        if path.is_file():
            return path
        if (folder / ".git").exists():
            return None
    return None
