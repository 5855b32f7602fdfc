from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from policyengine.store.sqlite_actions import SqliteActions
from tests.store.laws import Laws

MEMORY = Path("/dev/shm")


class SqliteLaws(Laws):
    def make(self) -> SqliteActions:
        # in memory where there is such a folder: each write waits for the disk otherwise
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        return SqliteActions(Path(self.folder.name) / "actions.db")

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


@pytest.mark.parametrize(("examples", "steps"), [(25, 25), pytest.param(150, 50, marks=pytest.mark.slow)])
def test_a_file_does_what_the_model_does(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        SqliteLaws, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    )
