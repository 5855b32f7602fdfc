"""The table of narrow looks says where they are and all that they read."""

from __future__ import annotations

import pytest

from policyengine.engine.kept.narrows import NARROWS
from policyengine.engine.kept.recording import narrow_of
from policyengine.rules.iam import carrier_forms, deliveries
from policyengine.rules.predicates.privilege.table import CARRIERS


@pytest.mark.parametrize("name", NARROWS)
def test_a_name_leads_to_the_look_of_that_name(name: str) -> None:
    assert narrow_of(name).name == name


def test_what_runs_with_roles_is_read_from_all_its_tables() -> None:
    assert set(NARROWS["iam.running"][1]) == set(CARRIERS) == carrier_forms.TYPES


def test_a_delivery_is_read_from_all_its_tables() -> None:
    assert set(NARROWS["pipeline.delivery"][1]) == {
        deliveries.PROJECT,
        deliveries.REPOSITORY,
        deliveries.BUCKET,
    }
