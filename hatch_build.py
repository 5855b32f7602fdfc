"""Build hook: standard wheels carry the data folders and the rules compiled.

An editable install carries neither: it reads the checkout it points to.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("rules", "frameworks", "remediations")


class DataHook(BuildHookInterface):
    """Adds ``policyengine/_data`` to the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Map the folders into the wheel and write the compiled pack."""
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        for name in FOLDERS:
            if (root / name).is_dir():
                build_data["force_include"][str(root / name)] = f"policyengine/_data/{name}"
        build_data["force_include"][str(self._compiled(root))] = "policyengine/_data/rules.json"

    def _compiled(self, root: Path) -> Path:
        sys.path.insert(0, str(root))
        from policyengine.rules.loader import compile_texts
        from policyengine.rules.pack import rule_files

        pack = compile_texts([(path, path.read_bytes()) for path in rule_files(root / "rules")])
        folder = Path(tempfile.mkdtemp(prefix="policyengine-build-"))
        target = folder / "rules.json"
        target.write_bytes(pack.to_bytes())
        return target
