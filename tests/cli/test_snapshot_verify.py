"""``snapshot verify``: what it takes for a snapshot to be what its manifest says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policyengine.model.resource import Resource
from policyengine.sources.snapshot.writer import write_snapshot

from .conftest import Run


def _moved(manifest: dict[str, Any]) -> None:
    manifest["parts"][0]["region"] = "us-east-1"


def _counted(manifest: dict[str, Any]) -> None:
    manifest["parts"][0]["resources"] = 5


def _hashed(manifest: dict[str, Any]) -> None:
    manifest["parts"][0]["sha256"] = "0" * 64


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_moved, "is of 111122223333 us-east-1 and holds b of 111122223333 eu-west-1"),
        (_counted, "holds 1 lines, the manifest says 5"),
        (_hashed, "does not have the SHA-256 the manifest says"),
    ],
)
def test_what_was_edited_is_told(
    run: Run, tmp_path: Path, edit: Callable[[dict[str, Any]], None], said: str
) -> None:
    bucket = Resource("AWS::S3::Bucket", "b", "111122223333", "eu-west-1", {"BucketName": "b"})
    folder = write_snapshot(tmp_path / "s", [bucket], created="2026-11-21T09:00:00Z")
    assert run("snapshot", "verify", "s").code == 0
    manifest = json.loads((folder / "manifest.json").read_text())
    edit(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    done = run("snapshot", "verify", "s")
    assert done.code == 4
    assert "damaged: s/resources/" in done.out
    assert said in done.out
    assert "not what the manifest says" in done.out
