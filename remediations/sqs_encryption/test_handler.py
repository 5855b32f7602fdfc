"""SSE-SQS. Facts: "All requests to queues with SSE enabled must use HTTPS and Signature Version 4":
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html; services cannot use
the AWS managed key:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html#compatibility-with-aws-services."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, Json, propose, refused, target

HANDLER = "sqs_encryption"
URL = "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"
ABOUT = target(HANDLER, URL)
ARN = "arn:aws:sqs:eu-west-1:111122223333:orders"
S3: Json = {
    "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": ARN,
    "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::data"}},
}  # fmt: skip
LAW: Any = {"rule": "sqs-encrypted", "type": "AWS::SQS::Queue"}


def answers(*statements: Json, **attributes: str) -> dict[str, Answer]:
    policy = (
        {"Policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})} if statements else {}
    )
    found = {"SqsManagedSseEnabled": "false", "ApproximateNumberOfMessages": "7", **policy, **attributes}
    return {"sqs:GetQueueAttributes": {"Attributes": found}}


def test_services_go_on_sending_because_no_kms_key_is_used() -> None:
    found = propose(HANDLER, ABOUT, answers(S3))
    (step,) = found.steps
    assert step.call.arguments["Attributes"] == {"SqsManagedSseEnabled": "true"}
    assert step.undo[0].arguments["Attributes"] == {"SqsManagedSseEnabled": "false"}
    assert found.concerns == ()
    assert set(found.after) == {"sse", "key", "policy"}  # how many messages wait changes by itself


@pytest.mark.parametrize(
    ("changes", "asks"),
    [
        ({"Principal": "*", "Condition": {}}, True),
        ({"Principal": {"AWS": "*"}, "Condition": {}}, True),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}}, False),
        ({"Principal": "*"}, False),
        ({"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, True),
        ({"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}}, True),
        ({"Principal": {"AWS": "111122223333"}, "Condition": {}}, False),
    ],
)
def test_requests_without_a_signature_would_be_rejected(changes: Json, asks: bool) -> None:
    assert bool(propose(HANDLER, ABOUT, answers({**S3, **changes})).concerns) is asks


def test_nothing_to_do() -> None:
    assert not propose(HANDLER, ABOUT, answers(SqsManagedSseEnabled="true")).steps
    assert not propose(HANDLER, ABOUT, answers(KmsMasterKeyId="alias/aws/sqs")).steps


def test_a_policy_that_cannot_be_read_and_incident_c7n_4949() -> None:
    assert refused(HANDLER, ABOUT, answers(Policy="{")).code == "unsupported"
    assert refused(HANDLER, ABOUT, {"sqs:GetQueueAttributes": Failing("InternalError")}).code == "not_known"


def test_repairs(bench: Bench) -> None:
    sqs = bench.client("sqs")
    url = sqs.create_queue(QueueName="orders", Attributes={"SqsManagedSseEnabled": "false"})["QueueUrl"]
    bench.laws(id=url, **LAW)
