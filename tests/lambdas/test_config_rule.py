"""The function behind Config rules, as the zip has it, in its own process.

Event shapes: https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lambdas.config_standin import Standin, standin
from tests.lambdas.conftest import Function
from tests.live.server import MANAGEMENT, environment, running

REGION = "us-east-1"


@pytest.fixture(scope="module")
def endpoint(worker_id: str = "0") -> Iterator[str]:
    with running() as found:
        yield found


def item(**changes: Any) -> dict[str, Any]:
    """A configuration item of a security group as an event holds it."""
    given: dict[str, Any] = {
        "configurationItemCaptureTime": "2026-11-21T09:00:00.000Z",
        "awsAccountId": MANAGEMENT,
        "configurationItemStatus": "OK",
        "resourceType": "AWS::EC2::SecurityGroup",
        "resourceId": "sg-0a1b2c3d",
        "resourceName": "web",
        "ARN": f"arn:aws:ec2:{REGION}:{MANAGEMENT}:security-group/sg-0a1b2c3d",
        "awsRegion": REGION,
        "tags": {},
        "relationships": [],
        "configuration": {
            "groupId": "sg-0a1b2c3d", "groupName": "web", "description": "web", "vpcId": "vpc-1", "tags": [],
            "ipPermissionsEgress": [],
            "ipPermissions": [{
                "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipv6Ranges": [], "prefixListIds": [],
                "userIdGroupPairs": [], "ipv4Ranges": [{"cidrIp": "0.0.0.0/0"}], "ipRanges": ["0.0.0.0/0"]}],
        },
        "supplementaryConfiguration": {},
        "configurationStateId": "1",
    }  # fmt: skip
    return {**given, **changes}


def invocation(invoking: dict[str, Any], rule: str = "policyengine-security-group-admin-ports-closed", **more: Any) -> dict[str, Any]:  # fmt: skip
    return {
        "invokingEvent": json.dumps({"notificationCreationTime": "2026-11-21T09:00:01.000Z", "recordVersion": "1.3", **invoking}),
        "ruleParameters": "{}", "resultToken": "token", "eventLeftScope": False,
        "executionRoleArn": f"arn:aws:iam::{MANAGEMENT}:role/config", "configRuleArn": f"arn:aws:config:{REGION}:{MANAGEMENT}:config-rule/config-rule-0",
        "configRuleName": rule, "configRuleId": "config-rule-0", "accountId": MANAGEMENT, "version": "1.0", **more,
    }  # fmt: skip


def change(**changes: Any) -> dict[str, Any]:
    return {"messageType": "ConfigurationItemChangeNotification", "configurationItem": item(**changes)}


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[Standin, str]]:
    with standin() as found:
        yield found


@pytest.fixture(scope="module")
def function(folder: Path, endpoint: str, service: tuple[Standin, str]) -> Iterator[Function]:
    """One warm function, as Lambda keeps it between events."""
    environ = {**environment(endpoint), "AWS_ENDPOINT_URL_CONFIG_SERVICE": service[1], "AWS_REGION": REGION}
    made = Function(folder, "config_rule", environ)
    yield made
    made.kill()


@pytest.fixture
def config(service: tuple[Standin, str]) -> Iterator[tuple[Standin, str]]:
    service[0].forget()
    yield service
    assert service[0].problems == []


def only(config: tuple[Standin, str]) -> dict[str, Any]:
    (taken,) = config[0].taken.values()
    return taken


def test_a_failure_names_property_observed_and_expected(function: Function, config: Any) -> None:
    assert function(invocation(change())) == {"answer": {"NON_COMPLIANT": 1}}
    taken = only(config)
    assert (taken["ComplianceResourceType"], taken["ComplianceResourceId"]) == (
        "AWS::EC2::SecurityGroup",
        "sg-0a1b2c3d",
    )
    assert (
        "observed" in taken["Annotation"]
        and "0.0.0.0/0" in taken["Annotation"]
        and "expected" in taken["Annotation"]
    )
    assert not taken["Annotation"].startswith("not determined:")


def test_a_pass_is_compliant(function: Function, config: Any) -> None:
    closed = item()["configuration"] | {"ipPermissions": []}
    assert function(invocation(change(configuration=closed))) == {"answer": {"COMPLIANT": 1}}


@pytest.mark.parametrize("status", ["ResourceDeleted", "ResourceDeletedNotRecorded", "ResourceNotRecorded"])
def test_what_is_gone_is_not_applicable(function: Function, config: Any, status: str) -> None:
    event = invocation(change(configurationItemStatus=status, configuration=None))
    assert function(event) == {"answer": {"NOT_APPLICABLE": 1}}


def test_what_left_the_scope_is_not_applicable(function: Function, config: Any) -> None:
    assert function(invocation(change(), eventLeftScope=True)) == {"answer": {"NOT_APPLICABLE": 1}}


def test_unknown_goes_out_as_not_determined(function: Function, config: Any) -> None:
    """A database has no value where AWS Config was denied one: here the group's rules themselves are missing."""
    broken = {k: v for k, v in item()["configuration"].items() if k != "ipPermissions"}
    assert function(invocation(change(configuration=broken))) == {"answer": {"NON_COMPLIANT": 1}}
    assert only(config)["Annotation"].startswith("not determined:")


