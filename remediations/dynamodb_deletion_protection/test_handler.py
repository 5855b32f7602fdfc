"""Deletion protection: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html."""

from __future__ import annotations

from typing import Any

from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, propose, refused, target

HANDLER = "dynamodb_deletion_protection"
ABOUT = target(HANDLER, "orders")


def answers(**table: Any) -> dict[str, Answer]:
    return {"dynamodb:DescribeTable": {"Table": {"TableName": "orders", **table}}}


def test_protected_and_undone() -> None:
    (step,) = propose(HANDLER, ABOUT, answers()).steps
    asked = {"TableName": "orders"}
    assert step.call == Call("dynamodb", "UpdateTable", {**asked, "DeletionProtectionEnabled": True})
    assert step.undo == (Call("dynamodb", "UpdateTable", {**asked, "DeletionProtectionEnabled": False}),)
    assert not propose(HANDLER, ABOUT, answers(DeletionProtectionEnabled=True)).steps


def test_incident_c7n_4949_a_table_that_cannot_be_read_is_left_alone() -> None:
    failing: dict[str, Answer] = {"dynamodb:DescribeTable": Failing("InternalServerError")}
    assert refused(HANDLER, ABOUT, failing).code == "not_known"


TABLE: Any = {
    "TableName": "orders", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}  # fmt: skip


def test_repairs(bench: Bench) -> None:
    bench.client("dynamodb").create_table(**TABLE)
    bench.laws(rule="dynamodb-deletion-protection", type="AWS::DynamoDB::Table", id="orders")
