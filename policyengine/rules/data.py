"""Where rules, frameworks and remediations lie: a checkout beside the package, else the wheel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataRoot:
    """Folders of the bundled data; what is compiled exists in a wheel only."""

    rules: Path
    frameworks: Path
    remediations: Path
    compiled_rules: Path | None
    compiled_remediations: Path | None


def data_root() -> DataRoot:
    """Return the folders; a checkout wins, so that an editable install never reads a stale copy."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "rules").is_dir():
        return DataRoot(checkout / "rules", checkout / "frameworks", checkout / "remediations", None, None)
    data = package / "_data"
    return DataRoot(
        data / "rules",
        data / "frameworks",
        data / "remediations",
        data / "rules.json",
        data / "remediations.json",
    )
