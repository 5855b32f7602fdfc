"""Backups of clusters: 1 to 35 days, never 0, so there is no outage:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.aws.models import service_model
from tests.remediate.canned import Answer, Failing, image, one, propose, refused, target

HANDLER = "db_cluster_backups"
ABOUT = target(HANDLER, "orders")


def answers(days: int, **more: Any) -> dict[str, Answer]:
    found = {"DBClusterIdentifier": "orders", "BackupRetentionPeriod": days, **more}
    return {"rds:DescribeDBClusters": {"DBClusters": [found]}}


@given(days=st.integers(1, 35), wanted=st.integers(1, 35))
def test_a_retention_is_never_lowered(days: int, wanted: int) -> None:
    about = target(HANDLER, "orders", parameters={"days": wanted})
    found = propose(HANDLER, about, answers(days))
    assert found.after == {**image(HANDLER, about, answers(days)), "days": max(days, wanted)}
    assert [step.undo[0].arguments["BackupRetentionPeriod"] for step in found.steps] == [days] * (
        days < wanted
    )


def test_nothing_else_is_applied_with_it() -> None:
    said = refused(HANDLER, ABOUT, answers(1, PendingModifiedValues={"EngineVersion": "16.4"}))
    assert (said.code, "EngineVersion" in said.text) == ("unsafe", True)


@pytest.mark.parametrize("service", ["neptune", "docdb"])
def test_neptune_and_documentdb_answer_at_the_endpoint_of_rds(service: str) -> None:
    """The same endpoint, API version and signature: RDS's client asks the same as theirs."""
    ours, theirs = service_model("rds"), service_model(service)
    assert len(one(HANDLER).declaration(HANDLER).types) == 3
    assert (theirs.endpoint_prefix, theirs.api_version, theirs.signing_name) == (
        ours.endpoint_prefix,
        ours.api_version,
        ours.signing_name,
    )


def test_incident_c7n_4949_a_cluster_that_cannot_be_read_is_left_alone() -> None:
    assert refused(HANDLER, ABOUT, {"rds:DescribeDBClusters": Failing("InternalFailure")}).code == "not_known"
