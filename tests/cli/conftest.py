"""The command as a user runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "Result"]

BUCKET = {
    "type": "AWS::S3::Bucket",
    "id": "logs",
    "account": "111122223333",
    "region": "eu-west-1",
    "properties": {"BucketName": "logs"},
}


class Result:
    """What a process left: exit code, both streams, and the findings document if it printed one."""

    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def errors(self) -> list[str]:
        return [
            ":".join(str(part) for part in (*(e["location"] or {}).values(), "") if part is not None)
            + " "
            + e["message"]
            for e in self.document["run"]["errors"]
        ]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def start(
        *args: str, env: dict[str, str] | None = None, stdin: bytes = b"", timeout: float = 60
    ) -> Result:
        command = [sys.executable, "-m", "policyengine", *args]
        environment = {**os.environ, "NO_COLOR": "1", **(env or {})}
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        result = Result(done)
        assert "Traceback" not in result.err, result.err
        return result

    return start


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    path = tmp_path / "one.ndjson"
    path.write_text(json.dumps(BUCKET) + "\n")
    return path
