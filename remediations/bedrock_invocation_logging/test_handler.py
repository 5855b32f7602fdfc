"""Invocations are logged to where the settings say, and nowhere without."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.remediate.api import Refused, Target
from policyengine.testing.canned import (
    ACCOUNT,
    CannedReader,
    ErrorCode,
    check_calls,
    declaration_beside,
    handler_beside,
    target,
)
from policyengine.testing.remediations import Bench

handler: Any = handler_beside(__file__)
RULE, TYPE, REGION = "bedrock-invocations-logged", "PolicyEngine::Account::Region", "eu-west-1"
DEFAULTS = {name: form["default"] for name, form in declaration_beside(__file__).parameters.items()}
GROUP = {"log_group": "/bedrock/{region}", "role_arn": "arn:aws:iam::{account}:role/bedrock-logs"}


def about(**parameters: Any) -> Target:
    return target(TYPE, REGION, RULE, region=REGION, at=REGION, parameters={**DEFAULTS, **parameters})


def planned(on: Target, config: Any = None) -> Any:
    answer = {} if config is None else {"loggingConfig": config}
    given = CannedReader({"bedrock:GetModelInvocationLoggingConfiguration": answer})
    proposal = handler.plan(on, handler.image(on, given))
    check_calls(proposal)
    return proposal


@pytest.mark.parametrize(
    "parameters", [{}, {"prefix": "x"}, {"log_group": "g"}, {"role_arn": "arn:aws:iam::1:role/x"}]
)
def test_without_a_declared_destination_nothing_is_done(parameters: Any) -> None:
    with pytest.raises(Refused) as found:
        planned(about(**parameters))
    assert found.value.code == "unsupported"
    assert "set" in found.value.text


def test_account_and_region_are_filled_in() -> None:
    (step,) = planned(about(bucket="logs-{account}-{region}", prefix="b", **GROUP)).steps
    config = step.call.arguments["loggingConfig"]
    assert config["s3Config"] == {"bucketName": f"logs-{ACCOUNT}-{REGION}", "keyPrefix": "b"}
    assert config["cloudWatchConfig"] == {
        "logGroupName": f"/bedrock/{REGION}",
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/bedrock-logs",
    }
    assert config["textDataDeliveryEnabled"] is True
    assert config["videoDataDeliveryEnabled"] is False
    assert [call.operation for call in step.undo] == ["DeleteModelInvocationLoggingConfiguration"]


def test_what_is_configured_stays() -> None:
    """A call replaces the whole configuration:
    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_PutModelInvocationLoggingConfiguration.html"""
    before = {"textDataDeliveryEnabled": False, "embeddingDataDeliveryEnabled": True}
    proposal = planned(about(bucket="logs"), before)
    (step,) = proposal.steps
    assert step.call.arguments["loggingConfig"].items() >= before.items()
    assert [dict(call.arguments) for call in step.undo] == [{"loggingConfig": before}]


def test_a_person_weighs_that_prompts_can_be_read() -> None:
    assert "personal data" in planned(about(bucket="logs")).concerns[0]


def test_incident_c7n_2824_a_failed_read_is_not_no_logging() -> None:
    """https://github.com/cloud-custodian/cloud-custodian/issues/2824"""
    given = CannedReader({"bedrock:GetModelInvocationLoggingConfiguration": ErrorCode("ThrottlingException")})
    with pytest.raises(Refused) as found:
        handler.image(about(bucket="logs"), given)
    assert found.value.code == "not_known"


def test_repairs(bench: Bench) -> None:
    bench.client("s3").create_bucket(Bucket="logs")
    bench.laws(RULE, TYPE, REGION, REGION, parameters={"bucket": "logs"})
