"""Where the configuration of a target lies."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from policyengine.documents.files import exists, is_file, is_folder

FILE_NAME: Final = "policyengine.yaml"


def find_config(target: Path) -> Path | None:
    """Return the nearest ``policyengine.yaml`` above a target, up to the repository root; never raises."""
    return find_above(target, FILE_NAME)


def find_above(target: Path, name: str) -> Path | None:
    """Return the nearest file of a name above a target, up to the repository root.

    Never raises: a folder that may not be searched has none.
    """
    start = target.resolve()
    start = start if is_folder(start) else start.parent
    for folder in (start, *start.parents):
        path = folder / name
        if is_file(path):
            return path
        if exists(folder / ".git"):
            return None
    return None
