"""What reports show of frameworks, from their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from policyengine.reports.extras import FrameworkInfo, Remains
from policyengine.rules.data import data_root
from policyengine.rules.frameworks import load_frameworks
from policyengine.rules.remains import load_remains


def framework_infos(root: Path | None = None) -> Mapping[str, FrameworkInfo]:
    """Return every framework by id, in the order of ids, its controls in the order of its file.

    ``root`` is the folder with the files; None: the bundled one. Raises RuleError with the place where a file is wrong.
    """
    folder = data_root().frameworks if root is None else root
    frameworks = load_frameworks(folder)
    remains = load_remains(folder, frameworks)
    return {
        name: FrameworkInfo(
            id=framework.id,
            title=framework.title,
            version=framework.version,
            source=framework.source,
            note=framework.note,
            controls=framework.controls,
            remains={
                control: Remains(kinds=found.kinds, why=found.why, source=found.source)
                for control, found in remains.get(name, {}).items()
            },
        )
        for name, framework in frameworks.items()
    }


def pack_mapping(forms: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Sequence[tuple[str, str]]]]:
    """Return what ``Extras.pack`` holds, from all compiled rules of a pack, selected or not."""
    return {
        form["id"]: {
            name: [(control, decides) for control, decides in controls]
            for name, controls in form["frameworks"].items()
        }
        for form in forms
    }
