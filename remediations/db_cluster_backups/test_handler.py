"""Backups of clusters: 1 to 35 days, never 0, so there is no outage:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.aws.models import service_model
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, Json, image, one, propose, refused, target

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


@pytest.mark.parametrize(("type_", "engine"), [("RDS", "aurora-mysql"), ("Neptune", "neptune")])
def test_repairs(bench: Bench, type_: str, engine: str) -> None:
    made: Any = {
        "DBClusterIdentifier": "orders",
        "Engine": "aurora-postgresql",
        "MasterUsername": "owner",
        "MasterUserPassword": "not-a-secret-1",
    }
    bench.client("rds").create_db_cluster(**{**made, "Engine": engine}, BackupRetentionPeriod=1)
    bench.laws(rule="cluster-backup-retention", type=f"AWS::{type_}::DBCluster", id="orders")


def documentdb(bench: Bench, **settings: Any) -> Json:
    """moto has no clusters of DocumentDB: reading and changing one is a stub."""
    arn = f"arn:aws:rds:us-east-1:{bench.account}:cluster:orders"
    cluster: Json = {"DBClusterIdentifier": "orders", "Engine": "docdb", "DBClusterArn": arn, **settings}

    def modify(asked: Json) -> Json:
        cluster.update({name: value for name, value in asked.items() if name in settings})
        return {"DBCluster": dict(cluster)}

    bench.stub("rds:DescribeDBClusters", lambda _asked: {"DBClusters": [dict(cluster)]})
    bench.stub("rds:ModifyDBCluster", modify)
    return cluster


def test_repairs_documentdb(bench: Bench) -> None:
    documentdb(bench, BackupRetentionPeriod=1)
    bench.laws(rule="cluster-backup-retention", type="AWS::DocDB::DBCluster", id="orders")
