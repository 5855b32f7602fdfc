"""Deletion protection: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html. It "doesn't apply to
Amazon Aurora DB instances" (https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html)."""

from __future__ import annotations

from typing import Any

from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, propose, refused, target

HANDLER = "rds_deletion_protection"
ABOUT = target(HANDLER, "orders")


def answers(**instance: Any) -> dict[str, Answer]:
    return {"rds:DescribeDBInstances": {"DBInstances": [{"DBInstanceIdentifier": "orders", **instance}]}}


def test_protected_and_undone() -> None:
    found = propose(HANDLER, ABOUT, answers(DeletionProtection=False))
    (step,) = found.steps
    asked = {"DBInstanceIdentifier": "orders"}
    assert step.call == Call("rds", "ModifyDBInstance", {**asked, "DeletionProtection": True})
    assert step.undo == (Call("rds", "ModifyDBInstance", {**asked, "DeletionProtection": False}),)
    assert found.after == {"protected": True, "cluster": None}


def test_nothing_to_do_and_members() -> None:
    assert not propose(HANDLER, ABOUT, answers(DeletionProtection=True)).steps
    assert refused(HANDLER, ABOUT, answers(DBClusterIdentifier="c")).code == "unsupported"


def test_incident_c7n_4949_an_instance_that_cannot_be_read_is_left_alone() -> None:
    assert (
        refused(HANDLER, ABOUT, {"rds:DescribeDBInstances": Failing("InternalFailure")}).code == "not_known"
    )


def test_repairs(bench: Bench) -> None:
    made: Any = {
        "DBInstanceIdentifier": "orders",
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.micro",
        "AllocatedStorage": 20,
        "MasterUsername": "owner",
        "MasterUserPassword": "not-a-secret-1",
    }
    bench.client("rds").create_db_instance(**made)
    bench.laws(rule="rds-deletion-protection", type="AWS::RDS::DBInstance", id="orders")
