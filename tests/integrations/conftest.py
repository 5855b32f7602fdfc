"""One repository for all tests of integrations, and a stand-in for GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from pathlib import Path

import pytest

from .github_server import GitHub, github
from .repositories import CLOSED, OPEN, Change


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Change:
    return Change(tmp_path_factory.mktemp("git") / "it")


@pytest.fixture
def change(tmp_path: Path, made: Change) -> Change:
    """The same origin for all, a clone for each."""
    found = copy(made)
    found.folder = tmp_path
    return found


@pytest.fixture(scope="session")
def made_open(tmp_path_factory: pytest.TempPathFactory) -> Change:
    return Change(tmp_path_factory.mktemp("git") / "open", before=OPEN, after=CLOSED)


@pytest.fixture
def open_main(tmp_path: Path, made_open: Change) -> Path:
    """A clone whose main branch has a failure in it."""
    found = copy(made_open)
    found.folder = tmp_path
    return found.checkout("refs/heads/main", 1)


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with github() as found:
        yield found
