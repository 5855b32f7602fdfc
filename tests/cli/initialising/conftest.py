"""Repositories that init looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.initialising.command import initialise
from tests.integrations.github_server import GitHub, github
from tests.integrations.repositories import OPEN, git

Init = Callable[..., list[str]]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One template that fails, on GitHub."""
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q", "-b", "trunk")
    (root / "infra").mkdir()
    (root / "infra" / "web.yaml").write_text(OPEN)
    (root / ".github").mkdir()
    return root


@pytest.fixture
def init(capsys: pytest.CaptureFixture[str]) -> Init:
    """Run init and return the lines it says."""

    def run(folder: Path, **given: Any) -> list[str]:
        capsys.readouterr()
        assert initialise(folder, {"ci": "auto", "no_baseline": False, "dry_run": False, **given}) == 0
        return capsys.readouterr().out.splitlines()

    return run


def files(root: Path) -> dict[str, bytes]:
    found = (
        path for path in root.rglob("*") if path.is_file() and ".git" not in path.relative_to(root).parts
    )
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with github() as found:
        yield found
