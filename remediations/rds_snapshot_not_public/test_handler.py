"""Public database snapshots: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, propose, refused, target

HANDLER = "rds_snapshot_not_public"
ID = "nightly"
KINDS = {
    "AWS::RDS::DBSnapshot": "DBSnapshot",
    "AWS::RDS::ClusterSnapshot": "DBClusterSnapshot",
    "AWS::DocDB::DBClusterSnapshot": "DBClusterSnapshot",
    "AWS::Neptune::DBClusterSnapshot": "DBClusterSnapshot",
}


def answers(kind: str, *values: str, name: str = "restore") -> dict[str, Answer]:
    attributes: list[Any] = [{"AttributeName": name, "AttributeValues": list(values)}]
    result = {f"{kind}Identifier": ID, f"{kind}Attributes": attributes}
    return {f"rds:Describe{kind}Attributes": {f"{kind}AttributesResult": result}}


@pytest.mark.parametrize("type", KINDS)
@given(accounts=st.lists(st.from_regex(r"\A\d{12}\Z"), unique=True, max_size=5), place=st.integers(0, 5))
def test_only_everybody_goes(type: str, accounts: list[str], place: int) -> None:
    kind = KINDS[type]
    told = answers(kind, *accounts[:place], "all", *accounts[place:])
    found = propose(HANDLER, target(HANDLER, ID, type=type), told)
    (step,) = found.steps
    named = {f"{kind}Identifier": ID, "AttributeName": "restore"}
    assert step.call == Call("rds", f"Modify{kind}Attribute", {**named, "ValuesToRemove": ["all"]})
    assert step.undo == (Call("rds", f"Modify{kind}Attribute", {**named, "ValuesToAdd": ["all"]}),)
    assert found.after == {"restore": sorted(accounts)}


def test_a_private_snapshot_needs_nothing() -> None:
    assert not propose(HANDLER, target(HANDLER, ID), answers("DBSnapshot", "111122223333")).steps


def test_what_cannot_be_read_is_refused() -> None:
    denied: dict[str, Answer] = {"rds:DescribeDBSnapshotAttributes": Failing("AccessDenied")}
    assert refused(HANDLER, target(HANDLER, ID), denied).code == "not_known"
    assert refused(HANDLER, target(HANDLER, ID), answers("DBSnapshot", name="other")).code == "not_known"


def test_laws(bench: Bench) -> None:
    rds = bench.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="db", Engine="mysql", DBInstanceClass="db.t3.micro", MasterUsername="admin",
        MasterUserPassword="a-password-of-a-test", AllocatedStorage=20,
    )  # fmt: skip
    rds.create_db_snapshot(DBInstanceIdentifier="db", DBSnapshotIdentifier=ID)
    rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier=ID, AttributeName="restore", ValuesToAdd=["all", "111122223333"]
    )
    bench.laws("database-snapshot-not-public", "AWS::RDS::DBSnapshot", ID)


def test_laws_of_clusters(bench: Bench) -> None:
    rds = bench.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="db",
        Engine="aurora-mysql",
        MasterUsername="admin",
        MasterUserPassword="a-password-of-a-test",
    )
    rds.create_db_cluster_snapshot(DBClusterIdentifier="db", DBClusterSnapshotIdentifier=ID)
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=ID, AttributeName="restore", ValuesToAdd=["111122223333", "all"]
    )
    bench.laws("database-snapshot-not-public", "AWS::RDS::ClusterSnapshot", ID)
