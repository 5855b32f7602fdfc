"""Deletion protection of clusters, "applied immediately—regardless of when you choose to apply them":
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html; of global clusters:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyGlobalCluster.html."""

from __future__ import annotations

import pytest

from policyengine.remediate.api import Call
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
