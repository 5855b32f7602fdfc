"""Encryption of log groups. Facts: the service principal, the actions and the encryption context that a key policy has to let
in, and that events are lost otherwise: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, REGION, Answer, Failing, Json, propose, refused, target

HANDLER = "log_group_encryption"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ABOUT = target(HANDLER, "/app/api", parameters={"key": KEY})
ROOT: Json = {
    "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*",
}  # fmt: skip


def logs(account: str = ACCOUNT, region: str = REGION, group: str = "*", **more: Any) -> Json:
    """The statement of the user guide."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{region}.amazonaws.com"},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account}:log-group:{group}"
            }
        },
        **more,
    }


def answers(*statements: Json, group: Json | None = None, key_is: Json | None = None) -> dict[str, Answer]:
    about = {"KeyId": KEY[-36:], "Arn": KEY, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT",
             "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": "CUSTOMER", **(key_is or {})}  # fmt: skip
    groups = [{"logGroupName": "/app/api-2", "kmsKeyId": KEY}, {"logGroupName": "/app/api", **(group or {})}]
    return {
        "logs:DescribeLogGroups": {"logGroups": groups},
        "kms:DescribeKey": {"KeyMetadata": about},
        "kms:GetKeyPolicy": {"Policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})},
    }


@pytest.mark.parametrize("statement", [logs(), logs(group="/app/api"), logs(Condition={})])
def test_a_key_that_lets_logs_in_is_used(statement: Json) -> None:
    (step,) = propose(HANDLER, ABOUT, answers(ROOT, statement)).steps
    assert step.call.arguments == {"logGroupName": "/app/api", "kmsKeyId": KEY}
    assert step.undo[0].operation == "DisassociateKmsKey"


@pytest.mark.parametrize(
    "statement",
    [
        ROOT,
        logs(group="/app/web"),
        logs(account="444455556666"),
        logs(region="us-east-1"),
        logs(Action=["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"]),
        logs(Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
        logs(Effect="Deny"),
    ],
)
def test_a_key_that_leaves_logs_out_is_refused(statement: Json) -> None:
    said = refused(HANDLER, ABOUT, answers(ROOT, statement))
    assert said.code == "unsafe"
    assert "logs.eu-west-1.amazonaws.com" in said.text


def test_what_is_refused_besides() -> None:
    assert refused(HANDLER, ABOUT, answers(logs(), group={"kmsKeyId": KEY})).code == "unsupported"
    assert (
        refused(HANDLER, ABOUT, answers(logs(), key_is={"KeyState": "PendingDeletion"})).code == "unsupported"
    )
    assert refused(HANDLER, target(HANDLER, "/app/api"), answers(logs())).code == "unsupported"
    gone = {**answers(logs()), "logs:DescribeLogGroups": {"logGroups": [{"logGroupName": "/app/api-2"}]}}
    assert refused(HANDLER, ABOUT, gone).code == "not_failing"


def test_in_china_the_service_has_another_name() -> None:
    key = KEY.replace("arn:aws:", "arn:aws-cn:").replace(REGION, "cn-north-1")
    about = target(HANDLER, "/app/api", parameters={"key": key}, partition="aws-cn", region="cn-north-1")
    asked = answers(
        logs(Principal={"Service": "logs.cn-north-1.amazonaws.com.cn"}, Condition={}), key_is={"Arn": key}
    )
    assert propose(HANDLER, about, asked).steps


@pytest.mark.parametrize("operation", sorted(answers(ROOT)))
def test_incident_c7n_4949_what_cannot_be_read_is_left_alone(operation: str) -> None:
    asked = {**answers(ROOT, logs()), operation: Failing("ServiceUnavailableException")}
    assert refused(HANDLER, ABOUT, asked).code == "not_known"


def test_repairs(bench: Bench) -> None:
    """moto cannot change the key of a log group: the operations about that are stubs over one log group."""
    statement = logs(account=bench.account, region="us-east-1")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [ROOT, statement]})
    key = bench.client("kms").create_key(Policy=policy, KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    arn = f"arn:aws:logs:us-east-1:{bench.account}:log-group:/app/api:*"
    group: Json = {"logGroupName": "/app/api", "arn": arn, "creationTime": 1760000000000, "storedBytes": 0}

    def associate(asked: Json) -> Json:
        group["kmsKeyId"] = asked["kmsKeyId"]
        return {}

    def disassociate(_asked: Json) -> Json:
        group.pop("kmsKeyId", None)
        return {}

    bench.client("logs").create_log_group(logGroupName="/app/api")
    bench.stub("logs:DescribeLogGroups", lambda _asked: {"logGroups": [dict(group)]})
    bench.stub("logs:AssociateKmsKey", associate)
    bench.stub("logs:DisassociateKmsKey", disassociate)
    law: Any = {"rule": "log-group-customer-managed-key", "type": "AWS::Logs::LogGroup", "id": "/app/api"}
    bench.laws(**law, parameters={"key": key})
