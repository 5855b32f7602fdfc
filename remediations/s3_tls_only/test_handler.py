"""A bucket policy that denies plain HTTP. Facts: the statement is AWS's own
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html), a policy is replaced whole
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html) and may have 20 KB
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html), and website endpoints have no TLS
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.iam.authorize import authorize
from policyengine.iam.documents import read_policy
from policyengine.iam.plan import Policies
from policyengine.iam.reason import No, denies
from policyengine.iam.request import Request
from policyengine.iam.request_set import read_request_set
from policyengine.remediate.api import Proposal, Refused
from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, Answer, Failing, image, propose, refused, target

HANDLER = "s3_tls_only"
ABOUT = target(HANDLER, "data")
BUCKET = {"Bucket": "data", "ExpectedBucketOwner": ACCOUNT}
ARN = "arn:aws:s3:::data"
NO_POLICY = Failing("NoSuchBucketPolicy")
NO_SITE = Failing("NoSuchWebsiteConfiguration")
READERS = {
    "Sid": "Readers",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
    "Action": ["s3:GetObject"],
    "Resource": f"{ARN}/*",
}
HTTP = read_request_set(
    {"action": ["s3:*"], "resource": [ARN, f"{ARN}/*"], "context": {"aws:SecureTransport": ["false"]}}
)


def answers(policy: str | Failing, site: Any = NO_SITE, *distributions: Any) -> dict[str, Answer]:
    found: Answer = policy if isinstance(policy, Failing) else {"Policy": policy}
    return {
        "s3:GetBucketPolicy": found,
        "s3:GetBucketWebsite": site,
        "cloudfront:ListDistributions": {"DistributionList": {"Items": list(distributions)}},
    }


def distribution(
    viewers: str, *, more: str = "", domain: str = "data.s3.amazonaws.com", **origin: Any
) -> Any:
    return {
        "Id": "E1",
        "Enabled": True,
        "Origins": {"Items": [{"Id": "one", "DomainName": domain, **origin}]},
        "DefaultCacheBehavior": {"ViewerProtocolPolicy": viewers},
        **({"CacheBehaviors": {"Items": [{"ViewerProtocolPolicy": more}]}} if more else {}),
    }


def text(*statements: Any, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


def written(found: Proposal) -> str:
    """The text of the policy as it is put."""
    (step,) = found.steps
    return str(step.call.arguments["Policy"])


def test_it_is_the_same_policy_in_whatever_order_s3_gives_its_members() -> None:
    """S3 takes white space out of what is put; the order of members is documented nowhere."""
    reordered = dict(reversed(READERS.items()))
    plain = [
        json.dumps({"Version": "2012-10-17", "Statement": [s]}, separators=(",", ":"))
        for s in (READERS, reordered)
    ]
    one, other = (image(HANDLER, ABOUT, answers(each)) for each in plain)
    assert one == other
    assert (
        image(HANDLER, ABOUT, answers(text(READERS))) != one
    )  # spelled with spaces: to be restored byte for byte
    for each in (*plain, text(reordered)):
        (step,) = propose(HANDLER, ABOUT, answers(each)).steps
        assert step.undo[0].arguments["Policy"] == each


def test_a_bucket_without_a_policy_gets_one_and_loses_it_again() -> None:
    found = propose(HANDLER, ABOUT, answers(NO_POLICY))
    (step,) = found.steps
    assert found.after["policy"] == json.loads(step.call.arguments["Policy"])
    assert found.after["text"] is None
    assert isinstance(denies([read_policy(written(found), "resource")], HTTP), No)
    assert (step.undo[0].operation, step.undo[0].arguments) == ("DeleteBucketPolicy", BUCKET)


def test_undone_the_policy_has_every_byte_it_had() -> None:
    before = '{ "Statement":\n[' + json.dumps(READERS) + '  ]\t,"Id":"é", "Version":"2008-10-17"}'
    (step,) = propose(HANDLER, ABOUT, answers(before)).steps
    assert step.undo[0].arguments["Policy"] == before
    merged = step.call.arguments["Policy"]
    assert json.dumps(READERS) in merged
    assert merged.startswith('{ "Statement":\n[')
    assert merged.endswith(']\t,"Id":"é", "Version":"2008-10-17"}')


_principals = st.sampled_from(
    [
        "*",
        {"AWS": "*"},
        {"AWS": ["arn:aws:iam::444455556666:role/r", "111122223333"]},
        {"Service": "logging.s3.amazonaws.com"},
        {"CanonicalUser": "0123abcd"},
    ]
)
_conditions = st.sampled_from(
    [
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}},
        {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}},
        {"StringLike": {"s3:prefix": "${aws:username}/*"}},
    ]
)
_statements = st.lists(
    st.fixed_dictionaries(
        {
            "Effect": st.sampled_from(["Allow", "Deny"]),
            "Principal": _principals,
            "Action": st.sampled_from(["s3:*", "s3:GetObject", ["s3:ListBucket", "s3:Put*"]]),
            "Resource": st.sampled_from([ARN, f"{ARN}/*", [ARN, f"{ARN}/logs/*"]]),
        },
        optional={
            "Sid": st.sampled_from(["DenyRequestsWithoutTls", "A", "some words"]),
            "Condition": _conditions,
        },
    ),
    min_size=1,
    max_size=4,
)


@given(
    statements=_statements, who=st.sampled_from(["arn:aws:iam::444455556666:role/r", "*"]), tls=st.booleans()
)
def test_what_stands_there_stays_and_only_requests_without_tls_lose(
    statements: list[Any], who: str, tls: bool
) -> None:
    before = text(*statements)
    found = propose(HANDLER, ABOUT, answers(before))
    if not found.steps:
        assert isinstance(denies([read_policy(before, "resource")], HTTP), No)
        return
    merged = json.loads(written(found))
    assert merged["Statement"][:-1] == statements
    sids = [each["Sid"] for each in merged["Statement"] if "Sid" in each]
    assert sids.count(merged["Statement"][-1]["Sid"]) == 1
    assert (
        written(found).replace("," + json.dumps(merged["Statement"][-1], separators=(",", ":")), "") == before
    )
    policy, old = read_policy(written(found), "resource"), read_policy(before, "resource")
    assert isinstance(denies([policy], HTTP), No)
    for action, resource in (("s3:GetObject", f"{ARN}/logs/x"), ("s3:ListBucket", ARN)):
        context = {"aws:SecureTransport": "true" if tls else "false", "aws:SourceIp": "192.0.2.1"}
        asked = Request(who, action, resource, context, ACCOUNT)
        was, now = (authorize(asked, Policies(resource=each)).outcome for each in (old, policy))
        assert now == (was if tls else "ExplicitlyDenied")


def test_nothing_to_do_where_it_is_denied_in_other_words() -> None:
    other = {**READERS, "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*", "Resource": "*",
             "Condition": {"BoolIfExists": {"aws:SecureTransport": ["false"]}}}  # fmt: skip
    assert not propose(HANDLER, ABOUT, answers(text(READERS, other))).steps


@pytest.mark.parametrize(
    "policy", ["", "{", "[]", '{"Version": "2012-10-17"}', text({"Effect": "Perhaps"}), text(READERS, Sid=1)]
)
def test_a_policy_that_cannot_be_read_is_not_touched(policy: str) -> None:
    said = refused(HANDLER, ABOUT, answers(policy))
    assert said.code == "unsupported"
    assert "not touched" in said.text


def test_20_kb_and_not_a_byte_more() -> None:
    added = len(written(propose(HANDLER, ABOUT, answers(text(READERS))))) - len(text(READERS))
    room = 20 * 1024 - added - len(text({**READERS, "Sid": ""}))
    full = propose(HANDLER, ABOUT, answers(text({**READERS, "Sid": "x" * room})))
    assert len(written(full)) == 20 * 1024
    said = refused(HANDLER, ABOUT, answers(text({**READERS, "Sid": "x" * (room + 1)})))
    assert (said.code, "20480" in said.text) == ("unsupported", True)


def test_a_website_would_be_gone() -> None:
    assert (
        refused(HANDLER, ABOUT, answers(NO_POLICY, {"IndexDocument": {"Suffix": "i.html"}})).code == "unsafe"
    )


@pytest.mark.parametrize(
    ("found", "asks"),
    [
        (distribution("redirect-to-https"), False),
        (distribution("https-only", more="https-only"), False),
        (distribution("allow-all"), True),
        (distribution("https-only", more="allow-all"), True),
        (distribution("allow-all", OriginAccessControlId="E2"), True),
        (distribution("allow-all", CustomOriginConfig={"OriginProtocolPolicy": "https-only"}), False),
        (distribution("https-only", CustomOriginConfig={"OriginProtocolPolicy": "http-only"}), True),
        (distribution("allow-all", domain="other-data.s3.amazonaws.com"), False),
    ],
)
def test_a_distribution_that_may_fetch_over_http_waits_for_a_person(found: Any, asks: bool) -> None:
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-cloudfront-to-s3-origin.html"""
    proposal = propose(HANDLER, ABOUT, answers(NO_POLICY, NO_SITE, found))
    assert bool(proposal.concerns) is asks
    assert proposal.steps


