"""A queue policy that denies plain HTTP. Facts: a policy has at most 8,192 bytes and 20 statements:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html; the statement is AWS's:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html. That nothing else
changes is a law of ``policyengine.iam.tls_only``, held in the tests of ``s3_tls_only``."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.iam.documents import read_policy
from policyengine.iam.reason import No, denies
from policyengine.iam.request_set import read_request_set
from policyengine.remediate.api import Refused
from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, REGION, Answer, Failing, Json, propose, refused, target

HANDLER = "sqs_tls_only"
ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
ABOUT = target(HANDLER, f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders")
SENDERS: Json = {
    "Sid": "Senders", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
    "Action": "sqs:SendMessage", "Resource": ARN,
}  # fmt: skip


def text(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def answers(policy: str | None) -> dict[str, Answer]:
    found = {"QueueArn": ARN, **({"Policy": policy} if policy is not None else {})}
    return {"sqs:GetQueueAttributes": {"Attributes": found}}


@pytest.mark.parametrize("before", [None, text(SENDERS)])
def test_plain_http_is_denied_and_undone(before: str | None) -> None:
    found = propose(HANDLER, ABOUT, answers(before))
    (step,) = found.steps
    asked = {"action": ["sqs:*"], "resource": [ARN], "context": {"aws:SecureTransport": ["false"]}}
    assert isinstance(denies([read_policy(found.after["policy"], "resource")], read_request_set(asked)), No)
    restored = step.undo[0].arguments["Attributes"]["Policy"]
    assert json.loads(restored) == json.loads(before) if before else restored == ""
    assert not propose(HANDLER, ABOUT, answers(found.after["policy"])).steps


def test_quotas() -> None:
    many = [{**SENDERS, "Sid": f"S{number}"} for number in range(20)]
    assert propose(HANDLER, ABOUT, answers(text(*many[:19]))).steps
    assert "21 statements" in refused(HANDLER, ABOUT, answers(text(*many))).text
    assert "8192" in refused(HANDLER, ABOUT, answers(text({**SENDERS, "Sid": "x" * 8000}))).text


def test_what_cannot_be_read() -> None:
    assert "not touched" in refused(HANDLER, ABOUT, answers("{")).text
    failing: dict[str, Answer] = {"sqs:GetQueueAttributes": Failing("InternalError")}
    assert refused(HANDLER, ABOUT, failing).code == "not_known"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["Statement", "statement", "Sid", "Effect", "Action", "Principal", "Resource", "Version", "x"]),
        inner | st.sampled_from(["Allow", "Deny", "*", "2012-10-17", "sqs:*"]), max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    policy=st.text(max_size=40)
    | _json.map(json.dumps)
    | _json.map(lambda v: json.dumps(v, ensure_ascii=False))
)
def test_whatever_stands_there_it_is_planned_or_refused(policy: str) -> None:
    try:
        found = propose(HANDLER, ABOUT, answers(policy))
    except Refused as said:
        assert said.code == "unsupported"
        return
    assert found.after["policy"]


@pytest.mark.parametrize(
    "policy",
    [
        "[" * 100_000,
        '{"Statement":' * 500,
        "%7B%22Statement%22%3A%5B%5D%7D",
        '{"Statement":[],"Statement":[]}',
    ],
)
def test_hostile_texts_are_refused(policy: str) -> None:
    assert refused(HANDLER, ABOUT, answers(policy)).code == "unsupported"


def test_repairs(bench: Bench) -> None:
    sqs = bench.client("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    bench.laws(rule="sqs-tls-only", type="AWS::SQS::Queue", id=url)


def test_repairs_beside_what_stands_there(bench: Bench) -> None:
    sqs = bench.client("sqs")
    before = text({**SENDERS, "Resource": f"arn:aws:sqs:us-east-1:{bench.account}:orders"})
    url = sqs.create_queue(QueueName="orders", Attributes={"Policy": before})["QueueUrl"]
    bench.laws(rule="sqs-tls-only", type="AWS::SQS::Queue", id=url)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert json.loads(found) == json.loads(before)
