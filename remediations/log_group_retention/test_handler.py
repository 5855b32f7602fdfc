"""Retention where events were kept for ever. Facts: what is older is deleted, an account policy overrides:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html; events are at most 14 days old
when they come in: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html; an export says from
when to when: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ExportTask.html."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.api import Refused
from policyengine.testing.remediations import Bench
from tests.remediate.canned import NOW, Answer, Failing, image, one, propose, refused, target

HANDLER = "log_group_retention"
NAME = "/app/api"
DAY = 24 * 60 * 60 * 1000
NOW_MS = int(datetime.fromisoformat(NOW).timestamp() * 1000)
YEAR = {"days": 365}
ABOUT = target(HANDLER, NAME, parameters=YEAR)


def ago(days: int) -> int:
    return NOW_MS - days * DAY


def answers(age: int, *exports: tuple[int, int], **group: Any) -> dict[str, Answer]:
    """A log group made ``age`` days ago; exports from and to so many days ago, and one of another log group."""
    tasks = [{"logGroupName": NAME, "from": ago(a), "to": ago(b)} for a, b in exports]
    other = {"logGroupName": "/other", "from": 0, "to": NOW_MS}
    found = {"logGroupName": NAME, "creationTime": ago(age), **group}
    return {
        "logs:DescribeLogGroups": {"logGroups": [found]},
        "logs:DescribeExportTasks": {"exportTasks": [*tasks, other]},
    }


def test_a_young_log_group_has_no_history_to_lose() -> None:
    found = propose(HANDLER, ABOUT, answers(351))
    (step,) = found.steps
    assert step.call.arguments == {"logGroupName": NAME, "retentionInDays": 365}
    assert step.undo[0].operation == "DeleteRetentionPolicy"
    assert found.concerns == ()


def test_history_is_archived_first() -> None:
    said = refused(HANDLER, ABOUT, answers(400))
    assert said.code == "unsafe"
    assert "create-export-task" in said.text
    assert "exported" in propose(HANDLER, ABOUT, answers(400, (414, 365))).concerns[0]
    allowed = target(HANDLER, NAME, parameters={**YEAR, "unarchived": "approve"})
    assert "no completed export" in propose(HANDLER, allowed, answers(400)).concerns[0]


@pytest.mark.parametrize(
    ("exports", "whole"),
    [
        ([(1000, 0)], True),
        ([(1000, 500), (500, 300)], True),
        ([(500, 300), (1000, 500), (900, 800)], True),
        ([(1000, 600), (500, 300)], False),
        ([(1000, 400)], False),
        ([(399, 0)], False),
    ],
)
def test_an_export_with_a_gap_is_no_archive(exports: list[tuple[int, int]], whole: bool) -> None:
    asked = answers(900, *exports)
    if whole:
        assert propose(HANDLER, ABOUT, asked).concerns
    else:
        assert refused(HANDLER, ABOUT, asked).code == "unsafe"


_spans = st.lists(
    st.tuples(st.integers(0, 900), st.integers(0, 900)).map(lambda t: (max(t), min(t))), max_size=5
)


@given(age=st.integers(0, 800), spans=_spans)
def test_no_day_is_deleted_that_was_not_exported(age: int, spans: list[tuple[int, int]]) -> None:
    """Held against every single day."""
    try:
        propose(HANDLER, ABOUT, answers(age, *spans))
    except Refused as said:
        assert said.code == "unsafe"
        return
    for day in range(366, age + 15):
        assert any(start >= day >= end and start >= day - 1 >= end for start, end in spans), day


def test_a_retention_is_never_shortened() -> None:
    said = refused(HANDLER, ABOUT, answers(10, retentionInDays=3653))
    assert said.code == "unsupported"
    assert "not shortened" in said.text


def test_the_floor_holds() -> None:
    about = target(HANDLER, NAME, parameters={"days": 180})
    assert "floor of 365" in refused(HANDLER, about, answers(1)).text
    declared = one(HANDLER).declaration(HANDLER)
    assert declared.parameters["floor"]["default"] >= 365
    assert (declared.destructive, declared.mode, declared.approvals) == (True, "approval", 2)


def test_an_account_policy_decides() -> None:
    assert "everything" in refused(HANDLER, ABOUT, answers(1, retentionPolicyName="everything")).text


def test_how_far_was_exported_is_part_of_the_image() -> None:
    assert image(HANDLER, ABOUT, answers(400, (500, 300)))["archived_to"] == ago(300)
    assert image(HANDLER, ABOUT, answers(400))["archived_to"] == ago(414)


@pytest.mark.parametrize("operation", sorted(answers(1)))
def test_incident_c7n_2824_what_cannot_be_read_is_not_absent(operation: str) -> None:
    asked = {**answers(1), operation: Failing("ServiceUnavailableException")}
    assert refused(HANDLER, ABOUT, asked).code == "not_known"


LAW: Any = {"rule": "log-group-retention-set", "type": "AWS::Logs::LogGroup", "id": NAME}


def test_repairs(bench: Bench) -> None:
    bench.client("logs").create_log_group(logGroupName=NAME)
    bench.laws(**LAW)


def test_what_the_rule_would_not_accept_is_not_tried(bench: Bench) -> None:
    bench.client("logs").create_log_group(logGroupName=NAME)
    words = bench.refuses("unsupported", **LAW, rule_parameters={"at_most": 400})
    assert "at most 400" in words
