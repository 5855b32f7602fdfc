"""Deletion protection of clusters, "applied immediately—regardless of when you choose to apply them":
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html; of global clusters:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyGlobalCluster.html."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, Json, one, propose, refused, target

HANDLER = "db_cluster_deletion_protection"
GLOBAL = "AWS::RDS::GlobalCluster"


def answers(type_: str, cluster: Json | Failing) -> dict[str, Answer]:
    kind = "Global" if type_ == GLOBAL else "DB"
    found: Answer = cluster if isinstance(cluster, Failing) else {f"{kind}Clusters": [cluster]}
    return {f"rds:Describe{kind}Clusters": found}


@pytest.mark.parametrize("type_", one(HANDLER).declaration(HANDLER).types)
def test_protected_and_undone(type_: str) -> None:
    about = target(HANDLER, "orders", type=type_)
    kind = "Global" if type_ == GLOBAL else "DB"
    (step,) = propose(HANDLER, about, answers(type_, {"DeletionProtection": False})).steps
    asked = {f"{kind}ClusterIdentifier": "orders"}
    assert step.call == Call("rds", f"Modify{kind}Cluster", {**asked, "DeletionProtection": True})
    assert step.undo == (Call("rds", f"Modify{kind}Cluster", {**asked, "DeletionProtection": False}),)
    assert not propose(HANDLER, about, answers(type_, {"DeletionProtection": True})).steps
    assert refused(HANDLER, about, answers(type_, Failing("InternalFailure"))).code == "not_known"


@pytest.mark.parametrize(("type_", "engine"), [("RDS", "aurora-mysql"), ("Neptune", "neptune")])
def test_repairs(bench: Bench, type_: str, engine: str) -> None:
    made: Any = {
        "DBClusterIdentifier": "orders",
        "Engine": "aurora-postgresql",
        "MasterUsername": "owner",
        "MasterUserPassword": "not-a-secret-1",
    }
    bench.client("rds").create_db_cluster(**{**made, "Engine": engine})
    bench.laws(rule="cluster-deletion-protection", type=f"AWS::{type_}::DBCluster", id="orders")


def test_repairs_a_global_cluster(bench: Bench) -> None:
    """moto cannot change a global cluster: reading and changing one is a stub."""
    arn = f"arn:aws:rds::{bench.account}:global-cluster:world"
    cluster: Json = {"GlobalClusterIdentifier": "world", "GlobalClusterArn": arn, "Engine": "aurora-mysql",
                     "DeletionProtection": False, "GlobalClusterMembers": []}  # fmt: skip

    def modify(asked: Json) -> Json:
        cluster["DeletionProtection"] = asked["DeletionProtection"]
        return {"GlobalCluster": dict(cluster)}

    bench.stub("rds:DescribeGlobalClusters", lambda _asked: {"GlobalClusters": [dict(cluster)]})
    bench.stub("rds:ModifyGlobalCluster", modify)
    bench.laws(rule="cluster-deletion-protection", type=GLOBAL, id="world")


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
    documentdb(bench, DeletionProtection=False)
    bench.laws(rule="cluster-deletion-protection", type="AWS::DocDB::DBCluster", id="orders")
