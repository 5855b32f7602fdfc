"""Build hook: standard wheels carry the data folders, and the rules and remediations compiled.

An editable install carries neither: it reads the checkout it points to.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("rules", "frameworks", "integrations")
HANDLERS = "remediations"
TESTS = ("test_", "conftest")


class DataHook(BuildHookInterface):
    """Adds ``policyengine/_data`` to the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Map the folders into the wheel and write the compiled pack."""
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root))
        include = build_data["force_include"]
        for name in FOLDERS:
            if (root / name).is_dir():
                include[str(root / name)] = f"policyengine/_data/{name}"
        for path in _handler_files(root):
            include[str(path)] = f"policyengine/_data/{path.relative_to(root).as_posix()}"
        for path in _compiled(root, Path(tempfile.mkdtemp(prefix="policyengine-build-"))):
            include[str(path)] = f"policyengine/_data/{path.name}"


def _handler_files(root: Path) -> list[Path]:
    """Return the files of remediations that are run or read: tests stay behind."""
    found = (path for path in (root / HANDLERS).rglob("*") if path.suffix in (".py", ".yaml", ".json"))
    return sorted(path for path in found if not path.name.startswith(TESTS))


def _compiled(root: Path, folder: Path) -> list[Path]:
    from policyengine.remediate.registry import read_remediations
    from policyengine.rules.loader import compile_texts
    from policyengine.rules.pack import rule_files
    from policyengine.rules.recorded import version_of

    pack = compile_texts([(path, path.read_bytes()) for path in rule_files(root / "rules")])
    pack = replace(pack, version=version_of(pack.rules, root / "rules"))
    (folder / "rules.json").write_bytes(pack.to_bytes())
    remediations = read_remediations(root / HANDLERS, {form["id"] for form in pack.rules})
    (folder / "remediations.json").write_bytes(remediations.to_bytes())
    return [folder / "rules.json", folder / "remediations.json"]
