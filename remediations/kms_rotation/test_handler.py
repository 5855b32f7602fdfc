"""Rotation of customer managed keys. Facts: https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html
("only symmetric encryption KMS keys with key material that AWS KMS creates"), and for the replicas of multi-Region keys
https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-manage.html ("you enable and disable on the
primary key")."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.api import Call
from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, REGION, Answer, Failing, image, propose, refused, target

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{ID}"
HANDLER = "kms_rotation"


def answers(status: dict[str, Any] | Failing | None = None, **metadata: Any) -> dict[str, Answer]:
    key = {
        "KeyId": ID, "Arn": ARN, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER", **metadata,
    }  # fmt: skip
    rotation = {"KeyRotationEnabled": False} if status is None else status
    return {"kms:DescribeKey": {"KeyMetadata": key}, "kms:GetKeyRotationStatus": rotation}


def test_a_key_that_does_not_rotate_does_so_afterwards() -> None:
    found = propose(HANDLER, target(HANDLER, ID), answers())
    (step,) = found.steps
    assert step.call == Call("kms", "EnableKeyRotation", {"KeyId": ARN, "RotationPeriodInDays": 365})
    assert step.undo == (Call("kms", "DisableKeyRotation", {"KeyId": ARN}),)
    assert (found.after["rotates"], found.after["days"]) == (True, 365)


def test_a_key_that_rotates_too_seldom_gets_its_old_period_back() -> None:
    status = {"KeyRotationEnabled": True, "RotationPeriodInDays": 730}
    (step,) = propose(HANDLER, target(HANDLER, ID), answers(status)).steps
    assert step.undo == (Call("kms", "EnableKeyRotation", {"KeyId": ARN, "RotationPeriodInDays": 730}),)


@given(days=st.integers(90, 2560), wanted=st.integers(90, 2560), on=st.booleans())
def test_a_period_is_never_made_longer(days: int, wanted: int, on: bool) -> None:
    status = {"KeyRotationEnabled": on, **({"RotationPeriodInDays": days} if on else {})}
    about = target(HANDLER, ID, parameters={"days": wanted})
    found = propose(HANDLER, about, answers(status))
    before = image(HANDLER, about, answers(status))
    if on and days <= wanted:
        assert not found.steps
        assert found.after == before
    else:
        changed = {name for name in before if before[name] != found.after[name]}
        assert changed <= {"rotates", "days"}
        assert found.after["days"] == wanted


@pytest.mark.parametrize(
    ("status", "metadata", "words"),
    [
        (Failing("UnsupportedOperationException"), {"KeySpec": "RSA_2048"}, "RSA_2048"),
        (Failing("UnsupportedOperationException"), {"CustomKeyStoreId": "cks-1"}, "custom key stores"),
        (None, {"Origin": "EXTERNAL"}, "EXTERNAL"),
        ({"KeyRotationEnabled": True}, {"KeyManager": "AWS"}, "AWS_KMS, AWS"),
        (None, {"KeyState": "PendingDeletion"}, "PendingDeletion"),
        (None, {"KeyState": "Disabled"}, "Disabled"),
        (
            None,
            {"MultiRegion": True, "MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA"}},
            "primary",
        ),
    ],
)
def test_keys_that_cannot_be_made_to_rotate_are_refused(status: Any, metadata: Any, words: str) -> None:
    said = refused(HANDLER, target(HANDLER, ID), answers(status, **metadata))
    assert said.code == "unsupported"
    assert words in said.text


def test_incident_c7n_2824_a_status_that_cannot_be_read_is_not_rotation_that_is_off() -> None:
    said = refused(HANDLER, target(HANDLER, ID), answers(Failing("AccessDeniedException")))
    assert said.code == "not_known"


def test_repairs(bench: Bench) -> None:
    kms = bench.client("kms", REGION)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    bench.laws(rule="kms-key-rotation", type="AWS::KMS::Key", id=key, region=REGION)


def test_repairs_a_period_that_is_too_long(bench: Bench) -> None:
    """moto knows no rotation periods: the three operations about them are stubs."""
    key = bench.client("kms", REGION).create_key()["KeyMetadata"]["KeyId"]
    status: dict[str, Any] = {"KeyRotationEnabled": True, "RotationPeriodInDays": 1000}

    def enable(asked: dict[str, Any]) -> dict[str, Any]:
        status.update(KeyRotationEnabled=True, RotationPeriodInDays=asked["RotationPeriodInDays"])
        return {}

    bench.stub("kms:GetKeyRotationStatus", lambda _asked: dict(status))
    bench.stub("kms:EnableKeyRotation", enable)
    bench.laws(rule="kms-key-rotation", type="AWS::KMS::Key", id=key, region=REGION)
    assert status["RotationPeriodInDays"] == 1000
