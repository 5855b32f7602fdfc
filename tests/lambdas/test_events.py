"""From an event on the bus to a repaired resource: the rendered patterns, a queue, the very zip, a table, a journal.

moto delivers from the bus to the queue and does nothing with retries or dead letters, so the harness delivers as SQS
would: again, several times, in another order.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from policyengine.aws.account import Account
from policyengine.aws.calls import CallLog
from policyengine.aws.rate import Buckets
from policyengine.aws.sessions import Sessions
from policyengine.deploy.listening import event_rules
from policyengine.store.chain import verify
from policyengine.store.dynamo_table import TABLE
from policyengine.store.open_actions import open_store
from tests.lambdas.conftest import Function, chosen
from tests.live.server import MANAGEMENT, environment, running

REGION = "us-east-1"
RULE = "security-group-admin-ports-closed"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running() as found:
        yield found


class Cloud:
    """What the stack would make, made by hand, since moto runs no functions."""

    def __init__(self, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in environment(endpoint).items():
            monkeypatch.setenv(name, value)
        self.endpoint = endpoint
        boto3.client("s3")  # moto's reset endpoint needs no client; this proves the environment
        import urllib.request

        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).close()
        self.ec2, self.sqs, self.events = (
            boto3.client(name, region_name=REGION) for name in ("ec2", "sqs", "events")
        )
        boto3.client("dynamodb", region_name=REGION).create_table(TableName="actions", **dict(TABLE))
        self.queue = self.sqs.create_queue(QueueName="events")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        rules = event_rules(chosen(RULE, "kms-key-rotation"), security_hub=True)
        for id, resource in rules.items():
            if "EventPattern" in resource["Properties"]:
                self.events.put_rule(Name=id, EventPattern=json.dumps(resource["Properties"]["EventPattern"]))
                self.events.put_targets(Rule=id, Targets=[{"Id": "queue", "Arn": arn}])

    def open_group(self) -> str:
        group: str = self.ec2.create_security_group(GroupName=f"g{random.random()}", Description="d")[
            "GroupId"
        ]
        world, office = {"CidrIp": "0.0.0.0/0"}, {"CidrIp": "10.0.0.0/8", "Description": "office"}
        permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [world, office]}
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
        return group

    def ranges(self, group: str) -> list[str]:
        found = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
        return sorted(each["CidrIp"] for permission in found for each in permission["IpRanges"])

    def put(self, kind: str, detail: dict[str, Any], source: str) -> None:
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
        assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while batch := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for each in batch:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
                found.append({"messageId": each["MessageId"], "body": each["Body"]})
        return found

    def store(self) -> Any:
        sessions = Sessions()
        account = Account(sessions, sessions.base, MANAGEMENT, "aws", log=CallLog(), buckets=Buckets(1000.0))
        return open_store(f"dynamodb:actions@{REGION}", account=account)


@pytest.fixture
def cloud(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(endpoint, monkeypatch)


@pytest.fixture
def function(functions: Callable[..., Function], cloud: Cloud) -> Function:
    own = {"POLICYENGINE_TABLE": "actions", "AWS_REGION": REGION, "POLICYENGINE_QUEUE": cloud.queue}
    return functions("events", {**environment(cloud.endpoint), **own})


def compliance(
    group: str, annotation: str | None = "SecurityGroupIngress/0: observed …", **changes: Any
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html"""
    result = {"complianceType": "NON_COMPLIANT", "resultRecordedTime": "2026-11-21T09:00:00.000Z"}
    return {
        "resourceId": group, "resourceType": "AWS::EC2::SecurityGroup", "awsRegion": REGION, "awsAccountId": MANAGEMENT,
        "configRuleName": f"policyengine-{RULE}", "messageType": "ComplianceChangeNotification", "recordVersion": "1.0",
        "newEvaluationResult": result | ({"annotation": annotation} if annotation is not None else {}), **changes,
    }  # fmt: skip


KIND = "Config Rules Compliance Change"


