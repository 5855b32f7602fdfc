"""Blocking public access to a bucket. Facts: what each of the four settings does, and what counts as public:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html; who is everybody in an ACL:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee-predefined-groups."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.api import Call
from policyengine.remediate.families.public_use import BLOCKED, SETTINGS
from policyengine.testing.remediations import Bench
from tests.remediate.canned import ACCOUNT, Answer, Failing, Json, image, propose, refused, target

HANDLER = "s3_block_public_access"
ABOUT = target(HANDLER, "site")
BUCKET = {"Bucket": "site", "ExpectedBucketOwner": ACCOUNT}
OWNER = {"Grantee": {"Type": "CanonicalUser", "ID": "0123"}, "Permission": "FULL_CONTROL"}
EVERYBODY = {
    "Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"},
    "Permission": "READ",
}
ENFORCED = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}
QUIET: dict[str, Answer] = {
    "s3:GetPublicAccessBlock": Failing("NoSuchPublicAccessBlockConfiguration"),
    "s3:GetBucketWebsite": Failing("NoSuchWebsiteConfiguration"),
    "s3:GetBucketPolicyStatus": Failing("NoSuchBucketPolicy"),
    "s3:GetBucketAcl": {"Grants": [OWNER]},
    "s3:GetBucketOwnershipControls": ENFORCED,
    "s3control:ListAccessPoints": {"AccessPointList": []},
    "cloudfront:ListDistributions": {"DistributionList": {"Items": []}},
}  # fmt: skip
PUBLIC = {"PolicyStatus": {"IsPublic": True}}
SITE = {"IndexDocument": {"Suffix": "index.html"}}


def distribution(
    domain: str, *, enabled: bool = True, control: str = "", identity: str | None = None
) -> Json:
    origin: Json = {"Id": "one", "DomainName": domain, "OriginAccessControlId": control}
    if identity is not None:
        origin["S3OriginConfig"] = {"OriginAccessIdentity": identity}
    made: Json = {"Id": "E1", "Enabled": enabled, "Origins": {"Quantity": 1, "Items": [origin]}}
    return {"DistributionList": {"Items": [made]}}


def test_a_bucket_nobody_reads_publicly_is_closed() -> None:
    found = propose(HANDLER, ABOUT, QUIET)
    (step,) = found.steps
    assert step.call == Call(
        "s3", "PutPublicAccessBlock", {**BUCKET, "PublicAccessBlockConfiguration": BLOCKED}
    )
    assert step.undo == (Call("s3", "DeletePublicAccessBlock", BUCKET),)
    assert (found.after["block"], found.concerns, found.approvals) == (BLOCKED, (), 0)
    blocked: dict[str, Answer] = {"s3:GetPublicAccessBlock": {"PublicAccessBlockConfiguration": BLOCKED}}
    assert image(HANDLER, ABOUT, blocked) == found.after  # nothing else is read then


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"s3:GetBucketWebsite": SITE}, "website"),
        ({"s3:GetBucketPolicyStatus": PUBLIC}, "policy is public"),
        ({"s3:GetBucketAcl": {"Grants": [OWNER, EVERYBODY]}}, "READ to everybody"),
        ({"cloudfront:ListDistributions": distribution("site.s3.amazonaws.com", identity="")}, "E1"),
        ({"cloudfront:ListDistributions": distribution("site.s3-website-eu-west-1.amazonaws.com")}, "E1"),
    ],
)
def test_public_use_is_refused_or_needs_two_people(answers: dict[str, Answer], words: str) -> None:
    said = refused(HANDLER, ABOUT, {**QUIET, **answers})
    assert said.code == "unsafe"
    assert words in said.text
    asked = target(HANDLER, "site", parameters={"when_in_use": "approve"})
    found = propose(HANDLER, asked, {**QUIET, **answers})
    assert found.approvals == 2
    assert words in " ".join(found.concerns)


def test_incident_azul_4691_a_distribution_that_reads_a_public_bucket_keeps_it_open() -> None:
    """https://github.com/DataBiosphere/azul/issues/4691: the Data Browser was down until somebody opened it again."""
    answers = {
        **QUIET,
        "s3:GetBucketPolicyStatus": PUBLIC,
        "cloudfront:ListDistributions": distribution("site.s3.eu-west-1.amazonaws.com", identity=""),
    }
    said = refused(HANDLER, ABOUT, answers)
    assert said.code == "unsafe"
    assert "E1" in said.text


def test_incident_cyhy_amis_742_a_site_of_public_objects_is_not_closed_without_a_person() -> None:
    """https://github.com/cisagov/cyhy_amis/issues/742: nothing on the bucket said that it was public, its objects did."""
    older = {"s3:GetBucketOwnershipControls": Failing("OwnershipControlsNotFoundError")}
    assert propose(HANDLER, ABOUT, {**QUIET, **older}).concerns


@pytest.mark.parametrize("operation", sorted(QUIET))
def test_incident_c7n_2824_nothing_is_closed_where_something_could_not_be_read(operation: str) -> None:
    """https://github.com/cloud-custodian/cloud-custodian/issues/2824"""
    for error in ("InternalError", "AccessDenied", "SlowDown"):
        assert refused(HANDLER, ABOUT, {**QUIET, operation: Failing(error)}).code == "not_known"


