from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings

from policyengine.store.sqlite_actions import SqliteActions
from tests.store.laws import Laws


class SqliteLaws(Laws):
    def make(self) -> SqliteActions:
        self.folder = tempfile.TemporaryDirectory()
        return SqliteActions(Path(self.folder.name) / "actions.db")

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestSqliteLaws = SqliteLaws.TestCase
TestSqliteLaws.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
