"""Versioning. Facts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html ("After you version-enable a
bucket, it can never return to an unversioned state. But you can suspend versioning on that bucket")."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, image, propose, refused, target

HANDLER = "s3_versioning"
ABOUT = target(HANDLER, "data")
NONE = Failing("NoSuchLifecycleConfiguration")
EXPIRES = {"NoncurrentVersionExpiration": {"NoncurrentDays": 30}}


def answers(versioning: dict[str, Any], lifecycle: Any = NONE) -> dict[str, Answer]:
    return {"s3:GetBucketVersioning": versioning, "s3:GetBucketLifecycleConfiguration": lifecycle}


@pytest.mark.parametrize("before", [{}, {"Status": "Suspended"}])
def test_versions_are_kept_and_undone_means_suspended(before: dict[str, Any]) -> None:
    found = propose(HANDLER, ABOUT, answers(before))
    (step,) = found.steps
    assert step.call.arguments["VersioningConfiguration"] == {"Status": "Enabled"}
    assert step.undo[0].arguments["VersioningConfiguration"] == {"Status": "Suspended"}
    assert image(HANDLER, ABOUT, answers({})) == image(HANDLER, ABOUT, answers({"Status": "Suspended"}))


@pytest.mark.parametrize(
    ("rules", "asks"),
    [
        ([{"Status": "Enabled", "Prefix": "", **EXPIRES}], False),
        ([{"Status": "Disabled", "Prefix": "", **EXPIRES}], True),
        ([{"Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}], True),
    ],
)
def test_without_a_rule_that_removes_versions_a_person_decides(rules: list[Any], asks: bool) -> None:
    assert bool(propose(HANDLER, ABOUT, answers({}, {"Rules": rules})).concerns) is asks


def test_nothing_to_do() -> None:
    found = propose(HANDLER, ABOUT, answers({"Status": "Enabled"}))
    assert not found.steps
    assert found.after["enabled"]


def test_mfa_delete_is_refused() -> None:
    said = refused(HANDLER, ABOUT, answers({"Status": "Suspended", "MFADelete": "Enabled"}))
    assert said.code == "unsupported"


def test_incident_c7n_2824_a_lifecycle_that_cannot_be_read_is_not_none() -> None:
    assert refused(HANDLER, ABOUT, answers({}, Failing("InternalError"))).code == "not_known"


def test_repairs(bench: Bench) -> None:
    bench.client("s3").create_bucket(Bucket="data")
    bench.laws(rule="s3-versioning", type="AWS::S3::Bucket", id="data")
