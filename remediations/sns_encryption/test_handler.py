"""Encryption of topics. Facts: publishers need kms:GenerateDataKey* and kms:Decrypt, services by the key policy, which only a
customer managed key has, and EventBridge sends no aws:SourceArn or aws:SourceAccount to KMS:
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.iam.authorize import authorize
from policyengine.iam.documents import read_policy
from policyengine.iam.plan import Policies
from policyengine.iam.request import Request
from policyengine.remediate.api import Refused
from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, REGION, Answer, Failing, Json, propose, refused, target

HANDLER = "sns_encryption"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ABOUT = target(HANDLER, TOPIC, parameters={"key": KEY})
ROOT: Json = {
    "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*",
}  # fmt: skip
ALARMS: Json = {
    "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*",
}  # fmt: skip
OURS = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
AWS_MANAGED: Json = {
    **ROOT, "Principal": {"AWS": "*"},
    "Condition": {"StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": f"sns.{REGION}.amazonaws.com"}},
}  # fmt: skip
"""The policy of alias/aws/sns; on a key of one's own it keeps alarms out as well:
https://repost.aws/questions/QUCsVSJa5QRDunCEGlwztZsg/how-does-the-kms-calleraccount-condition-work"""


def publish(principal: Any, **more: Any) -> Json:
    return {"Effect": "Allow", "Principal": principal, "Action": "SNS:Publish", "Resource": TOPIC, **more}


DEFAULT = publish({"AWS": "*"}, Action=["SNS:GetTopicAttributes", "SNS:Publish"],
                  Condition={"StringEquals": {"AWS:SourceOwner": ACCOUNT}})  # fmt: skip
"""https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html: what every new topic has."""


def answers(
    topic: list[Json], key: list[Json], key_is: Json | None = None, **attributes: str
) -> dict[str, Answer]:
    def text(statements: list[Json]) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    about = {"KeyId": KEY[-36:], "Arn": KEY, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT",
             "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": "CUSTOMER", **(key_is or {})}  # fmt: skip
    policy = {"Policy": text(topic)} if topic else {}
    return {
        "sns:GetTopicAttributes": {"Attributes": {**policy, **attributes}},
        "kms:DescribeKey": {"KeyMetadata": about},
        "kms:GetKeyPolicy": {"Policy": text(key)},
    }


def test_a_key_that_lets_the_publisher_in_is_used() -> None:
    found = propose(
        HANDLER, ABOUT, answers([publish({"Service": "cloudwatch.amazonaws.com"})], [ROOT, ALARMS])
    )
    (step,) = found.steps
    assert step.call.arguments["AttributeValue"] == KEY
    assert step.undo[0].arguments == {
        "TopicArn": TOPIC,
        "AttributeName": "KmsMasterKeyId",
        "AttributeValue": "",
    }
    assert len(found.concerns) == 1


@pytest.mark.parametrize(
    ("principal", "key", "words"),
    [
        ({"Service": "events.amazonaws.com"}, [ROOT, ALARMS], "events.amazonaws.com"),
        ({"Service": "cloudwatch.amazonaws.com"}, [ROOT, {**ALARMS, "Condition": OURS}], "aws:SourceAccount"),
        (
            {"Service": "cloudwatch.amazonaws.com"},
            [ROOT, {**ALARMS, "Action": "kms:Decrypt"}],
            "kms:GenerateDataKey",
        ),
        ({"Service": "cloudwatch.amazonaws.com"}, [ROOT, AWS_MANAGED], "cloudwatch.amazonaws.com"),
        ({"AWS": "444455556666"}, [ROOT, ALARMS], "444455556666"),
        ({"AWS": "arn:aws:iam::444455556666:role/r"}, [ROOT, ALARMS], "role/r"),
        ({"Service": "cloudwatch.amazonaws.com"}, [ALARMS], f"{ACCOUNT}:root"),
        ({"AWS": "AIDAQX4EXAMPLEEXAMPLE"}, [ROOT], "AIDAQX4EXAMPLEEXAMPLE"),
        ({"AWS": "*"}, [ROOT, ALARMS], "publishers"),
    ],
)
def test_a_publisher_that_the_key_leaves_out_refuses(principal: Any, key: list[Json], words: str) -> None:
    said = refused(HANDLER, ABOUT, answers([publish(principal)], key))
    assert said.code == "unsafe"
    assert words in said.text