@pytest.mark.parametrize(
    "annotation", ["SecurityGroupIngress/0: observed …", pytest.param(None, marks=pytest.mark.slow)]
)
def test_from_the_bus_to_a_repaired_group(cloud: Cloud, function: Function, annotation: str | None) -> None:
    group = cloud.open_group()
    cloud.put(KIND, compliance(group, annotation), "aws.config")
    records = cloud.messages()
    assert len(records) == 1
    assert function({"Records": records}) == {"answer": {"batchItemFailures": []}}
    assert cloud.ranges(group) == ["10.0.0.0/8"]
    store = cloud.store()
    (action,) = store.find()
    assert action.state == "verified" and action.requested_by.startswith("event ")
    assert verify(list(store.journal())) is None
    correlation = json.loads(records[0]["body"])["id"]
    logged = [json.loads(line) for line in function.end().splitlines() if line.startswith("{")]
    assert any(line.get("action") == action.id and line["correlation_id"] == correlation for line in logged)
    assert correlation in action.requested_by


def test_not_determined_never_comes_through(cloud: Cloud) -> None:
    cloud.put(KIND, compliance("sg-1", "not determined: access denied"), "aws.config")
    cloud.put(KIND, compliance("sg-1", configRuleName="somebody-elses-rule"), "aws.config")
    assert cloud.messages() == []


def test_not_determined_starts_nothing_where_it_comes_all_the_same(cloud: Cloud, function: Function) -> None:
    group = cloud.open_group()
    event = {"id": "e-1", "detail-type": KIND, "source": "aws.config", "account": MANAGEMENT,
             "detail": compliance(group, "not determined: access denied")}  # fmt: skip
    assert function({"Records": [{"messageId": "m", "body": json.dumps(event)}]}) == {
        "answer": {"batchItemFailures": []}
    }
    assert cloud.ranges(group) == ["0.0.0.0/0", "10.0.0.0/8"]
    assert list(cloud.store().find()) == []


@pytest.mark.slow
def test_every_event_many_times_in_any_order(cloud: Cloud, function: Function) -> None:
    groups = [cloud.open_group() for _ in range(3)]
    for group in groups:
        cloud.put(KIND, compliance(group), "aws.config")
    records = cloud.messages() * 4
    random.Random(3).shuffle(records)
    for start in range(0, len(records), 5):
        assert function({"Records": records[start : start + 5]}) == {"answer": {"batchItemFailures": []}}
    assert [cloud.ranges(group) for group in groups] == [["10.0.0.0/8"]] * 3
    store = cloud.store()
    assert [action.state for action in store.find()] == ["verified"] * 3
    calls = [entry for entry in store.journal() if entry.kind == "call"]
    assert len(calls) == 3
    assert verify(list(store.journal())) is None


@pytest.mark.slow
def test_limits_hold_over_events_and_are_told(cloud: Cloud, function: Function) -> None:
    """Five groups and the default one: at most four are changed, whatever comes; the fifth waits for a person."""
    groups = [cloud.open_group() for _ in range(5)]
    for group in groups:
        cloud.put(KIND, compliance(group), "aws.config")
    assert function({"Records": cloud.messages()}) == {"answer": {"batchItemFailures": []}}
    assert sum(cloud.ranges(group) == ["10.0.0.0/8"] for group in groups) == 4
    logged = [json.loads(line) for line in function.end().splitlines() if line.startswith("{")]
    assert [line["code"] for line in logged if line.get("message") == "refused"] == ["limit"]
    assert sum(line.get("RemediationsStopped", 0) for line in logged) == 1


def test_a_poisoned_message_does_not_keep_the_others_from_being_done(
    cloud: Cloud, function: Function
) -> None:
    group = cloud.open_group()
    cloud.put(KIND, compliance(group), "aws.config")
    poison = [
        {"messageId": "p1", "body": "{"},
        {"messageId": "p2", "body": json.dumps({"detail-type": KIND, "id": "x", "detail": compliance("sg-1", awsAccountId="999988887777")})},
        {"messageId": "p3", "body": json.dumps({"detail-type": "Something Else", "id": "x", "detail": {}})},
        {"messageId": "p4", "body": "[" * 100_000},
    ]  # fmt: skip
    answer = function({"Records": [*poison[:2], *cloud.messages(), *poison[2:]]})
    assert answer == {"answer": {"batchItemFailures": [{"itemIdentifier": f"p{n}"} for n in (1, 2, 3, 4)]}}
    assert cloud.ranges(group) == ["10.0.0.0/8"]


