"""Backups of DB instances. Facts (API_ModifyDBInstance, BackupRetentionPeriod): "Enabling and disabling backups can result in
a brief I/O suspension"; "applied during the next maintenance window unless the ApplyImmediately parameter is enabled";
"from one non-zero value to another non-zero value, the change is asynchronously applied as soon as possible":
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html; "An outage occurs":
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.Enabling.html."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, image, one, propose, refused, target

HANDLER = "rds_backups"
ABOUT = target(HANDLER, "orders")
WAITING = {"DBInstanceClass": "db.r7g.large", "MasterUserPassword": "****"}


def answers(days: int, **more: Any) -> dict[str, Answer]:
    found = {"DBInstanceIdentifier": "orders", "BackupRetentionPeriod": days, **more}
    return {"rds:DescribeDBInstances": {"DBInstances": [found]}}


def test_turning_backups_on_is_done_in_the_window_and_not_in_the_next_maintenance() -> None:
    found = propose(HANDLER, ABOUT, answers(0))
    (step,) = found.steps
    asked = {"DBInstanceIdentifier": "orders", "ApplyImmediately": True}
    assert step.call == Call("rds", "ModifyDBInstance", {**asked, "BackupRetentionPeriod": 7})
    assert step.undo == (Call("rds", "ModifyDBInstance", {**asked, "BackupRetentionPeriod": 0}),)
    assert "outage" in found.concerns[0]
    declared = one(HANDLER).declaration(HANDLER)
    assert (declared.mode, declared.window) == ("approval", True)


def test_nothing_else_is_applied_with_it() -> None:
    said = refused(HANDLER, ABOUT, answers(0, PendingModifiedValues=WAITING))
    assert said.code == "unsafe"
    assert "DBInstanceClass, MasterUserPassword" in said.text
    assert "****" not in said.text
    assert propose(HANDLER, ABOUT, answers(0, PendingModifiedValues={"BackupRetentionPeriod": 3})).steps


@given(days=st.integers(0, 35), wanted=st.integers(1, 35), waiting=st.booleans())
def test_a_retention_is_never_lowered_and_nothing_pending_applied(
    days: int, wanted: int, waiting: bool
) -> None:
    about = target(HANDLER, "orders", parameters={"days": wanted})
    asked = answers(days, **({"PendingModifiedValues": WAITING} if waiting else {}))
    if waiting and not days:
        assert refused(HANDLER, about, asked).code == "unsafe"
        return
    found = propose(HANDLER, about, asked)
    assert found.after == {**image(HANDLER, about, asked), "days": max(days, wanted)}
    assert bool(found.steps) is (days < wanted)
    for step in found.steps:
        assert bool(step.call.arguments.get("ApplyImmediately")) is (days == 0)
        assert step.undo[0].arguments["BackupRetentionPeriod"] == days


def test_members_have_the_backups_of_their_cluster() -> None:
    assert refused(HANDLER, ABOUT, answers(1, DBClusterIdentifier="c")).code == "unsupported"


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
    bench.client("rds").create_db_instance(**made, BackupRetentionPeriod=0)
    bench.laws(rule="rds-backup-retention", type="AWS::RDS::DBInstance", id="orders")


def test_repairs_a_short_retention(bench: Bench) -> None:
    made: Any = {
        "DBInstanceIdentifier": "orders",
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.micro",
        "AllocatedStorage": 20,
        "MasterUsername": "owner",
        "MasterUserPassword": "not-a-secret-1",
    }
    bench.client("rds").create_db_instance(**made, BackupRetentionPeriod=1)
    bench.laws(rule="rds-backup-retention", type="AWS::RDS::DBInstance", id="orders")
