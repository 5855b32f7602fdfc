from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from policyengine.store.sqlite_actions import SqliteActions
from tests.store.laws import Laws


class SqliteLaws(Laws):
    def make(self) -> SqliteActions:
        self.folder = tempfile.TemporaryDirectory()
        return SqliteActions(Path(self.folder.name) / "actions.db")

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


@pytest.mark.parametrize(("examples", "steps"), [(25, 25), pytest.param(300, 50, marks=pytest.mark.slow)])
def test_a_file_does_what_the_model_does(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        SqliteLaws, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    )
