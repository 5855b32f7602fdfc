"""The command as a user runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
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
        self.raw = done.stdout
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


def obey_permissions() -> None:
    """Give up what lets root read everything; raises OSError where the system does not let it go."""
    pr_capbset_drop, overriding = 24, (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: linux/capability.h
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in overriding:
        if libc.prctl(pr_capbset_drop, capability, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl")


def command(
    folder: Path,
    *args: str,
    env: dict[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float = 120,
    memory: int | None = None,
    mortal: bool = False,
    largest_file: int | None = None,
) -> Result:
    """Run the command in a folder; ``memory`` bounds its address space in bytes: more is a failure.

    ``largest_file``: more bytes cannot be written to a file. ``mortal``: permissions hold for it even where the tests are run by root.
    """

    def before() -> None:
        if mortal and os.geteuid() == 0:
            obey_permissions()
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    limited = mortal or memory is not None or largest_file is not None
    done = subprocess.run(
        [sys.executable, "-m", "policyengine", *args],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
        input=stdin,
        capture_output=True,
        timeout=timeout,
        check=False,
        preexec_fn=before if limited else None,
    )
    result = Result(done)
    assert "Traceback" not in result.err, result.err
    assert "internal error" not in result.err and "out of memory" not in result.err, result.err
    return result


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return partial(command, tmp_path)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    path = tmp_path / "one.ndjson"
    path.write_text(json.dumps(BUCKET) + "\n")
    return path
