"""The snapshot contract, version 1: reading and writing (docs/snapshot-format.md)."""

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