def test_an_oversized_item_is_fetched(function: Function, config: Any) -> None:
    """Items of the API spell their fields in another way, and hold JSON in strings (aws-facts B1)."""
    whole = item()
    config[0].history["AWS::EC2::SecurityGroup", "sg-0a1b2c3d"] = {
        **{k: v for k, v in whole.items() if k not in ("ARN", "awsAccountId")},
        "arn": whole["ARN"], "accountId": MANAGEMENT, "version": "1.3",
        "configuration": json.dumps(whole["configuration"]), "supplementaryConfiguration": {},
        "configurationItemCaptureTime": 1795251600.0,
    }  # fmt: skip
    summary = {
        k: whole[k]
        for k in whole
        if k not in ("configuration", "supplementaryConfiguration", "relationships", "tags")
    }
    event = invocation(
        {"messageType": "OversizedConfigurationItemChangeNotification", "configurationItemSummary": summary}
    )
    assert function(event) == {"answer": {"NON_COMPLIANT": 1}}


def test_failed_evaluations_are_sent_again(function: Function, config: Any) -> None:
    config[0].fail_first = 1
    assert function(invocation(change())) == {"answer": {"NON_COMPLIANT": 1}}
    assert config[0].batches == [1, 1] and len(config[0].taken) == 1


def test_one_function_serves_any_number_of_rules(function: Function, config: Any) -> None:
    named = invocation(change(), "another-name", ruleParameters=json.dumps({"rules": "s3-tls-only, security-group-admin-ports-closed"}))  # fmt: skip
    assert function(named) == {"answer": {"NON_COMPLIANT": 1}}


def test_a_schedule_evaluates_everything_and_clears_what_vanished(
    function: Function, config: Any, endpoint: str
) -> None:
    import boto3

    client = boto3.client(
        "kms", endpoint_url=endpoint, region_name=REGION, aws_access_key_id="t", aws_secret_access_key="t"
    )
    keys = [client.create_key()["KeyMetadata"]["KeyId"] for _ in range(3)]
    client.enable_key_rotation(KeyId=keys[0])
    config[0].taken["AWS::KMS::Key", "gone-long-ago"] = {"ComplianceType": "COMPLIANT"}
    event = invocation(
        {"messageType": "ScheduledNotification", "awsAccountId": MANAGEMENT}, "policyengine-kms-key-rotation"
    )
    answer = function(event)
    taken = {key[1]: each["ComplianceType"] for key, each in config[0].taken.items()}
    assert taken == {
        keys[0]: "COMPLIANT", keys[1]: "NON_COMPLIANT", keys[2]: "NON_COMPLIANT", "gone-long-ago": "NOT_APPLICABLE"
    }, answer  # fmt: skip


def test_answers_do_not_wait_at_the_rate_of_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """At ten calls a second, which is right for reading an account, each answer would wait for a tenth of a second."""
    from policyengine.aws.sessions import Identity
    from policyengine.lambdas.runtime import Runtime

    for name, value in environment("http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)
    runtime = Runtime({"AWS_REGION": REGION})
    runtime.identity = Identity(MANAGEMENT, f"arn:aws:iam::{MANAGEMENT}:role/f")
    waited = sum(runtime.own._buckets.take(MANAGEMENT, REGION, "config") for _ in range(100))
    assert waited < 0.5


def test_batches_of_a_hundred() -> None:
    from policyengine.lambdas.evaluations import Evaluation, put

    found = Standin()

    class Calls:
        def call(self, service: str, operation: str, arguments: Any, region: str) -> Any:
            return found.answer(operation, arguments)

    found.fail_first = 3
    many = [
        Evaluation("AWS::S3::Bucket", f"b{n}", "COMPLIANT", "", "2026-11-21T09:00:00Z") for n in range(250)
    ]
    assert put(Calls(), many, "token", REGION, lambda seconds: True) == 250
    assert found.batches == [100, 3, 100, 50] and len(found.taken) == 250 and found.problems == []


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"invokingEvent": "{"}, "no JSON"),
        ({"invokingEvent": "[" * 5000}, "no JSON"),
        ({"resultToken": None}, "resultToken"),
        ({"accountId": "arn:aws:iam::1:root"}, "no account id"),
        ({"accountId": "999988887777"}, "of account"),
        ({"configRuleName": "$(rm -rf /)"}, "does not begin with"),
        ({"ruleParameters": '{"rules": ["a"]}'}, "no text"),
    ],
)
def test_a_forged_event_is_refused_with_a_clear_message(
    function: Function, config: Any, broken: Any, words: str
) -> None:
    answer = function({**invocation(change()), **broken})
    assert answer["error"] == "EventError" and words in answer["text"]
    assert config[0].taken == {}


def test_log_lines_are_structured_and_hold_no_properties(
    functions: Callable[..., Function], endpoint: str, service: tuple[Standin, str]
) -> None:
    environ = {**environment(endpoint), "AWS_ENDPOINT_URL_CONFIG_SERVICE": service[1], "AWS_REGION": REGION}
    function = functions("config_rule", environ)
    function(invocation(change(tags={"secret": "hunter2"})))
    lines = [json.loads(line) for line in function.end().splitlines() if line.startswith("{")]
    assert {"evaluated"} <= {line.get("message") for line in lines}
    assert all(
        line["correlation_id"] == "policyengine-security-group-admin-ports-closed/sg-0a1b2c3d"
        for line in lines
    )
    assert any("_aws" in line for line in lines)
    assert "hunter2" not in json.dumps(lines)
