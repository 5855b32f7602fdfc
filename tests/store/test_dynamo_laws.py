from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from policyengine.store.actions import ActionStore
from policyengine.store.open_actions import open_store
from tests.store.conftest import Tables
from tests.store.laws import Laws


@pytest.mark.parametrize(("examples", "steps"), [(6, 20), pytest.param(60, 40, marks=pytest.mark.slow)])
def test_a_table_does_what_the_model_does(tables: Tables, examples: int, steps: int) -> None:
    class DynamoLaws(Laws):
        def make(self) -> ActionStore:
            self.table = tables.new()
            return open_store(self.table, account=tables.account)

        def teardown(self) -> None:
            tables.client().delete_table(TableName=self.table.partition(":")[2].partition("@")[0])

    run_state_machine_as_test(
        DynamoLaws,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
