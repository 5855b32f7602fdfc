"""Longer retention: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policyengine.aws.models import service_model
from policyengine.remediate.families.log_groups import DAYS
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, Json, propose, refused, target

HANDLER = "log_group_retention_longer"
ABOUT = target(HANDLER, "/app/api")


def answers(**group: Json | int | str) -> dict[str, Answer]:
    return {"logs:DescribeLogGroups": {"logGroups": [{"logGroupName": "/app/api", **group}]}}


@given(before=st.sampled_from(DAYS), days=st.sampled_from(DAYS))
def test_a_retention_is_never_shortened(before: int, days: int) -> None:
    about = target(HANDLER, "/app/api", parameters={"days": days})
    found = propose(HANDLER, about, answers(retentionInDays=before))
    assert found.after == {"days": max(before, days), "policy": None}
    assert [step.undo[0].arguments["retentionInDays"] for step in found.steps] == [before] * (before < days)


def test_for_ever_stays_for_ever() -> None:
    assert not propose(HANDLER, ABOUT, answers()).steps


def test_what_is_refused() -> None:
    odd = target(HANDLER, "/app/api", parameters={"days": 366})
    assert refused(HANDLER, odd, answers(retentionInDays=7)).code == "unsupported"
    overridden = answers(retentionInDays=7, retentionPolicyName="all-groups")
    assert "all-groups" in refused(HANDLER, ABOUT, overridden).text
    assert (
        refused(HANDLER, ABOUT, {"logs:DescribeLogGroups": Failing("ServiceUnavailableException")}).code
        == "not_known"
    )


def test_the_retentions_there_are() -> None:
    shape = service_model("logs").operation_model("PutRetentionPolicy").input_shape.members["retentionInDays"]
    assert ", ".join(map(str, DAYS[:-1])) in shape.documentation
    assert str(DAYS[-1]) in shape.documentation


def test_repairs(bench: Bench) -> None:
    logs = bench.client("logs")
    logs.create_log_group(logGroupName="/app/api")
    logs.put_retention_policy(logGroupName="/app/api", retentionInDays=30)
    bench.laws(rule="log-group-retention-long-enough", type="AWS::Logs::LogGroup", id="/app/api")
