"""What tells a run directory from other folders, for those who read runs and those who look for what to judge."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

RUN_FILE: Final = "run.json"
RULES_FILE: Final = "rules.json"


def is_run_directory(path: Path) -> bool:
    """Whether a folder was written by ``scan -o``, by this version or an earlier one; no folder that cannot be entered is."""
    return all(os.path.isfile(path / name) for name in (RUN_FILE, RULES_FILE))  # noqa: PTH113 - it never raises
