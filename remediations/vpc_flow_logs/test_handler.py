"""Flow logs: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.remediate.api import Call, FromAnswer
from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, REGION, Answer, Failing, propose, refused, target

HANDLER = "vpc_flow_logs"
ID = "vpc-0a1"
BUCKET = "arn:aws:s3:::central-flow-logs/vpc/"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/flow/vpc:*"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/flow-logs"


def answers(*logs: dict[str, Any]) -> dict[str, Answer]:
    return {"ec2:DescribeFlowLogs": {"FlowLogs": list(logs)}}


def about(**parameters: str) -> Any:
    return target(HANDLER, ID, parameters=parameters)


def test_to_a_bucket() -> None:
    found = propose(HANDLER, about(destination=BUCKET), answers())
    (step,) = found.steps
    assert step.call.arguments == {
        "ResourceIds": [ID], "ResourceType": "VPC", "TrafficType": "REJECT", "LogDestinationType": "s3",
        "LogDestination": BUCKET,
    }  # fmt: skip
    assert step.undo == (
        Call("ec2", "DeleteFlowLogs", {"FlowLogIds": [FromAnswer("create", "FlowLogIds.0")]}),
    )
    assert found.after == {"logs": [{"traffic": "REJECT", "to": BUCKET}]}


def test_to_a_log_group() -> None:
    (step,) = propose(HANDLER, about(destination=GROUP, role=ROLE, traffic="ALL"), answers()).steps
    assert step.call.arguments == {
        "ResourceIds": [ID], "ResourceType": "VPC", "TrafficType": "ALL", "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": "/flow/vpc", "DeliverLogsPermissionArn": ROLE,
    }  # fmt: skip


def test_flow_logs_that_are_there_stay() -> None:
    other = {
        "FlowLogId": "fl-1",
        "TrafficType": "ACCEPT",
        "LogDestination": "arn:aws:s3:::other",
        "DeliverLogsStatus": "SUCCESS",
    }
    found = propose(HANDLER, about(destination=BUCKET), answers(other))
    assert {"traffic": "ACCEPT", "to": "arn:aws:s3:::other"} in found.after["logs"]


@pytest.mark.parametrize("place", [{"LogGroupName": "/flow/vpc"}, {"LogDestination": GROUP}])
def test_a_second_one_to_the_same_place_is_refused(place: Any) -> None:
    failing = {"FlowLogId": "fl-1", "TrafficType": "ALL", "DeliverLogsStatus": "FAILED", **place}
    said = refused(HANDLER, about(destination=GROUP, role=ROLE), answers(failing))
    assert said.code == "unsupported" and "look whether it delivers" in said.text


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "nobody said where to"),
        ({"destination": "my-bucket"}, "is no bucket"),
        ({"destination": "arn:aws-cn:s3:::b"}, "is no bucket"),
        ({"destination": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:x"}, "is no bucket"),
        ({"destination": f"arn:aws:logs:{REGION}:999999999999:log-group:x", "role": ROLE}, "is no bucket"),
        ({"destination": GROUP}, "parameter `role`"),
        ({"destination": GROUP, "role": "arn:aws:iam::999999999999:role/flow-logs"}, "parameter `role`"),
    ],
)
def test_where_to_is_never_guessed(parameters: dict[str, str], words: str) -> None:
    said = refused(HANDLER, about(**parameters), answers())
    assert said.code == "unsupported" and words in said.text


def test_incident_c7n_2824_flow_logs_that_cannot_be_listed_are_not_none() -> None:
    denied: dict[str, Answer] = {"ec2:DescribeFlowLogs": Failing("UnauthorizedOperation")}
    assert refused(HANDLER, about(destination=BUCKET), denied).code == "not_known"


def test_laws(bench: Bench) -> None:
    vpc = bench.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    bench.client("s3").create_bucket(Bucket="central-flow-logs")
    parameters = {"destination": "arn:aws:s3:::central-flow-logs"}
    place = ("vpc-flow-logs", "AWS::EC2::VPC", vpc)
    bench.laws(*place, parameters=parameters)
    ec2 = bench.client("ec2")
    left = [each["FlowLogId"] for each in ec2.describe_flow_logs()["FlowLogs"]]
    assert len(left) == 1, "of the call whose answer never came"
    ec2.delete_flow_logs(FlowLogIds=left)
    made = bench.setup(*place, parameters=parameters)
    action = bench.planned(made).action
    assert action is not None
    bench.apply(made, action)
    done = made.kernel.rollback(action.id, "somebody@example.com").action
    assert done is not None and done.state == "rolled_back" and made.image() == action.plan["before"]


def test_a_bucket_that_is_not_there_changes_nothing(bench: Bench) -> None:
    """EC2 answers that it was not successful, and not with an error (`Unsuccessful` of API_CreateFlowLogs)."""
    rule, type = "vpc-flow-logs", "AWS::EC2::VPC"
    vpc = bench.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = bench.setup(rule, type, vpc, parameters={"destination": "arn:aws:s3:::nobody-has-it"})
    action = bench.planned(made).action
    assert action is not None
    done = bench.apply(made, action).action
    assert done is not None and done.state == "failed" and "as it was before" in done.reason
    assert bench.client("ec2").describe_flow_logs()["FlowLogs"] == []