def call_record(group: str, **changes: Any) -> dict[str, Any]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html"""
    return {
        "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": REGION,
        "recipientAccountId": MANAGEMENT, "eventTime": "2026-11-21T09:00:00Z", "eventID": "e", "readOnly": False,
        "userIdentity": {"type": "AssumedRole", "arn": f"arn:aws:sts::{MANAGEMENT}:assumed-role/dev/alice"},
        "requestParameters": {"groupId": group, "ipPermissions": {"items": []}}, **changes,
    }  # fmt: skip


@pytest.mark.slow
def test_a_call_is_a_reason_to_look(cloud: Cloud, function: Function) -> None:
    group = cloud.open_group()
    cloud.put("AWS API Call via CloudTrail", call_record(group), "aws.ec2")
    cloud.put(
        "AWS API Call via CloudTrail", call_record(group, errorCode="Client.UnauthorizedOperation"), "aws.ec2"
    )
    cloud.put(
        "AWS API Call via CloudTrail", call_record(group, eventName="DescribeSecurityGroups"), "aws.ec2"
    )
    records = cloud.messages()
    assert len(records) == 1, "failed and reading calls are left out by the pattern"
    assert function({"Records": records}) == {"answer": {"batchItemFailures": []}}
    assert cloud.ranges(group) == ["10.0.0.0/8"]


@pytest.mark.slow
def test_a_finding_of_security_hub_is_a_reason_to_look(cloud: Cloud, function: Function) -> None:
    group = cloud.open_group()
    finding = {
        "AwsAccountId": MANAGEMENT, "GeneratorId": f"policyengine/{RULE}", "RecordState": "ACTIVE", "Region": REGION,
        "Compliance": {"Status": "FAILED"}, "Workflow": {"Status": "NEW"},
        "Resources": [{"Type": "AwsEc2SecurityGroup", "Id": f"arn:aws:ec2:{REGION}:{MANAGEMENT}:security-group/{group}", "Region": REGION}],
    }  # fmt: skip
    event = {"id": "e-2", "detail-type": "Security Hub Findings - Imported", "source": "aws.securityhub", "detail": {"findings": [finding]}}  # fmt: skip
    assert function({"Records": [{"messageId": "m", "body": json.dumps(event)}]}) == {
        "answer": {"batchItemFailures": []}
    }
    assert cloud.ranges(group) == ["10.0.0.0/8"]


@pytest.mark.slow
def test_names_full_of_syntax_are_names(cloud: Cloud, function: Function) -> None:
    for name in (
        '$(touch /tmp/x)"; DROP',
        '{"a": 1}',
        "arn:aws:iam::999988887777:root",
        "../../etc/passwd",
        "sg-1\u202e",
    ):
        event = {"id": "e-3", "detail-type": KIND, "source": "aws.config", "detail": compliance(name)}
        answer = function({"Records": [{"messageId": "m", "body": json.dumps(event)}]})
        assert answer["answer"]["batchItemFailures"] in ([], [{"itemIdentifier": "m"}]), answer
    assert list(cloud.store().find()) == []


def test_what_was_left_behind_is_gone_on_with(cloud: Cloud, function: Function) -> None:
    event = {"detail-type": "policyengine.recover", "source": "policyengine", "detail": {}}
    assert function({"Records": [{"messageId": "m", "body": json.dumps(event)}]}) == {
        "answer": {"batchItemFailures": []}
    }


@pytest.mark.slow
def test_the_remediation_function_answers_what_became_of_a_request(
    cloud: Cloud, functions: Callable[..., Function]
) -> None:
    own = {"POLICYENGINE_TABLE": "actions", "AWS_REGION": REGION}
    function = functions("remediation", {**environment(cloud.endpoint), **own})
    group = cloud.open_group()
    request = {"rule": RULE, "resource_type": "AWS::EC2::SecurityGroup", "resource_id": group, "account": MANAGEMENT,
               "region": REGION, "requested_by": "ssm execution 1"}  # fmt: skip
    answer = function(request)["answer"]
    assert answer["state"] == "verified" and answer["plan_hash"].startswith("sha256:")
    assert cloud.ranges(group) == ["10.0.0.0/8"]
    assert function(request)["answer"]["code"] == "not_failing"
    for wrong in ({"account": "999988887777"}, {"rule": "x; rm"}, {"extra": 1}, {"resource_id": "a\nb"}):
        assert function({**request, **wrong})["error"] == "EventError"
