"""The id of a run: with ``--as-of`` a hash over all that decides its bytes."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

from policyengine import __version__
from policyengine.rules.pack import Pack
from policyengine.sources.base import SourceOptions


def run_id(
    pack: Pack, settings: Any, config_text: bytes, discovery: Any, options: SourceOptions, as_of: str | None
) -> str:
    """Return 32 hex digits: random, or over engine, rules, parameters, inputs and the clock."""
    if as_of is None:
        return uuid.uuid4().hex
    whole = hashlib.sha256()
    about = {
        "engine": __version__,
        "rules": [pack.digest, [r["id"] for r in pack.rules]],
        "parameters": sorted((k, str(v)) for k, v in options.parameters.items()),
        "stack_tags": sorted(options.stack_tags.items()),
        "place": [options.account, options.region, sorted(map(str, settings.ous.items()))],
        "as_of": as_of,
    }
    whole.update(json.dumps(about, sort_keys=True).encode() + b"\0" + config_text + b"\0")
    for source in discovery.sources:
        whole.update(source.kind.encode() + b"\0")
        for path in input_files(source):
            # a part that is missing is an error of the run, told when it is read
            whole.update(file_digest(path) if path.is_file() else b"missing")
    return whole.hexdigest()[:32]


def input_files(source: Any) -> list[Path]:
    """Return the files a source reads, in a fixed order."""
    paths = getattr(source, "paths", None)
    if paths is not None:
        return [Path(p) for p in paths]
    target = Path(source.target)
    if target.is_dir():
        return sorted(p for p in target.rglob("*") if p.is_file())
    return [target] if target.is_file() else []


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file, read in blocks."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            whole.update(block)
    return whole.digest()