@pytest.mark.parametrize("error", ["InternalError", "AccessDenied", "NoSuchBucket"])
def test_incident_c7n_2824_a_policy_that_cannot_be_read_is_not_none(error: str) -> None:
    """Taken for none, it would be written over."""
    assert refused(HANDLER, ABOUT, answers(Failing(error))).code == "not_known"
    assert refused(HANDLER, ABOUT, answers(NO_POLICY, Failing(error))).code == "not_known"
    unseen = {**answers(NO_POLICY), "cloudfront:ListDistributions": Failing(error)}
    assert refused(HANDLER, ABOUT, unseen).code == "not_known"


def test_other_partitions_have_other_arns() -> None:
    about = target(HANDLER, "data", partition="aws-cn", region="cn-north-1")
    merged = json.loads(written(propose(HANDLER, about, answers(NO_POLICY))))
    assert merged["Statement"][0]["Resource"] == ["arn:aws-cn:s3:::data", "arn:aws-cn:s3:::data/*"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["Statement", "statement", "Sid", "Effect", "Action", "Principal", "Resource", "Version", "x"]),
        inner | st.sampled_from(["Allow", "Deny", "*", "2012-10-17", "s3:*"]), max_size=5,
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
    assert json.loads(written(found)) == found.after["policy"]


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
    bench.client("s3").create_bucket(Bucket="data")
    bench.laws(rule="s3-tls-only", type="AWS::S3::Bucket", id="data")


def test_repairs_beside_what_stands_there(bench: Bench) -> None:
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="data")
    before = json.dumps({"Version": "2012-10-17", "Id": "é", "Statement": READERS}, indent=1)
    s3.put_bucket_policy(Bucket="data", Policy=before)
    bench.laws(rule="s3-tls-only", type="AWS::S3::Bucket", id="data")
    assert s3.get_bucket_policy(Bucket="data")["Policy"] == before
