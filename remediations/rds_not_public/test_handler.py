"""The public address of DB instances. Fact: "Changes to the PubliclyAccessible parameter are applied immediately regardless
of the value of the ApplyImmediately parameter", and ApplyImmediately takes "any pending modifications" along:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html. A Multi-AZ DB cluster has the setting
at its creation only: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.aws.models import service_model
from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, one, propose, refused, target

HANDLER = "rds_not_public"
ABOUT = target(HANDLER, "orders")


def answers(**instance: Any) -> dict[str, Answer]:
    found = {"DBInstanceIdentifier": "orders", "Engine": "postgres", "PubliclyAccessible": True, **instance}
    return {"rds:DescribeDBInstances": {"DBInstances": [found]}}


def test_only_the_address_is_changed() -> None:
    found = propose(HANDLER, ABOUT, answers(PendingModifiedValues={"MultiAZ": True}))
    (step,) = found.steps
    asked = {"DBInstanceIdentifier": "orders", "PubliclyAccessible": False}
    assert step.call == Call(
        "rds", "ModifyDBInstance", asked
    )  # no ApplyImmediately: the pending change stays pending
    assert step.undo == (Call("rds", "ModifyDBInstance", {**asked, "PubliclyAccessible": True}),)
    assert found.concerns


def test_it_needs_a_window_and_a_person() -> None:
    declared = one(HANDLER).declaration(HANDLER)
    assert (declared.mode, declared.window, declared.approvals) == ("approval", True, 1)
    said = service_model("rds").operation_model("ModifyDBInstance").input_shape.members["PubliclyAccessible"]
    assert "applied immediately regardless" in said.documentation


@pytest.mark.parametrize(("engine", "made"), [("aurora-mysql", True), ("mysql", False), ("postgres", False)])
def test_members_of_multi_az_clusters_are_refused(engine: str, made: bool) -> None:
    asked = answers(Engine=engine, DBClusterIdentifier="cluster")
    if made:
        assert propose(HANDLER, ABOUT, asked).steps
    else:
        assert refused(HANDLER, ABOUT, asked).code == "unsupported"
    assert (
        "PubliclyAccessible"
        not in service_model("rds").operation_model("ModifyDBCluster").input_shape.members
    )


def test_nothing_to_do() -> None:
    assert not propose(HANDLER, ABOUT, answers(PubliclyAccessible=False)).steps


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
    bench.client("rds").create_db_instance(**made, PubliclyAccessible=True)
    bench.laws(rule="rds-instance-not-public", type="AWS::RDS::DBInstance", id="orders")
