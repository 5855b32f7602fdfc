"""Lines, snapshots and comparisons for the tests of the snapshot source."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import zstandard

from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot import SnapshotSource, open_snapshot

OPTIONS = SourceOptions()


def record(**changes: Any) -> dict[str, Any]:
    base = {
        "type": "AWS::EC2::SecurityGroup",
        "id": "sg-1",
        "account": "111122223333",
        "region": "eu-west-1",
        "properties": {"GroupDescription": "web"},
    }
    return {**base, **changes}


def line(**changes: Any) -> bytes:
    return json.dumps(record(**changes)).encode()


def write_file(folder: Path, data: bytes | list[bytes], name: str = "s.ndjson") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else b"".join(one + b"\n" for one in data))
    return path


def write_folder(
    folder: Path,
    parts: dict[str, bytes],
    *,
    version: Any = "1.0",
    coverage: list[Any] | None = None,
    place: dict[str, str] | None = None,
    **more: Any,
) -> Path:
    (folder / "resources").mkdir(parents=True, exist_ok=True)
    listed = []
    for name, data in parts.items():
        (folder / "resources" / name).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        listed.append({"path": f"resources/{name}", "sha256": digest, **(place or {})})
    manifest = {"version": version, "coverage": coverage or [], "parts": listed, **more}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def read(path: Path) -> tuple[list[Resource], SnapshotSource]:
    source = open_snapshot(path, OPTIONS)
    return list(source.resources()), source


def compressed(data: bytes, level: int = 3) -> bytes:
    return zstandard.ZstdCompressor(level=level).compress(data)


def same(value: Any) -> Any:
    """A comparable form that tells OpenList from list and True from 1."""
    if isinstance(value, OpenList):
        return ("open", [same(v) for v in value], value.more)
    if isinstance(value, OpenDict):
        return ("open", {k: same(v) for k, v in value.items()}, value.more)
    if isinstance(value, list):
        return [same(v) for v in value]
    if isinstance(value, dict):
        return {k: same(v) for k, v in value.items()}
    return value if isinstance(value, Unresolved) else (type(value).__name__, value)


def state(resource: Resource) -> tuple[Any, ...]:
    return (
        resource.type, resource.id, resource.account, resource.region, resource.arn, resource.file,
        same(resource.properties), same(resource.tags), same(resource.related),
        resource.branch, resource.provenance, resource.collected_at, resource.locate(()),
        [state(v) for v in resource.variants],
    )  # fmt: skip
