"""Where the JSON Schemas for editors lie, and the comment by which a file names its own (docs/editor.md)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from policyengine.config.find import find_above

FOLDER: Final = ".policyengine/schemas"
"""From the root of a repository."""


def file_name(name: str) -> str:
    """Return what the file of a schema is called: its major version is that of the format."""
    return f"{name}.v1.schema.json"


def modeline(path: Path, name: str) -> str:
    """Return the first line of a file, which tells editors its schema; "" where none was written above it.

    The path is relative to the file, as yaml-language-server reads it.
    """
    found = find_above(path.parent, f"{FOLDER}/{file_name(name)}")
    if found is None:
        return ""
    relative = os.path.relpath(found, path.parent.resolve()).replace(os.sep, "/")
    return f"# yaml-language-server: $schema={relative}\n"