def test_publishers_that_are_not_named_have_to_be_told() -> None:
    assert "publishers" in refused(HANDLER, ABOUT, answers([DEFAULT], [ROOT, ALARMS])).text
    told = {"key": KEY, "publishers": ["cloudwatch.amazonaws.com"]}
    found = propose(HANDLER, target(HANDLER, TOPIC, parameters=told), answers([DEFAULT], [ROOT, ALARMS]))
    assert "cloudwatch.amazonaws.com" in " ".join(found.concerns)
    told["publishers"] = ["cloudwatch.amazonaws.com", "s3.amazonaws.com"]
    assert (
        refused(HANDLER, target(HANDLER, TOPIC, parameters=told), answers([DEFAULT], [ROOT, ALARMS])).code
        == "unsafe"
    )


_services = st.sampled_from(["cloudwatch.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com"])
_entry = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Principal": st.one_of(
            st.builds(lambda s: {"Service": s}, st.lists(_services, min_size=1)), st.just("*")
        ),
        "Action": st.sampled_from(["kms:*", "kms:Decrypt", ["kms:GenerateDataKey*", "kms:Decrypt"]]),
        "Resource": st.just("*"),
    },
    optional={"Condition": st.sampled_from([OURS, {"Bool": {"aws:SecureTransport": "false"}}])},
)


@given(publishers=st.lists(_services, min_size=1, unique=True), entries=st.lists(_entry, max_size=4))
def test_no_key_is_used_that_could_leave_a_publisher_out(publishers: list[str], entries: list[Json]) -> None:
    """Held against the decision of single requests, as each service may send them."""
    key = [ROOT, *entries]
    try:
        propose(HANDLER, ABOUT, answers([publish({"Service": publishers})], key))
    except Refused:
        return
    policy = read_policy({"Version": "2012-10-17", "Statement": key}, "key")
    for service in publishers:
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            for context in ({}, {"aws:SourceAccount": "999999999999"}, {"aws:SecureTransport": "false"}):
                asked = Request(service, action, KEY, context, ACCOUNT)
                assert authorize(asked, Policies(resource=policy)).outcome == "Allowed"


@pytest.mark.parametrize(
    "key_is",
    [{"KeyManager": "AWS"}, {"KeyState": "Disabled"}, {"KeySpec": "RSA_2048"}, {"KeyUsage": "SIGN_VERIFY"}],
)
def test_keys_that_cannot_be_used(key_is: Json) -> None:
    assert refused(HANDLER, ABOUT, answers([], [ROOT], key_is)).code == "unsupported"


@pytest.mark.parametrize(
    "key", ["", "alias/aws/sns", KEY.replace(ACCOUNT, "444455556666"), KEY.replace(REGION, "us-east-1")]
)
def test_keys_whose_policy_cannot_be_read(key: str) -> None:
    assert (
        refused(HANDLER, target(HANDLER, TOPIC, parameters={"key": key}), answers([], [ROOT])).code
        == "unsupported"
    )


def test_nothing_to_do_and_a_policy_that_cannot_be_read() -> None:
    assert not propose(HANDLER, ABOUT, answers([], [ROOT], KmsMasterKeyId="alias/aws/sns")).steps
    assert refused(HANDLER, ABOUT, answers([], [ROOT], Policy="{")).code == "unsupported"


@pytest.mark.parametrize("operation", sorted(answers([], [ROOT])))
def test_incident_c7n_2824_a_policy_that_cannot_be_read_has_publishers(operation: str) -> None:
    asked = {**answers([], [ROOT]), operation: Failing("AuthorizationError")}
    assert refused(HANDLER, ABOUT, asked).code == "not_known"


def test_repairs(bench: Bench) -> None:
    key = bench.client("kms").create_key(KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    topic = bench.client("sns").create_topic(Name="alarms")["TopicArn"]
    account = f"arn:aws:iam::{bench.account}:root"
    policy = {"Version": "2012-10-17", "Statement": [publish({"AWS": account}, Resource=topic)]}
    bench.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy)
    )
    bench.laws(rule="sns-encrypted", type="AWS::SNS::Topic", id=topic, parameters={"key": key})


def test_a_topic_as_it_is_made_lets_every_service_in(bench: Bench) -> None:
    key = bench.client("kms").create_key(KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    topic = bench.client("sns").create_topic(Name="alarms")["TopicArn"]
    law: Any = {"rule": "sns-encrypted", "type": "AWS::SNS::Topic", "id": topic}
    assert "publishers" in bench.refuses("unsafe", **law, parameters={"key": key})
    told = {"key": key, "publishers": ["cloudwatch.amazonaws.com"]}
    assert "cloudwatch.amazonaws.com" in bench.refuses("unsafe", **law, parameters=told)