@pytest.mark.parametrize(
    "answer",
    [
        distribution("site.s3.amazonaws.com", control="E2QWRUHEXAMPLE"),
        distribution("site.s3.amazonaws.com", identity="origin-access-identity/cloudfront/E1"),
        distribution("site.s3.amazonaws.com", enabled=False),
        distribution("another-site.s3.amazonaws.com", identity=""),
        distribution("site.example.com"),
    ],
)
def test_distributions_that_do_not_need_the_public(answer: Json) -> None:
    assert not propose(HANDLER, ABOUT, {**QUIET, "cloudfront:ListDistributions": answer}).concerns


def points(**origins: str) -> dict[str, Answer]:
    listed = [{"Name": name, "NetworkOrigin": origin, "Bucket": "site"} for name, origin in origins.items()]
    return {**QUIET, "s3control:ListAccessPoints": {"AccessPointList": listed}}


def test_an_access_point_may_be_what_is_public() -> None:
    """The bucket's policy leaves it to the access points, and S3 does not hold it for public then."""
    asked = points(open="Internet", own="VPC")
    answers = {**asked, "s3control:GetAccessPointPolicyStatus": PUBLIC}
    said = refused(HANDLER, ABOUT, answers)
    assert (said.code, "everybody in: open" in said.text) == ("unsafe", True)
    for harmless in (Failing("NoSuchAccessPointPolicy"), {"PolicyStatus": {"IsPublic": False}}):
        assert propose(HANDLER, ABOUT, {**asked, "s3control:GetAccessPointPolicyStatus": harmless}).steps
    failing: dict[str, Answer] = {**asked, "s3control:GetAccessPointPolicyStatus": Failing("InternalError")}
    assert refused(HANDLER, ABOUT, failing).code == "not_known"


def test_what_is_held_back_already_is_not_in_use() -> None:
    held = dict.fromkeys(SETTINGS, False) | {"RestrictPublicBuckets": True, "IgnorePublicAcls": True}
    answers: dict[str, Answer] = {
        **QUIET,
        "s3:GetPublicAccessBlock": {"PublicAccessBlockConfiguration": held},
        "s3:GetBucketPolicyStatus": PUBLIC,
        "s3:GetBucketAcl": {"Grants": [EVERYBODY]},
        "s3:GetBucketOwnershipControls": Failing("OwnershipControlsNotFoundError"),
    }
    assert not propose(HANDLER, ABOUT, answers).concerns


@given(settings=st.fixed_dictionaries({name: st.booleans() for name in SETTINGS}))
def test_undone_every_setting_is_what_it_was(settings: Json) -> None:
    answers: dict[str, Answer] = {
        **QUIET,
        "s3:GetPublicAccessBlock": {"PublicAccessBlockConfiguration": settings},
    }
    found: Any = propose(HANDLER, ABOUT, answers)
    if settings == BLOCKED:
        assert not found.steps
        return
    assert found.steps[0].undo[0].arguments["PublicAccessBlockConfiguration"] == settings
    assert {name for name in found.after if name != "block"} == {"use", "distributions"}


def test_govcloud_has_no_cloudfront_to_ask() -> None:
    answers = {name: answer for name, answer in QUIET.items() if not name.startswith("cloudfront")}
    about = target(HANDLER, "site", partition="aws-us-gov", region="us-gov-west-1")
    assert propose(HANDLER, about, answers).steps


def with_points(bench: Bench) -> None:
    """moto takes S3 Control at a host name made of the account's id, which resolves nowhere: its operations are stubs."""
    listed = [{"Name": "quiet", "NetworkOrigin": "Internet", "Bucket": "any"}]
    bench.stub("s3control:ListAccessPoints", {"AccessPointList": listed})
    bench.stub("s3control:GetAccessPointPolicyStatus", {"PolicyStatus": {"IsPublic": False}})


def test_repairs(bench: Bench) -> None:
    with_points(bench)
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="closed", ObjectOwnership="BucketOwnerEnforced")
    bench.laws(rule="s3-bucket-public-access-block", type="AWS::S3::Bucket", id="closed")


def test_repairs_what_is_half_closed(bench: Bench) -> None:
    with_points(bench)
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="half", ObjectOwnership="BucketOwnerEnforced")
    some = {**BLOCKED, "BlockPublicPolicy": False}
    s3.put_public_access_block(Bucket="half", PublicAccessBlockConfiguration=some)
    bench.laws(rule="s3-bucket-public-access-block", type="AWS::S3::Bucket", id="half")
    assert s3.get_public_access_block(Bucket="half")["PublicAccessBlockConfiguration"] == some


def test_a_site_stays_up(bench: Bench) -> None:
    with_points(bench)
    s3 = bench.client("s3")
    s3.create_bucket(Bucket="site")
    s3.put_bucket_website(Bucket="site", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    words = bench.refuses("unsafe", rule="s3-bucket-public-access-block", type="AWS::S3::Bucket", id="site")
    assert "website" in words
