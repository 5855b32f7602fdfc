"""The package as ``policyengine deploy package`` makes it, a moto server and a stand-in for AWS Config, each one a process or
a thread of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from policyengine.config.remediation import Limits, Remediating
from policyengine.config.settings import Settings
from policyengine.deploy.choice import Choice
from policyengine.deploy.package import package
from policyengine.remediate.registry import load_remediations
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs

HOST = Path(__file__).with_name("host.py")
RULES = ("kms-key-rotation", "s3-tls-only", "security-group-admin-ports-closed", "account-has-federation", "s3-account-public-access-block")  # fmt: skip


def chosen(*rules: str, automatic: tuple[str, ...] = ()) -> Choice:
    """A choice of rules; what is ``automatic`` needs no person, and nothing has to settle, and three of four
    resources may be changed: tests have few."""
    pack = load_packs()
    forms = tuple(form for form in pack.rules if form["id"] in (rules or RULES))
    remediating = Remediating(automatic=frozenset(automatic), settling=0, limits=Limits(share=0.75))
    return Choice(Pack(pack.digest, forms), load_remediations(), Settings(remediation=remediating))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked zip."""
    found = tmp_path_factory.mktemp("function")
    data = package(chosen(automatic=("kms_rotation", "s3_tls_only", "revoke_open_ingress")))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(found)
    return found


class Function:
    """One function in its own process."""

    def __init__(self, folder: Path, module: str, environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HOST), str(folder), module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | environ,
        )  # fmt: skip

    def __call__(self, event: Any) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.process.stdin.write(json.dumps(event) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.stderr.read())
        return json.loads(line)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        with self.process:  # closes its pipes
            pass

    def end(self) -> str:
        """End it; returns what it logged."""
        _out, log = self.process.communicate(timeout=30)
        return log


@pytest.fixture
def functions(folder: Path) -> Iterator[Callable[..., Function]]:
    made: list[Function] = []

    def make(module: str, environ: dict[str, str]) -> Function:
        made.append(Function(folder, module, environ))
        return made[-1]

    yield make
    for each in made:
        each.kill()
