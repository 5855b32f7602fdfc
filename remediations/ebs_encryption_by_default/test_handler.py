"""Encryption by default, and the key: https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html. The
statements are those of https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
("Amazon EC2 Auto Scaling does not need additional authorization to use the default AWS managed key")."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, REGION, Answer, Failing, propose, refused, target

Json = dict[str, Any]
HANDLER = "ebs_encryption_by_default"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/own"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
USE = {
    "Effect": "Allow", "Principal": {"AWS": [ROLE]}, "Resource": "*",
    "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
}  # fmt: skip
ATTACH = {
    "Effect": "Allow", "Principal": {"AWS": [ROLE]}, "Action": ["kms:CreateGrant"], "Resource": "*",
    "Condition": {"Bool": {"kms:GrantIsForAWSResource": True}},
}  # fmt: skip
GRANT = {
    "GranteePrincipal": ROLE,
    "Operations": [
        "Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
        "DescribeKey", "CreateGrant",
    ],
}  # fmt: skip
"""As `aws kms create-grant` is shown on that page."""


def answers(
    *statements: Json,
    on: bool = False,
    current: str = "alias/aws/ebs",
    grants: tuple[Json, ...] = (),
    **metadata: Any,
) -> dict[str, Answer]:
    key = {"KeyId": "own", "Arn": KEY, "KeyManager": "CUSTOMER", "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT",
           "KeyUsage": "ENCRYPT_DECRYPT", **metadata}  # fmt: skip
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    return {
        "ec2:GetEbsEncryptionByDefault": {"EbsEncryptionByDefault": on},
        "ec2:GetEbsDefaultKmsKeyId": {"KmsKeyId": current},
        "kms:DescribeKey": {"KeyMetadata": key},
        "kms:GetKeyPolicy": {"Policy": json.dumps(policy)},
        "kms:ListGrants": {"Grants": list(grants)},
    }


def about(key: str = "") -> Any:
    return target(HANDLER, REGION, parameters={"kms_key": key})


def operations(found: Any) -> list[str]:
    return [step.call.operation for step in found.steps]


@pytest.mark.parametrize("current", ["alias/aws/ebs", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/ebs"])
def test_the_switch_alone_needs_no_proof(current: str) -> None:
    found = propose(HANDLER, about(), answers(current=current))
    (step,) = found.steps
    assert step.call == Call("ec2", "EnableEbsEncryptionByDefault")
    assert step.undo == (Call("ec2", "DisableEbsEncryptionByDefault"),)
    assert found.after == {"encrypted": True, "key": "alias/aws/ebs", "wanted": None}


def test_awss_key_by_its_arn_is_awss_key() -> None:
    assert operations(propose(HANDLER, about(), answers(current=KEY, KeyManager="AWS"))) == [
        "EnableEbsEncryptionByDefault"
    ]


@pytest.mark.parametrize(
    ("statements", "grants"), [([ROOT, USE, ATTACH], ()), ([ROOT], (GRANT,)), ([ROOT, USE], (GRANT,))]
)
def test_a_proved_key_is_set_before_the_switch(statements: list[Json], grants: tuple[Json, ...]) -> None:
    found = propose(HANDLER, about(KEY), answers(*statements, grants=grants))
    key, switch = found.steps
    assert key.call == Call("ec2", "ModifyEbsDefaultKmsKeyId", {"KmsKeyId": KEY})
    assert key.undo == (Call("ec2", "ResetEbsDefaultKmsKeyId"),)
    assert switch.call.operation == "EnableEbsEncryptionByDefault"
    assert found.after["key"] == KEY


DENY = {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"StringNotEquals": {"kms:ViaService": "rds.eu-west-1.amazonaws.com"}}}  # fmt: skip


@pytest.mark.parametrize(
    ("statements", "grants", "lacking"),
    [
        ([ROOT], (), "kms:Decrypt"),
        ([{**ROOT, "Principal": {"AWS": ACCOUNT}}], (), "kms:Decrypt"),
        ([ROOT, USE], (), "kms:CreateGrant"),
        ([ROOT, ATTACH], (), "kms:Decrypt"),
        ([ROOT, {**USE, "Principal": {"AWS": ROLE + "_other"}}, ATTACH], (), "kms:Decrypt"),
        (
            [ROOT, {**USE, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}, ATTACH],
            (),
            "kms:Decrypt",
        ),
        ([ROOT, USE, ATTACH, DENY], (), "kms:Decrypt"),
        ([ROOT, DENY], (GRANT,), "kms:Decrypt"),
        ([ROOT], ({**GRANT, "Constraints": {"EncryptionContextEquals": {"a": "b"}}},), "kms:Decrypt"),
        ([ROOT], ({**GRANT, "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/app"},), "kms:Decrypt"),
        ([ROOT], ({**GRANT, "Operations": GRANT["Operations"][:-1]},), "kms:CreateGrant"),
    ],
)
def test_a_key_that_auto_scaling_may_not_use_is_refused(
    statements: list[Json], grants: tuple[Json, ...], lacking: str
) -> None:
    said = refused(HANDLER, about(KEY), answers(*statements, grants=grants))
    assert said.code == "unsafe" and f"may call {lacking} with it" in said.text


def test_a_policy_in_another_spelling_proves_nothing() -> None:
    odd = {"effect": "Allow", **{k: v for k, v in ROOT.items() if k != "Effect"}}
    assert refused(HANDLER, about(KEY), answers(odd)).code == "not_known"


def test_the_switch_with_a_key_that_somebody_set_before_needs_the_proof_too() -> None:
    assert refused(HANDLER, about(), answers(ROOT, current=KEY)).code == "unsafe"
    found = propose(HANDLER, about(), answers(ROOT, USE, ATTACH, current=KEY))
    assert operations(found) == ["EnableEbsEncryptionByDefault"]


def test_another_key_comes_back() -> None:
    other = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/other"

    def describe(asked: Json) -> Json:
        metadata = {"KeyId": "x", "Arn": asked["KeyId"], "KeyManager": "CUSTOMER", "KeyState": "Enabled"}
        return {"KeyMetadata": metadata}

    told = {**answers(ROOT, USE, ATTACH, current=other), "kms:DescribeKey": describe}
    key, _switch = propose(HANDLER, about(KEY), told).steps
    assert key.undo == (Call("ec2", "ModifyEbsDefaultKmsKeyId", {"KmsKeyId": other}),)


@pytest.mark.parametrize(
    "metadata",
    [
        {"KeyState": "Disabled"},
        {"KeyState": "PendingDeletion"},
        {"KeySpec": "RSA_2048"},
        {"KeyUsage": "GENERATE_VERIFY_MAC"},
        {"Arn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/own"},
        {"Arn": f"arn:aws:kms:{REGION}:999999999999:key/own"},
    ],
)
def test_keys_that_ebs_cannot_use_are_refused(metadata: Json) -> None:
    assert refused(HANDLER, about(KEY), answers(ROOT, USE, ATTACH, **metadata)).code == "unsupported"


@pytest.mark.parametrize(
    "operation",
    ["ec2:GetEbsEncryptionByDefault", "ec2:GetEbsDefaultKmsKeyId", "kms:GetKeyPolicy", "kms:ListGrants"],
)
def test_what_cannot_be_read_is_refused(operation: str) -> None:
    told = {**answers(ROOT, USE, ATTACH), operation: Failing("AccessDeniedException")}
    assert refused(HANDLER, about(KEY), told).code == "not_known"


def test_what_is_right_needs_nothing() -> None:
    assert not propose(HANDLER, about(), answers(on=True)).steps


def test_laws(bench: Bench) -> None:
    """moto has no GetEbsDefaultKmsKeyId and no ResetEbsDefaultKmsKeyId, so the three calls about the key are stubs."""
    account, region = bench.account, "us-east-1"
    role = ROLE.replace(ACCOUNT, account)

    def about_role(statement: Json) -> Json:
        return {**statement, "Principal": {"AWS": [role]}}

    root = {**ROOT, "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    policy = {"Version": "2012-10-17", "Statement": [root, about_role(USE), about_role(ATTACH)]}
    kms = bench.client("kms", region)
    key = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    default = {"KmsKeyId": "alias/aws/ebs"}

    def modify(arguments: Json) -> Json:
        default["KmsKeyId"] = arguments["KmsKeyId"]
        return default

    bench.stub("ec2:GetEbsDefaultKmsKeyId", lambda _arguments: dict(default))
    bench.stub("ec2:ModifyEbsDefaultKmsKeyId", modify)
    bench.stub("ec2:ResetEbsDefaultKmsKeyId", lambda _arguments: modify({"KmsKeyId": "alias/aws/ebs"}))
    place = ("ebs-encryption-by-default", "PolicyEngine::Account::Region", region, region)
    bench.laws(*place, parameters={"kms_key": key})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({**policy, "Statement": [root]}))
    assert "kms:Decrypt" in bench.refuses("unsafe", *place, parameters={"kms_key": key})
    bench.laws(*place)
