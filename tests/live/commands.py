"""policyengine as a real process against a moto server, and what its JSON report says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.live.server import environment

AS_OF = "2026-11-21T12:00:00Z"


class Verdict(NamedTuple):
    """One finding, without its wording."""

    account: str
    region: str
    type: str
    id: str
    rule: str
    verdict: str


class Ended(NamedTuple):
    """How a process ended."""

    code: int
    out: str
    err: str


def environ(endpoint: str, home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a process that can reach this server only."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POLICYENGINE"))
    }
    return {**kept, **environment(endpoint), "HOME": str(home), "XDG_CONFIG_HOME": str(home), **(more or {})}


def command(*arguments: str, faults: Sequence[Any] = ()) -> list[str]:
    """Return the command line; with ``faults`` it goes through :mod:`tests.live.faults`."""
    if faults:
        return [sys.executable, "-m", "tests.live.faults", json.dumps(faults), *arguments]
    return [sys.executable, "-m", "policyengine", *arguments]


def run(
    endpoint: str,
    home: Path,
    *arguments: str,
    more: Mapping[str, str] | None = None,
    faults: Sequence[Any] = (),
) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(  # our own interpreter and module
        command(*arguments, faults=faults),
        env=environ(endpoint, home, more), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


def rules(names: Sequence[str]) -> list[str]:
    """Return ``--rule`` for each."""
    return [part for name in names for part in ("--rule", name)]


def scan(
    endpoint: str, home: Path, *arguments: str, code: int | None = None, faults: Sequence[Any] = ()
) -> dict[str, Any]:
    """Scan and return the JSON report."""
    file = home / "report.json"
    ended = run(
        endpoint, home, "scan", *arguments, "--as-of", AS_OF, "--format", f"json={file}", "-q", faults=faults
    )
    assert code is None or ended.code == code, (ended.code, ended.err)
    report: dict[str, Any] = json.loads(file.read_text())
    return report


def verdicts(report: Mapping[str, Any]) -> set[Verdict]:
    """Return the findings of a report."""
    return {
        Verdict(r["account"], r["region"], r["type"], r["id"], f["rule"], f["verdict"])
        for f in report["findings"]
        for r in (f["resource"],)
    }
