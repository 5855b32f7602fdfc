"""Default encryption of buckets. Facts: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
(the configuration is replaced, KMS key ids are not validated), and for blocked encryption types
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionRule.html."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.api import Refused
from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, REGION, Answer, Failing, Json, image, propose, refused, target

HANDLER = "s3_bucket_encryption"
ABOUT = target(HANDLER, "data")
NONE = Failing("ServerSideEncryptionConfigurationNotFoundError")
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
DEFAULT = "ApplyServerSideEncryptionByDefault"
KMS = {"algorithm": "aws:kms", "key": KEY}


def answers(rules: list[Json] | Failing) -> dict[str, Answer]:
    if isinstance(rules, Failing):
        return {"s3:GetBucketEncryption": rules}
    return {"s3:GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": rules}}}


def test_a_bucket_without_default_encryption_gets_one_and_loses_it_again() -> None:
    found = propose(HANDLER, ABOUT, answers(NONE))
    (step,) = found.steps
    assert found.after == {"rules": [{"BucketKeyEnabled": False, DEFAULT: {"SSEAlgorithm": "AES256"}}]}
    assert step.undo[0].operation == "DeleteBucketEncryption"
    assert not found.concerns


def test_a_kms_key_needs_a_person_and_keeps_what_else_is_set() -> None:
    rule = {
        DEFAULT: {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": True,
        "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
    }
    found = propose(HANDLER, target(HANDLER, "data", parameters=KMS), answers([rule]))
    assert found.after["rules"] == [{**rule, DEFAULT: {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}]
    assert found.steps[0].undo[0].arguments["ServerSideEncryptionConfiguration"]["Rules"] == [rule]
    assert found.concerns


def test_a_key_elsewhere_or_none_is_refused() -> None:
    for key in ("", "alias/data", "arn:aws:kms:us-east-1:111122223333:key/1"):
        about = target(HANDLER, "data", parameters={**KMS, "key": key})
        assert refused(HANDLER, about, answers(NONE)).code == "unsupported"


_rules = st.lists(
    st.fixed_dictionaries(
        {DEFAULT: st.fixed_dictionaries({"SSEAlgorithm": st.sampled_from(["AES256", "aws:kms", "aws:kms:dsse"])},
                                        optional={"KMSMasterKeyID": st.just("arn:aws:kms:x:1:key/own")})},
        optional={"BucketKeyEnabled": st.booleans(),
                  "BlockedEncryptionTypes": st.just({"EncryptionType": ["SSE-C"]})},
    ),
    min_size=1, max_size=3,
)  # fmt: skip


@given(rules=_rules, parameters=st.sampled_from([{}, KMS]))
def test_no_key_is_ever_replaced_and_nothing_else_changes(rules: list[Any], parameters: Json) -> None:
    about = target(HANDLER, "data", parameters=parameters)
    before = image(HANDLER, about, answers(rules))["rules"]
    try:
        after = propose(HANDLER, about, answers(rules)).after["rules"]
    except Refused as said:
        assert said.code == "unsupported"
        assert any(rule[DEFAULT]["SSEAlgorithm"] != "AES256" for rule in rules)
        return
    for old, new in zip(before, after, strict=True):
        assert {**old, DEFAULT: None} == {**new, DEFAULT: None}
        if old[DEFAULT].get("KMSMasterKeyID"):
            assert new[DEFAULT]["KMSMasterKeyID"] == old[DEFAULT]["KMSMasterKeyID"]


def test_incident_c7n_2824_encryption_that_cannot_be_read_is_not_none() -> None:
    assert refused(HANDLER, ABOUT, answers(Failing("InternalError"))).code == "not_known"


def test_repairs(bench: Bench) -> None:
    """Buckets of moto have no default encryption; those of AWS always do, which the rule knows."""
    bench.client("s3").create_bucket(Bucket="data")
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
    bench.laws(
        rule="s3-default-encryption",
        type="AWS::S3::Bucket",
        id="data",
        parameters={**KMS, "key": key},
        rule_parameters={"algorithms": ["aws:kms"]},
    )


def test_repairs_an_algorithm_that_is_not_allowed(bench: Bench) -> None:
    s3 = bench.client("s3", "eu-west-1")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    rules = [{DEFAULT: {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
    s3.put_bucket_encryption(Bucket="data", ServerSideEncryptionConfiguration={"Rules": rules})
    bench.laws(
        rule="s3-default-encryption",
        type="AWS::S3::Bucket",
        id="data",
        region="eu-west-1",
        parameters=KMS,
        rule_parameters={"algorithms": ["aws:kms"]},
    )
