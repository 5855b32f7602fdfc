"""The snapshot contract, version 1: reading and writing (docs/snapshot-format.md).

The names are imported when they are asked for: what only decodes a line, as a function in Lambda does, loads neither
reader nor writer.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from policyengine.sources.snapshot.canonical import to_line, to_lines
    from policyengine.sources.snapshot.manifest import CollectorError, Part
    from policyengine.sources.snapshot.source import (
        Shard,
        SnapshotSource,
        is_snapshot_folder,
        open_lines,
        open_snapshot,
    )
    from policyengine.sources.snapshot.writer import write_snapshot

__all__ = [
    "CollectorError",
    "Part",
    "Shard",
    "SnapshotSource",
    "is_snapshot_folder",
    "open_lines",
    "open_snapshot",
    "to_line",
    "to_lines",
    "write_snapshot",
]
_SOURCE: Final = ("Shard", "SnapshotSource", "is_snapshot_folder", "open_lines", "open_snapshot")
MODULES: Final = {
    "canonical": ("to_line", "to_lines"),
    "manifest": ("CollectorError", "Part"),
    "source": _SOURCE,
    "writer": ("write_snapshot",),
}
"""Module -> the names it has."""


def __getattr__(name: str) -> Any:
    """Return one of the names above (https://peps.python.org/pep-0562/)."""
    for module, names in MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
