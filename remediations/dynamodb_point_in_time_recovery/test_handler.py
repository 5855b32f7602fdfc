"""Point-in-time recovery: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html."""

from __future__ import annotations

from typing import Any

from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, Json, image, propose, refused, target

HANDLER = "dynamodb_point_in_time_recovery"
ABOUT = target(HANDLER, "orders")


def answers(status: str, **more: Any) -> dict[str, Answer]:
    found: Json = {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status, **more},
    }
    return {"dynamodb:DescribeContinuousBackups": {"ContinuousBackupsDescription": found}}


def test_on_and_undone() -> None:
    (step,) = propose(HANDLER, ABOUT, answers("DISABLED")).steps
    spec = "PointInTimeRecoverySpecification"
    assert step.call.arguments[spec] == {"PointInTimeRecoveryEnabled": True}
    assert step.undo[0].arguments[spec] == {"PointInTimeRecoveryEnabled": False}


def test_times_are_no_change() -> None:
    moved = answers("ENABLED", LatestRestorableDateTime="2026-11-21T00:00:00Z")
    assert image(HANDLER, ABOUT, moved) == image(HANDLER, ABOUT, answers("ENABLED"))
    assert not propose(HANDLER, ABOUT, moved).steps


def test_incident_c7n_4949_a_table_that_cannot_be_read_is_left_alone() -> None:
    failing: dict[str, Answer] = {"dynamodb:DescribeContinuousBackups": Failing("InternalServerError")}
    assert refused(HANDLER, ABOUT, failing).code == "not_known"


TABLE: Any = {
    "TableName": "orders", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}  # fmt: skip


def test_repairs(bench: Bench) -> None:
    bench.client("dynamodb").create_table(**TABLE)
    bench.laws(rule="dynamodb-point-in-time-recovery", type="AWS::DynamoDB::Table", id="orders")
